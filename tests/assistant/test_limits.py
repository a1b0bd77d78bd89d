from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant.limits import Quota, RollingLimit


def test_so_many_times_and_then_a_wait_for_the_first_to_be_forgotten() -> None:
    limit = RollingLimit(2, 1000)

    assert [limit.wait_ms("a", now) for now in (0, 400, 500)] == [0, 0, 500]
    assert [limit.wait_ms("a", now) for now in (999, 1000, 1001)] == [1, 0, 399]


def test_each_is_counted_alone() -> None:
    limit = RollingLimit(1, 1000)

    assert limit.wait_ms("a", 0) == 0
    assert limit.wait_ms("b", 0) == 0
    assert limit.wait_ms("a", 1) == 999


def test_a_refused_attempt_does_not_count() -> None:
    limit = RollingLimit(1, 1000)
    limit.wait_ms("a", 0)
    for now in range(1, 1000):
        assert limit.wait_ms("a", now) == 1000 - now
    assert limit.wait_ms("a", 1000) == 0


def test_who_was_quiet_is_forgotten() -> None:
    limit = RollingLimit(1, 1000)
    for number in range(100):
        limit.wait_ms(f"user {number}", 0)
    limit.wait_ms("late", 5000)

    assert list(limit._times) == ["late"]


@given(st.lists(st.integers(0, 300), max_size=60))
def test_never_more_than_so_many_in_any_span(pauses: list[int]) -> None:
    limit, now, admitted = RollingLimit(3, 500), 0, list[int]()
    for pause in pauses:
        now += pause
        if limit.wait_ms("a", now) == 0:
            admitted.append(now)
    for moment in admitted:
        assert sum(moment <= other < moment + 500 for other in admitted) <= 3


def test_what_is_left_can_be_told_without_counting() -> None:
    limit = RollingLimit(3, 1000)
    assert limit.quota("a", 0) == Quota(3, 3, 0)
    for now in (100, 400):
        limit.wait_ms("a", now)
    assert [limit.quota("a", 500) for _ in range(2)] == [Quota(3, 1, 600)] * 2
    assert limit.quota("a", 1100) == Quota(3, 2, 300)


def test_a_quota_is_written_in_whole_seconds_of_the_day() -> None:
    assert Quota(60, 59, 1).headers(1_700_000_000.0) == {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "59",
        "x-ratelimit-reset": "1700000001",
    }
