"""What a journal takes: how little, how much at most, and nothing that could harm its call."""

import timeit
import zlib

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.call.journal import KINDS, MAGIC, MAX_JOURNAL_BYTES, MAX_SOUND_BYTES, SOUND, Journal
from phone_bridge.call.past import Past
from phone_bridge.call.recording import Recording, decode
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Said
from tests.call.desk import FRAME
from tests.call.facts import KINDS as ALL_KINDS

HEARD = e.CallerHeard(FRAME)


def journal(began: int = 0) -> Journal:
    return Journal(PCMU_8K, Rules(), None, began)


def read(journal: Journal) -> Recording:
    return decode(journal.encode())


def facts(journal: Journal) -> list[tuple[int, e.Event | None]]:
    return [(given.at, given.fact) for given in read(journal).given()]


def test_every_fact_has_a_name_and_its_sound_is_known() -> None:
    assert tuple(KINDS.values()) == ALL_KINDS
    assert {kind.__name__: fields for kind, fields in SOUND.items() if fields} == {
        "CallerHeard": ("audio",),
        "AssistantSpoke": ("audio",),
        "PromptReady": ("parts",),
    }


def test_a_frame_that_comes_as_the_last_one_did_costs_a_byte() -> None:
    book = journal()
    book.note(HEARD, 0)
    book.note(e.AssistantSpoke("rsp_1", FRAME), 5)
    book.note(e.MarkReached("0.1"), 6)
    empty = book.size
    for turn in range(1, 1_000):
        book.note(HEARD, 20 * turn)
        book.note(e.AssistantSpoke("rsp_1", FRAME), 20 * turn + 5)
        book.note(e.MarkReached(f"0.{turn + 1}"), 20 * turn + 6)
    assert book.size - empty == 3 * 999
    assert facts(book)[-1] == (19_986, e.MarkReached("0.1000"))


def test_an_hour_of_talk_fits_though_its_frames_are_ragged() -> None:
    book = journal()
    for frame in range(3600 * 50):
        book.note(HEARD, 20 * frame + frame * 7 % 13)
        if frame % 2:
            book.note(e.AssistantSpoke(f"rsp_{frame // 500}", FRAME[: 100 + frame % 3]), 20 * frame + 15)
        if frame % 10 == 0:
            book.note(e.MarkReached(f"{frame // 900}.{frame}"), 20 * frame + 16)
    assert book.blind_at is None


def test_sound_comes_back_as_silence_of_its_length() -> None:
    book = journal()
    book.note(e.CallerHeard(b"\x01" * 7), 0)
    book.note(e.AssistantSpoke("rsp_1", b"\x02" * 3), 0)
    book.note(e.AssistantSpoke("rsp_1", b"\x02" * 4), 0)
    book.note(e.PromptReady("~1", (b"\x03", b"", b"\x03\x03")), 0)
    assert [fact for _, fact in facts(book)] == [
        e.CallerHeard(b"\xff" * 7),
        e.AssistantSpoke("rsp_1", b"\xff" * 3),
        e.AssistantSpoke("rsp_1", b"\xff" * 4),
        e.PromptReady("~1", (b"\xff", b"", b"\xff\xff")),
    ]
    assert b"\x01\x01" not in zlib.decompress(book.encode()[len(MAGIC) :])


@pytest.mark.parametrize("later", [0, 1, 63, 64, 127, 128, 5_000, 3_600_000, -1, -64, -5_000])
@pytest.mark.parametrize("fact", [HEARD, e.AssistantSpoke("rsp_1", FRAME), e.MarkReached("0.1"), e.LegClosed()])
def test_every_time_comes_back_even_one_that_runs_back(fact: e.Event, later: int) -> None:
    book = journal(began=10_000)
    book.note(fact, 10_000)
    book.note(fact, 10_000 + later)
    book.tick(10_000 + later)
    assert facts(book) == [(10_000, fact), (10_000 + later, fact), (10_000 + later, None)]


