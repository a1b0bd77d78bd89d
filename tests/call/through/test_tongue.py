from phone_bridge.call.through.tongue import tongue, words_of

MINE = tongue(spelling={"i d": "i would", "ok": "okay"}, fillers="uh um", besides="", grammar="wish = i would;")


def test_words_are_plain() -> None:
    assert words_of("Páseme, por favor!") == ("paseme", "por", "favor")
    assert words_of("l\N{RIGHT SINGLE QUOTATION MARK}accueil, s'il vous plaît") == (
        "l",
        "accueil",
        "s",
        "il",
        "vous",
        "plait",
    )


def test_a_language_spells_words_its_own_way_and_leaves_out_what_says_nothing() -> None:
    assert MINE.said(words_of("Uh, I'd, um, OK")) == ("i", "would", "okay")


def test_who_stammers_says_a_word_once() -> None:
    assert MINE.said(words_of("I I uh I'd")) == ("i", "would")
