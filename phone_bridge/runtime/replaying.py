"""The command ``phone-bridge replay``: a trace's call, run again and told step by step."""

import argparse
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from phone_bridge.audio.format import Format
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Call
from phone_bridge.call.permit import Permit
from phone_bridge.call.recording import Given, Recording
from phone_bridge.runtime.traces import read

DONE = 0
FAILED_AGAIN = 1
MAX_SHOWN = 400  # characters of one field

_MARGIN = " " * 9

Say = Callable[[str], None]


class _Teller(Protocol):
    def step(self, given: Given, duties: list[c.Command]) -> None:
        """Tell of one step."""

    def failed(self, given: Given, number: int, error: Exception) -> None:
        """Tell of the step at which the machine raised."""

    def end(self, call: Call) -> None:
        """Tell what the call left behind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the arguments in."""
    parser.add_argument("trace", metavar="TRACE", help="a file of PHONE_BRIDGE_TRACES_FOLDER (call_….trace)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each step, and one for the end")
    parser.add_argument("--no-sound", action="store_true", help="leave out frames of sound and what only they led to")


def run(options: argparse.Namespace, say: Say) -> int:
    """Run the call again and give the exit status: 1 when its machine raises, as it may have done when it was live.

    Raises Refused or RemoteError for a file that cannot be read.
    """
    recording = read(Path(options.trace))
    teller: _Teller
    if options.json:
        teller = _JsonTeller(recording, say, sound=not options.no_sound)
    else:
        teller = _TextTeller(recording, say, sound=not options.no_sound)
    call, status = recording.call(), DONE
    for number, given in enumerate(recording.given(), 1):
        try:
            duties = given.to(call)
        except Exception as error:  # noqa: BLE001 - whatever the machine raises is what was looked for
            teller.failed(given, number, error)
            status = FAILED_AGAIN
            break
        teller.step(given, duties)
    teller.end(call)
    return status


def is_sound(given: Given, duties: Iterable[c.Command]) -> bool:
    """Tell whether a step is one of the hundred a second: a frame, its mark, and no duty but to pass sound on."""
    if given.begins or not isinstance(given.fact, e.CallerHeard | e.AssistantSpoke | e.MarkReached | None):
        return False
    return all(isinstance(duty, c.Listen | c.Play) for duty in duties)


# For people


