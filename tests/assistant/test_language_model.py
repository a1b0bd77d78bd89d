import re

from phone_bridge.assistant.language_model import arpa

SENTENCES = [["cancel", "it"], ["cancel", "my", "meeting"], ["move", "it"]]


def grams(text: str) -> dict[tuple[str, ...], float]:
    found = {}
    for line in text.splitlines():
        if match := re.match(r"(-[\d.]+|0\.0+)\t([^\t]+)", line):
            found[tuple(match[2].split())] = 10 ** float(match[1])
    return found


def test_the_header_counts_what_follows() -> None:
    text = arpa(SENTENCES)
    assert text.startswith("\\data\\")
    assert text.rstrip().endswith("\\end\\")
    for order in (1, 2, 3):
        told = int(re.search(rf"ngram {order}=(\d+)", text)[1])  # type: ignore[index] # a header without it fails here
        section = text.split(f"\\{order}-grams:")[1].split("\\")[0]
        assert len(section.split("\n\n")[0].strip().splitlines()) == told


def test_the_chances_of_what_may_follow_add_up_to_one_at_most() -> None:
    known = grams(arpa(SENTENCES))
    after = {gram: chance for gram, chance in known.items() if gram[:-1] == ("cancel",)}
    assert 0 < sum(after.values()) <= 1.001
    assert known["cancel", "it"] > known["move", "it"] / 4


def test_what_was_seen_is_likelier_than_what_was_not() -> None:
    known = grams(arpa(SENTENCES))
    assert known["<s>", "cancel"] > known["<s>", "move"]
    assert ("it", "cancel") not in known
