"""What both ends of a call tell each other of its sound: reports of RTCP (RFC 3550, 6), and what they say of quality.

Each end reports how much of the other's sound was lost and how unevenly it came, every few seconds. From that and the
time that a report takes both ways comes an estimate of what a listener would say of the line: a mean opinion score by
the E-model (ITU-T G.107), with G.711's tolerance of loss where missing sound is concealed (G.113, appendix I).
"""

import struct

from msgspec import Struct

from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.rtp import MAX_PACKET_BYTES, TIMESTAMPS, VERSION, Packet, ahead

SENDER, RECEIVER, DESCRIPTION, GOODBYE = 200, 201, 202, 203
"""Packet types."""

INTERVAL_MS = 5_000
"""How often a report is sent, half as often or as often again by chance, so that ends do not fall into step."""

MAX_SEQUENCE_JUMP = 3_000
"""A packet further ahead than this begins a new count, as RFC 3550, A.1 has it."""

MAX_LOST = (1 << 23) - 1
MAX_MOS = 4.5

_header = struct.Struct("!BBH")
_block = struct.Struct("!IIIIII")
_sender = struct.Struct("!QIII")
_SSRC = struct.Struct("!I")
_TYPES = range(192, 224)  # RFC 5761, 4: what tells these packets from those of sound on one port


def is_control(data: bytes) -> bool:
    """Tell whether a datagram is a packet of RTCP, not of RTP."""
    return len(data) > 1 and data[1] in _TYPES


class Block(Struct, frozen=True, kw_only=True):
    """What one end says of the sound that it gets from ``ssrc``."""

    ssrc: int
    lost_256ths: int
    """Of the last interval's packets."""
    lost: int
    highest: int
    jitter: int
    """In samples."""
    last_report: int = 0
    delay_65536ths: int = 0


class Report(Struct, frozen=True, kw_only=True):
    """What one end says; ``ntp`` is when, by a sender's own clock, and None where it sends no sound."""

    ssrc: int
    ntp: int | None = None
    blocks: tuple[Block, ...] = ()


def read(data: bytes) -> tuple[Report, ...]:
    """Read the reports of a compound packet, whatever else is in it; raises RemoteError ``malformed_rtcp``."""
    if len(data) > MAX_PACKET_BYTES:
        raise _malformed("is too long")
    reports, at = [], 0
    try:
        while at < len(data):
            first, kind, words = _header.unpack_from(data, at)
            body = data[at + _header.size : at + _header.size + 4 * words]
            if first >> 6 != VERSION or len(body) != 4 * words:
                raise _malformed("is cut short")
            if kind in (SENDER, RECEIVER):
                reports.append(_report(body, first & 0x1F, sender=kind == SENDER))
            elif not at:
                raise _malformed("does not begin with a report")
            at += _header.size + 4 * words
    except struct.error:
        raise _malformed("ends within a report") from None
    return tuple(reports)


def _report(body: bytes, count: int, *, sender: bool) -> Report:
    (ssrc,) = _SSRC.unpack_from(body)
    ntp, at = None, _SSRC.size
    if sender:
        ntp, *_ = _sender.unpack_from(body, at)
        at += _sender.size
    return Report(ssrc=ssrc, ntp=ntp, blocks=tuple(_read_block(body, at + _block.size * n) for n in range(count)))


def _read_block(body: bytes, at: int) -> Block:
    ssrc, losses, highest, jitter, last, delay = _block.unpack_from(body, at)
    lost = losses & 0xFFFFFF
    return Block(
        ssrc=ssrc,
        lost_256ths=losses >> 24,
        lost=lost - (1 << 24) if lost > MAX_LOST else lost,
        highest=highest,
        jitter=jitter,
        last_report=last,
        delay_65536ths=delay,
    )


def _malformed(what: str) -> RemoteError:
    return RemoteError(f"A packet of RTCP {what}.", code="malformed_rtcp")


def mos(loss: float, delay_ms: float) -> float:
    """Estimate what a listener would say of a line that loses ``loss`` (0 to 1) and takes ``delay_ms`` one way."""
    percent = 100 * loss
    delayed = 0.024 * delay_ms + (0.11 * (delay_ms - 177.3) if delay_ms > 177.3 else 0.0)
    rating = 93.2 - delayed - 95 * percent / (percent + 25.1)
    if rating <= 0:
        return 1.0
    return max(1.0, min(MAX_MOS, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6))


