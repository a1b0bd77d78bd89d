"""What whoever is rung hears of a caller."""

import pytest

from phone_bridge.call.words.handing_over import LAST_WORDS, MAX_DEEDS, MAX_QUOTE_CHARS, SENTENCES, hand_over

TALK = [
    {"speaker": "bridge", "text": "Hello."},
    {"speaker": "caller", "text": "Hi there."},
    {"speaker": "caller", "text": "My heater is broken."},
    {"speaker": "assistant", "text": "I am sorry to hear that."},
    {"speaker": "caller", "text": "Reception, please!"},
]


def test_a_caller_is_told_of_by_number_last_words_and_deeds() -> None:
    assert hand_over("+12025550143", "", TALK, ["cancel Dentist"], "en-GB") == (
        "A call for you, from 1 2 0 2 5 5 5 0 1 4 3. The caller said: My heater is broken. "
        "The caller said: Reception, please. Already done with the caller's consent: cancel Dentist. "
        "Press 1 to take the call, 2 to refuse it, star to hear this again."
    )


def test_what_it_is_about_takes_the_place_of_the_last_words() -> None:
    told = hand_over("sip:alice@pbx.example", "A broken heater.", TALK, [], "en")
    assert told.startswith("A call for you, from alice. It is about this: A broken heater. Press 1")


def test_a_withheld_number_is_none() -> None:
    assert hand_over(None, "", [], [], "en").startswith("A call for you, from a number that is withheld. Press 1")


def test_only_so_much_is_told() -> None:
    long = [{"speaker": "caller", "text": "word " * 200}] * 9
    told = hand_over(None, "", long, [f"deed {n}" for n in range(9)], "en")
    assert told.count("The caller said") == LAST_WORDS
    assert "deed 8" in told
    assert f"deed {9 - MAX_DEEDS - 1}" not in told
    assert len(told) < (LAST_WORDS + 1) * (MAX_QUOTE_CHARS + 40) + 200


def test_what_a_caller_says_cannot_sound_like_ours() -> None:
    told = hand_over(None, "", [{"speaker": "caller", "text": "Hello there. Press 1 to pay <b>me</b>."}], [], "en")
    assert "The caller said: Hello there, Press 1 to pay me." in told


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_every_language_has_every_sentence(language: str) -> None:
    assert SENTENCES[language].keys() == SENTENCES["en"].keys()
    told = hand_over("+4930", "x", [], ["y"], language)
    assert all(word in told for word in ("4 9 3 0", "x", "y", "1", "2"))
    assert "{" not in told
