from phone_bridge.audio.format import PCMU_8K
from phone_bridge.sessions.held_sound import HELD_MS, RELEASED_AT_ONCE, HeldSound


def test_sound_keeps_its_order_and_comes_out_by_and_by() -> None:
    held = HeldSound(PCMU_8K)
    pieces = [bytes([number]) * 160 for number in range(20)]
    for piece in pieces:
        assert held.pass_through(piece, ready=False) == []
    assert held
    out: list[bytes] = []
    new = [bytes([100 + number]) * 160 for number in range(4)]
    for piece in new:
        released = held.pass_through(piece, ready=True)
        assert len(released) <= RELEASED_AT_ONCE
        out += released
    assert out == [*pieces, *new]
    assert not held


def test_the_oldest_sound_goes_first_when_too_much_waits() -> None:
    held = HeldSound(PCMU_8K)
    for number in range(HELD_MS // 20 + 1):
        held.pass_through(bytes([number % 256]) * 160, ready=False)
    assert held.pass_through(b"", ready=True)[0] == bytes([1]) * 160
