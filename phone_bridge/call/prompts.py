"""The bridge's own lines on their way to the caller: asked for, being made, and late."""

from phone_bridge.call.commands import Line, Speak
from phone_bridge.call.confirmation import Question
from phone_bridge.call.language import Language
from phone_bridge.call.rules import Rules

MAX_PENDING = 8  # lines that may be in the making at a time
MARK = "~"  # how the ledger's items of our own voice begin


class Prompt:
    """Lines that are being made; each plays as one item of the ledger."""

    def __init__(self, name: str, lines: tuple[Line, ...], expires: int, question: Question | None) -> None:
        self.name = name
        self.lines = lines
        self.expires = expires
        self.question = question

    def item(self, place: int) -> str:
        """Name the ledger's item of one line."""
        return f"{self.name}.{place}"


class Prompts:
    """Keep one call's lines in the making."""

    def __init__(self, rules: Rules, language: Language) -> None:
        self._rules = rules
        self._language = language
        self._making: dict[str, Prompt] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._making)

    def __contains__(self, name: str) -> bool:
        return name in self._making

    def make(self, lines: tuple[Line, ...], now: int, question: Question | None) -> tuple[Prompt, Speak]:
        """Begin to make ``lines``; give the duty that does."""
        if len(self._making) >= MAX_PENDING:  # whatever hurries us, it is the oldest line that is out of date
            del self._making[next(iter(self._making))]
        self._count += 1
        prompt = Prompt(f"{MARK}{self._count}", lines, now + self._rules.prompt_ms, question)
        self._making[prompt.name] = prompt
        return prompt, Speak(prompt.name, lines, self._language.tag)

    def take(self, name: str) -> Prompt | None:
        """Take out what is made, or could not be; None for what nobody waits for any more."""
        return self._making.pop(name, None)

    def forget(self, question: Question | None) -> list[Prompt]:
        """Leave unsaid what was being made about a question that has moved on, or (None) about none; give it."""
        gone = [prompt for prompt in self._making.values() if prompt.question is question]
        for prompt in gone:
            del self._making[prompt.name]
        return gone

    def late(self, now: int) -> list[Prompt]:
        """Name what took too long."""
        return [prompt for prompt in self._making.values() if now >= prompt.expires]

    def deadline(self) -> int | None:
        """Say when the next one is late."""
        if not self._making:  # nearly always
            return None
        return min(prompt.expires for prompt in self._making.values())
