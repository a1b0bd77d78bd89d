"""Calls by routes over real sockets: two tenants with two servers of their own, and nothing of one at the other's."""

from pathlib import Path

import msgspec
import pytest

from phone_bridge.app.choosing import facts_of
from phone_bridge.errors import Unavailable
from phone_bridge.legs.twilio.webhook import Form, IncomingCall
from phone_bridge.routing import Route
from phone_bridge.simulator.verbs import ConnectStream, Dial
from phone_bridge.tenants import read
from tests.app.premises import Peers, Premises, call_form, document, json_of, play
from tests.app.ringing import FROM, TO, Telephone, ring
from tests.app.test_placing import TALKS
from tests.runtime.pumping import Carrier
from tests.runtime.serving import serving, until

OFFICE, HOME, OTHER = "+49301111111", "+49302222222", "+49303333333"


def routes(office: str, home: str) -> list[Route]:
    return [
        Route(
            name="office",
            called=OFFICE,
            user_id="usr_office",
            session="chronapilot",
            session_url=office,
            session_key="sk_test_office",
            greeting="The office.",
            fallback="transfer:+4930999999",
            tools=("calendar:read",),
            max_calls=1,
        ),
        Route(
            name="home",
            called=HOME,
            user_id="usr_home",
            session="realtime",
            session_url=home,
            session_key="sk_test_home",
            session_instructions="Home rules.",
            language="de",
            tools=("get_next_event",),
        ),
    ]


async def call(house: Premises, sid: str, to: str, query: str = "") -> Carrier:
    """Have a number of ours called."""
    answer = await house.post(f"/twilio/voice{query}", call_form(sid, To=to))
    (verb,) = document(answer).verbs
    assert isinstance(verb, ConnectStream)
    return await house.open(sid, token=verb.parameters["token"])


