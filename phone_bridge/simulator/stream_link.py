"""A live media stream between the caller's line and the bridge's socket, from the carrier's end.

Sound of the caller's goes out as it is spoken; media that comes in is buffered and heard in its time; marks go back
when the caller has heard what is before them. The words themselves are ``legs/twilio/carrier``'s.
"""

from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.legs.twilio.carrier import CarrierStream, Cleared, Complaint, Marked, Played
from phone_bridge.simulator.caller import SILENT_FRAME, Caller
from phone_bridge.simulator.faults import Fault
from phone_bridge.simulator.line import FrameSpoken, KeyPressed, Line, LineFact, MarkPlayed


class StreamLink:
    """One stream. The owner advances the line before anything is received, and sends what comes back to the socket.

    With ``leaves_out_silence`` frames of pure silence are not sent, as Twilio does on some calls; timestamps go on.
    """

    def __init__(self, codec: CarrierStream, line: Line, caller: Caller, *, leaves_out_silence: bool = False) -> None:
        self._codec = codec
        self._line = line
        self._caller = caller
        self._leaves_out_silence = leaves_out_silence
        self._epoch: int | None = None
        self._cleared_in_speech = False
        self._faults: dict[int, Fault] = {}
        self.media_bytes = 0
        self.bytes_cut = 0
        self.bytes_after_clear = 0

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What went wrong on the stream; Twilio reports each number once."""
        return tuple(self._faults.values())

    def complain(self, fault: Fault) -> None:
        """Report ``fault``, unless its number was reported before."""
        self._faults.setdefault(fault.code, fault)

    def begin(self) -> list[str]:
        """Say the first two messages."""
        return [self._codec.connected(), self._codec.started()]

    def tell(self, fact: LineFact) -> list[str]:
        """Put into words what happened on the line."""
        match fact:
            case FrameSpoken(audio, at):
                return self._media(audio, at)
            case KeyPressed(digit):
                return [self._codec.dtmf(digit)]
            case MarkPlayed(name):
                return [self._codec.mark(name)]
            case _:
                return []

    def _media(self, audio: bytes, at: int) -> list[str]:
        began = at - FRAME_MS
        if self._epoch is None:
            self._epoch = began
        if not self._caller.speaking:
            self._cleared_in_speech = False
        if self._leaves_out_silence and audio == SILENT_FRAME:
            return []
        return [self._codec.media(audio, began - self._epoch)]

    def receive(self, data: str | bytes) -> list[str]:
        """Take a message of the bridge's in; what comes back are marks that return at once."""
        match self._codec.receive(data):
            case Played(audio):
                self._buffer(audio)
                return []
            case Marked(name):
                return [self._codec.mark(name) for name in self._line.playout.mark(name)]
            case Cleared():
                self._cleared_in_speech = self._caller.speaking
                return self.cut()
            case Complaint(code, message):
                self.complain(Fault(code, f"a message was skipped: {message}"))
                return []

    def _buffer(self, audio: bytes) -> None:
        self.media_bytes += len(audio)
        if self._cleared_in_speech:
            self.bytes_after_clear += len(audio)
        self._line.playout.play(audio)

    def cut(self) -> list[str]:
        """Throw away what was not heard yet, and give its marks back in order."""
        self.bytes_cut += self._line.playout.buffered
        return [self._codec.mark(name) for name in self._line.playout.clear()]

    def stop(self) -> str:
        """Say that the stream is over."""
        return self._codec.stop()
