"""Who is calling, over real sockets: tiers, the PIN in a whole call, and what of it can be found afterwards."""

import asyncio
import io
import json
import logging
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from phone_bridge.app import sessions
from phone_bridge.app.pins import PinDesk, may_be_told, offered, trust_of
from phone_bridge.call.proving import Wanted
from phone_bridge.call.trust import Tier
from phone_bridge.routing import Facts, Route
from phone_bridge.runtime.pin_pad import Desk
from phone_bridge.runtime.pins import Pins
from phone_bridge.runtime.record import CallRecord
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served, served
from phone_bridge.tools.table import CALENDAR_TOOLS
from tests.app.premises import LINE_MS, Premises, call_form, json_of, play
from tests.runtime.pumping import Assistant, Carrier
from tests.runtime.serving import until

ALICE, NUMBER, PIN, WRONG = "usr_alice", "+12025550143", "482913", "482914"
OFFICE = Route(
    name="office", called="+12025550100", user_id=ALICE, numbers=NUMBER, trust={"read": "known", "write": "pin"}
)
VAULT = Route(name="vault", called="+12025550100", user_id=ALICE, trust={"enter": "pin"})


def at(folder: Path, story: Any, *routes: Route, **settings: Any) -> None:
    def read(chosen: Settings) -> Sequence[Route]:
        return routes

    play(folder, story, read_routes=read, traces="all", traces_folder=str(folder / "traces"), **settings)


def give_pin(house: Premises, pin: str = PIN) -> Pins:
    pins = Pins(house.bridge.records, cost_log2=4)
    pins.set(ALICE, pin)
    return pins


async def shown(house: Premises) -> Any:
    return json_of(await house.ask("GET", "/v1/calls"))["data"][0]


async def proposed(house: Premises) -> tuple[Carrier, Assistant]:
    carrier, assistant = await house.talk()
    await asyncio.sleep(2 * LINE_MS / 1000)
    assistant.propose("act_1")
    await asyncio.sleep(4 * LINE_MS / 1000)
    return carrier, assistant


# The tier


TIERS = [
    ({}, "known"),
    ({"StirVerstat": "TN-Validation-Passed-A"}, "attested"),
    ({"StirVerstat": "TN-Validation-Passed-A-Diverted"}, "known"),
    ({"StirVerstat": "TN-Validation-Passed-B"}, "known"),
    ({"StirVerstat": "TN-Validation-Failed-A"}, "known"),
    ({"From": "+12025550144", "StirVerstat": "TN-Validation-Passed-A"}, "unknown"),
    ({"From": "anonymous", "StirVerstat": "TN-Validation-Passed-A"}, "unknown"),
    ({"From": "+266696687", "StirVerstat": "TN-Validation-Passed-A"}, "unknown"),
    ({"From": f"sip:{NUMBER}@evil.example"}, "unknown"),
    ({"To": "+12025550101"}, "unknown"),
]