def test_two_tenants_calls_reach_their_own_servers_with_their_own_keys_and_users(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        office, home = Peers(), Peers()
        async with serving(office.app) as one, serving(home.app) as other:
            house.bridge.tenants.replace(routes(f"http://127.0.0.1:{one.port}", f"http://127.0.0.1:{other.port}"))
            carriers = [await call(house, sid, to) for sid, to in (("CA1", OFFICE), ("CA2", HOME), ("CA3", OTHER))]
            await until(lambda: bool(office.live and home.models and house.peers.live))
            await until(lambda: all(trace.transcript for _, trace in house.bridge.registry.traces()))
            for carrier in carriers:
                carrier.hang_up()
            await until(lambda: house.bridge.registry.live == 0)
        ((headers, minted),) = office.mints
        assert (headers["authorization"], minted["user_id"]) == ("Bearer sk_test_office", "usr_office")
        assert minted["scopes"] == ["calendars:read", "events:read", "alerts:read"]  # its tools only look
        ((url, dialled),) = home.dialled
        assert "sk_test_home" in url + dialled.get("authorization", "")
        assert not home.mints
        assert not office.models
        ((headers, minted),) = house.peers.mints
        assert (headers["authorization"], minted["user_id"]) == ("Bearer sk_test_their_key", "usr_demo_alice")
        shown = {one.carrier_id: one for one in await house.calls()}
        assert [(shown[sid].route, shown[sid].user_id, shown[sid].session) for sid in ("CA1", "CA2", "CA3")] == [
            ("office", "usr_office", "chronapilot"),
            ("home", "usr_home", "realtime"),
            (None, "usr_demo_alice", "chronapilot"),
        ]
        assert shown["CA1"].transcript[0]["text"] == "The office."
        (told,) = [model.settings for model in home.models]
        assert "Home rules." in str(told)
        assert "usr_office" not in str(told)
        assert [tool["name"] for tool in msgspec.to_builtins(told)["tools"]] == ["get_next_event"]
        assert json_of(await house.ask("GET", f"/v1/calls/{shown['CA1'].id}"))["route"] == "office"

    play(tmp_path, story)


def test_a_route_takes_so_many_calls_and_sends_further_ones_where_it_says(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.tenants.replace(routes(house.bridge.settings.session_url, house.bridge.settings.session_url))
        carrier = await call(house, "CA1", OFFICE)
        again = document(await house.post("/twilio/voice", call_form("CA1", To=OFFICE)))
        assert isinstance(again.verbs[0], ConnectStream)  # the same call, asked for twice
        second = document(await house.post("/twilio/voice", call_form("CA2", To=OFFICE)))
        dial = next(verb for verb in second.verbs if isinstance(verb, Dial))
        assert dial.targets == ("+4930999999",)
        other = await call(house, "CA3", OTHER)  # another line is as free as before
        carrier.hang_up()
        other.hang_up()
        await until(lambda: house.bridge.registry.live == 0)

    play(tmp_path, story)


def test_a_call_that_comes_back_is_served_as_it_began_whatever_the_routes_say_now(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        url = house.bridge.settings.session_url
        house.bridge.tenants.replace(routes(url, url))
        carrier = await call(house, "CA1", OFFICE)
        await until(lambda: bool(house.peers.live and carrier.marks))
        house.bridge.tenants.replace([Route(name="office", called=OFFICE, user_id="usr_other")])
        carrier.socket.close(1000, "")
        await until(lambda: house.bridge.registry.live == 0)
        carrier, _ = await house.come_back()
        assert [minted["user_id"] for _, minted in house.peers.mints] == ["usr_office", "usr_office"]
        carrier.hang_up()

    play(tmp_path, story)


def test_a_call_whose_route_is_unknown_here_reaches_nobody(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        url = house.bridge.settings.session_url
        house.bridge.tenants.replace(routes(url, url))
        answer = document(await house.post("/twilio/voice", call_form("CA1", To=OFFICE)))
        (verb,) = answer.verbs
        assert isinstance(verb, ConnectStream)
        for table in range(30):  # as in a process that never knew the route
            house.bridge.tenants.replace([Route(name=f"r{table}", called=HOME)])
        carrier = await house.open("CA1", token=verb.parameters["token"])
        await until(lambda: carrier.code is not None)
        assert not house.peers.mints

    play(tmp_path, story)


def test_routes_are_read_again_and_a_broken_file_keeps_the_old_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "phone-bridge.toml"
    file.write_text(f'[[routes]]\nname = "a"\ncalled = "{OFFICE}"\nuser_id = "usr_a"\n')

    async def gone(user_id: str, session: str) -> None:
        raise Unavailable("The database is away.")

    async def user_of_a_new_call(house: Premises, sid: str) -> str:
        (await call(house, sid, OFFICE)).hang_up()
        await until(lambda: house.bridge.registry.live == 0)
        record = await house.bridge.spool.find_carrier(sid)
        assert record is not None
        return record.user_id

    async def story(house: Premises) -> None:
        assert await user_of_a_new_call(house, "CA1") == "usr_a"
        carrier = await call(house, "CA2", OFFICE)
        await until(lambda: house.bridge.registry.live == 1)
        file.write_text(file.read_text().replace("usr_a", "usr_b"))
        await house.bridge.reload()
        live = await house.bridge.spool.find_carrier("CA2")
        assert live is not None
        assert (house.bridge.registry.is_live(live.id), live.user_id) == (True, "usr_a")
        carrier.hang_up()
        await until(lambda: house.bridge.registry.live == 0)
        assert await user_of_a_new_call(house, "CA3") == "usr_b"
        file.write_text(file.read_text() + "colour = 1\n")
        await house.bridge.reload()
        assert await user_of_a_new_call(house, "CA4") == "usr_b"
        file.write_text('[[routes]]\nname = "b"\nuser_id = "usr_c"\nsession = "embedded"\n')
        house.bridge.embedded.expect = gone  # type: ignore[method-assign]  # as while the database is away
        await house.bridge.reload()
        assert await user_of_a_new_call(house, "CA5") == "usr_b"
        told, _ = [line for line in caplog.records if line.levelname == "CRITICAL"]
        assert "the old ones stay: phone-bridge.toml, line 1, [[routes]] 'a' has the key 'colour'" in told.getMessage()

    play(tmp_path, story, read_routes=lambda settings: read({}, tmp_path, settings))


def test_a_call_of_our_own_is_served_by_the_route_of_its_line(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        url = phone.house.bridge.settings.session_url
        office = msgspec.structs.replace(routes(url, url)[0], called=FROM)
        phone.house.bridge.tenants.replace([office])
        placed = await phone.call(to=TO)
        assert (placed["route"], placed["user_id"]) == ("office", "usr_office")
        other = await phone.call(to=TO[:-1] + "4", user_id="usr_somebody")
        assert (other["route"], other["user_id"]) == (None, "usr_somebody")
        for each in (placed, other):
            assert (await phone.settled(each))["status"] == "completed"
        minted = sorted((given["user_id"], headers["authorization"]) for headers, given in phone.house.peers.mints)
        assert minted == [
            ("usr_office", "Bearer sk_test_office"),
            ("usr_somebody", "Bearer sk_test_their_key"),
        ]

    ring(tmp_path, story, TALKS)


def test_a_carriers_request_says_which_line_which_headers_and_which_language() -> None:
    form = call_form("CA1", To="sip:desk@acme.sip.twilio.com", From="anonymous", **{"SipHeader_X-Tenant": "acme"})
    facts = facts_of(IncomingCall.parse(Form(form)), "de")
    assert (facts.called, facts.calling, facts.language) == ("sip:desk@acme.sip.twilio.com", None, "de")
    assert facts.headers == {"x-tenant": "acme"}
    outbound = facts_of(IncomingCall.parse(Form(call_form("CA1", Direction="outbound-api", From=FROM, To=TO))))
    assert (outbound.called, outbound.calling) == (FROM, TO)
