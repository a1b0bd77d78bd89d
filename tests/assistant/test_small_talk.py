"""What is said besides the calendar."""

from phone_bridge.assistant import small_talk
from phone_bridge.assistant.understanding import SURE, understand
from tests.assistant.some_week import TITLES, TODAY


def test_repairs_differ_and_offer_two_things_that_are_understood() -> None:
    offers = set()
    for misses in range(1, 4):
        opening, examples = small_talk.repair(misses, TITLES)
        offers.add(opening)
        for example in examples.removeprefix("You can say: ").removesuffix(".").split(", or: "):
            wish = understand(example, TODAY, TITLES)
            assert wish.name != "fragment", example
            assert wish.confidence >= SURE
    assert len(offers) == 3


def test_repairs_go_round_and_do_without_titles() -> None:
    assert small_talk.repair(4, TITLES) == small_talk.repair(1, TITLES)
    assert "my next meeting" in small_talk.repair(2, ())[1]


def test_asking_back_names_what_was_half_understood() -> None:
    assert "cancel an event" in small_talk.unsure("cancel_event")[0]
    assert "know something" in small_talk.unsure("get_day_overview")[0]
