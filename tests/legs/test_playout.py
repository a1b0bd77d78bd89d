"""Sound that the bridge plays out itself."""

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.legs.playout import MAX_QUEUED_MS, Playout


def test_no_more_sound_waits_than_fits() -> None:
    playout = Playout(PCMU_8K)
    playout.put(b"\x01" * 160, "first")
    playout.put(b"\x02" * PCMU_8K.size(MAX_QUEUED_MS), "last")
    assert playout.take() == b"\x02" * 160
    assert playout.reached() == ["first"]
    assert playout.flush() == ["last"]


def test_what_waits_is_counted() -> None:
    playout = Playout(PCMU_8K)
    playout.put(b"\x01" * 200, "")
    assert playout.waiting == 200
    assert playout.take() == b"\x01" * 160
    assert playout.take() == b"\x01" * 40 + b"\xff" * 120
    assert playout.waiting == 0
