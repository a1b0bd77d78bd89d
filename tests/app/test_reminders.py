"""The reminders API, and reminders that ring: keys, words, later, no more, retries, events that move, webhooks."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app.calls import HIDDEN
from phone_bridge.app.outbound import sign
from phone_bridge.errors import Unavailable
from phone_bridge.outbound.reminders import iso
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.rest import Callee
from phone_bridge.simulator.script import Press
from phone_bridge.tools.keeper import Event, EventFields, Location, ReminderFields, User
from tests.app.premises import Premises, json_of, play
from tests.app.ringing import FROM, JSON, TO, Telephone, ring
from tests.runtime.serving import serving, until

ACCOUNT = {"twilio_account_sid": "AC1", "twilio_auth_token": "token", "twilio_phone_number": FROM}
STAY = Manners(stay=True, key_quiet_ms=100)


def number(last: int) -> str:
    return f"{TO[:-2]}{last:02}"


def soon(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def remind(phone: Telephone, **body: Any) -> Any:
    answer = await phone.post("/v1/reminders", {"to": TO, "at": soon(), "text": "Take your pills.", **body})
    assert answer.status == 201, answer
    return json_of(answer)


def presses(*keys: str) -> Callable[[str], Callee]:
    """Give each number somebody who presses other keys; nobody answers where there are none."""
    return lambda to: (
        Callee(script=(Press(keys[int(to[-2:])]),), manners=STAY) if keys[int(to[-2:])] else Callee(does="busy")
    )


def test_a_reminder_rings_once_and_its_keys_do_what_they_say(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        made = [await remind(phone, to=number(last)) for last in range(4)]
        assert [each["status"] for each in made] == ["scheduled"] * 4
        over = [
            await phone.until(f"/v1/reminders/{each['id']}", lambda shown: bool(shown["attempts"])) for each in made
        ]
        assert [(each["status"], each["outcome"]) for each in over] == [
            ("done", "confirmed"),
            ("scheduled", "later:30"),
            ("done", "stop"),
            ("scheduled", "busy"),
        ]
        assert len(phone.rest.calls) == 4
        for each, minutes in ((over[1], 30), (over[3], 5)):
            distance = datetime.fromisoformat(each["next_at"]) - datetime.now(UTC)
            assert timedelta(minutes=minutes - 1) < distance <= timedelta(minutes=minutes)
        (attempt,) = over[0]["attempts"]
        call = json_of(await phone.house.ask("GET", f"/v1/calls/{attempt['call_id']}"))
        assert (call["reminder_id"], call["reply"], call["direction"]) == (made[0]["id"], "confirmed", "outbound")
        assert call["transcript"][0]["text"] == "Take your pills."
        barred = await phone.post("/v1/reminders", {"to": number(2), "at": soon(), "text": "Once more."})
        assert (barred.status, json_of(barred)["error"]["code"]) == (409, "do_not_call")
        barred = await phone.post("/v1/calls", {"to": number(2)})
        assert (barred.status, json_of(barred)["error"]["code"]) == (409, "do_not_call")

    ring(tmp_path, story, presses("1", "230#", "9", ""))


def test_one_that_is_cancelled_or_moved_away_never_rings(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        keeper = phone.house.bridge.embedded._keeper
        start = datetime.now(UTC) + timedelta(hours=1)
        user = phone.house.bridge.settings.user_id
        await keeper.add_user(User(id=user))
        event = await keeper.create_event(
            user, EventFields(title="Dentist", start_time=start, end_time=start + timedelta(hours=1)), key="one"
        )
        cancelled = await remind(phone, at=soon(2))
        answer = await phone.house.ask("DELETE", f"/v1/reminders/{cancelled['id']}")
        assert (answer.status, json_of(answer)["status"]) == (200, "cancelled")
        again = await phone.house.ask("DELETE", f"/v1/reminders/{cancelled['id']}")
        assert (again.status, json_of(again)["error"]["code"]) == (409, "reminder_over")
        of_event = await remind(phone, at=None, event_id=event.id, offset_minutes=10)
        assert of_event["next_at"] == iso(start - timedelta(minutes=10))
        unknown = await phone.post("/v1/reminders", {"to": TO, "text": "x", "event_id": "evt_x"})
        assert (unknown.status, json_of(unknown)["error"]["param"]) == (400, "event_id")

        moved = start + timedelta(hours=2)
        await keeper.update_event(
            user, event.id, lambda e: msgspec.structs.replace(e, start_time=moved, end_time=moved), key="two"
        )
        await phone.house.bridge.outbound._follow()
        shown = json_of(await phone.house.ask("GET", f"/v1/reminders/{of_event['id']}"))
        assert shown["at"] == iso(moved - timedelta(minutes=10))
        await keeper.cancel_event(user, event.id, reason=None, key="three")
        await phone.house.bridge.outbound._follow()
        shown = json_of(await phone.house.ask("GET", f"/v1/reminders/{of_event['id']}"))
        assert (shown["status"], shown["outcome"]) == ("cancelled", "event_cancelled")
        await asyncio.sleep(2.2)
        assert phone.rest.calls == {}

    ring(tmp_path, story)


HOME = Location(name="home", address="210 Prospect Park West, Brooklyn", lat=40.6601, lng=-73.98)
OFFICE = Location(name="the office", address="350 Fifth Avenue", lat=40.7484, lng=-73.9857)


async def event_of(house: Premises, start: datetime, **fields: Any) -> Event:
    keeper, user = house.bridge.embedded._keeper, house.bridge.settings.user_id
    await keeper.add_user(User(id=user, home_location=HOME))
    fields = {"title": "Review", "start_time": start, "end_time": start + timedelta(hours=1), **fields}
    return await keeper.create_event(user, EventFields(**fields), key="made")


async def change(house: Premises, event: Event, **fields: Any) -> None:
    keeper = house.bridge.embedded._keeper
    await keeper.update_event(
        house.bridge.settings.user_id, event.id, lambda one: msgspec.structs.replace(one, **fields), key=str(fields)
    )


def test_before_it_is_time_to_leave_goes_with_the_way_and_the_event(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
        event = await event_of(house, start, location=OFFICE)
        body = {"to": TO, "text": "x", "event_id": event.id, "offset_minutes": 10, "before": "departure"}
        answer = await house.ask("POST", "/v1/reminders", headers=JSON, body=msgspec.json.encode(body))
        assert answer.status == 201, answer
        path = f"/v1/reminders/{json_of(answer)['id']}"

        async def due() -> datetime:
            await house.bridge.outbound._follow()
            return datetime.fromisoformat(json_of(await house.ask("GET", path))["next_at"])

        leaving = start - await due() - timedelta(minutes=10)
        assert timedelta(minutes=10) < leaving < timedelta(hours=2)  # ten kilometres through a town
        later = start + timedelta(hours=2)
        await change(house, event, start_time=later, end_time=later + timedelta(hours=1))
        moved = later - await due() - timedelta(minutes=10)
        assert timedelta(minutes=10) < moved < timedelta(hours=2)
        await change(house, event, location=msgspec.structs.replace(HOME, lat=40.6611))
        assert timedelta(0) <= later - await due() - timedelta(minutes=10) < moved  # the way became a short one
        await change(house, event, location=None)
        assert await due() == later - timedelta(minutes=10)  # without a way it is left for when it starts
        await house.bridge.embedded._keeper.cancel_event(house.bridge.settings.user_id, event.id, reason=None, key="c")
        await house.bridge.outbound._follow()
        shown = json_of(await house.ask("GET", path))
        assert (shown["status"], shown["outcome"], shown["next_at"]) == ("cancelled", "event_cancelled", None)

    play(tmp_path, story, destinations="+1", twilio_url="http://127.0.0.1:9", **ACCOUNT)


class Away:
    """A calendar that cannot be asked."""

    async def event_time(self, user_id: str, event_id: str, before: str) -> datetime | None:
        raise Unavailable("its database is away", code="database")

    async def reminders(self, user_id: str) -> list[Any]:
        return []


def test_a_calendar_that_cannot_be_asked_moves_nothing(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        event = await event_of(house, datetime.now(UTC) + timedelta(hours=5), location=OFFICE)
        body = msgspec.json.encode({"to": TO, "text": "x", "event_id": event.id, "before": "departure"})
        made = json_of(await house.ask("POST", "/v1/reminders", headers=JSON, body=body))
        house.bridge.outbound._calendar = Away()
        await house.bridge.outbound._follow()
        assert json_of(await house.ask("GET", f"/v1/reminders/{made['id']}")) == made
        refused = await house.ask("POST", "/v1/reminders", headers=JSON, body=body)
        assert (refused.status, json_of(refused)["error"]["code"]) == (503, "database")

    play(tmp_path, story, destinations="+1", twilio_url="http://127.0.0.1:9", **ACCOUNT)


def test_what_is_due_is_held_against_its_event_once_more_before_it_rings(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=63)
        event = await event_of(phone.house, start)
        made = [await remind(phone, at=None, event_id=event.id, offset_minutes=1, to=number(last)) for last in range(2)]
        await phone.house.bridge.embedded._keeper.cancel_event(
            phone.house.bridge.settings.user_id, event.id, reason=None, key="cancelled"
        )
        for each in made:
            shown = await phone.until(f"/v1/reminders/{each['id']}", lambda one: one["status"] != "scheduled")
            assert (shown["status"], shown["outcome"], shown["attempts"]) == ("cancelled", "event_cancelled", [])
        assert phone.rest.calls == {}

    ring(tmp_path, story)


def test_the_assistants_own_reminders_ring_and_the_cancelled_do_not(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        outbound, keeper = house.bridge.outbound, house.bridge.embedded._keeper
        await keeper.add_user(User(id="usr_1"))
        at = datetime.now(UTC) + timedelta(hours=1)
        kept = await keeper.create_reminder(
            "usr_1", ReminderFields(title="Pills", body="With water.", remind_at=at), key="1"
        )
        for _ in range(2):
            await outbound._follow()
        (shown,) = json_of(await house.ask("GET", "/v1/reminders"))["data"]
        assert (shown["to"], shown["text"], shown["at"]) == (TO, "Pills. With water.", iso(at))
        await keeper.update_reminder(
            "usr_1", kept.id, lambda one: msgspec.structs.replace(one, status="cancelled"), key="2"
        )
        await outbound._follow()
        (shown,) = json_of(await house.ask("GET", "/v1/reminders"))["data"]
        assert shown["status"] == "cancelled"
        await outbound._follow()

    play(tmp_path, story, destinations="+1", twilio_url="http://127.0.0.1:9", user_numbers=f"usr_1:{TO}", **ACCOUNT)


def test_what_came_of_it_is_told_by_a_signed_webhook_until_it_is_taken(tmp_path: Path) -> None:
    told: list[tuple[str, bytes]] = []

    async def take(request: Request) -> Response:
        told.append((request.headers["phone-bridge-signature"], await request.body()))
        return Response(status_code=503 if len(told) == 1 else 200)

    async def story(phone: Telephone) -> None:
        made = await remind(phone, to=number(0))
        await until(lambda: bool(told))
        book = phone.house.bridge.outbound.book
        event = msgspec.json.decode(told[0][1])

        def came_again() -> bool:
            if len(told) < 2:
                book.delivered(event["id"], 0)  # its time has come
            return len(told) > 1

        await until(came_again)
        await asyncio.sleep(1.5)
        assert len(told) == 2  # what was taken is not sent again
        signature, body = told[1]
        at = int(signature.partition(",")[0].removeprefix("t="))
        assert signature == sign(body.decode(), at, "whsec_1")
        assert (event["type"], event["data"]["status"], event["data"]["reply"]) == (
            "reminder.attempted", "completed", "confirmed",
        )  # fmt: skip
        assert event["data"]["reminder"]["id"] == made["id"]
        assert event["data"]["reminder"]["status"] == "done"

    async def run() -> None:
        async with serving(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as server:
            url = f"http://127.0.0.1:{server.port}/hook"
            await asyncio.to_thread(ring, tmp_path, story, presses("1"), webhook_url=url, webhook_secret="whsec_1")

    asyncio.run(run())


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"to": "030"}, 400, "to"),
    ({"at": "tomorrow"}, 400, "at"),
    ({"at": "2020-01-01T00:00:00Z"}, 400, "at"),
    ({"text": ""}, 400, "text"),
    ({"timezone": "Mars/Olympus"}, 400, "timezone"),
    ({"repeat": "often"}, 400, "repeat"),
    ({"policy": {"quiet_hours": "late"}}, 400, "policy.quiet_hours"),
    ({"policy": {"max_attempts": 99}}, 400, "policy.max_attempts"),
    ({"offset_minutes": -1}, 400, "offset_minutes"),
    ({"to": "+19005550100"}, 403, "to"),
]


def test_a_wrong_wish_names_what_is_wrong(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for wrong, status, param in WRONG:
            body = msgspec.json.encode({"to": TO, "at": soon(60), "text": "x", **wrong})
            answer = await house.ask("POST", "/v1/reminders", headers=JSON, body=body)
            assert (answer.status, json_of(answer)["error"].get("param")) == (status, param), wrong
        assert json_of(await house.ask("GET", "/v1/reminders")) == {"object": "list", "data": []}
        for method in ("GET", "DELETE"):
            answer = await house.ask(method, "/v1/reminders/rem_x")
            assert (answer.status, json_of(answer)["error"]["code"]) == (404, "reminder_not_found")
        kept = []
        for key in ("one", "one", "two"):
            body = msgspec.json.encode({"to": TO, "at": "2030-01-01T09:00:00+01:00", "text": "x"})
            answer = await house.ask("POST", "/v1/reminders", headers={**JSON, "Idempotency-Key": key}, body=body)
            kept.append(json_of(answer)["id"])
        assert kept[0] == kept[1] != kept[2]
        listed = json_of(await house.ask("GET", "/v1/reminders?status=scheduled"))["data"]
        assert {each["id"] for each in listed} == set(kept)
        assert json_of(await house.ask("GET", "/v1/reminders?status=done"))["data"] == []

    play(tmp_path, story, destinations="+1", twilio_url="http://127.0.0.1:9", **ACCOUNT)


def test_a_key_that_may_only_look_sees_no_whole_number(tmp_path: Path) -> None:
    viewer = ApiKey("viewer", fingerprint("pb_viewer"), ("reminders:read",))

    async def story(phone: Telephone) -> None:
        body = {"to": TO, "at": soon(3_600), "text": "Take your pills."}
        made = json_of(await phone.post("/v1/reminders", body, authorization="Bearer the-api-key"))
        for path in ("/v1/reminders", f"/v1/reminders/{made['id']}"):
            whole = await phone.house.ask("GET", path, headers={"Authorization": "Bearer the-api-key"})
            seen = await phone.house.ask("GET", path, headers={"Authorization": "Bearer pb_viewer"})
            assert TO in whole.body.decode()
            assert seen.status == 200
            assert TO not in seen.body.decode()
            assert f"{HIDDEN}{TO[-2:]}" in seen.body.decode()

    ring(tmp_path, story, api_key="the-api-key", api_keys=(viewer,))


def test_a_key_of_one_user_knows_of_no_other_s_reminders(tmp_path: Path) -> None:
    scopes = ("reminders:read", "reminders:write")
    keys = tuple(ApiKey(user, fingerprint(f"key of {user}"), scopes, users=(user,)) for user in ("usr_a", "usr_b"))

    async def story(phone: Telephone) -> None:
        body = {"to": TO, "at": soon(3_600), "text": "Take your pills.", "user_id": "usr_a"}
        made = json_of(await phone.post("/v1/reminders", body, authorization="Bearer key of usr_a"))
        path = f"/v1/reminders/{made['id']}"
        mine, other = ({"Authorization": f"Bearer key of {user}"} for user in ("usr_a", "usr_b"))
        for seeing, found in ((mine, [made["id"]]), (other, [])):
            listed = json_of(await phone.house.ask("GET", "/v1/reminders", headers=seeing))["data"]
            assert [each["id"] for each in listed] == found
        for method in ("GET", "DELETE"):
            assert (await phone.house.ask(method, path, headers=other)).status == 404
        refused = await phone.post("/v1/reminders", body, authorization="Bearer key of usr_b")
        assert (refused.status, json_of(refused)["error"]["code"]) == (403, "user_not_allowed")
        for whole in ("/v1/campaigns", "/v1/campaigns/may", "/v1/do-not-call"):
            assert (await phone.house.ask("GET", whole, headers=mine)).status == 403
        assert (await phone.house.ask("DELETE", path, headers=mine)).status == 200

    ring(tmp_path, story, api_key="the-api-key", api_keys=keys)
