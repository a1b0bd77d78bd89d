import pytest

from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.replays import MOST_REPLAYS, REMEMBERED_MS, REPLAY_HEADER, RETRY_SECONDS, Replays
from phone_bridge.exchange import Response

NAME = ("key", "", "nonce")
CREATED = Response(status=201, headers={"content-type": "application/json"}, body=b"{}")


def test_the_same_request_gets_the_same_answer_marked_as_a_replay() -> None:
    replays = Replays()
    assert replays.begin(NAME, b"body", 0) is None
    replays.keep(NAME, b"body", CREATED, 0)

    again = replays.begin(NAME, b"body", REMEMBERED_MS - 1)
    assert again is not None
    assert (again.status, again.body) == (201, b"{}")
    assert again.headers == {"content-type": "application/json", REPLAY_HEADER: "true"}


def test_after_a_day_it_is_a_new_request() -> None:
    replays = Replays()
    replays.keep(NAME, b"body", CREATED, 0)

    assert replays.begin(NAME, b"body", REMEMBERED_MS) is None


def test_the_same_name_with_another_body_is_a_conflict() -> None:
    replays = Replays()
    replays.keep(NAME, b"body", CREATED, 0)

    with pytest.raises(Problem) as caught:
        replays.begin(NAME, b"other", 1)
    assert (caught.value.code, caught.value.status) == ("idempotency_key_in_use", 409)


def test_the_same_request_while_the_first_one_runs_is_asked_to_wait() -> None:
    replays = Replays()
    assert replays.begin(NAME, b"body", 0) is None
    with pytest.raises(Problem) as caught:
        replays.begin(NAME, b"body", 1)
    assert (caught.value.code, caught.value.retry_after_seconds) == ("idempotency_key_in_use", RETRY_SECONDS)

    replays.forget(NAME)
    assert replays.begin(NAME, b"body", 2) is None


@pytest.mark.parametrize(("status", "kept"), [(201, True), (400, True), (403, True), (429, False), (500, False)])
def test_what_may_be_answered_otherwise_soon_is_not_kept(status: int, kept: bool) -> None:
    replays = Replays()
    replays.keep(NAME, b"body", Response(status=status), 0)

    assert (replays.begin(NAME, b"body", 1) is not None) is kept


def test_so_many_answers_are_kept_and_the_oldest_goes_first() -> None:
    replays = Replays()
    for number in range(MOST_REPLAYS + 1):
        replays.keep((str(number),), b"", CREATED, 0)

    assert replays.begin(("1",), b"", 1) is not None
    assert replays.begin(("0",), b"", 1) is None


def test_old_answers_make_room_for_new_ones() -> None:
    replays = Replays()
    replays.keep(("old",), b"", CREATED, 0)
    replays.keep(("new",), b"", CREATED, REMEMBERED_MS)

    assert list(replays._stored) == [("new",)]
