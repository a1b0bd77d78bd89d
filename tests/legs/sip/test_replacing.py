import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import MAX_FIELD_CHARS, Request, read
from phone_bridge.legs.sip.referring import read_referral
from phone_bridge.legs.sip.replacing import Replaces, read_replaces, replaced
from tests.legs.sip import samples

TOKENS = st.text("abcXYZ019.-%+", min_size=1, max_size=20)


@given(st.builds(Replaces, call_id=TOKENS, to_tag=TOKENS, from_tag=TOKENS, early_only=st.booleans()))
def test_what_is_written_is_read_in_a_field_and_in_an_address(named: Replaces) -> None:
    assert read_replaces(named.written()) == named
    data = samples.text("transfer", "11_refer_attended.sip")
    before, _, rest = data.partition("?Replaces=")
    request = read(f"{before}?Replaces={named.escaped()}&{rest.partition('&')[2]}".encode())
    assert isinstance(request, Request)
    assert read_referral(request).replaces == named


def test_parameters_come_in_any_order_case_and_company() -> None:
    found = read_replaces(" 12@h ; FROM-TAG = b ;x=1;to-tag=a ; Early-Only")
    assert found == Replaces(call_id="12@h", to_tag="a", from_tag="b", early_only=True)


BROKEN = [
    "",
    "12@h",
    "12@h;to-tag=a",
    "12@h;from-tag=a",
    ";to-tag=a;from-tag=b",
    "12@h;to-tag=a;to-tag=c;from-tag=b",
    "12 3@h;to-tag=a;from-tag=b",
    "12\x1b3@h;to-tag=a;from-tag=b",
    "1" * 256 + ";to-tag=a;from-tag=b",
    "12@h;to-tag=;from-tag=b",
    "12@h;to-tag=a\x00;from-tag=b",
    "12@h;to-tag=a;from-tag=b;x=" + "y" * MAX_FIELD_CHARS,
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_names_no_dialog_is_a_named_error(text: str) -> None:
    with pytest.raises(RemoteError) as raised:
        read_replaces(text)
    assert raised.value.code == "malformed_sip"


def test_one_call_takes_the_place_of_one() -> None:
    data = samples.text("transfer", "invite_replaces.sip")
    found = replaced(samples.request("transfer", "invite_replaces.sip"))
    assert found == Replaces(call_id="3848276298220188511@192.0.2.10", to_tag="ours", from_tag="theirs")
    assert replaced(samples.request("outside", "invite.sip")) is None
    twice = read(data.replace("Require: replaces", "Replaces: a;to-tag=b;from-tag=c").encode())
    assert isinstance(twice, Request)
    with pytest.raises(RemoteError, match="2 times"):
        replaced(twice)