@pytest.mark.parametrize("mark", ["", "0", "0.", ".5", "0.x", "0.0", "1.2.3", "0.999999999", "0.9999999999", "0.٣"])
def test_any_mark_comes_back_however_it_looks(mark: str) -> None:
    book = journal()
    marks = [e.MarkReached(mark), e.MarkReached(mark), e.MarkReached(""), e.MarkReached("0.4"), e.MarkReached(mark)]
    for fact in marks:
        book.note(fact, 0)
    assert [fact for _, fact in facts(book)] == marks


def test_the_beginning_and_the_passing_of_time_are_told_apart() -> None:
    book = journal(began=5)
    book.begin(6)
    book.tick(7)
    assert [(given.at, given.begins) for given in read(book).given()] == [(6, True), (7, False)]


# Limits


def test_a_full_journal_stops_and_says_from_when_on_it_is_blind() -> None:
    book = journal(began=100)
    book.note(HEARD, 100)
    for frame in range(1, MAX_JOURNAL_BYTES + 1_000):
        book.note(HEARD, 100 + frame)
    kept = facts(book)
    assert book.size == MAX_JOURNAL_BYTES
    assert len(kept) == MAX_JOURNAL_BYTES - 3  # the first took four bytes: a code, the time, and a length of two
    assert book.blind_at == 100 + len(kept)
    assert read(book).blind_ms == len(kept)


@pytest.mark.parametrize(
    "too_much",
    [
        e.CallerHeard(bytes(MAX_SOUND_BYTES + 1)),
        e.AssistantSpoke("rsp_1", bytes(MAX_SOUND_BYTES + 1)),
        e.PromptReady("~1", (bytes(MAX_SOUND_BYTES), b"\0")),
        e.AssistantSpoke("\ud800", FRAME),
        e.CallerSaid("\ud800"),
        e.ActionSettled("act_1", "executed", None, object()),
        e.CallerSaid("x" * MAX_JOURNAL_BYTES),
    ],
    ids=["heard", "spoke", "prompt", "a name that is no text", "words that are no text", "no JSON", "long words"],
)
def test_what_cannot_be_written_ends_the_journal_and_not_the_call(too_much: e.Event) -> None:
    book = journal()
    book.note(HEARD, 0)
    book.note(e.AssistantSpoke("rsp_1", FRAME), 1)
    book.note(e.MarkReached("0.1"), 1)
    book.note(too_much, 2)
    for fact in (HEARD, e.AssistantSpoke("rsp_1", FRAME), e.MarkReached("0.2"), e.LegClosed()):
        book.note(fact, 3)
    book.tick(3)
    assert [at for at, _ in facts(book)] == [0, 1, 1], "what follows a hole would tell of another call"
    assert read(book).blind_ms == 2


def test_the_most_that_is_taken_comes_back() -> None:
    book = journal()
    whole = e.PromptReady("~1", (b"\xff" * MAX_SOUND_BYTES,))
    book.note(whole, 0)
    assert facts(book) == [(0, whole)]


def test_a_journal_whose_past_cannot_be_written_is_blind_from_the_beginning() -> None:
    book = Journal(PCMU_8K, Rules(), Past(0, (Said(0, "caller", "\ud800"),)), 50)
    book.begin(50)
    book.note(HEARD, 60)
    assert facts(book) == []
    assert read(book).blind_ms == 0


def test_a_frame_costs_no_more_than_a_few_calls_of_an_empty_function() -> None:
    """A ratio, for no clock can be trusted on a machine that is shared: it is about 4, and 0.2 microseconds."""

    def nothing(event: e.Event, now: int) -> None: ...

    book = journal()
    spoke = e.AssistantSpoke("rsp_1", FRAME)
    book.note(spoke, 0)
    book.note(HEARD, 0)
    for fact in (HEARD, spoke):
        ours = min(timeit.repeat(lambda fact=fact: book.note(fact, 0), number=2_000, repeat=30))  # type: ignore[misc]
        bare = min(timeit.repeat(lambda fact=fact: nothing(fact, 0), number=2_000, repeat=30))  # type: ignore[misc]
        assert ours < 12 * bare
