"""Streams that an IVR opens by itself: who is let in by a route's key, and what is put on record."""

import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from phone_bridge.app.handing_over import route_keys
from phone_bridge.legs.twilio.admission import AUDIENCE, HANDED_SECONDS, ISSUER, admit
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.simulator.verbs import ConnectStream
from tests.app.premises import ACCOUNT, PUBLIC, Premises
from tests.app.test_handing_back import BACK, HANDED, KEY, handed, result
from tests.runtime.pumping import Carrier
from tests.runtime.serving import dial, until

TOLD = {"from": "+4930555", "to": "+12025550100", "return_url": BACK, "ref": "ticket 4711"}


def token(route: str = "ivr", key: str = KEY, call_sid: str = "CA1", jti: str = "1", seconds: int = 60) -> str:
    claims: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": call_sid, "acc": ACCOUNT, "jti": jti}
    claims["exp"] = int(time.time()) + seconds
    return jwt.encode(claims, key, "HS256", headers={"kid": f"route:{route}"})


async def stream(house: Premises, shown: str, call_sid: str = "CA1", **told: str) -> Carrier:
    socket = await dial(f"{house.running.url}/twilio/media", headers={})
    given = StreamStart(
        call_sid=call_sid,
        stream_sid=f"MZ{call_sid}",
        account_sid=ACCOUNT,
        custom_parameters={**TOLD, **told, "token": shown},
    )
    carrier = Carrier(socket, given)
    carrier.say(carrier.codec.connected(), carrier.codec.started())
    return carrier


async def turned_away(carrier: Carrier, why: str) -> None:
    await until(lambda: carrier.code is not None)
    assert (carrier.code, carrier.reason) == (1008, why)


def test_a_stream_with_a_token_of_its_route_becomes_a_call_and_goes_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier = await stream(house, token())
        await until(lambda: bool(house.peers.live))
        ((_, minted),) = house.peers.mints
        assert minted["user_id"] == "usr_office"
        (record,) = await house.calls()
        assert (record.route, record.from_number, record.to_number) == ("ivr", "+4930555", "+12025550100")
        await house.ask("POST", f"/v1/calls/{record.id}/end")
        await house.ended(carrier)
        assert result(await house.connect(query=HANDED)) == {"pb_ended": "completed", "pb_call": record.id}

    handed(tmp_path, story)


def test_one_that_is_cut_off_comes_back_by_a_stream_of_ours(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier = await stream(house, token())
        await until(lambda: bool(house.peers.live))
        carrier.socket.fail("gone")
        await house.ended(carrier)
        (verb,) = (await house.connect(query=HANDED)).verbs
        assert isinstance(verb, ConnectStream)
        assert verb.action == f"{PUBLIC}/twilio/connect?part=1"

    handed(tmp_path, story)


def test_a_token_is_good_once_and_only_for_what_it_says(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        first = await stream(house, token())
        await until(lambda: bool(house.peers.live))
        first.hang_up()
        await house.ended(first)
        await turned_away(await stream(house, token()), "token_used")
        await turned_away(await stream(house, token(call_sid="CA2")), "token_wrong_call")
        await turned_away(await stream(house, token(key="k" * 32)), "token_signature")
        await turned_away(await stream(house, token(seconds=0)), "token_expired")
        await turned_away(await stream(house, token(seconds=HANDED_SECONDS + 60)), "token_too_long")
        for route in ("number", "nobody"):  # that have no key
            await turned_away(await stream(house, token(route)), "token_unknown_key")
        await turned_away(
            await stream(house, token(jti="2"), return_url="https://evil.example"), "return_url_not_allowed"
        )
        assert len(house.peers.mints) == 1

    handed(tmp_path, story)


def test_a_token_may_have_a_long_name_and_none_passes_for_one_of_ours(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier = await stream(house, token(jti="x" * 60))  # as long as a parameter can hold
        await until(lambda: bool(house.peers.live))
        (record,) = await house.calls()
        await turned_away(await stream(house, token(jti=f"{record.id}.1")), "busy")
        carrier.hang_up()
        await house.ended(carrier)

    handed(tmp_path, story)


def test_without_a_free_line_and_while_stopping_none_is_let_in(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier = await stream(house, token())
        await until(lambda: bool(house.peers.live))
        await turned_away(await stream(house, token(call_sid="CA2"), "CA2"), "busy")
        house.bridge.registry.draining = True
        await turned_away(await stream(house, token(call_sid="CA2"), "CA2"), "draining")
        carrier.hang_up()
        await house.ended(carrier)

    handed(tmp_path, story)


@pytest.mark.parametrize("told", ["", "anonymous", "Restricted"])
def test_a_number_that_is_withheld_is_none(tmp_path: Path, told: str) -> None:
    async def story(house: Premises) -> None:
        carrier = await stream(house, token(), **{"from": told})
        await until(lambda: bool(house.peers.live))
        (record,) = await house.calls()
        assert record.from_number is None
        carrier.hang_up()
        await house.ended(carrier)

    handed(tmp_path, story)


def test_a_token_says_whose_key_it_was_made_with(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        keys = route_keys(house.bridge, "ivr")
        told = admit(token(), keys, call_sid="CA1", account_sid=ACCOUNT, now_epoch_s=int(time.time()))
        assert told.route == "ivr"
        assert route_keys(house.bridge, "number") == {}

    handed(tmp_path, story)
