"""The way of a sound from one format to another: decode, resample, encode, each at most once."""

from collections.abc import Callable

from phone_bridge.audio.format import Encoding, Format
from phone_bridge.audio.frames import Evener
from phone_bridge.audio.g711 import alaw_to_linear, linear_to_alaw, linear_to_ulaw, ulaw_to_linear
from phone_bridge.audio.resample import Resampler

_Step = Callable[[bytes], bytes]

DECODE: dict[Encoding, _Step] = {Encoding.PCMU: ulaw_to_linear, Encoding.PCMA: alaw_to_linear}
_ENCODE: dict[Encoding, _Step] = {Encoding.PCMU: linear_to_ulaw, Encoding.PCMA: linear_to_alaw}


class Path:
    """A one-way conversion of one stream of sound, with the state that a stream needs."""

    def __init__(self, steps: tuple[_Step, ...]) -> None:
        self._steps = steps

    @property
    def identity(self) -> bool:
        """True where both formats agree and sound passes untouched."""
        return not self._steps

    def push(self, audio: bytes) -> bytes:
        """Convert ``audio``, cut anywhere; with equal formats the very same object comes back."""
        for step in self._steps:
            audio = step(audio)
        return audio


def path(a: Format, b: Format) -> Path:
    """Make the path from ``a`` to ``b``; raises LocalError for rates that the resampler does not know."""
    if a == b:
        return Path(())
    steps: list[_Step] = []
    if a.encoding in DECODE:
        steps.append(DECODE[a.encoding])
    if a.rate != b.rate:
        steps.append(Resampler(a.rate, b.rate).push)
    elif a.encoding is Encoding.LINEAR16:
        steps.append(Evener().push)
    if b.encoding in _ENCODE:
        steps.append(_ENCODE[b.encoding])
    return Path(tuple(steps))
