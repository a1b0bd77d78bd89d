"""The sound of many telephones by one socket: batches of packets out and in, by ``sendmmsg`` and ``recvmmsg``.

A Python object for each packet would cost the load more than the bridge under measure has to spend. Here a call to the
system stands for a millisecond of all calls, numpy reads and writes the headers, and the kernel's own stamp says when a
packet came: a load that is late with its reading measures no lateness but the bridge's. Linux alone has these calls.
"""

import ctypes
import os
import socket
import struct

import numpy as np
from numpy.typing import NDArray

BATCH = 256
"""Packets that one call to the system takes at most."""

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
SOUND_BYTES = 160
HEADER_BYTES = 12
PACKET_BYTES = HEADER_BYTES + SOUND_BYTES
FRAME_S = 0.02
CLOCK_RATE = 8_000

_SO_TIMESTAMPNS = 35
_CONTROL_BYTES = 64
_STAMP_AT = 16  # behind a cmsghdr
_RTCP = (192, 224)  # what the second octet of a report is between (RFC 5761, 4)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("size", ctypes.c_uint))


_MESSAGE_BYTES = ctypes.sizeof(_Message)
_ADDRESS_BYTES = 16
_MSG_DONTWAIT = 0x40
_libc = ctypes.CDLL(None, use_errno=True)


class _Batch:
    """Room for so many messages with their addresses, in one piece each."""

    def __init__(self, count: int, size: int, *, stamped: bool) -> None:
        self.data = np.zeros((count, size), np.uint8)
        self.addresses = np.zeros((count, _ADDRESS_BYTES), np.uint8)
        self.control = np.zeros((count, _CONTROL_BYTES), np.uint8)
        self._stamped = stamped
        self._vectors = (_Vector * count)()
        self.messages = (_Message * count)()
        for place in range(count):
            self._vectors[place] = _Vector(self.data.ctypes.data + place * size, size)
            header = self.messages[place].header
            header.name = self.addresses.ctypes.data + place * _ADDRESS_BYTES
            header.name_size = _ADDRESS_BYTES
            header.vectors = ctypes.addressof(self._vectors) + place * ctypes.sizeof(_Vector)
            header.count = 1
            if stamped:
                header.control = self.control.ctypes.data + place * _CONTROL_BYTES
                header.control_size = _CONTROL_BYTES
        self._fresh = bytes(self.messages)

    def refresh(self) -> None:
        """Write the sizes again that the system wrote over."""
        ctypes.memmove(self.messages, self._fresh, len(self._fresh))


class Sound:
    """Telephones that all hear and speak at one port of ``host``; they are told apart by the ports of the other end."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self.sent = 0
        """Packets so far."""
        self._in = _Batch(BATCH, 64, stamped=True)  # a header is all that is looked at
        self._out = _Batch(0, PACKET_BYTES, stamped=False)
        self._ports: list[int] = []
        self._sequence: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._began = 0.0
        self._slots = 0
        self._came: list[NDArray[np.float64]] = []
        self._awaited: dict[int, float] = {}

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def speak_to(self, places: list[tuple[str, int]], now: float) -> None:
        """Speak to ``places`` from ``now`` on, one packet each every 20 ms, evenly spread; what was said counts on."""
        out = _Batch(len(places), PACKET_BYTES, stamped=False)
        out.data[:, 0], out.data[:, HEADER_BYTES:] = 0x80, 0x10
        for number, (host, port) in enumerate(places):
            address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)
            out.addresses[number] = np.frombuffer(address, np.uint8)
            out.data[number, 8:12] = np.frombuffer(struct.pack("!I", 1 + number), np.uint8)
        sequence = np.zeros(len(places), np.uint32)
        kept = min(len(sequence), len(self._sequence))
        sequence[:kept] = self._sequence[:kept]
        self._out, self._sequence, self._began, self._slots = out, sequence, now, 0

    def speak(self, now: float) -> None:
        """Send what is due by ``now``."""
        count = len(self._sequence)
        due = int((now - self._began) / FRAME_S * count)
        while self._slots < due:
            first = self._slots % count
            size = min(due - self._slots, count - first)
            part = slice(first, first + size)
            self._sequence[part] += 1
            self._out.data[part, 2:4] = self._sequence[part].astype(">u2").view(np.uint8).reshape(-1, 2)
            stamps = self._sequence[part] * np.uint32(SOUND_BYTES)
            self._out.data[part, 4:8] = stamps.astype(">u4").view(np.uint8).reshape(-1, 4)
            messages = ctypes.byref(self._out.messages, first * _MESSAGE_BYTES)
            gone = _libc.sendmmsg(self._socket.fileno(), messages, size, 0)
            if gone < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            self.sent += gone
            self._slots += size

    def listen(self) -> None:
        """Take what has come."""
        while True:
            self._in.refresh()
            count = _libc.recvmmsg(self._socket.fileno(), self._in.messages, BATCH, _MSG_DONTWAIT, None)
            if count <= 0:
                return
            self._note(count)
            if count < BATCH:
                return

    def _note(self, count: int) -> None:
        heads = self._in.data[:count]
        sound = ~((heads[:, 1] >= _RTCP[0]) & (heads[:, 1] < _RTCP[1]))
        ports = self._in.addresses[:count, 2:4].copy().view(">u2")[:, 0]
        stamps = heads[:, 4:8].copy().view(">u4")[:, 0]
        times = self._in.control[:count, _STAMP_AT : _STAMP_AT + 16].copy().view(np.int64)
        found = np.empty((count, 3))
        found[:, 0], found[:, 1] = ports, stamps
        found[:, 2] = times[:, 0] + times[:, 1] * 1e-9
        self._came.append(found[sound])
        if self._awaited:
            for port, _, at in found[sound].tolist():
                if not self._awaited.get(int(port), at):
                    self._awaited[int(port)] = at

    def expect(self, port: int) -> None:
        """Look out for the first packet from ``port``."""
        self._awaited[port] = 0.0

    def first(self, port: int) -> float:
        """Say when the first packet from ``port`` came, in seconds of the wall's clock; 0 while none has."""
        return self._awaited[port]

    def expect_no_more(self) -> None:
        """Look out for nobody: it costs something with each packet."""
        self._awaited.clear()

    def forget(self) -> None:
        """Know nothing of what has come so far."""
        self._came.clear()

    def came(self) -> dict[int, NDArray[np.float64]]:
        """Tell of each port's packets since the last ``forget``: their timestamps, and when they came in seconds."""
        if not self._came:
            return {}
        every = np.concatenate(self._came)
        return {int(port): every[every[:, 0] == port, 1:] for port in np.unique(every[:, 0])}


def lateness_ms(came: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how late each packet of a stream came, beside the earliest of it."""
    if not len(came):
        return np.zeros(0)
    late = came[:, 1] - ((came[:, 0] - came[0, 0]) % (1 << 32)) / CLOCK_RATE
    found: NDArray[np.float64] = (late - late.min()) * 1_000
    return found
