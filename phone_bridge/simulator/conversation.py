"""A call in lines, as people read it: who said what, and when; and what came of it at the end."""

from collections.abc import Sequence

from phone_bridge.simulator.carrier_call import Note
from phone_bridge.simulator.duties import Speak
from phone_bridge.simulator.result import CallResult, Spoken
from phone_bridge.simulator.script import HangUp, Listen, Press, Say, Wait

LATE_MS = 40
"""From here on, two frames, the lateness of the simulator itself is worth a line."""
CALLER = "caller"
_WHO = 10


def stamp(at_ms: int) -> str:
    """Write a time as minutes, seconds and tenths."""
    tenths = at_ms // 100
    return f"{tenths // 600:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def spoken_line(spoken: Spoken, began_ms: int = 0) -> str:
    """Write a line of the bridge's transcript, whose times count from ``began_ms`` on."""
    return _line(began_ms + spoken.at_ms, spoken.speaker, spoken.text)


def note_line(note: Note) -> str | None:
    """Write what a bystander saw; None for what is not worth a line."""
    match note.what:
        case Say(text):
            return _line(note.at_ms, CALLER, text)
        case Press(digits):
            return _line(note.at_ms, CALLER, f"[presses {' '.join(digits)}]")
        case Wait() | Listen() | HangUp():
            return None
        case Speak(text=text):
            return _line(note.at_ms, "carrier", text)
        case str(word):
            return _line(note.at_ms, "carrier", f"[{word}]")


def _line(at_ms: int, who: str, what: str) -> str:
    return f"{stamp(at_ms)}  {who:<{_WHO}}  {what}"


class TranscriptReader:
    """Picks the new lines out of a transcript that grows while it is read again and again.

    A line may be written after a later one, once it was heard to its end. The caller's own lines are left out: the
    script knows better what was said.
    """

    def __init__(self) -> None:
        self._read: set[Spoken] = set()

    def read(self, transcript: Sequence[Spoken]) -> list[Spoken]:
        """Return the lines that were not there before."""
        new = [spoken for spoken in transcript if spoken not in self._read and spoken.speaker != CALLER]
        self._read.update(new)
        return new


def outcome_lines(result: CallResult) -> list[str]:
    """Sum up a call that is over."""
    metrics = result.metrics
    lines = [f"{result.status} after {result.duration_ms / 1000:.1f} s, ended by the {result.ended_by}"]
    if result.dialled:
        lines.append(f"connected to {', '.join(result.dialled)}")
    if metrics.first_audio_ms is not None:
        answers = ", ".join(str(ms) for ms in metrics.reply_ms[1:]) or "none"
        lines.append(f"first sound after {metrics.first_audio_ms} ms; answers after (ms): {answers}")
        lines.append(
            f"longest silence {metrics.longest_silence_ms} ms; underruns {metrics.underruns}; "
            f"bytes after clear {metrics.bytes_after_clear}"
        )
    if metrics.late_ms >= LATE_MS:
        lines.append(f"this machine was up to {metrics.late_ms} ms late, and the figures are off by as much")
    actions = result.record.actions if result.record else []
    lines += [f"{action.get('name')}: {action.get('verdict')} by {action.get('by')}" for action in actions]
    lines += [f"not as it should be: {reason}" for reason in result.reasons]
    if result.ok:
        lines.append("the call went as a call should")
    return lines
