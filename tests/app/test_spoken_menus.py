"""Menus that the bridge speaks itself, over real sockets: by SIP, by a PBX's stream, and in the browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from phone_bridge.audio.g711 import linear_to_ulaw, ulaw_to_linear
from phone_bridge.audio.whole import pcm16
from phone_bridge.call import words
from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip.telephone_event import pack
from phone_bridge.menu_talk import SENTENCES
from phone_bridge.menus import Choice, Menu
from phone_bridge.routing import Route
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.runtime.lines import Line
from phone_bridge.runtime.menu_pump import MenuPump
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sip_trunks import SipTrunk
from tests.app.premises import PUBLIC, Premises, json_of, play
from tests.app.test_lines import SECRET, Lines, lined
from tests.app.test_phone import AUTH, KEY, phone, token
from tests.app.test_sip import Phoned, phoned
from tests.audio.speechlike import vowel
from tests.runtime.serving import until
from tests.runtime.telephone import Telephone

PERSON = "+4930999999"
OFFICE = Menu(
    name="office",
    say="For appointments press 1.",
    timeout=30,
    human=f"number:{PERSON}",
    choices=(
        Choice(key="1", to="assistant:appointments"),
        Choice(key="2", to="menu:number"),
        Choice(key="3", to="assistant"),
        Choice(key="4", to="assistant:gone"),
        Choice(key="5", to="voicemail"),
    ),
)
NUMBER = Menu(name="number", say="Your number.", gather=4, to="assistant:appointments")
MENUS = {menu.name: menu for menu in (OFFICE, NUMBER)}
ROUTES = (
    Route(name="office", menu="office", menus=MENUS, user_id="usr_office"),
    Route(name="appointments", named=True, user_id="usr_appointments", numbers="+4930123456", max_calls=1),
)
ANYBODY = SipTrunk(name="pbx", addresses=("127.0.0.1",), domains=("pbx.example",))


@asynccontextmanager
async def office(folder: Path, **settings: Any) -> AsyncIterator[Phoned]:
    async with phoned(folder, **{"sip_trunks": (ANYBODY,), **settings}) as line:
        line.house.bridge.tenants.replace(ROUTES)
        yield line


async def calls_in(line: Phoned, number: str = "+4930123456") -> tuple[Telephone, CallRecord]:
    """Call, and wait for the menu."""
    telephone = await line.telephone(number)
    await telephone.talk()
    await until(lambda: line.house.bridge.registry.known(telephone.call_id) is not None)
    record = line.house.bridge.registry.known(telephone.call_id)
    assert record is not None
    return telephone, record


def press(telephone: Telephone, *keys: str) -> None:
    for key in keys:
        telephone.speak(pack(key, end=True, duration=800), payload_type=101)


async def bye(telephone: Telephone) -> None:
    await until(lambda: bool(telephone.requests("BYE")))
    telephone.agree_to(telephone.requests("BYE")[0])


def texts(record: CallRecord) -> list[str]:
    return [said["text"] for said in record.transcript]


# By SIP


def test_nothing_is_paid_for_before_a_caller_by_sip_has_chosen_the_assistant(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, record = await calls_in(line)
            await until(lambda: texts(record) == [OFFICE.say])
            assert (line.house.peers.mints, record.session, record.user_id) == ([], "", "usr_office")
            press(telephone, "1")
            await until(lambda: bool(line.house.peers.live))
            assistant = line.house.peers.live[-1]
            telephone.speak(*[b"\x90" * 160] * 5)
            await until(lambda: any(assistant.sound))
            assert line.house.bridge.registry.live == 1
            telephone.hang_up()
            record = await line.ended(telephone)
            assert (record.route, record.user_id, record.session) == (
                "appointments",
                "usr_appointments",
                "chronapilot",
            )
            assert (record.status, record.ended_by, record.trust) == ("completed", "caller", "known")
            assert words.line("greeting").text.startswith(texts(record)[0]), "the assistant's part alone"
            assert record.timeline is not None
            (key,) = record.timeline["events"]
            assert (key["kind"], key["text"]) == ("key", "1")
            assert record.transcript[0]["at_ms"] >= key["at_ms"], "one clock for both"

    asyncio.run(story())


def test_a_menu_s_language_goes_on_with_the_assistant(tmp_path: Path) -> None:
    german = Menu(
        name="office", language="de", say="Termine: 1.", choices=(Choice(key="1", to="assistant:appointments"),)
    )
    routes = (structs.replace(ROUTES[0], menus={"office": german}), ROUTES[1])

    async def story() -> None:
        async with office(tmp_path) as line:
            line.house.bridge.tenants.replace(routes)
            telephone, record = await calls_in(line)
            await until(lambda: texts(record) == [german.say])
            press(telephone, "1")
            await until(lambda: bool(line.house.peers.live))
            assistant = line.house.peers.live[-1]
            await until(lambda: any("Deutsch" in str(word) for word in assistant.words))
            telephone.hang_up()
            record = await line.ended(telephone)
            assert record.language == "de"

    asyncio.run(story())


def test_digits_are_gathered_and_the_menu_s_own_route_may_be_meant(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, _ = await calls_in(line)
            press(telephone, "2", "4", "7", "1", "1")
            await until(lambda: bool(line.house.peers.live))
            telephone.hang_up()
            record = await line.ended(telephone)
            assert (record.route, record.metadata) == ("appointments", {"number": "4711"})
            telephone, _ = await calls_in(line, "+4930123457")
            press(telephone, "3")
            await until(lambda: len(line.house.peers.live) == 2)
            telephone.hang_up()
            record = await line.ended(telephone)
            assert (record.route, record.metadata, record.trust) == ("office", None, "unknown")

    asyncio.run(story())


def test_a_caller_by_sip_is_put_through_from_the_menu_and_the_call_is_left(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, _ = await calls_in(line)
            press(telephone, "0")
            await until(lambda: bool(telephone.requests("REFER")))
            request = telephone.requests("REFER")[0]
            assert request.headers["Refer-To"] == f"<sip:{PERSON}@pbx.example>"
            telephone.agree_to(request, 202)
            telephone.notify("200 OK", ended=True)
            await bye(telephone)
            record = await line.ended(telephone)
            assert (record.ended_by, record.session, line.house.peers.mints) == ("transfer", "", [])

    asyncio.run(story())


def test_a_caller_whom_nobody_takes_hears_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, _ = await calls_in(line)
            press(telephone, "0")
            await until(lambda: bool(telephone.requests("REFER")))
            telephone.agree_to(telephone.requests("REFER")[0], 405)
            await bye(telephone)
            record = await line.ended(telephone)
            assert (record.ended_by, texts(record)[-1]) == ("bridge", SENTENCES["en"]["nobody"])

    asyncio.run(story())


def test_a_caller_who_hangs_up_while_they_are_put_through_is_gone(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, _ = await calls_in(line)
            press(telephone, "0")
            await until(lambda: bool(telephone.requests("REFER")))
            telephone.agree_to(telephone.requests("REFER")[0], 202)
            telephone.hang_up()
            assert (await line.ended(telephone)).ended_by == "caller"

    asyncio.run(story())


@pytest.mark.parametrize(("key", "apology"), [("1", "apology_busy"), ("4", "apology_unavailable")])
def test_an_assistant_that_cannot_be_had_is_apologised_for(tmp_path: Path, key: str, apology: str) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            other, _ = await calls_in(line, "+4930123457")
            press(other, "1")
            await until(lambda: bool(line.house.peers.live))
            telephone, _ = await calls_in(line)
            press(telephone, key)
            await bye(telephone)
            await until(lambda: line.house.bridge.registry.live == 1)
            record = line.house.bridge.registry.known(telephone.call_id)
            assert record is not None
            assert (record.ended_by, texts(record)[-1]) == ("bridge", words.line(apology).text)
            other.hang_up()
            await line.ended(other)

    asyncio.run(story())


def test_a_trunk_that_is_somebody_s_is_led_to_no_assistant_of_anybody_else_s(tmp_path: Path) -> None:
    async def story() -> None:
        theirs = structs.replace(ANYBODY, user_id="usr_office")
        async with office(tmp_path, sip_trunks=(theirs,)) as line:
            telephone, _ = await calls_in(line)
            press(telephone, "1")
            await bye(telephone)
            record = await line.ended(telephone)
            assert (record.route, texts(record)[-1]) == ("office", words.line("apology_unavailable").text)

    asyncio.run(story())


def test_a_caller_by_sip_leaves_a_message_which_is_kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, Any]] = []

    async def story() -> None:
        async with office(tmp_path, recordings_folder=f"{tmp_path}/kept") as line:
            book = line.house.bridge.outbound
            monkeypatch.setattr(book, "announce", lambda id_, kind, data: told.append((kind, data)))
            telephone, _ = await calls_in(line)
            press(telephone, "5")
            record = line.house.bridge.registry.known(telephone.call_id)
            assert record is not None
            pump = line.house.bridge.registry.pump(record.id)
            assert isinstance(pump, MenuPump)
            await until(lambda: pump.talk.recordable)
            sound = linear_to_ulaw(pcm16(vowel(1_500)))
            for at in range(0, len(sound) - 160, 160):
                telephone.speak(sound[at : at + 160])
                await asyncio.sleep(0.02)
            press(telephone, "#")
            await bye(telephone)
            await line.ended(telephone)
            await until(lambda: bool(told))
            record = await line.house.bridge.spool.find_carrier(telephone.call_id)
            assert record is not None
            where = f"/v1/calls/{record.id}/recording"
            assert (record.status, record.voicemail, record.session) == ("voicemail", f"{PUBLIC}{where}", "")
            assert record.voicemail_seconds in (2, 3)
            kept = await line.house.ask("GET", where)
            assert (kept.status, kept.headers["content-type"]) == (200, "audio/wav")
            left = np.frombuffer(ulaw_to_linear(kept.body[58::2]), "<i2")
            assert np.abs(left).max() > 3_000, "the caller is heard"
            assert [kind for kind, _ in told] == ["voicemail.left"]
            assert told[0][1]["voicemail"] == record.voicemail

    asyncio.run(story())


def test_a_call_in_a_menu_takes_up_a_line_until_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path, max_calls=1) as line:
            telephone, _ = await calls_in(line)
            assert not line.house.bridge.registry.has_room()
            press(telephone, "1")
            await until(lambda: bool(line.house.peers.live))
            assert not line.house.bridge.registry.has_room()
            telephone.hang_up()
            await line.ended(telephone)
            assert line.house.bridge.registry.has_room()

    asyncio.run(story())


def test_a_call_in_a_menu_can_be_ended_by_whoever_may(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, record = await calls_in(line)
            await until(lambda: line.house.bridge.registry.is_live(record.id))
            assert line.house.bridge.registry.end(record.id, "api")
            await bye(telephone)
            record = await line.ended(telephone)
            assert (record.status, record.ended_by, texts(record)[-1]) == ("completed", "api", "Goodbye.")

    asyncio.run(story())


def test_a_call_that_is_led_on_counts_as_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, _ = await calls_in(line)
            press(telephone, "1")
            await until(lambda: bool(line.house.peers.live))
            telephone.hang_up()
            await line.ended(telephone)
            shown = (await line.house.ask("GET", "/metrics")).body.decode()
            counts = dict.fromkeys(("calls_started", "calls_ended", "calls_resumed"), 0.0)
            for row in shown.splitlines():
                for name in counts:
                    counts[name] += float(row.rpartition(" ")[2]) if row.startswith(f"phone_bridge_{name}_total") else 0
            assert counts == {"calls_started": 1, "calls_ended": 1, "calls_resumed": 0}

    asyncio.run(story())


def test_an_assistant_that_cannot_be_made_ready_holds_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with office(tmp_path) as line:
            telephone, record = await calls_in(line)

            async def fails(record: CallRecord) -> str:
                raise Unavailable("The database is gone.", code="database")

            monkeypatch.setattr(line.house.bridge, "begin", fails)
            press(telephone, "1")
            await until(lambda: line.house.bridge.registry.live == 0)
            await until(lambda: line.house.bridge.registry.announced(record.carrier_id) is None)
            assert line.house.peers.mints == []

    asyncio.run(story())


# Where the assistant cannot be had


def test_a_caller_by_sip_whom_it_cannot_serve_leaves_a_message(tmp_path: Path) -> None:
    async def story() -> None:
        kept = f"{tmp_path}/kept"
        async with phoned(tmp_path, fallback="voicemail", recordings_folder=kept, sip_trunks=(ANYBODY,)) as line:
            line.house.peers.mint_status = 403
            telephone, record = await calls_in(line)
            await until(lambda: _message_of(line, record.id), 20)
            telephone.speak(*[linear_to_ulaw(pcm16(vowel(1_500)))[at : at + 160] for at in range(0, 12_000, 160)])
            await until(lambda: _voiced(line, record.id))
            press(telephone, "#")
            await bye(telephone)
            await line.ended(telephone)
            await until(lambda: record.voicemail is not None)
            assert (record.status, record.ended_by, record.error) == ("voicemail", "bridge", "session_refused")
            assert texts(record)[-3:-1] == [words.line("apology_onward").text, SENTENCES["en"]["message"]]
            assert record.timeline is not None
            assert [event["kind"] for event in record.timeline["events"]].count("key") == 1

    asyncio.run(story())


def _message_of(line: Phoned, id_: str) -> bool:
    pump = line.house.bridge.registry.pump(id_)
    return isinstance(pump, MenuPump) and pump.talk.recordable


def _voiced(line: Phoned, id_: str) -> bool:
    pump = line.house.bridge.registry.pump(id_)
    assert isinstance(pump, MenuPump)
    return pump.talk.voiced


def test_a_caller_by_sip_whom_it_cannot_serve_is_put_through(tmp_path: Path) -> None:
    async def story() -> None:
        async with phoned(tmp_path, fallback=f"transfer:{PERSON}", sip_trunks=(ANYBODY,)) as line:
            line.house.peers.mint_status = 403
            telephone, _ = await calls_in(line)
            await until(lambda: bool(telephone.requests("REFER")), 20)
            telephone.agree_to(telephone.requests("REFER")[0], 202)
            telephone.notify("200 OK", ended=True)
            await bye(telephone)
            record = await line.ended(telephone)
            assert (record.ended_by, record.error) == ("bridge", "session_refused")

    asyncio.run(story())


@pytest.mark.parametrize("fallback", ["goodbye", f"transfer:{PERSON}"])
def test_a_fallback_that_a_line_cannot_give_is_not_promised(tmp_path: Path, fallback: str) -> None:
    async def story() -> None:
        async with lined(
            tmp_path, lines=(Line(name="plivo", kind="plivo", secret=SECRET),), fallback=fallback
        ) as there:
            there.house.peers.mint_status = 403
            await there.call("plivo")
            await until(lambda: there.house.bridge.registry.live == 1)
            record = await there.ended()
            assert (record.ended_by, record.error) == ("bridge", "session_refused")
            assert texts(record)[-1] == words.line("apology_unavailable").text

    asyncio.run(story())


# By a PBX's stream


@pytest.mark.parametrize("kind", ["audiosocket", "plivo"])
def test_a_caller_over_a_line_chooses_by_key(tmp_path: Path, kind: str) -> None:
    async def story() -> None:
        lines = (Line(name=kind, kind=kind, secret=SECRET, addresses=("127.0.0.1",) if kind == "audiosocket" else ()),)
        async with lined(tmp_path, lines=lines) as there:
            there.house.bridge.tenants.replace(ROUTES)
            far = await there.call(kind)
            await until(lambda: there.house.bridge.registry.live == 1)
            assert there.house.peers.mints == []
            for key in "247#":
                far.press(key)
            await until(lambda: bool(there.house.peers.live))
            await far.hang_up()
            record = await there.ended()
            assert (record.route, record.metadata) == ("appointments", {"number": "47"})

    asyncio.run(story())


def test_a_line_that_puts_nobody_through_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path, lines=(Line(name="plivo", kind="plivo", secret=SECRET),)) as there:
            there.house.bridge.tenants.replace(ROUTES)
            far = await there.call("plivo")
            await until(lambda: there.house.bridge.registry.live == 1)
            far.press("0")
            record = await _ends(there)
            assert (record.ended_by, texts(record)[-1]) == ("bridge", SENTENCES["en"]["unable"])

    asyncio.run(story())


async def _ends(there: Lines) -> CallRecord:
    record = await there.ended()
    assert there.house.peers.mints == []
    return record


# In the browser


def with_menus(folder: Path, story: Any, **settings: Any) -> None:
    async def begin(house: Premises) -> None:
        house.bridge.tenants.replace(ROUTES)
        await story(house)

    play(folder, begin, api_key=KEY, **settings)


def test_a_page_may_call_a_number_and_reach_its_menu_and_the_assistant_behind(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house, to="+493012345")
        async with phone(house, made) as page:
            await until(lambda: OFFICE.say in page.captions() and bool(page.of("mark")))
            assert house.peers.mints == []
            await page.say({"type": "dtmf", "digit": "1"})
            greeting = words.line("greeting").text
            await until(lambda: bool(house.peers.live) and greeting in page.captions())
            captions: dict[str, set[str]] = {}
            for told in page.of("transcript"):
                captions.setdefault(told["line"], set()).add(told["text"])
            assert {OFFICE.say, greeting} <= {max(texts, key=len) for texts in captions.values()}
            for texts in captions.values():  # a key cuts the menu short, at whichever word it was
                whole = max(texts, key=len)
                assert all(whole.startswith(text) for text in texts), "no caption takes another's"
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        (record,) = await house.calls()
        assert (record.id, record.route, record.to_number) == (made["call_id"], "appointments", "+493012345")

    with_menus(tmp_path, story)


def test_without_a_number_a_page_calls_the_deployment_s_own_assistant(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phone(house, await token(house)) as page:
            await until(lambda: bool(house.peers.live))
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        assert (await house.calls())[0].route is None

    with_menus(tmp_path, story)


def test_a_call_that_was_cut_off_in_a_menu_begins_there_again(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        made = await token(house, to="+493012345")
        async with phone(house, made) as page:
            await until(lambda: bool(page.of("mark")))
            page.socket.transport.abort()
        await until(lambda: house.bridge.registry.live == 0)
        again = await token(house, call_id=made["call_id"], resume=made["resume"])
        async with phone(house, again) as page:
            await until(lambda: OFFICE.say in page.captions() and bool(page.of("mark")))
            await page.say({"type": "dtmf", "digit": "3"})
            await until(lambda: words.line("greeting").text in page.captions() and bool(house.peers.live))
            page.socket.transport.abort()
        await until(lambda: house.bridge.registry.live == 0)
        again = await token(house, call_id=made["call_id"], resume=made["resume"])
        async with phone(house, again) as page:
            await until(lambda: len(house.peers.live) == 2)
            assert OFFICE.say not in page.captions(), "who was with the assistant is with it again"
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)
        assert (await house.calls())[0].route == "office"

    with_menus(tmp_path, story)


def test_a_key_of_one_user_s_calls_nobody_else_s_number(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for given, body, status in (
            ("pb_office", {"to": "+493012345"}, 200),
            ("pb_office", {}, 403),  # the deployment's own user is another one
            ("pb_other", {"to": "+493012345"}, 403),
            ("pb_both", {"to": "+493012345"}, 200),
            ("pb_both", {"to": "nobody"}, 400),
        ):
            headers = {"Authorization": f"Bearer {given}"}
            answer = await house.ask("POST", "/phone/token", headers=headers, body=json.dumps(body).encode())
            assert answer.status == status, (given, body, answer)
        answer = await house.ask(
            "POST", "/phone/token", headers={"Authorization": "Bearer pb_office"}, body=b'{"to":"+493012345"}'
        )
        async with phone(house, json_of(answer)) as page:
            await until(lambda: bool(page.of("mark")))
            await page.say({"type": "dtmf", "digit": "1"})
            await until(lambda: words.line("apology_unavailable").text in page.captions())
            await until(lambda: house.bridge.registry.live == 0)
        assert house.peers.mints == []

    talk = ("assistant:talk",)
    keys = (
        ApiKey("office", fingerprint("pb_office"), talk, users=("usr_office",)),
        ApiKey("other", fingerprint("pb_other"), talk, users=("usr_other",)),
        ApiKey("both", fingerprint("pb_both"), talk, users=("usr_other", "usr_office")),
    )
    with_menus(tmp_path, story, api_keys=keys)


def test_a_number_whose_lines_are_all_in_use_is_busy(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.tenants.replace((structs.replace(ROUTES[0], max_calls=1), ROUTES[1]))
        async with phone(house, await token(house, to="+493012345")) as page:
            await until(lambda: bool(page.of("mark")))
            async with phone(house, await token(house, to="+493012345")) as other:
                await until(lambda: bool(other.of("error")))
            await page.say({"type": "hang_up"})
            await until(lambda: house.bridge.registry.live == 0)

    with_menus(tmp_path, story)


def test_a_number_that_leads_to_somebody_else_meanwhile_is_refused(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        headers = {"Authorization": "Bearer pb_office"}
        answer = await house.ask("POST", "/phone/token", headers=headers, body=b'{"to":"+493012345"}')
        house.bridge.tenants.replace(())
        async with phone(house, json_of(answer)) as page:
            await until(lambda: bool(page.of("error")))
        assert await house.calls() == []

    key = ApiKey("office", fingerprint("pb_office"), ("assistant:talk",), users=("usr_office",))
    with_menus(tmp_path, story, api_keys=(key,))


def test_the_master_key_may_call_any_number(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("POST", "/phone/token", headers=AUTH, body=b'{"to":"+493012345"}')
        assert answer.status == 200

    with_menus(tmp_path, story)
