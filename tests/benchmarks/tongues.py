"""How the session's end of a benchmark speaks: the few messages of each dialect that the load needs."""

from collections.abc import Callable

import msgspec

from phone_bridge.audio.format import PCMU_8K, Format
from phone_bridge.sessions.chronapilot import messages as cp
from phone_bridge.sessions.realtime import messages as rt
from phone_bridge.sessions.realtime import settings as rts
from phone_bridge.sessions.realtime.names import Shape


class Tongue(msgspec.Struct, frozen=True):
    """What a caller's frame begins with, how a run of a reply is written, and what opens a session of a format."""

    append: str
    delta: Callable[[bytes, str], str]
    opening: Callable[[Format], list[str]]

    def around(self) -> int:
        """Count what a caller's frame has beside its base64."""
        return len(f'{self.append},"audio":""}}')


def _cp_delta(audio: bytes, item: str) -> str:
    return cp.encode(cp.AudioDelta(audio=audio, response_id=item))


def _cp_opening(format: Format) -> list[str]:
    plain = format == PCMU_8K
    sound = "g711_ulaw" if plain else "pcm16"
    state = cp.SessionState(input_format=sound, output_format=sound, sample_rate=format.rate)
    # It tells when the caller speaks, so that the bridge need not listen for it in a caller who never stops.
    return [cp.encode(each) for each in (cp.SessionCreated(state), cp.SessionUpdated(state), cp.SpeechStopped())]


def _rt_delta(audio: bytes, item: str) -> str:
    return rt.encode(rt.AudioDelta(response_id=item, item_id="item_1", delta=audio))


def _rt_opening(format: Format) -> list[str]:
    sound = "audio/pcmu" if format == PCMU_8K else "audio/pcm"
    state = rts.write(rts.Settings(id="sess_1", input_format=sound, output_format=sound), Shape.GA, state=True)
    return [rt.encode(rt.SessionCreated(session=state)), rt.encode(rt.SessionUpdated(session=state))]


CHRONAPILOT = Tongue('{"type":"audio.append"', _cp_delta, _cp_opening)
REALTIME = Tongue('{"type":"input_audio_buffer.append"', _rt_delta, _rt_opening)
