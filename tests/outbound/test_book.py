"""What is kept of outbound calls and reminders, on SQLite and on PostgreSQL: each step once, whoever takes it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from phone_bridge.errors import Refused
from phone_bridge.outbound.book import IDEMPOTENCY_S, Attempt, Book, Plan, Promise
from phone_bridge.outbound.reminders import Reminder, ReminderBody, cancel, make
from phone_bridge.runtime.record import Records
from tests.outbound.stage import FROM, TO, Stage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())
_numbers = count(1)


@pytest.fixture
def book(database_url: str) -> Iterator[Book]:
    records = Records(database_url)
    yield Book(records)
    records.close()


def attempt(user_id: str = "usr_1", **values: Any) -> Attempt:
    fields = {"to_number": TO, "from_number": FROM, "plan": msgspec.to_builtins(Plan()), "created_at": SECOND}
    return Attempt(user_id=user_id, **{"call_id": f"call_{next(_numbers)}", **fields, **values})


def add(book: Book, one: Attempt, promise: Promise | None = None) -> str:
    return book.add(one, Stage.row_of(one, SECOND), promise)


def remind(book: Book, user_id: str = "usr_1", *, late: int = 0, promise: Promise | None = None) -> str:
    wish = ReminderBody(to=TO, text="x", at=(NOW + timedelta(minutes=late)).isoformat())
    one = make(wish, id=f"rem_{next(_numbers)}", user_id=user_id, timezone="", now=NOW)
    return book.remind(one, SECOND, promise)


def claim(book: Book, at: datetime = NOW, limit: int = 100) -> int:
    def begun(reminder: Reminder) -> tuple[Attempt, dict[str, Any]]:
        one = attempt(reminder.user_id, call_id=reminder.call_id or "", reminder_id=reminder.id)
        return one, Stage.row_of(one, SECOND)

    return book.claim(at, limit, lambda: f"call_{next(_numbers)}", begun)


def test_an_attempt_and_its_call_are_kept_together(book: Book) -> None:
    one = attempt()
    assert add(book, one) == one.call_id
    assert book.find(one.call_id) == one
    record = book.record(one.call_id)
    assert record is not None
    assert (record.status, record.direction) == ("queued", "outbound")
    assert book.find("call_x") is None


def test_one_promise_has_one_answer(book: Book) -> None:
    promise = Promise("calls", "key", b"body")
    first = add(book, attempt(), promise)
    assert add(book, attempt(), promise) == first
    assert book.promised(promise) == first
    assert book.promised(None) is None
    with pytest.raises(Refused) as caught:
        book.promised(Promise("calls", "key", b"other"))
    assert caught.value.code == "idempotency_key_reused"
    assert book.promised(Promise("reminders", "key", b"other")) is None


def test_many_who_ask_for_the_same_at_once_get_the_same(book: Book) -> None:
    promise = Promise("reminders", "key", b"body")
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: remind(book, promise=promise), range(8)))
    assert len(set(made)) == 1
    assert len(book.reminders()) == 1


def test_a_promise_is_forgotten_after_a_day(book: Book) -> None:
    add(book, attempt(), Promise("calls", "old", b"body"))
    later = attempt(created_at=SECOND + IDEMPOTENCY_S + 1)
    add(book, later, Promise("calls", "new", b"body"))
    assert book.promised(Promise("calls", "old", b"other")) is None


def test_a_step_is_taken_by_one_of_many(book: Book) -> None:
    one = add(book, attempt())
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda _: book.step(one, "intend", dialled_at=1), range(8)))
    assert taken.count(True) == 1
    assert not book.step(one, "cancel")  # what may ring is not cancelled, but ended
    assert book.step(one, "not_taken")
    assert book.step(one, "cancel", told="canceled")


def test_a_carriers_call_belongs_to_one_attempt_and_the_first_one_stays(book: Book) -> None:
    one = add(book, attempt())
    assert not book.claim_carrier(one, "CA1")  # it was not dialled
    book.step(one, "intend")
    assert book.claim_carrier(one, "CA1")
    assert book.claim_carrier(one, "CA1")
    assert not book.claim_carrier(one, "CA2")
    record = book.record(one)
    assert record is not None
    assert record.carrier_id == "CA1"
    assert book.known_carrier_ids(["CA1", "CA2"]) == {"CA1"}


def test_a_record_moves_forward_only(book: Book) -> None:
    one = add(book, attempt())
    moves = [book.tell(one, status, f"at-{status}") for status in ("in_progress", "ringing", "queued", "completed")]
    assert moves == [True, False, False, True]
    record = book.record(one)
    assert record is not None
    assert (record.status, record.answered_at, record.ended_at) == ("completed", "at-in_progress", "at-completed")
    assert not book.tell(one, "busy", "later")


def test_due_reminders_begin_once_in_fair_turns(book: Book) -> None:
    for _ in range(6):
        remind(book, "usr_many")
    for user in ("usr_2", "usr_3"):
        remind(book, user)
    remind(book, "usr_2", late=1)
    assert claim(book, NOW, 3) == 3
    begun = {each.user_id for each in map(book.find, book.unsubmitted(10)) if each is not None}
    assert begun == {"usr_many", "usr_2", "usr_3"}  # nobody waits behind another's many
    assert claim(book) == 5
    assert claim(book) == 0  # what has begun does not begin again, and what is not due does not begin
    assert claim(book, NOW + timedelta(minutes=1)) == 1
    assert {each.status for each in book.reminders()} == {"calling"}


def test_many_processes_begin_each_reminder_once(database_url: str) -> None:
    books = [Book(Records(database_url)) for _ in range(3)]
    for _ in range(20):
        remind(books[0])
    with ThreadPoolExecutor(3) as threads:
        begun = list(threads.map(claim, books))
    assert sum(begun) == 20
    assert len(books[0].unsubmitted(100)) == 20
    for each in books:
        each._records.close()


def test_a_number_that_must_not_be_called_is_not(book: Book) -> None:
    one = remind(book)
    book.bar(TO, SECOND, "call_1")
    book.bar(TO, SECOND)
    assert claim(book) == 0
    reminder = book.reminder(one)
    assert reminder is not None
    assert (reminder.status, reminder.outcome) == ("failed", "do_not_call")


def test_what_a_change_refuses_changes_nothing(book: Book) -> None:
    one = remind(book)
    assert book.change("rem_x", cancel) is None
    book.change(one, cancel)
    with pytest.raises(Refused):
        book.change(one, cancel)
    assert [each.id for each in book.reminders("cancelled")] == [one]
    assert claim(book) == 0


def test_reminders_of_events_are_listed_in_pages_and_those_that_are_due_at_once(book: Book) -> None:
    made = []
    for minutes in (30, 10, 20):
        wish = ReminderBody(to=TO, text="x", event_id="evt_1")
        at = NOW + timedelta(minutes=minutes)
        one = make(wish, id=f"rem_e{minutes}", user_id="usr_1", timezone="UTC", now=NOW, event_at=at)
        made.append(book.remind(one, SECOND))
    remind(book)
    assert [each.id for each in book.of_events(2)] == ["rem_e10", "rem_e20"]
    assert [each.id for each in book.of_events(2, "rem_e20")] == ["rem_e30"]
    assert book.of_events_due(SECOND, 9) == []
    assert [each.id for each in book.of_events_due(SECOND + 1_200, 9)] == ["rem_e10", "rem_e20"]
    assert [each.id for each in book.of_events_due(SECOND + 9_999, 1)] == ["rem_e10"]


def test_what_is_long_over_is_forgotten_and_who_must_not_be_called_is_not(book: Book) -> None:
    over, goes_on = add(book, attempt()), add(book, attempt())
    book.note(over, settled_at=SECOND, stage="over")
    cancelled, kept = remind(book), remind(book)
    book.change(cancelled, cancel)
    book.bar("+12025550199", SECOND)
    book.post("evt_1", "{}", SECOND)
    book.forget(SECOND)  # not yet
    assert book.reminder(cancelled) is not None
    book.forget(SECOND + 1)
    found = book.find(over)
    assert found is not None
    assert (found.to_number, found.plan, found.stage) == (None, {}, "over")
    assert book.find(goes_on) is not None
    assert (book.reminder(cancelled), book.reminder(kept) is None) == (None, False)
    assert book.is_barred("+12025550199")
    assert book.due_deliveries(SECOND, SECOND, 10) == []


def test_an_executor_that_falls_silent_is_seen_by_the_databases_clock(book: Book) -> None:
    book.beat("a")
    book.beat("b")
    assert book.silent(60) == []
    book.leave("a")
    assert book.silent(60) == ["a"]
    book.bury("b", 60)  # it lives
    book.bury("a", 60)
    assert book.silent(-60) == ["b"]


def test_a_delivery_is_taken_once_and_comes_back_if_it_is_not_ended(book: Book) -> None:
    book.post("evt_1", "{}", SECOND)
    book.post("evt_1", "other", SECOND)
    assert book.due_deliveries(SECOND, SECOND + 60, 10) == [("evt_1", "{}", 1)]
    assert book.due_deliveries(SECOND, SECOND + 60, 10) == []
    assert book.due_deliveries(SECOND + 60, SECOND + 120, 10) == [("evt_1", "{}", 2)]
    book.delivered("evt_1", None)
    assert book.due_deliveries(SECOND + 999, SECOND + 999, 10) == []