class _TextTeller:
    """Tells of a call in lines: ``<-`` what it was given, ``->`` what it did."""

    def __init__(self, recording: Recording, say: Say, *, sound: bool) -> None:
        self._recording = recording
        self._began = recording.began
        self._format = recording.format
        self._say = say
        self._sound = sound
        self._run: list[tuple[Given, list[c.Command]]] = []

    def step(self, given: Given, duties: list[c.Command]) -> None:
        if is_sound(given, duties):
            if self._sound:
                self._run.append((given, duties))
            return
        self._tell_run()
        self._tell(given)
        for line in _duties(duties, self._recording):
            self._line(f"{_MARGIN}  -> {line}")

    def failed(self, given: Given, number: int, error: Exception) -> None:
        self._tell_run()
        self._tell(given)
        self._line(f"{_MARGIN}  !  step {number} raised {_raised(error)}")

    def end(self, call: Call) -> None:
        self._tell_run()
        trace, recording = call.trace, self._recording
        self._line("")
        for said in trace.transcript:
            self._line(f"{_time(said.at_ms)}  {said.speaker:<10} {said.text}")
        for asked in trace.actions:
            parameters = msgspec.json.encode(asked.action.parameters).decode()
            self._line(f"{_time(asked.at_ms)}  {asked.action.name} {parameters}")
            outcome = f", {asked.outcome}" if asked.outcome else ""
            heard = f"heard {_seconds(asked.heard_ms)} of its naming"
            self._line(f"{_MARGIN}  {asked.verdict} by {asked.by}, {heard}{outcome}")
        self._line(f"ended by {trace.ended_by or 'nobody yet'}, error {trace.error or 'none'}")
        if recording.error:
            self._line(f"the live call had the error {recording.error}")
        if recording.blind_ms is not None:
            self._line(f"the journal was full, or could not be written, at {_time(recording.blind_ms)}: it stops there")

    def _tell(self, given: Given) -> None:
        if given.fact is not None:
            self._line(f"{_time(given.at - self._began)}  <- {_shown(given.fact, self._recording)}")
        else:
            self._line(f"{_time(given.at - self._began)}  =  {'the call begins' if given.begins else 'time passes'}")

    def _tell_run(self) -> None:
        """Tell of a run of sound: each kind in a line, at the time of its first."""
        run, self._run = self._run, []
        facts: dict[str, list[Given]] = {}
        for given, _ in run:
            facts.setdefault(_kind(given.fact), []).append(given)
        for kind, several in facts.items():
            sizes = [len(g.fact.audio) for g in several if isinstance(g.fact, e.CallerHeard | e.AssistantSpoke)]
            what = f"{kind} {_sound(sizes, self._format)}" if sizes else f"{kind} ({len(several)} times)"
            self._line(f"{_time(several[0].at - self._began)}  <- {what}")
        for line in _duties([duty for _, duties in run for duty in duties], self._recording):
            self._line(f"{_MARGIN}  -> {line}")

    def _line(self, line: str) -> None:
        """Say a line; a trace comes from outside, and nothing in it may speak to a terminal."""
        self._say("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line))


def _kind(fact: e.Event | None) -> str:
    if isinstance(fact, e.AssistantSpoke):
        return f"sound of {fact.item}"
    if isinstance(fact, e.CallerHeard):
        return "sound"
    return "marks" if isinstance(fact, e.MarkReached) else "time passes"


def _duties(duties: Iterable[c.Command], recording: Recording) -> list[str]:
    """Give the lines of ``duties``; what is played and what is listened to becomes one line each, where it began."""
    lines: list[str] = []
    folds: dict[type, tuple[int, list[int]]] = {}
    for duty in duties:
        if isinstance(duty, c.Listen | c.Play):
            place, sizes = folds.setdefault(type(duty), (len(lines), []))
            lines += [""] * (place == len(lines))
            sizes += [len(duty.audio)] if duty.audio else []
        else:
            folds.clear()  # the order of what is played and what is thrown away tells the story
            lines.append(_shown(duty, recording))
            continue
        lines[place] = f"{type(duty).__name__} {_sound(sizes, recording.format) if sizes else 'a mark'}"
    return lines


def _shown(value: e.Event | c.Command, recording: Recording) -> str:
    parts = [type(value).__name__]
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if isinstance(field, bytes):
            parts.append(_seconds(recording.format.ms(len(field))))
        elif isinstance(field, tuple) and field and isinstance(field[0], bytes):
            parts.append(" + ".join(_seconds(recording.format.ms(len(part))) for part in field))
        elif isinstance(value, e.VoiceStarted | e.VoiceStopped):
            parts.append(f"at {_time(field - recording.began)}")
        elif isinstance(value, c.Speak) and name == "lines":
            parts += [f"{line.key}={line.text!r}" for line in value.lines]
        elif field not in ("", None, (), {}) and not isinstance(field, Permit):
            shown = repr(field) if not isinstance(field, str) else repr(str(field))
            parts.append(f"{name}={shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + '…'}")
    return " ".join(parts)


def _sound(sizes: list[int], format: Format) -> str:
    return f"{_seconds(format.ms(sum(sizes)))} ({len(sizes)} frame{'s' * (len(sizes) != 1)})"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.2f} s"


def _time(ms: int) -> str:
    """Write a time as ``mm:ss.mmm``."""
    minutes, rest = divmod(abs(ms), 60_000)
    return f"{'-' * (ms < 0)}{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _raised(error: Exception) -> str:
    """Give a traceback's last line, and where the error was raised."""
    last = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    frames = traceback.extract_tb(error.__traceback__)
    return f"{last} ({Path(frames[-1].filename).name}:{frames[-1].lineno})"


# For programs


class _JsonTeller:
    """Tells of a call in JSON, an object a line; sound is told by its milliseconds."""

    def __init__(self, recording: Recording, say: Say, *, sound: bool) -> None:
        self._recording = recording
        self._began = recording.began
        self._format = recording.format
        self._say = say
        self._sound = sound

    def step(self, given: Given, duties: list[c.Command]) -> None:
        if self._sound or not is_sound(given, duties):
            self._tell(self._given(given) | {"duties": [self._value(duty) for duty in duties]})

    def failed(self, given: Given, number: int, error: Exception) -> None:
        self._tell(self._given(given) | {"step": number, "raised": _raised(error)})

    def end(self, call: Call) -> None:
        trace = call.trace
        self._tell(
            {
                "transcript": trace.transcript,
                "actions": trace.actions,
                "counts": trace.counts,
                "ended_by": trace.ended_by,
                "error": trace.error,
                "live_error": self._recording.error,
                "blind_ms": self._recording.blind_ms,
            }
        )

    def _given(self, given: Given) -> dict[str, Any]:
        fact = {"type": "Begin" if given.begins else "Time"} if given.fact is None else self._value(given.fact)
        return {"at_ms": given.at - self._began, "fact": fact}

    def _value(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return {"ms": self._format.ms(len(value))}
        if isinstance(value, tuple):
            return [self._value(part) for part in value]
        if isinstance(value, msgspec.Struct):
            fields = {name: self._value(getattr(value, name)) for name in value.__struct_fields__}
            return {"type": type(value).__name__} | fields
        return None if isinstance(value, Permit) else value

    def _tell(self, value: dict[str, Any]) -> None:
        self._say(msgspec.json.encode(value).decode())
