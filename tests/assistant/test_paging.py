from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant import paging
from phone_bridge.assistant.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from phone_bridge.assistant.problems import Problem

ABC = ["a", "b", "c", "d", "e"]


def cut(page: Page, things: list[str] = ABC) -> dict[str, Any]:
    return page.cut(things, str, str)


def test_pages_follow_each_other() -> None:
    assert cut(Page(2)) == {"object": "list", "data": ["a", "b"], "has_more": True, "next_cursor": "b"}
    assert cut(Page(2, after="b"))["data"] == ["c", "d"]
    assert cut(Page(2, after="d")) == {"object": "list", "data": ["e"], "has_more": False, "next_cursor": None}


def test_a_page_before_a_thing_is_the_one_that_ends_there() -> None:
    assert cut(Page(2, before="d")) == {"object": "list", "data": ["b", "c"], "has_more": True, "next_cursor": "c"}
    assert cut(Page(9, before="a"))["data"] == []


@given(st.lists(st.integers(), unique=True, max_size=12), st.integers(1, 5))
def test_whoever_follows_the_cursor_sees_everything_once(things: list[int], limit: int) -> None:
    seen: list[int] = []
    page = Page(limit)
    while True:
        found = page.cut(things, str, lambda thing: thing)
        seen += found["data"]
        if not found["has_more"]:
            break
        page = Page(limit, after=found["next_cursor"])
    assert seen == things


def test_a_page_is_read_off_a_query() -> None:
    assert paging.read([]) == Page(DEFAULT_LIMIT)
    assert paging.read([("limit", str(MAX_LIMIT)), ("starting_after", "b")]) == Page(MAX_LIMIT, after="b")
    assert paging.read([("cursor", "b")]).after == "b"


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ([("limit", "0")], "limit"),
        ([("limit", str(MAX_LIMIT + 1))], "limit"),
        ([("limit", "ten")], "limit"),
        ([("limit", "9" * 5000)], "limit"),
        ([("starting_after", "a"), ("ending_before", "b")], "ending_before"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_its_parameter(query: list[tuple[str, str]], param: str) -> None:
    with pytest.raises(Problem) as caught:
        paging.read(query)
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", param)


@pytest.mark.parametrize(("page", "param"), [(Page(after="z"), "starting_after"), (Page(before="z"), "ending_before")])
def test_a_page_beside_a_thing_that_is_not_there_is_refused(page: Page, param: str) -> None:
    with pytest.raises(Problem) as caught:
        cut(page)
    assert caught.value.param == param


def test_bounds_are_kept() -> None:
    inside = paging.within([("t[gte]", "2026-11-21T09:00:00Z"), ("t[lt]", "2026-11-21T10:00:00 01:00")], "t")
    assert [inside(datetime(2026, 11, 21, hour, tzinfo=UTC)) for hour in (8, 9, 10)] == [False, False, False]
    wide = paging.within([("t[gt]", "2026-11-21T08:00:00Z"), ("t[lte]", "2026-11-21T10:00:00Z"), ("u[gt]", "x")], "t")
    assert [wide(datetime(2026, 11, 21, hour, tzinfo=UTC)) for hour in (8, 9, 10, 11)] == [False, True, True, False]


@pytest.mark.parametrize(
    "text", ["soon", "2026-11-21", "2026-11-21T09:00:00", "0001-01-01T00:00:00Z", "2300-01-01T00:00Z"]
)
def test_a_time_without_offset_or_sense_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        paging.within([("t[gte]", text)], "t")
    assert caught.value.param == "t[gte]"


def test_words_are_of_those_that_there_are() -> None:
    assert paging.flag([("hard", "true")], "hard")
    assert not paging.flag([], "hard")
    assert paging.choice([("order", "b")], "order", "ab", "a") == "b"
    for bad in (lambda: paging.flag([("hard", "yes")], "hard"), lambda: paging.choice([("o", "c")], "o", "ab", "a")):
        with pytest.raises(Problem):
            bad()
