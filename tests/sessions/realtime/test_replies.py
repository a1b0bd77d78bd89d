from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.sessions.realtime.replies import KEPT_REPLIES, Replies
from tests.fuzz.profiles import examples


def test_so_many_replies_are_remembered_and_no_more() -> None:
    replies = Replies(PCMU_8K)
    for number in range(KEPT_REPLIES + 1):
        replies.begin(f"r{number}")
        replies.end(f"r{number}")
    assert replies.is_over("r1")
    assert not replies.is_over("r0")
    assert replies.begin("r0")


def test_the_end_of_an_older_reply_leaves_the_active_one() -> None:
    replies = Replies(PCMU_8K)
    replies.begin("r1")
    replies.begin("r2")
    assert replies.end("r1")
    assert replies.active == "r2"


@examples(100)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4_000)), min_size=1, max_size=6),
    st.lists(st.integers(0, 2_000), min_size=1, max_size=4),
)
def test_what_is_told_of_all_items_is_what_was_heard_of_the_reply(
    runs: list[tuple[str, int]], heard: list[int]
) -> None:
    runs = sorted(runs)  # one item after the other
    replies, sizes = Replies(PCMU_8K), dict.fromkeys("abc", 0)
    replies.begin("r")
    for item, size in runs:
        replies.sound("r", item, 0, size)
        sizes[item] += size
    replies.end("r")
    told: dict[str, int] = {}
    for heard_ms in heard:
        replies.hear("r", heard_ms)
        for cut in replies.cuts("r"):
            assert cut.heard_ms <= PCMU_8K.ms(sizes[cut.item_id]), "nothing is cut beyond its end"
            assert cut.heard_ms < told.get(cut.item_id, 10**6), "what was heard never grows"
            told[cut.item_id] = cut.heard_ms
    in_all = sum(told.get(item, PCMU_8K.ms(size)) for item, size in sizes.items())
    assert min(heard) - len(sizes) <= in_all <= min(heard) or sum(sizes.values()) <= PCMU_8K.size(min(heard))
