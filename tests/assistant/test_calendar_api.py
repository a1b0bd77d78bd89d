from pathlib import Path
from typing import Any

import pytest

from phone_bridge.tools.keeper import AlertFields
from tests.assistant.api_desk import BOB, READER, ApiDesk, play

TEA = {"title": "Tea", "start_time": "2026-11-24T16:00:00Z", "duration_minutes": 30}


async def tea(desk: ApiDesk, **more: Any) -> Any:
    return await desk.get(desk.calendar.create_event, body=TEA | more, status=201)


# Events


def test_an_event_is_created_shown_changed_and_cancelled(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await tea(desk)
        assert (made["object"], made["user_id"], made["end_time"]) == (
            "event",
            "usr_alice",
            "2026-11-24T16:30:00+00:00",
        )
        assert await desk.get(desk.calendar.show_event, made["id"]) == made
        moved = {"start_time": "2026-11-24T17:00:00Z"}
        changed = await desk.get(desk.calendar.change_event, made["id"], body=moved)
        assert (changed["start_time"], changed["title"]) == ("2026-11-24T17:00:00+00:00", "Tea")
        for _ in range(2):
            gone = await desk.get(desk.calendar.delete_event, made["id"], query={"reason": "rain"})
            assert (gone["is_cancelled"], gone["cancel_reason"]) == (True, "rain")
        assert await desk.refused(desk.calendar.change_event, made["id"], body=moved) == (
            409,
            "event_already_cancelled",
            "",
        )

    play(tmp_path, story)


def test_what_is_written_is_told_once_and_with_what_changed(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        for _ in range(2):
            made = await desk.get(desk.calendar.create_event, body=TEA, once="n", status=201)
        await desk.get(desk.calendar.change_event, made["id"], body={"start_time": "2026-11-24T17:00:00Z"})
        await desk.get(desk.calendar.change_event, made["id"], body={"title": "Coffee"})
        await desk.get(desk.calendar.delete_event, made["id"])
        await desk.get(desk.calendar.delete_event, made["id"], query={"hard": "true"})
        told = [(each.type, dict(each.object)) for each in desk.told]
        about = {"event_id": made["id"], "user_id": "usr_alice"}
        assert [kind for kind, _ in told] == [
            "event.created",
            "event.updated",
            "event.rescheduled",
            "event.updated",
            "event.cancelled",
            "event.deleted",
        ]
        assert told[0][1] == {**about, "title": "Tea", "start_time": "2026-11-24T16:00:00+00:00"}
        assert told[1][1] == {**about, "changed_fields": ["start_time", "end_time"]}
        assert told[2][1] == {
            **about,
            "old_start_time": "2026-11-24T16:00:00+00:00",
            "new_start_time": "2026-11-24T17:00:00+00:00",
        }
        assert told[3][1] == {**about, "changed_fields": ["title"]}
        assert len({each.deed + each.type for each in desk.told}) == len(desk.told)

    play(tmp_path, story)


def test_a_deleted_event_is_shown_once_more_and_is_gone(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await tea(desk)
        gone = await desk.get(desk.calendar.delete_event, made["id"], query={"hard": "true"})
        assert gone["id"] == made["id"]
        assert await desk.refused(desk.calendar.show_event, made["id"]) == (404, "resource_missing", "")

    play(tmp_path, story)


def test_a_repeated_request_writes_once_also_when_its_answer_was_forgotten(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        one = await desk.get(desk.calendar.create_event, body=TEA, once="n", status=201)
        desk.front.replays.forget(("secret", "", "create_event", "n"))  # as a restart does
        two = await desk.get(desk.calendar.create_event, body=TEA, once="n", status=201)
        assert one["id"] == two["id"]
        assert len((await desk.get(desk.calendar.list_events))["data"]) == 1

    play(tmp_path, story)


def test_events_are_listed_by_creation_or_by_beginning_and_filtered(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        late = await tea(desk, title="Late tea", start_time="2026-11-26T16:00:00Z")
        early = await tea(desk, title="Early tea", description="with Carol")
        await tea(desk, user_id="usr_bob")
        cancelled = await tea(desk)
        await desk.get(desk.calendar.delete_event, cancelled["id"])

        async def ids(**query: str) -> list[str]:
            page = await desk.get(desk.calendar.list_events, query={k.replace("__", "["): v for k, v in query.items()})
            return [each["id"] for each in page["data"]]

        assert await ids() == [early["id"], late["id"]]
        assert await ids(order="start_time_asc") == [early["id"], late["id"]]
        assert await ids(include_cancelled="true") == [cancelled["id"], early["id"], late["id"]]
        assert await ids(q="carol tea") == [early["id"]]
        assert await ids(**{"start_time__gte]": "2026-11-25T00:00:00Z"}) == [late["id"]]
        assert await ids(**{"start_time__lt]": "2026-11-26T16:00:00Z"}) == [early["id"]]
        assert await ids(**{"start_time__lte]": "2026-11-26T16:00:00Z", "order": "start_time_asc"}) == [
            early["id"],
            late["id"],
        ]
        assert await ids(**{"created__gt]": early["created_at"]}) == []
        assert len(await ids(user_id="usr_bob")) == 1
        assert await ids(calendar_id="cal_other") == []
        first = await desk.get(desk.calendar.list_events, query={"limit": "1"})
        assert (first["has_more"], first["next_cursor"]) == (True, early["id"])
        assert await ids(starting_after=early["id"]) == [late["id"]]

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"title": "x"}, "missing_required_field", "start_time"),
        (TEA | {"surprise": 1}, "invalid_parameter", "surprise"),
        (TEA | {"end_time": "2026-11-24T15:00:00Z", "duration_minutes": None}, "invalid_parameter", "duration_minutes"),
        (TEA | {"user_id": 7}, "invalid_parameter", "user_id"),
        ([], "invalid_parameter", ""),
    ],
)
def test_a_bad_event_is_refused_by_the_rules_of_the_tool(tmp_path: Path, body: Any, code: str, param: str) -> None:
    async def story(desk: ApiDesk) -> None:
        assert await desk.refused(desk.calendar.create_event, body=body) == (400, code, param)

    play(tmp_path, story)


def test_an_event_in_the_path_is_not_named_in_the_body(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await tea(desk)
        wish = {"event_id": "evt_other", "title": "x"}
        refused = await desk.refused(desk.calendar.change_event, made["id"], body=wish)
        assert refused == (400, "invalid_parameter", "event_id")

    play(tmp_path, story)


# Whose


def test_a_key_of_one_user_sees_and_writes_nobody_elses(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        hers = await tea(desk)
        his = await desk.get(desk.calendar.create_event, body=TEA, key=BOB, status=201)
        assert his["user_id"] == "usr_bob"
        missing = (404, "resource_missing", "id")
        assert await desk.refused(desk.calendar.show_event, hers["id"], key=BOB) == missing
        assert await desk.refused(desk.calendar.delete_event, hers["id"], key=BOB) == missing
        assert await desk.refused(desk.calendar.show_user, "usr_alice", key=BOB) == missing
        forbidden = (403, "authorization_failed", "user_id")
        assert await desk.refused(desk.calendar.list_events, query={"user_id": "usr_alice"}, key=BOB) == forbidden
        assert await desk.refused(desk.calendar.create_event, body=TEA | {"user_id": "usr_alice"}, key=BOB) == forbidden

    play(tmp_path, story)


def test_a_key_that_reads_does_not_write(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await tea(desk)
        assert (await desk.get(desk.calendar.show_event, made["id"], key=READER))["id"] == made["id"]
        for refused in (
            await desk.refused(desk.calendar.create_event, body=TEA, key=READER),
            await desk.refused(desk.calendar.change_event, made["id"], body={"title": "x"}, key=READER),
            await desk.refused(desk.calendar.delete_event, made["id"], key=READER),
            await desk.refused(desk.calendar.create_reminder, body={}, key=READER),
        ):
            assert refused == (403, "authorization_failed", "events:write")
        assert (await desk.refused(desk.calendar.list_alerts, key=READER))[2] == "alerts:read"
        assert (await desk.refused(desk.calendar.show_user, "usr_alice", key=READER))[2] == "profile:read"

    play(tmp_path, story)


# Reminders, alerts, users


def test_a_reminder_is_kept_listed_and_cancelled(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        event = await tea(desk)
        wish = {"title": "Put the kettle on", "event_id": event["id"], "offset_minutes_before_start": 10}
        made = await desk.get(desk.calendar.create_reminder, body=wish, status=201)
        assert (made["object"], made["status"], made["user_id"]) == ("reminder", "scheduled", "usr_alice")
        assert await desk.get(desk.calendar.show_reminder, made["id"]) == made
        assert (await desk.get(desk.calendar.list_reminders, query={"event_id": event["id"]}))["data"] == [made]
        for _ in range(2):
            assert (await desk.get(desk.calendar.delete_reminder, made["id"]))["status"] == "cancelled"
        assert (await desk.get(desk.calendar.list_reminders, query={"status": "scheduled"}))["data"] == []
        assert (await desk.refused(desk.calendar.show_reminder, "rem_none"))[0] == 404

    play(tmp_path, story)


def test_an_alert_is_listed_snoozed_and_dismissed(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        made = await desk.keeper.create_alert("usr_alice", AlertFields(type="conflict", title="Two at once"), key="k")
        (shown,) = (await desk.get(desk.calendar.list_alerts))["data"]
        assert (shown["id"], shown["status"]) == (made.id, "active")
        assert (await desk.get(desk.calendar.list_alerts, query={"type": "late"}))["data"] == []
        snoozed = await desk.get(desk.calendar.snooze_alert, made.id, body={"minutes": 5})
        assert (snoozed["status"], snoozed["snoozed_until"][:16]) == ("snoozed", "2026-11-21T09:05")
        for _ in range(2):
            assert (await desk.get(desk.calendar.dismiss_alert, made.id))["status"] == "dismissed"
        assert (await desk.get(desk.calendar.list_alerts, query={"status": "dismissed"}))["data"][0]["id"] == made.id
        assert await desk.refused(desk.calendar.snooze_alert, made.id, body={"minutes": 5}) == (
            409,
            "alert_not_active",
            "",
        )

    play(tmp_path, story)


def test_a_users_wishes_are_shown_and_changed_each_in_its_place(tmp_path: Path) -> None:
    async def story(desk: ApiDesk) -> None:
        wish = {
            "timezone": "Europe/Berlin",
            "quiet_hours": {"enabled": True, "start": "22:00", "end": "07:00"},
            "alert_profile": "minimal",
            "buffers": {"parking": 9},
        }
        changed = await desk.get(desk.calendar.change_user, "usr_bob", body=wish)
        assert changed == await desk.get(desk.calendar.show_user, "usr_bob")
        assert (changed["timezone"], changed["alert_profile"]) == ("Europe/Berlin", "minimal")
        assert (changed["quiet_hours"]["start"], changed["buffers"]["parking"]) == ("22:00", 9)

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("wish", "code", "param"),
    [
        ({}, "missing_required_field", ""),
        ({"timezone": "Mars/Base"}, "invalid_parameter", "timezone"),
        ({"quiet_hours": {"enabled": True}}, "missing_required_field", "quiet_hours.start"),
        ({"quiet_hours": 7}, "invalid_parameter", "quiet_hours"),
        ({"buffers": {"parking": 9, "moon": 1}}, "invalid_parameter", "buffers.kind"),
        ({"alert_profile": "loud"}, "invalid_parameter", "alert_profile.profile"),
    ],
)
def test_a_wish_that_cannot_be_changes_nothing(tmp_path: Path, wish: dict[str, Any], code: str, param: str) -> None:
    async def story(desk: ApiDesk) -> None:
        before = await desk.get(desk.calendar.show_user, "usr_bob")
        whole = wish and {"locale": "de", **wish}
        assert await desk.refused(desk.calendar.change_user, "usr_bob", body=whole) == (400, code, param)
        assert await desk.get(desk.calendar.show_user, "usr_bob") == before

    play(tmp_path, story)
