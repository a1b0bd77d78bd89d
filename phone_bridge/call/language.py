"""The language that one call is held in: the route's at first, then the one that the caller or the session chooses."""

from phone_bridge.call import words
from phone_bridge.call.commands import Line, Turn
from phone_bridge.call.rules import Rules


class Language:
    """Keep what the bridge's own lines are said in, and what yes and no are understood in.

    A caller may choose by key as long as the choice is ``open``: until they have chosen, or the talk has begun.
    """

    def __init__(self, rules: Rules, chosen: str = "") -> None:
        self.tag = chosen or rules.language
        self.open = bool(rules.languages) and not chosen
        self._first = rules.language
        self._by_key = dict(rules.languages)

    def offers(self) -> tuple[Line, ...]:
        """Say which key stands for which language, each in its own, as long as one may be chosen."""
        return tuple(words.offer(tag, key) for key, tag in sorted(self._by_key.items())) if self.open else ()

    def press(self, digit: str) -> bool:
        """Take the language that a key stands for; False where it stands for none, or nothing may be chosen."""
        tag = self._by_key.get(digit, "") if self.open else ""
        if tag:
            self.open = False
            self.tag = tag
        return bool(tag)

    def change(self, tag: str) -> bool:
        """Go on in another language; False where that changes nothing."""
        changed = tag != self.tag
        self.open = False
        self.tag = tag
        return changed

    @property
    def own(self) -> bool:
        """Whether it is the route's own, so that the route's own words are in it."""
        return self.tag == self._first

    def wish(self) -> tuple[Turn, ...]:
        """Ask a session, as its caller, to speak the language that was chosen; nothing where none was."""
        return (Turn("caller", words.preference(self.tag)),) if not self.own else ()
