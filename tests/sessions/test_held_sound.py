from phone_bridge.audio.format import PCMU_8K
from phone_bridge.sessions.held_sound import HELD_MS, RELEASE_MS, RELEASED_AT_ONCE, HeldSound


def test_sound_keeps_its_order_and_comes_out_by_and_by() -> None:
    held = HeldSound(PCMU_8K)
    pieces = [bytes([number]) * 160 for number in range(20)]
    for piece in pieces:
        assert held.pass_through(piece, 0, ready=False) == []
    assert held.pieces
    out: list[bytes] = []
    new = [bytes([100 + number]) * 160 for number in range(4)]
    for piece in new:
        released = held.pass_through(piece, 0, ready=True)
        assert len(released) <= RELEASED_AT_ONCE
        out += released
    assert out == [*pieces, *new]
    assert not held.pieces


def test_sound_comes_out_though_nothing_new_follows() -> None:
    held = HeldSound(PCMU_8K)
    assert held.deadline() is None
    for number in range(RELEASED_AT_ONCE + 2):
        held.pass_through(bytes([number]) * 160, 1_000, ready=False)
    assert len(held.expire(1_000)) == RELEASED_AT_ONCE
    assert held.deadline() == 1_000 + RELEASE_MS
    assert held.expire(1_000 + RELEASE_MS - 1) == []
    assert len(held.expire(1_000 + RELEASE_MS)) == 2
    assert held.deadline() is None


def test_the_oldest_sound_goes_first_when_too_much_waits() -> None:
    held = HeldSound(PCMU_8K)
    for number in range(HELD_MS // 20 + 1):
        held.pass_through(bytes([number % 256]) * 160, 0, ready=False)
    assert held.pass_through(b"", 0, ready=True)[0] == bytes([1]) * 160
