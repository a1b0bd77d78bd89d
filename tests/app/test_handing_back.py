"""Callers whom an IVR hands over, over the loopback: each way that a call may end brings them back with a result."""

import hmac
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from phone_bridge.app.resuming import MAX_MOVES, MAX_RESUMES
from phone_bridge.routing import Route
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.verbs import ConnectStream, Document, Hangup, Redirect
from tests.app.premises import PUBLIC, Premises, call_form, document, lose_database, play
from tests.app.test_resuming import heard
from tests.runtime.pumping import Assistant, Carrier
from tests.runtime.serving import until

KEY = "the key that this route's results are signed with"
BACK = "https://ivr.example.com/back"
HANDED = "?" + urlencode({"route": "ivr", "return_url": BACK, "ref": "ticket 4711"})
ROUTES = (
    Route(name="ivr", named=True, user_id="usr_office", return_urls=(BACK,), return_key=KEY, max_calls=1),
    Route(name="number", called="+4930*", user_id="usr_other"),
)

Story = Callable[[Premises], Coroutine[Any, Any, None]]


def handed(folder: Path, story: Story, **settings: Any) -> None:
    """Run a story on premises whose routes take callers over."""

    async def begin(house: Premises) -> None:
        house.bridge.tenants.replace(ROUTES)
        await story(house)

    play(folder, begin, **settings)


async def hand_over(house: Premises, call_sid: str = "CA1", query: str = HANDED) -> Document:
    return document(await house.post(f"/twilio/voice{query}", call_form(call_sid)))


async def open_stream(house: Premises, call_sid: str = "CA1") -> Carrier:
    (verb,) = (await hand_over(house, call_sid)).verbs
    assert isinstance(verb, ConnectStream)
    return await house.open(call_sid, token=verb.parameters["token"])


async def talk(house: Premises, call_sid: str = "CA1") -> tuple[Carrier, Assistant]:
    known = len(house.peers.live)
    carrier = await open_stream(house, call_sid)
    await until(lambda: len(house.peers.live) > known)
    return carrier, house.peers.live[-1]


def result(answer: Document, call_sid: str = "CA1") -> dict[str, str]:
    """Read where a caller goes back to, and check what an IVR should check."""
    (verb,) = answer.verbs
    assert isinstance(verb, Redirect)
    assert (verb.method, verb.url.partition("?")[0]) == ("POST", BACK)
    told = dict(parse_qsl(urlsplit(verb.url).query))
    text = "\n".join(f"{name}={told[name]}" for name in sorted(set(told) - {"pb_signature"}))
    assert told.pop("pb_signature") == hmac.digest(KEY.encode(), text.encode(), "sha256").hex()
    assert told.pop("pb_call_sid") == call_sid
    assert told.pop("pb_ref") == "ticket 4711"
    assert int(told.pop("pb_at")) > 1_700_000_000
    return told


def test_what_a_caller_had_done_is_told_to_the_ivr_that_gets_it_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await talk(house)
        (record,) = await house.calls()
        assert (record.user_id, record.route) == ("usr_office", "ivr")
        assert (record.return_url, record.return_ref) == (BACK, "ticket 4711")
        assistant.propose("act_1", "Dentist")
        await heard(house, record.id, "bridge", "Press 1")
        carrier.press("1")
        await until(lambda: any(isinstance(said, m.ActionConfirm) for said in assistant.words))
        assistant.tell(m.ActionExecuted("act_1", "executed", {}))
        await house.ask("POST", f"/v1/calls/{record.id}/end")
        await house.ended(carrier)
        told = result(await house.connect())
        assert told.pop("pb_actions").startswith("cancel_event:confirmed:")
        assert told == {"pb_ended": "completed", "pb_call": record.id, "pb_digits": "1"}

    handed(tmp_path, story)