def test_a_caller_is_known_by_an_exact_number_and_its_carrier_s_word(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for at, (form, _) in enumerate(TIERS):
            await house.post("/twilio/voice", call_form(f"CA{at}", **form))
        found = {call["carrier_id"]: call["trust"] for call in json_of(await house.ask("GET", "/v1/calls"))["data"]}
        assert found == {f"CA{at}": trust for at, (_, trust) in enumerate(TIERS)}

    at(tmp_path, story, OFFICE)


# A whole call


def test_a_deed_needs_the_pin_and_nothing_of_it_is_found_anywhere(tmp_path: Path) -> None:
    told, handler = io.StringIO(), logging.StreamHandler()
    handler.setStream(told)
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    async def story(house: Premises) -> None:
        give_pin(house)
        carrier, assistant = await proposed(house)
        carrier.press(f"{WRONG}#")
        await asyncio.sleep(1)
        assert assistant.words == []
        carrier.press(f"{PIN}#")
        await asyncio.sleep(1.6)
        assert assistant.words == [], "the question comes first"
        carrier.press("1")
        await until(lambda: assistant.words == [m.ActionConfirm("act_1")])
        assistant.tell(m.ActionExecuted(id="act_1", result={"ok": True}))
        await asyncio.sleep(0.3)
        answers = [await house.ask("GET", path) for path in ("/v1/calls", "/metrics")]
        carrier.hang_up()
        _, record = await house.ended(carrier)
        answers.append(await house.ask("GET", f"/v1/calls/{record.id}"))
        whole = json_of(answers[-1])
        assert (whole["trust"], whole["actions"][0]["trust"]) == ("pin", "pin")
        assert [receipt["trust"] for receipt in whole["receipts"]][-1] == "pin"
        for answer in answers:
            assert PIN not in answer.body.decode()
            assert WRONG not in answer.body.decode()

    try:
        at(tmp_path, story, OFFICE)
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert "a PIN was given in call" in told.getvalue()
    kept = [told.getvalue().encode(), *(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())]
    (trace,) = (tmp_path / "traces").glob("*.trace")
    journal = zlib.decompress(trace.read_bytes().partition(b"\n")[2])
    assert b"PinKeyed" in journal
    pressed = [b'"digit":"%d"' % digit for digit in range(2, 10)]
    for secret in (PIN.encode(), WRONG.encode(), *pressed):
        assert not any(secret in content for content in (*kept, journal))


def test_no_session_is_minted_before_the_pin_where_it_is_needed_to_enter(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        give_pin(house)
        carrier = await house.open(token=(await house.ring()).parameters["token"])
        await until(lambda: carrier.marks > 0)
        assert house.peers.mints == []
        carrier.press(f"{PIN}#")
        await until(lambda: len(house.peers.live) == 1)
        carrier.hang_up()
        await house.ended(carrier)

    at(tmp_path, story, VAULT)


def test_whoever_does_not_know_the_pin_is_locked_out_in_other_calls_and_processes_too(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        pins = give_pin(house)
        carrier = await house.open(token=(await house.ring()).parameters["token"])
        await until(lambda: carrier.marks > 0)
        for _ in range(3):
            carrier.press(f"{WRONG}#")
            await asyncio.sleep(0.7)
        _, record = await house.ended(carrier)
        assert (record.ended_by, record.error, record.trust) == ("bridge", None, "unknown")
        assert house.peers.mints == []
        assert pins.judge(ALICE, None, PIN) == "locked"
        (kept,) = pins.list()
        assert kept.wrong == 3

    at(tmp_path, story, VAULT)


def test_a_call_that_comes_back_need_not_give_it_again(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        give_pin(house)
        carrier = await house.open(token=(await house.ring()).parameters["token"])
        await until(lambda: carrier.marks > 0)
        carrier.press(f"{PIN}#")
        await until(lambda: len(house.peers.live) == 1)
        carrier.socket.fail("gone")
        await house.ended(carrier)
        again, _ = await house.come_back()
        assert (await shown(house))["trust"] == "pin"
        again.hang_up()
        await house.ended(again)

    at(tmp_path, story, VAULT)


# What a session is given


def bound(route: Route, trust: str) -> tuple[CallRecord, Served]:
    given = served(Settings(session="chronapilot", session_key="k", user_id=ALICE), route)
    record = CallRecord(
        id="call_1",
        carrier_id="CA1",
        direction="inbound",
        from_number=NUMBER,
        to_number=None,
        user_id=ALICE,
        session="chronapilot",
        status="ringing",
        started_at="2026-11-21T10:00:00.000Z",
        trust=trust,
    )
    return record, given


def test_a_session_is_not_given_what_it_would_do_unasked(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk()
        await until(lambda: any(isinstance(each, m.SessionUpdate) for each in assistant.heard))
        (update,) = [each for each in assistant.heard if isinstance(each, m.SessionUpdate)]
        assert update.session.tools is not None
        assert {"get_next_event", "cancel_event"} <= set(update.session.tools)
        assert not {"create_reminder", "report_arrival"} & set(update.session.tools)
        carrier.hang_up()
        await house.ended(carrier)

    at(tmp_path, story, OFFICE)


def test_the_built_in_assistant_asks_for_everything_where_something_needs_more(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        minted = []
        for route, trust in ((OFFICE, "known"), (OFFICE, "pin"), (Route(name="open"), "unknown")):
            record, given = bound(route, trust)
            given = msgspec.structs.replace(given, settings=msgspec.structs.replace(given.settings, session="embedded"))
            tools = house.bridge.toolboxes.tools(house.bridge._facts(record), given)
            dialect = house.bridge._dialect(ALICE, tools, "", given, trust_of(record, given, {}))
            request = dialect.mint("n1")
            assert request is not None
            minted.append(json.loads(request.body).get("confirm"))
        assert minted == ["all", None, None]

    at(tmp_path, story)


def test_what_is_remembered_is_told_to_no_model_before_the_caller_may_read() -> None:
    reads_by_pin = Route(name="a", numbers=NUMBER, trust={"read": "pin"})
    for route, trust, told in (
        (reads_by_pin, "known", False),
        (reads_by_pin, "pin", True),
        (VAULT, "unknown", True),  # nobody comes to a model there without the PIN
        (Route(name="open"), "unknown", True),
    ):
        record, given = bound(route, trust)
        given = msgspec.structs.replace(given, settings=msgspec.structs.replace(given.settings, session="openai"))
        assert may_be_told(record, given) is told


def test_a_record_of_before_there_were_tiers_is_of_nobody() -> None:
    record, given = bound(OFFICE, "")
    assert trust_of(record, given, {}).has is Tier.UNKNOWN


def test_all_tools_are_offered_where_none_are_named() -> None:
    assert len(offered(bound(OFFICE, "known")[1])) == len(tuple(CALENDAR_TOOLS))
    assert offered(bound(Route(name="b", tools=("calendar:read",)), "known")[1])


# Whoever sets a PIN


class Telephones:
    """Take messages down."""

    def __init__(self, *, work: bool = True) -> None:
        self.got: list[tuple[str, str]] = []
        self.work = work

    async def text(self, number: str, text: str) -> bool:
        self.got.append((number, text))
        return self.work


HERS = "+12025550188"


def desk(house: Premises, route: Route, trust: str = "unknown", telephones: Telephones | None = None) -> Desk:
    """Sit where the PINs are judged of a call by ``route`` whose caller is known as far as ``trust``."""
    record, given = bound(route, trust)
    settings = msgspec.structs.replace(given.settings, user_numbers=f"{ALICE}:{HERS}")
    text = (telephones or Telephones()).text
    pins = PinDesk(settings, Pins(house.bridge.records, cost_log2=4), house.bridge.embedded, text)
    return pins.of(record, msgspec.structs.replace(given, settings=settings))


BY_CODE = Route(name="a", user_id=ALICE, trust={"write": "pin", "enrol": "code"})
BY_NUMBER = Route(name="a", user_id=ALICE, numbers=NUMBER, trust={"write": "pin", "enrol": "attested"})


def test_whatever_the_call_believes_no_pin_is_set_without_a_proof(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for route, trust in (
            (OFFICE, "attested"),
            (BY_CODE, "attested"),
            (BY_NUMBER, "known"),
            (Route(name="a", user_id=ALICE, trust={"write": "pin"}), "unknown"),
        ):
            assert await desk(house, route, trust).others[Wanted.ONCE_MORE](PIN) == "failed"
        pins = give_pin(house)
        for route in (BY_CODE, BY_NUMBER):
            assert await desk(house, route, "attested").others[Wanted.ONCE_MORE]("775533") == "failed"
        unlucky = desk(house, OFFICE)
        assert await unlucky.judge(WRONG) == "wrong"
        assert await unlucky.others[Wanted.ONCE_MORE]("775533") == "failed"
        assert pins.is_the_same(ALICE, PIN)

    at(tmp_path, story)


def test_a_first_pin_is_set_after_a_code_that_went_to_the_user_s_telephone(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        phones = Telephones()
        one = desk(house, BY_CODE, telephones=phones)
        assert one.send is not None
        assert await one.others[Wanted.LOOK]("") == "missing"
        assert await one.send("de") == "sent"
        ((number, text),) = phones.got
        assert number == HERS
        assert "ist Ihr Code" in text
        assert await one.others[Wanted.CODE](text[:6]) == "right"
        assert await one.others[Wanted.NEW]("12345") == "short"
        assert await one.others[Wanted.NEW]("123456") == "weak"
        assert [await one.others[wanted](PIN) for wanted in (Wanted.NEW, Wanted.ONCE_MORE)] == ["right", "right"]
        assert "PIN for the telephone was set" in phones.got[-1][1]
        assert await one.judge(PIN) == "right"
        assert await one.others[Wanted.NEW](PIN) == "same"

    at(tmp_path, story)


def test_a_first_pin_is_set_from_an_attested_number_where_the_rule_says_so(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        one = desk(house, BY_NUMBER, "attested", Telephones(work=False))
        assert await one.others[Wanted.ONCE_MORE](PIN) == "right", "though no telephone could be told"
        assert Pins(house.bridge.records).is_the_same(ALICE, PIN)

    at(tmp_path, story)


def test_whoever_comes_to_the_telephone_in_the_middle_has_proven_nothing(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        give_pin(house)
        phones = Telephones()
        one = desk(house, BY_CODE, telephones=phones)
        assert one.send is not None
        assert (await one.judge(PIN), await one.send("en")) == ("right", "sent")
        one.forget()
        assert await one.others[Wanted.ONCE_MORE]("775533") == "failed"
        assert await one.others[Wanted.CODE](phones.got[0][1][:6]) == "missing"

    at(tmp_path, story)


def test_whoever_hangs_up_when_the_pin_is_set_is_told_of_all_the_same(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        give_pin(house)
        phones = Telephones()
        record, given = bound(OFFICE, "unknown")
        settings = msgspec.structs.replace(given.settings, user_numbers=f"{ALICE}:{HERS}")
        pins = Pins(house.bridge.records, cost_log2=4)
        keeper = PinDesk(settings, pins, house.bridge.embedded, phones.text)
        one = keeper.of(record, msgspec.structs.replace(given, settings=settings))
        assert await one.judge(PIN) == "right"
        keeping = asyncio.ensure_future(one.others[Wanted.ONCE_MORE]("775533"))
        await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await keeper.close()
        assert pins.is_the_same(ALICE, "775533")
        assert [number for number, _ in phones.got] == [HERS]

    at(tmp_path, story)


def test_a_model_is_offered_to_have_a_pin_set_where_there_is_a_rule(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        offered_by = {}
        for name, to in (("office", "+12025550100"), ("none", "+12025550101")):
            served_by = house.bridge.tenants.choose(
                Facts(called=to, calling=NUMBER), datetime(2026, 11, 24, tzinfo=UTC)
            )
            record = house.bridge.record(
                carrier_id="CA1", direction="inbound", from_number=NUMBER, to_number=to, served=served_by
            )
            tools = house.bridge.toolboxes.tools(house.bridge._facts(record), served_by)
            offered_by[name] = "change_pin" in [offer.name for offer in tools.offers]
            assert not house.bridge.registry.change_pin(record.id), "for it is not live"
        assert offered_by == {"office": True, "none": False}

    at(tmp_path, story, OFFICE, session="openai", session_url="", session_key="k")


def test_no_telephone_is_rung_all_night(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        phones = Telephones()
        outcomes = []
        for _ in range(5):
            send = desk(house, BY_CODE, telephones=phones).send
            assert send is not None
            outcomes.append(await send("en"))
        assert outcomes == ["sent"] * 3 + ["locked"] * 2

    at(tmp_path, story)


# By voice


@pytest.mark.parametrize(
    ("ear", "own", "language", "there", "hears"),
    [
        ("vosk", "en", "en-US", True, True),
        ("vosk", "de", "de", True, True),
        ("vosk", "en", "de", True, False),
        ("vosk", "en", "en", False, False),
        ("pocketsphinx", "en", "en", True, False),
        ("openai", "en", "en", True, False),
        ("vosk", "pl", "pl", True, False),
    ],
)
def test_a_pin_is_spoken_only_to_a_good_ear_on_this_machine(
    ear: str, own: str, language: str, there: bool, hears: bool
) -> None:
    class Embedded:
        hears = there

    desk = PinDesk(Settings(ear=ear, language=own), None, Embedded(), None)  # type: ignore[arg-type]
    assert desk.hears(language) is hears


def test_a_dialect_that_acts_by_itself_has_no_tools_left_out_where_there_is_no_rule() -> None:
    record, given = bound(Route(name="open"), "unknown")
    assert trust_of(record, given, {}).enter is Tier.UNKNOWN
    assert sessions.Bound(user_id=ALICE, offers=(), now=None).withheld == frozenset()  # type: ignore[arg-type]
