from ipaddress import ip_network

from msgspec import structs

from phone_bridge.legs.sip import digest
from phone_bridge.legs.sip.access import FAILURE_MS, MAX_ADDRESSES, MAX_FAILURES, REALM, Access, Trunk
from phone_bridge.legs.sip.message import Fields, Request, read
from tests.legs.sip import samples

NETWORK = ip_network("192.0.2.0/24")
PBX = Trunk(name="pbx", user_id="usr_1", networks=(NETWORK,))
ALICE = Trunk(name="alice", user_id="usr_2", username="alice", password="sesame")
FIXED = Trunk(name="fixed", user_id="usr_3", networks=(NETWORK,), username="alice", password="sesame")
SECRET = b"secret"


def invite(authorization: str = "") -> Request:
    data = samples.raw("outside", "invite.sip")
    request = read(data.replace(b"CSeq", f"Authorization: {authorization}\r\nCSeq".encode()) if authorization else data)
    assert isinstance(request, Request)
    return request


def credentials(password: str, now: int, algorithm: str = "MD5", realm: str = REALM, username: str = "alice") -> str:
    nonce = digest.make_nonce(SECRET, now)
    shown = digest.Shown(
        username=username,
        realm=realm,
        nonce=nonce,
        uri="sip:192.0.2.1",
        response="",
        algorithm=algorithm,
        qop="auth",
        nc="00000001",
        cnonce="c",
    )
    response = digest.response(shown, "INVITE", password)
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="sip:192.0.2.1", qop=auth, nc=00000001, '
        f'cnonce="c", response="{response}", algorithm={algorithm}'
    )


def asks(answer: Trunk | Fields | None) -> bool:
    return isinstance(answer, tuple)


def test_an_address_is_enough_where_no_credentials_are_wanted() -> None:
    access = Access([PBX], SECRET)
    assert access.admit(invite(), "192.0.2.10", 0) is PBX
    assert access.admit(invite(), "198.51.100.1", 0) is None


def test_nobody_is_let_in_by_what_is_no_address() -> None:
    assert Access([PBX], SECRET).admit(invite(), "fe80::1%eth0x", 0) is None
    assert Access([PBX], SECRET).admit(invite(), "nonsense", 0) is None


def test_credentials_are_asked_for_and_believed() -> None:
    access = Access([PBX, ALICE], SECRET)
    assert asks(access.admit(invite(), "198.51.100.1", 0))
    assert access.admit(invite(credentials("sesame", 0)), "198.51.100.1", 0) is ALICE
    assert asks(access.admit(invite(credentials("wrong", 0)), "198.51.100.1", 0))
    assert asks(access.admit(invite(credentials("sesame", 0, realm="another")), "198.51.100.1", 0))
    assert asks(access.admit(invite(credentials("sesame", 0, username="bob")), "198.51.100.1", 0))


def test_a_trunk_s_password_is_proven_by_its_own_algorithm_alone() -> None:
    bob = structs.replace(ALICE, username="bob", algorithm="SHA-256")
    access = Access([ALICE, bob], SECRET)
    asked = access.admit(invite(), "198.51.100.1", 0)
    assert isinstance(asked, tuple)
    assert ["SHA-256" in value for _, value in asked] == [True, False]
    assert access.admit(invite(credentials("sesame", 0, "SHA-256", username="bob")), "198.51.100.1", 0) is bob
    assert asks(access.admit(invite(credentials("sesame", 0, "MD5", username="bob")), "198.51.100.1", 0))


def test_a_stale_nonce_is_told_from_a_wrong_password() -> None:
    answer = Access([ALICE], SECRET).admit(invite(credentials("sesame", 0)), "198.51.100.1", digest.NONCE_MS + 1)
    assert isinstance(answer, tuple)
    assert "stale=true" in answer[0][1]


def test_a_trunk_with_both_needs_both() -> None:
    access = Access([FIXED], SECRET)
    assert access.admit(invite(credentials("sesame", 0)), "192.0.2.10", 0) is FIXED
    assert asks(access.admit(invite(), "192.0.2.10", 0))
    assert access.admit(invite(credentials("sesame", 0)), "198.51.100.1", 0) is None


def test_only_an_invite_is_asked() -> None:
    assert Access([ALICE], SECRET).admit(samples.request("outside", "options.sip"), "198.51.100.1", 0) is None


def test_an_address_that_guesses_is_not_asked_any_more_for_a_minute() -> None:
    access = Access([ALICE], SECRET)
    wrong = invite(credentials("wrong", 0))
    for _ in range(MAX_FAILURES):
        assert asks(access.admit(wrong, "198.51.100.1", 0))
    assert access.admit(invite(credentials("sesame", 0)), "198.51.100.1", 0) is None
    assert asks(access.admit(invite(), "198.51.100.2", 0)), "others are asked still"
    later = FAILURE_MS
    assert access.admit(invite(credentials("sesame", later)), "198.51.100.1", later) is ALICE


def test_no_more_addresses_are_remembered_than_fit() -> None:
    access = Access([ALICE], SECRET)
    wrong = invite(credentials("wrong", 0))
    for _ in range(MAX_FAILURES):
        access.admit(wrong, "198.51.100.1", 0)
    for number in range(MAX_ADDRESSES):
        access.admit(wrong, f"10.0.{number // 256}.{number % 256}", 0)
    assert asks(access.admit(invite(), "198.51.100.1", 0)), "the oldest was forgotten"


def test_a_trunk_does_not_tell_its_password() -> None:
    assert "sesame" not in repr(ALICE)
