from tests.benchmarks import bench_sip as b


def test_what_is_measured_is_what_goes_on() -> None:
    assert b.sip_frames(10) == 10
    assert b.twilio_frames(10) == 10
    assert b.set_ups(5) == 5
    assert b.microseconds(lambda: b.sip_frames(10), rounds=1) > 0
