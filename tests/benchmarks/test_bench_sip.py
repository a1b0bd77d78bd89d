import socket
import sys

import numpy as np
import pytest

from phone_bridge.legs.sip.rtp import Packet, unpack
from tests.benchmarks import bench_sip as b

HOST = "127.0.0.1"


def test_what_is_measured_is_what_goes_on() -> None:
    assert b.sip_frames(10) == 10
    assert b.twilio_frames(10) == 10
    assert b.set_ups(5) == 5
    assert b.microseconds(lambda: b.sip_frames(10), rounds=1) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the load's batches are Linux's")
def test_the_load_speaks_for_many_and_hears_each() -> None:
    from tests.benchmarks.rtp_load import FRAME_S, Sound

    sound = Sound(HOST)
    bridge = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for each in bridge:
        each.bind((HOST, 0))
        each.settimeout(5)
    places: list[tuple[str, int]] = [each.getsockname() for each in bridge]
    sound.speak_to(places, 100.0)
    for turn in range(2):
        sound.speak(100.001 + (turn + 1) * FRAME_S)
    assert sound.sent == 6
    for each in bridge:
        packets = [unpack(each.recv(2_000)) for _ in range(2)]
        assert [(packet.sequence, packet.timestamp) for packet in packets] == [(1, 160), (2, 320)]
        assert packets[0].payload == b"\x10" * 160
    sound.expect(places[0][1])
    for number, each in enumerate(bridge):
        each.sendto(Packet(0, number, 160 * number, 9, b"\x10" * 160).pack(), (HOST, sound.port))
        each.sendto(bytes((0x80, 200, 0, 1)), (HOST, sound.port))  # a report, which is no sound
    sound.listen()
    came = sound.came()
    assert {port: stamps[:, 0].tolist() for port, stamps in came.items()} == {
        port: [160 * number] for number, (_, port) in enumerate(places)
    }
    assert sound.first(places[0][1]) == came[places[0][1]][0, 1]
    sound.close()
    for each in bridge:
        each.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the load's batches are Linux's")
def test_how_late_packets_are_is_told_beside_the_earliest() -> None:
    from tests.benchmarks.rtp_load import lateness_ms

    assert not len(lateness_ms(np.zeros((0, 2))))
    came = np.array([(2**32 - 160, 1.000), (0, 1.025), (160, 1.040)])
    assert lateness_ms(came) == pytest.approx([0, 5, 0])