class Reception:
    """Counts what comes of one stream at ``rate`` hertz (RFC 3550, A.1, A.3 and A.8)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.ssrc: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._first = self._highest = self._received = 0
        self._expected_before = self._received_before = 0
        self._transit: int | None = None
        self._jitter = 0.0

    @property
    def jitter_ms(self) -> float:
        """How unevenly packets come, smoothed."""
        return self._jitter * 1000 / self._rate

    def take(self, packet: Packet, now: int, *, sound: bool) -> None:
        """Count a packet; only one of ``sound`` has a timestamp that tells of its time."""
        step = packet.sequence - (self._highest & 0xFFFF)
        if step != 1 or packet.ssrc != self.ssrc:  # nearly always it is the next
            step = ahead(packet.sequence, self._highest & 0xFFFF)
            if packet.ssrc != self.ssrc or abs(step) > MAX_SEQUENCE_JUMP:
                self._begin()
                self.ssrc, self._first, self._highest, step = packet.ssrc, packet.sequence, packet.sequence, 0
        if step > 0:
            self._highest += step
        self._received += 1
        if not sound:
            return
        transit = (now * self._rate // 1000 - packet.timestamp) % TIMESTAMPS
        if self._transit is not None:
            moved = abs(transit - self._transit)
            self._jitter += (min(moved, TIMESTAMPS - moved) - self._jitter) / 16
        self._transit = transit

    def block(self, last_report: int, delay_65536ths: int) -> Block | None:
        """Say what has come since the last time; None while nothing has."""
        if self.ssrc is None:
            return None
        expected = self._highest - self._first + 1
        interval, came = expected - self._expected_before, self._received - self._received_before
        self._expected_before, self._received_before = expected, self._received
        return Block(
            ssrc=self.ssrc,
            lost_256ths=min(255, max(0, interval - came) * 256 // interval) if interval > 0 else 0,
            lost=max(-MAX_LOST, min(MAX_LOST, expected - self._received)),
            highest=self._highest & 0xFFFFFFFF,
            jitter=int(self._jitter),
            last_report=last_report,
            delay_65536ths=delay_65536ths,
        )


class Control:
    """One call's reports, ours and theirs; ``now`` is in milliseconds, and is told the other end as the time."""

    def __init__(self, ssrc: int, rate: int, now: int) -> None:
        self.reception = Reception(rate)
        self._ssrc = ssrc
        self._rate = rate
        self._packets = self._octets = 0
        self._told = 0  # reports of ours
        self.due = now + self._wait() // 2
        """When the next report of ours is to be written."""
        self._their_ntp, self._their_at = 0, 0
        self._round_trip_ms = 0.0
        self._measured: list[tuple[str, float]] = []

    def sent(self, octets: int) -> None:
        """Count a packet of ours."""
        self._packets += 1
        self._octets += octets

    def receive(self, data: bytes, now: int) -> None:
        """Take a packet of theirs; raises RemoteError ``malformed_rtcp``."""
        for report in read(data):
            if report.ntp is not None:
                self._their_ntp, self._their_at = (report.ntp >> 16) & 0xFFFFFFFF, now
            for block in report.blocks:
                if block.ssrc == self._ssrc:
                    self._hear_of_ours(block, now)

    def _hear_of_ours(self, block: Block, now: int) -> None:
        if block.last_report:
            ticks = ahead(_middle(now), block.last_report, 1 << 32) - block.delay_65536ths
            if 0 <= ticks < 60 << 16:
                self._round_trip_ms = ticks * 1000 / 65_536
                self._measured.append(("rtp_round_trip_ms", self._round_trip_ms))
        loss = block.lost_256ths / 256
        self._measured += [
            ("rtp_loss_down", loss),
            ("rtp_jitter_down_ms", block.jitter * 1000 / self._rate),
            ("rtp_mos_down", mos(loss, self._round_trip_ms / 2 + 2 * FRAME_MS)),
        ]

    def report(self, now: int, timestamp: int, wait_ms: int) -> bytes:
        """Write a report if one is due, otherwise nothing.

        ``timestamp`` is that of the sound that goes out now, ``wait_ms`` how long theirs waits for stragglers.
        """
        if now < self.due:
            return b""
        self._told += 1
        self.due = now + self._wait()
        return self._write(now, timestamp, wait_ms)

    def goodbye(self, now: int, timestamp: int) -> bytes:
        """Write the last word of a call that has had reports; nothing for one that has not."""
        if not self._told:
            return b""
        return self._write(now, timestamp, 0) + _header.pack(VERSION << 6 | 1, GOODBYE, 1) + _SSRC.pack(self._ssrc)

    def measured(self) -> list[tuple[str, float]]:
        """Take what was found out since the last time, each by its name in a call's trace."""
        found, self._measured = self._measured, []
        return found

    def _write(self, now: int, timestamp: int, wait_ms: int) -> bytes:
        delay = (now - self._their_at) * 65_536 // 1000 if self._their_ntp else 0
        block = self.reception.block(self._their_ntp, min(delay, 0xFFFFFFFF))
        blocks = [] if block is None else [block]
        if block is not None:
            loss = block.lost_256ths / 256
            self._measured += [
                ("rtp_loss_up", loss),
                ("rtp_jitter_up_ms", self.reception.jitter_ms),
                ("rtp_mos_up", mos(loss, self._round_trip_ms / 2 + FRAME_MS + wait_ms)),
            ]
        sender = _sender.pack(_ntp(now), timestamp, self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF)
        body = _SSRC.pack(self._ssrc) + sender + b"".join(map(_pack_block, blocks))
        return _header.pack(VERSION << 6 | len(blocks), SENDER, len(body) // 4) + body + self._description()

    def _description(self) -> bytes:
        """Write who we are: a name that nobody can follow from call to call (RFC 7022)."""
        name = f"{self._ssrc:08x}@phone-bridge".encode()
        chunk = _SSRC.pack(self._ssrc) + bytes((1, len(name))) + name
        chunk += bytes(4 - len(chunk) % 4)
        return _header.pack(VERSION << 6 | 1, DESCRIPTION, len(chunk) // 4) + chunk

    def _wait(self) -> int:
        """Say how long it is to the next report: by chance, which the stream's own number stands in for."""
        return INTERVAL_MS // 2 + (self._ssrc + self._told * 2_654_435_761) % INTERVAL_MS


def _pack_block(block: Block) -> bytes:
    losses = block.lost_256ths << 24 | block.lost & 0xFFFFFF
    return _block.pack(block.ssrc, losses, block.highest, block.jitter, block.last_report, block.delay_65536ths)


def _ntp(now: int) -> int:
    seconds, ms = divmod(now, 1000)
    return (seconds & 0xFFFFFFFF) << 32 | (ms << 32) // 1000


def _middle(now: int) -> int:
    return (_ntp(now) >> 16) & 0xFFFFFFFF