def test_the_same_caller_may_be_handed_over_again(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        ids = set()
        for _ in range(2):
            carrier, _ = await talk(house)
            (live,) = [record for record, _ in house.bridge.registry.traces()]
            await house.ask("POST", f"/v1/calls/{live.id}/end")
            await house.ended(carrier)
            ids.add(result(await house.connect())["pb_call"])
        assert len(ids) == 2

    handed(tmp_path, story)


def test_after_a_fault_the_caller_goes_back_and_not_to_the_fallback(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.peers.mint_status = 403
        carrier = await open_stream(house)
        _, record = await house.ended(carrier)
        assert "Please call again" not in str(record.transcript)  # they are not told to: somebody has them
        told = result(await house.connect())
        assert told == {"pb_ended": "failed", "pb_error": "session_refused", "pb_call": record.id}

    handed(tmp_path, story, fallback="voicemail")


def test_a_caller_who_hangs_up_goes_nowhere(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await talk(house)
        carrier.hang_up()
        await house.ended(carrier)
        (verb,) = (await house.connect(CallStatus="completed")).verbs
        assert isinstance(verb, Hangup)

    handed(tmp_path, story)


def test_a_call_that_is_cut_off_comes_back_and_goes_back_only_when_it_cannot(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await talk(house)
        for part in range(1, MAX_RESUMES + 1):
            carrier.socket.fail("gone")
            await house.ended(carrier)
            carrier, _ = await house.come_back("CA1", f"?part={part - 1}")
        carrier.socket.fail("gone")
        await house.ended(carrier)
        told = result(await house.connect(query=f"?part={MAX_RESUMES}"))
        assert (told["pb_ended"], told["pb_error"]) == ("cut_off", "leg_lost")

    handed(tmp_path, story)


def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await talk(house)
        house.bridge.registry.draining = True
        house.bridge.registry.end_all("drain")
        await house.ended(carrier)
        assert result(await house.connect())["pb_ended"] == "drained"
        answer = await hand_over(house, "CA2", f"{HANDED}&attempt={MAX_MOVES}")
        assert result(answer, "CA2") == {"pb_ended": "unavailable"}
        (_, verb) = (await hand_over(house, "CA3")).verbs
        assert isinstance(verb, Redirect)
        moved = dict(parse_qsl(urlsplit(verb.url).query))  # to another process, with all that the IVR said
        assert moved == {"route": "ivr", "return_url": BACK, "ref": "ticket 4711", "attempt": "1"}

    handed(tmp_path, story)


def test_who_cannot_be_served_goes_back_at_once(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await hand_over(house)
        assert result(await hand_over(house, "CA2"), "CA2") == {"pb_ended": "busy"}
        lose_database(house, tmp_path)
        assert result(await hand_over(house, "CA3"), "CA3") == {"pb_ended": "unavailable"}

    handed(tmp_path, story)


def test_a_stream_that_was_never_let_in_goes_back_by_the_address_that_asks(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert result(await house.connect(query=HANDED)) == {"pb_ended": "unavailable"}

    handed(tmp_path, story)


@pytest.mark.parametrize(("status", "word"), [("completed", "transferred"), ("busy", "not_answered")])
def test_who_was_put_through_goes_back_afterwards(tmp_path: Path, status: str, word: str) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await talk(house)
        carrier.hang_up()  # as the carrier closes the stream of a call that is put through
        await house.ended(carrier)
        told = result(await house.connect(query="?after=dial", DialCallStatus=status))
        assert told["pb_ended"] == word
        (verb,) = (await house.connect(query="?after=dial", DialCallStatus=status, CallStatus="completed")).verbs
        assert isinstance(verb, Hangup)

    handed(tmp_path, story)


def test_without_a_return_url_nobody_goes_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        (verb,) = (await hand_over(house, query="?route=ivr")).verbs
        assert isinstance(verb, ConnectStream)
        carrier = await house.open(token=verb.parameters["token"])
        await until(lambda: bool(house.peers.live))
        (record,) = await house.calls()
        await house.ask("POST", f"/v1/calls/{record.id}/end")
        await house.ended(carrier)
        (verb,) = (await house.connect()).verbs
        assert isinstance(verb, Hangup)

    handed(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"route": "ivr", "return_url": "https://evil.example/back"}, "return_url_not_allowed"),
        ({"return_url": BACK}, "return_url_not_allowed"),  # the number's own route allows none
        ({"route": "ivr", "return_url": BACK, "ref": "x" * 129}, "ref_malformed"),
        ({"route": "number"}, "route_not_named"),
        ({"route": "nobody"}, "route_not_named"),
    ],
)
def test_what_is_not_allowed_is_refused_with_a_sentence_for_whoever_wrote_it(
    tmp_path: Path, query: dict[str, str], code: str
) -> None:
    async def story(house: Premises) -> None:
        for path in ("/twilio/voice", "/twilio/connect"):
            answer = await house.post(f"{path}?{urlencode(query)}", call_form("CA1", CallStatus="in-progress"))
            assert answer.status == 400
            assert f"({code})" in answer.body.decode()
        assert await house.calls() == []

    handed(tmp_path, story)


def test_a_route_that_allows_it_no_longer_is_not_gone_back_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await talk(house)
        (record,) = await house.calls()
        house.bridge.tenants.replace([Route(name="ivr", named=True, user_id="usr_office")])
        await house.ask("POST", f"/v1/calls/{record.id}/end")
        await house.ended(carrier)
        (verb,) = (await house.connect()).verbs
        assert isinstance(verb, Hangup)
        assert "cannot go back to where it came from: return_url_not_allowed" in caplog.text

    handed(tmp_path, story)


def test_an_address_of_ours_stays_ours(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        (verb,) = (await hand_over(house)).verbs
        assert isinstance(verb, ConnectStream)
        assert verb.action == f"{PUBLIC}/twilio/connect"  # the way back is kept with the call, not in addresses

    handed(tmp_path, story)
