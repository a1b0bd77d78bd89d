"""All that sounds at the caller's end, the assistant's and our own, and the record of how much of it was heard."""

from phone_bridge.audio.format import Format
from phone_bridge.call import commands as c
from phone_bridge.call import words
from phone_bridge.call.confirmation import Question
from phone_bridge.call.language import Language
from phone_bridge.call.playback import Cut, Ledger
from phone_bridge.call.prompts import MARK, Prompt, Prompts
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Trace
from phone_bridge.call.view import Line


class Speaker:
    """Play to the leg in ``format``, and our own in ``language``; duties go to ``out``, what was heard to ``trace``.

    The caller waits for the first sound since ``since``.
    """

    def __init__(
        self, format: Format, rules: Rules, language: Language, trace: Trace, out: list[c.Command], since: int
    ) -> None:
        self.ledger = Ledger(format)
        self.prompts = Prompts(rules, language)
        self._language = language
        self._trace = trace
        self._out = out
        self._since = since
        self._words: dict[str, str] = {}  # what each item says, until it is settled
        self._began: dict[str, int] = {}  # when each item was first sent

    def line(self, key: str) -> c.Line:
        """Give a fixed sentence in the caller's language."""
        return words.line(key, self._language.tag)

    def speak(self, *lines: c.Line | str, now: int, question: Question | None = None) -> Prompt:
        """Have ``lines`` made (a text is a fixed sentence's key), to be played when they are ready."""
        known = tuple(self.line(line) if isinstance(line, str) else line for line in lines)
        prompt, duty = self.prompts.make(known, now, question)
        self._out.append(duty)
        return prompt

    def play_prompt(self, prompt: Prompt, parts: tuple[bytes, ...], now: int) -> None:
        """Play what was made, each line as an item of its own; tell the question which of them names its action."""
        for place, (line, audio) in enumerate(zip(prompt.lines, parts, strict=True)):
            item = prompt.item(place)
            self._words[item] = line.text
            self._begin(item, now)
            self._out.extend(self.ledger.play(item, audio, now))
            self._out.extend(self.ledger.finish(item, now))
            if prompt.question is not None and line.key.startswith(words.QUESTION):
                prompt.question.named(item, line.text, self.ledger.sent_ms(item))

    def play(self, item: str, audio: bytes, now: int) -> None:
        """Play a run of the assistant's speech."""
        if item not in self._began:
            self._begin(item, now)
        self._out.extend(self.ledger.play(item, audio, now))

    def _begin(self, item: str, now: int) -> None:
        if not self._began and not self._trace.samples:
            self._trace.measured("first_sound_ms", now - self._since)
        self._began[item] = max(now, self.ledger.quiet_at())

    def caption(self, item: str, text: str) -> None:
        """Note more words of what ``item`` says."""
        self._words[item] = self._words.get(item, "") + text

    def finish(self, item: str, now: int) -> None:
        """Know that ``item`` has no more sound."""
        self._out.extend(self.ledger.finish(item, now))
        if item not in self._began:
            self._words.pop(item, None)

    def sounded(self, item: str) -> bool:
        """Tell whether any sound of ``item`` was sent and is not settled yet."""
        return item in self._began

    def expire(self, now: int) -> None:
        """Set the marks that are due."""
        self._out.extend(self.ledger.expire(now))

    def settle(self, now: int) -> None:
        """Write down what has come to its end."""
        for cut in self.ledger.settle(now):
            self._record(cut)

    def flush(self, now: int) -> bool:
        """Stop what is playing, and tell the session what of its own was heard; False where nothing was."""
        cuts = self.ledger.flush(now)
        if not cuts:
            return False
        self._out.append(c.Flush())
        for cut in cuts:
            if not cut.item.startswith(MARK):
                self._out.append(c.Truncate(cut.item, cut.heard_ms))
                self._trace.measured("truncate_doubt_ms", cut.heard_ms - cut.proven_ms)
            self._record(cut)
        return True

    def forsake(self, now: int) -> None:
        """Write down what was heard of everything: the leg is gone."""
        for cut in self.ledger.flush(now):
            self._record(cut)

    def unsettled(self, now: int) -> list[tuple[str, str]]:
        """Give the speakers and words of what is still sounding, in order."""
        return [(_speaker(item), self._words.get(item, "").strip()) for item in self.ledger.unheard(now)]

    def sounding(self, now: int) -> list[Line]:
        """Show what is sounding: its words as far as they are known, and how much of its sound was heard.

        What was not sent yet, or waits behind something else, is nobody's to see.
        """
        ledger, since = self.ledger, self._trace.began
        return [
            Line(self._began[item] - since, _speaker(item), words, ledger.sent_ms(item), ledger.heard_ms(item, now))
            for item in ledger.unheard(now)
            if (words := self._words.get(item, "").strip()) and self._began.get(item, now + 1) <= now
        ]

    def _record(self, cut: Cut) -> None:
        """Write down what was heard of an item's words, by the share of its sound."""
        text = self._words.pop(cut.item, "").strip()
        began = self._began.pop(cut.item, self._trace.began)
        if cut.heard_ms < cut.sent_ms:
            self._trace.counts.cut_ms += cut.sent_ms - cut.heard_ms
            text = _share(text, cut.heard_ms, cut.sent_ms)
        if text:
            self._trace.said(began, _speaker(cut.item), text)


def _speaker(item: str) -> str:
    return "bridge" if item.startswith(MARK) else "assistant"


def _share(text: str, part: int, whole: int) -> str:
    """Cut ``text`` at a word, in the proportion in which its sound was heard."""
    spoken = text.split()
    return " ".join(spoken[: len(spoken) * part // whole]) if whole else ""
