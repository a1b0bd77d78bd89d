import pytest

from tests.benchmarks import bench_sip as b
from tests.benchmarks.bench_rtp import Ear


def test_what_is_measured_is_what_goes_on() -> None:
    assert b.sip_frames(10) == 10
    assert b.twilio_frames(10) == 10
    assert b.set_ups(5) == 5
    assert b.microseconds(lambda: b.sip_frames(10), rounds=1) > 0


def test_how_late_packets_are_is_told_beside_the_earliest() -> None:
    ear = Ear()
    assert ear.errors_ms() == []
    ear.came = [(2**32 - 160, 1.000), (0, 1.025), (160, 1.040)]
    assert ear.errors_ms() == pytest.approx([0, 5, 0])
