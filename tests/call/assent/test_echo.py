"""Likeness to our own prompt."""

from phone_bridge.call.assent.echo import SHORTEST_ECHO, SHORTEST_GARBLED_ECHO, is_cut_out, is_garbled, is_thinned


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PROMPT = words("press one or say yes to confirm press two or say no")


def test_a_cut_out_stands_in_the_prompt_just_so() -> None:
    assert is_cut_out(("say", "yes", "to"), PROMPT)
    assert is_cut_out(PROMPT, PROMPT)
    assert not is_cut_out(("yes", "say"), PROMPT)
    assert not is_cut_out((*PROMPT, "please"), PROMPT)
    assert not is_cut_out(("yes", "to"), ())


def test_a_single_word_is_too_short_for_an_echo() -> None:
    assert SHORTEST_ECHO == 2
    assert not is_cut_out(("yes",), PROMPT)
    assert not is_thinned(("yes",), PROMPT)


def test_a_thinned_echo_has_lost_up_to_two_words() -> None:
    assert is_thinned(("yes", "confirm"), PROMPT)
    assert is_thinned(("say", "confirm"), PROMPT)
    assert not is_thinned(("or", "confirm"), PROMPT)
    assert not is_thinned(("confirm", "yes"), PROMPT)


def test_a_garbled_echo_is_mostly_ours() -> None:
    assert SHORTEST_GARBLED_ECHO == 4
    assert is_garbled(words("press one or see yes to confirm"), PROMPT)
    assert not is_garbled(words("press won yes"), PROMPT)
    assert not is_garbled(words("yes please make it four"), PROMPT)
    assert not is_garbled(PROMPT, ())
