"""ChronaPilot's webhook becomes one call, however often it is delivered."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from phone_bridge import exchange
from phone_bridge.sessions.chronapilot.webhook import LATE, LEAVE
from tests.app.premises import Premises, json_of, play
from tests.app.ringing import FROM, TO
from tests.sessions.chronapilot.test_webhook import SECRET, delivery, signature

SETTINGS: dict[str, Any] = {
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "token",
    "twilio_phone_number": FROM,
    "twilio_url": "http://127.0.0.1:9",
    "destinations": "+1",
    "chronapilot_webhook_secret": SECRET,
    "user_numbers": f"usr_1:{TO}",
}


async def send(house: Premises, body: bytes, header: str | None = None) -> exchange.Response:
    given = signature(body, at=int(time.time())) if header is None else header
    return await house.ask("POST", "/chronapilot/webhook", headers={"Chronapilot-Signature": given}, body=body)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(LEAVE, "It is time to leave for Dentist."), (LATE, "You will probably be late for Dentist.")],
)
def test_a_departure_that_is_due_and_a_late_arrival_ring_their_user_once(tmp_path: Path, kind: str, text: str) -> None:
    async def story(house: Premises) -> None:
        house.peers.event = {"id": "evt_1", "title": "Dentist", "user_id": "usr_1"}
        body = delivery(kind, event_id="evt_1")
        for _ in range(3):
            assert (await send(house, body)).status == 204
        (reminder,) = json_of(await house.ask("GET", "/v1/reminders"))["data"]
        assert (reminder["to"], reminder["text"]) == (TO, text)
        assert (reminder["user_id"], reminder["metadata"]) == ("usr_1", {"webhook": "whe_1"})

    play(tmp_path, story, **SETTINGS)


def test_what_is_unsigned_nonsense_or_about_nobody_rings_nobody(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        body = delivery(LEAVE, event_id="evt_1", user_id="usr_unknown")
        assert (await send(house, body, "")).status == 403
        assert (await send(house, body, signature(body, at=1))).status == 403
        assert (await send(house, b"{}")).status == 400
        assert (await send(house, body)).status == 204
        assert (await send(house, delivery("event.created", user_id="usr_1"))).status == 204
        barred = msgspec.json.encode({"id": "whe_2", "type": LEAVE, "data": {"object": {"user_id": "usr_1"}}})
        house.bridge.outbound.book.bar(TO, 0)
        assert (await send(house, barred)).status == 204
        assert json_of(await house.ask("GET", "/v1/reminders"))["data"] == []

    play(tmp_path, story, **SETTINGS)
