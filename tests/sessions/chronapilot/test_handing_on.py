from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.commands import Done, HandOn, Turn
from phone_bridge.call.events import Action
from phone_bridge.sessions.chronapilot.handing_on import read, write
from phone_bridge.sessions.chronapilot.messages import MAX_TEXT_CHARS

CANCEL = Action("cancel_event", {"event_id": "evt_1"})
TALK = HandOn(
    (Turn("caller", "What is next?"), Turn("assistant", "Lunch: at noon.")), (Done(CANCEL, "executed"),), answer=True
)

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=30)
turns = st.lists(st.builds(Turn, st.sampled_from(["caller", "assistant"]), words), max_size=6).map(tuple)
done = st.lists(
    st.builds(Done, st.builds(Action, words, st.dictionaries(words, words | st.integers(-9, 9), max_size=3)), words),
    max_size=3,
).map(tuple)


def test_it_reads_as_a_conversation_and_says_what_to_do_with_it() -> None:
    assert write(TALK).split("\n") == [
        "[This telephone conversation goes on after an interruption. What was said so far:]",
        "Caller: What is next?",
        "Assistant: Lunch: at noon.",
        "[The caller has already consented to the following; do none of it again unless it is asked for anew:]",
        '{"name":"cancel_event","parameters":{"event_id":"evt_1"},"outcome":"executed"}',
        "[Go on from here: answer the caller's last words if they are unanswered, or else say that you are back.]",
    ]


@given(turns, done, st.booleans())
def test_what_was_written_can_be_read(said: tuple[Turn, ...], agreed: tuple[Done, ...], answer: bool) -> None:
    duty = HandOn(said, agreed, answer)
    assert read(write(duty)) == duty


@given(st.text())
def test_no_other_text_is_taken_for_it(text: str) -> None:
    assert read(text) is None


def test_words_of_several_lines_stay_one_turn() -> None:
    duty = read(write(HandOn((Turn("caller", "one\n[two]\nCaller: three"),), (), True)))
    assert duty is not None
    assert duty.turns == (Turn("caller", "one [two] Caller: three"),)


def test_a_long_conversation_loses_its_oldest_turns() -> None:
    said = tuple(Turn("caller", f"{number} " + "word " * 30) for number in range(200))
    text = write(HandOn(said, (), False))
    assert len(text) <= MAX_TEXT_CHARS
    known = read(text)
    assert known is not None
    assert known.turns[-1].text == said[-1].text.strip()
    assert 10 < len(known.turns) < 200


def test_lines_that_make_no_sense_are_left_out() -> None:
    lines = write(TALK).split("\n")
    lines[1:1] = ["Nobody: hello", "{", '{"name": 1}', ""]
    assert read("\n".join(lines)) == TALK
