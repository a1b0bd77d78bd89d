import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.sessions.realtime import items as i
from phone_bridge.sessions.realtime.items import ROOT, Items, words
from phone_bridge.sessions.realtime.messages import Content, InvalidMessage, Item


def made(*names: str) -> Items:
    kept = Items(lambda prefix: f"{prefix}_new")
    for name in names:
        kept.add(Item(id=name, type="message", role="user"))
    return kept


def order(kept: Items) -> list[str]:
    names: list[str] = []
    name = kept.last()
    while name is not None:
        names.insert(0, name)
        name = kept.before(name)
    return names


def spoken(name: str, ms: int) -> Items:
    kept = made()
    item = Item(id=name, type="message", role="assistant")
    kept.add(item)
    content = (Content(type="output_audio", transcript="Hello."),)
    kept.update(Item(id=name, type="message", role="assistant", content=content), ms)
    return kept


def test_an_item_without_an_id_gets_one() -> None:
    kept, previous = made("a").add(Item(type="message", role="user"))
    assert (kept.id, kept.object, previous) == ("item_new", "realtime.item", "a")


@pytest.mark.parametrize(
    ("previous", "expected", "before"),
    [(None, ["a", "b", "x"], "b"), (ROOT, ["x", "a", "b"], None), ("a", ["a", "x", "b"], "a")],
)
def test_an_item_stands_behind_the_one_that_is_named(previous: str | None, expected: list[str], before: str) -> None:
    kept = made("a", "b")
    _, told = kept.add(Item(id="x"), previous)
    assert (order(kept), told) == (expected, before)


@pytest.mark.parametrize(
    ("item", "previous", "param"),
    [
        (Item(id="x"), "nobody", "previous_item_id"),
        (Item(id="a"), None, "item.id"),
        (Item(id="x" * (i.MAX_ID_CHARS + 1)), None, "item.id"),
    ],
)
def test_an_item_that_has_no_place_is_refused_and_changes_nothing(item: Item, previous: str, param: str) -> None:
    kept = made("a", "b")
    with pytest.raises(InvalidMessage) as refused:
        kept.add(item, previous)
    assert refused.value.param == param
    assert order(kept) == ["a", "b"]


def test_what_was_deleted_is_not_found_and_cannot_come_back() -> None:
    kept = made("a", "b")
    kept.delete("a")
    kept.update(Item(id="a"))
    assert order(kept) == ["b"]
    with pytest.raises(InvalidMessage) as refused:
        kept.find("a")
    assert refused.value.code == "item_not_found"


def test_the_oldest_of_too_many_items_goes() -> None:
    kept = made(*(f"item {number}" for number in range(i.MAX_ITEMS)))
    kept.add(Item(id="one more"))
    assert len(kept) == i.MAX_ITEMS
    assert kept.before("item 1") is None


def test_a_truncated_item_keeps_its_sound_and_loses_its_words() -> None:
    kept = spoken("a", 900)
    kept.truncate("a", 0, 400)
    assert words(kept.find("a")) == ""
    with pytest.raises(InvalidMessage, match="400ms is already shorter than 401ms"):
        kept.truncate("a", 0, 401)


@pytest.mark.parametrize(
    ("name", "index", "end", "param"),
    [("u", 0, 0, "item_id"), ("a", 1, 0, "content_index"), ("a", 0, 901, "audio_end_ms"), ("a", 0, -1, "audio_end_ms")],
)
def test_only_what_was_spoken_can_be_truncated(name: str, index: int, end: int, param: str) -> None:
    kept = spoken("a", 900)
    kept.add(Item(id="u", type="message", role="user"))
    with pytest.raises(InvalidMessage) as refused:
        kept.truncate(name, index, end)
    assert refused.value.param == param
    assert words(kept.find("a")) == "Hello."


def test_what_speech_says_is_written_beside_what_was_typed() -> None:
    kept = made()
    typed, spoken = Content(type="input_text", text="Read this:"), Content(type="input_audio")
    kept.add(Item(id="a", type="message", role="user", content=(typed, spoken)))
    kept.transcribe("a", "hello")
    kept.transcribe("nobody", "hello")
    assert words(kept.find("a")) == "Read this: hello"


def test_the_last_words_of_a_role_are_found() -> None:
    kept = made()
    for role, text in (("user", "one"), ("user", "two"), ("assistant", "three")):
        kept.add(Item(id=text, type="message", role=role, content=(Content(type="input_text", text=text),)))
    assert (kept.last_words_of("user"), kept.last_words_of("system")) == ("two", "")


def test_a_call_is_known_by_its_own_id() -> None:
    kept = made("a")
    kept.add(Item(id="f", type="function_call", call_id="call_1"))
    assert kept.knows_call("call_1")
    assert not kept.knows_call("f")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "root", *"abcdef"]))))
def test_the_order_is_always_whole(steps: list[tuple[str, str]]) -> None:
    kept, expected = made(), list[str]()
    for name, previous in steps:
        if name in expected:
            kept.delete(name)
            expected.remove(name)
        elif previous in ("", "root", *expected):
            kept.add(Item(id=name), previous or None)
            at = {"": len(expected), "root": 0}.get(previous)
            expected.insert(expected.index(previous) + 1 if at is None else at, name)
    assert order(kept) == expected
