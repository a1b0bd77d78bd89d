import pytest

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.rtp import Packet
from phone_bridge.legs.sip.telephone_event import DIGITS, Keys, Presses, Turn, pack, relayed
from tests.legs.sip.samples import key


def test_a_press_counts_once_however_many_packets_it_takes() -> None:
    keys = Keys()
    told = [keys.push(key("5", number, 800, end=number > 3)) for number in range(7)]
    assert told == ["5", "", "", "", "", "", ""]


def test_the_same_key_twice_counts_twice() -> None:
    keys = Keys()
    assert [keys.push(key("1", 1, 800)), keys.push(key("1", 9, 2_400))] == ["1", "1"]


def test_a_press_of_which_only_the_last_packet_came_counts() -> None:
    assert Keys().push(key("#", 7, 800, end=True)) == "#"


def test_packets_of_an_earlier_press_that_come_late_do_not_count_again() -> None:
    keys = Keys()
    assert [keys.push(key(digit, 1, at)) for digit, at in (("1", 800), ("2", 2_400), ("1", 800))] == ["1", "2", ""]


def test_timestamps_run_round() -> None:
    keys = Keys()
    assert keys.push(key("1", 1, 2**32 - 160)) == "1"
    assert keys.push(key("2", 2, 160)) == "2"


def test_another_stream_has_a_clock_of_its_own() -> None:
    keys = Keys()
    assert keys.push(key("1", 1, 80_000)) == "1"
    assert keys.push(Packet(101, 1, 79_000, 99, pack("2", end=False, duration=0))) == "2"


def test_every_key_of_a_telephone_is_known_and_nothing_else() -> None:
    for place, digit in enumerate(DIGITS):
        assert Keys().push(key(digit, 1, 1)) == digit
        assert pack(digit, end=True, duration=1)[0] == place
    assert Keys().push(Packet(101, 1, 1, 1, bytes([16, 0, 0, 0]))) == ""


def test_half_an_event_is_a_named_error() -> None:
    with pytest.raises(RemoteError) as raised:
        Keys().push(Packet(101, 1, 1, 1, b"\1\0"))
    assert raised.value.code == "malformed_telephone_event"


def test_a_key_of_ours_is_down_and_up_for_a_tenth_of_a_second_each_and_a_pause_takes_half_of_one() -> None:
    presses = Presses()
    assert not presses
    presses.add("5w")
    turns = []
    while presses:
        turns.append(presses.next())
    assert turns[:5] == [Turn("5", 1), Turn("5", 2), Turn("5", 3), Turn("5", 4), Turn("5", 5, last=True)]
    assert turns[5:] == [Turn()] * 30


@pytest.mark.parametrize(
    ("body", "digit"),
    [
        (b"Signal=5\r\nDuration=160", "5"),
        (b"Duration=160\r\nsignal= * ", "*"),
        (b"Signal=11", "#"),
        (b"Signal=10", "*"),
        (b"d", "D"),
        (b"7", "7"),
        (b"", ""),
        (b"Signal=flash", ""),
        (b"\xff", ""),
    ],
)
def test_a_key_is_found_in_an_info(body: bytes, digit: str) -> None:
    assert relayed(body) == digit
