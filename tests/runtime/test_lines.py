"""``[[lines]]`` as an operator writes them down."""

import pytest
from msgspec import structs

from phone_bridge.errors import SettingsError
from phone_bridge.runtime.lines import DEFAULT_PORT, KINDS, MAX_NAME_CHARS, MIN_SECRET_CHARS, Line, listening, opened

PBX = Line(name="pbx", kind="audiosocket", addresses=("192.0.2.0/24", "2001:db8::7"))
TELNYX = Line(name="telnyx-2", kind="telnyx", secret_env="TELNYX", user_id="usr_a")
ENVIRON = {"TELNYX": "s" * MIN_SECRET_CHARS, "SHORT": "s" * (MIN_SECRET_CHARS - 1)}


def test_secrets_come_from_the_environment_and_are_never_shown() -> None:
    pbx, telnyx = opened((PBX, TELNYX), ENVIRON)
    assert (pbx.secret, telnyx.secret) == ("", "s" * MIN_SECRET_CHARS)
    assert "sss" not in repr(telnyx)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [("192.0.2.7", True), ("2001:db8::7", True), ("198.51.100.1", False), ("2001:db8::8", False), ("", False)],
)
def test_an_address_is_one_of_those_that_may_connect(address: str, admitted: bool) -> None:
    assert PBX.admits(address) is admitted


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"name": ""}, "a name of small letters"),
        ({"name": "a/b"}, "a name of small letters"),
        ({"name": "x" * (MAX_NAME_CHARS + 1)}, "a name of small letters"),
        ({"name": "pbx"}, "there twice"),
        ({"kind": "skype"}, ", ".join(KINDS)),
        ({"secret": "in the clear"}, "secret_env"),
        ({"secret_env": ""}, "let anybody in"),
        ({"secret_env": "NOT_SET"}, "NOT_SET"),
        ({"secret_env": "SHORT"}, f"at least {MIN_SECRET_CHARS}"),
        ({"addresses": ("192.0.2.7",)}, "only audiosocket"),
        ({"kind": "audiosocket"}, "addresses of the PBX"),
        ({"kind": "audiosocket", "addresses": ("192.0.2.7/24",)}, "an address that is none"),
    ],
)
def test_what_cannot_work_is_told_with_its_mend(change: dict[str, object], mend: str) -> None:
    with pytest.raises(SettingsError, match=mend) as caught:
        opened((PBX, structs.replace(TELNYX, **change)), ENVIRON)
    assert "in the clear" not in str(caught.value) or "has its secret in the clear" in str(caught.value)


def test_where_to_listen() -> None:
    assert listening("tcp://127.0.0.1:9000") == ("127.0.0.1", 9000)
    assert listening("tcp://[::1]") == ("::1", DEFAULT_PORT)


@pytest.mark.parametrize("url", ["9092", "udp://127.0.0.1", "tcp://pbx.example:1", "tcp://127.0.0.1:99999", "tcp://"])
def test_a_place_that_is_none_is_told_with_an_example(url: str) -> None:
    with pytest.raises(SettingsError, match=r"tcp://127\.0\.0\.1:9092"):
        listening(url)
