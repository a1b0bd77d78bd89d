"""What a new session must know of the ones before it: what was said, and what was consented to."""

from collections.abc import Container, Iterable, Sequence

from phone_bridge.call.commands import Done, HandOn, LookUp, Turn, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.trace import Asked, Said

MAX_TURNS = 40  # of the conversation so far, the last ones
UNKNOWN = "unknown"
EXECUTED = "executed"
FAILED = "failed"


class Given:
    """The yeses that went to sessions which are gone, and what is known of their outcomes."""

    def __init__(self) -> None:
        self._given: list[Asked] = []
        self._sought: set[str] = set()

    @property
    def waiting(self) -> bool:
        """Tell whether a look-up is under way."""
        return bool(self._sought)

    def lost(self, actions: Iterable[Asked], running: Container[str] = ()) -> list[LookUp]:
        """Take over all that was confirmed so far; give the look-ups for what nobody has told the outcome of.

        What is ``running`` with us is waited for as well, but nobody has to be asked: we shall know.
        """
        self._given = [asked for asked in actions if asked.verdict is Verdict.CONFIRMED]
        unsure = [asked for asked in self._given if not asked.outcome and asked.id not in self._sought]
        self._sought.update(asked.id for asked in unsure)
        return [LookUp(asked.id, asked.action) for asked in unsure if asked.id not in running]

    def found(self, id: str) -> bool:
        """Know that the look-up of ``id`` has come to its end; False where there was none."""
        known = id in self._sought
        self._sought.discard(id)
        return known

    def same(self, id: str, action: Action) -> bool:
        """Tell whether exactly this proposal was answered with a yes before."""
        return any(asked.id == id and asked.action == action for asked in self._given)

    def alike(self, action: Action) -> str:
        """Tell what came of the last yes to such an action; "" where there was none."""
        return alike(self._given, action)

    def done(self) -> tuple[Done, ...]:
        """Tell what was consented to, and what came of it."""
        return tuple(Done(asked.action, asked.outcome or UNKNOWN) for asked in self._given)


def alike(actions: Sequence[Asked], action: Action) -> str:
    """Tell what came of the last yes among ``actions`` to such an action; "" where there was none."""
    for asked in reversed(actions):
        same = (asked.action.name, asked.action.parameters) == (action.name, action.parameters)
        if same and asked.verdict is Verdict.CONFIRMED:
            return asked.outcome or UNKNOWN
    return ""


def hand_on(
    transcript: Sequence[Said], sounding: Iterable[tuple[str, str]], given: Given, *, answer: bool
) -> HandOn | None:
    """Sum up the conversation for a new session; None where there was none. Our own lines are not part of it."""
    said = [(line.speaker, line.text) for line in transcript[-2 * MAX_TURNS :]]
    turns = tuple(Turn(speaker, text) for speaker, text in [*said, *sounding] if text and speaker != "bridge")
    done = given.done()
    return HandOn(turns[-MAX_TURNS:], done, answer) if turns or done else None
