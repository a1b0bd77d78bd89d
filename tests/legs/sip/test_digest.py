import pytest

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import digest
from phone_bridge.legs.sip.message import Request, read
from tests.legs.sip import samples

SECRET = b"secret"


def shows(authorization: str) -> Request:
    data = samples.raw("outside", "invite.sip").replace(b"CSeq", f"Authorization: {authorization}\r\nCSeq".encode())
    request = read(data)
    assert isinstance(request, Request)
    return request


def test_the_rfc_s_own_examples_fit() -> None:
    """RFC 7616, 3.9.1: the same request by both algorithms."""
    shown = digest.Shown(
        username="Mufasa",
        realm="http-auth@example.org",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        uri="/dir/index.html",
        response="8ca523f5e9506fed4657c9700eebdbec",
        algorithm="MD5",
        qop="auth",
        nc="00000001",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert digest.fits(shown, "GET", "Circle of Life")
    assert not digest.fits(shown, "GET", "Circle of life")
    assert not digest.fits(shown, "POST", "Circle of Life")


def test_without_a_quality_the_old_sum_is_made() -> None:
    """RFC 2617 without qop, as RFC 2069 had it."""
    shown = digest.shown(
        shows(
            'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
            'uri="/dir/index.html", response="670fd8c2df070c60b045671b8b24ff02"'
        )
    )
    assert shown is not None
    assert digest.fits(shown, "GET", "Circle Of Life")


def test_an_algorithm_that_was_not_offered_never_fits() -> None:
    shown = digest.shown(
        shows('Digest username="a", realm="r", nonce="n", uri="u", response="", algorithm=SHA-512-256')
    )
    assert shown is not None
    assert not digest.fits(shown, "INVITE", "p")


def test_a_challenge_offers_the_better_algorithm_first() -> None:
    first, second = (value for _, value in digest.challenge("here", digest.ALGORITHMS, SECRET, 1))
    assert "algorithm=SHA-256" in first
    assert "algorithm=MD5" in second
    assert "stale" not in first
    assert "stale=true" in digest.challenge("here", ["MD5"], SECRET, 1, stale=True)[0][1]


def test_a_nonce_is_ours_and_lives_for_a_minute() -> None:
    nonce = digest.make_nonce(SECRET, 5_000)
    assert digest.is_fresh(nonce, SECRET, 5_000 + digest.NONCE_MS)
    assert not digest.is_fresh(nonce, SECRET, 5_001 + digest.NONCE_MS)
    assert not digest.is_fresh(nonce, SECRET, 4_999)
    assert not digest.is_fresh(nonce, b"another", 5_000)
    assert not digest.is_fresh("nonsense", SECRET, 5_000)
    assert not digest.is_fresh("1388.\u00e9", SECRET, 5_000)


def test_nothing_shown_is_nothing() -> None:
    assert digest.shown(samples.request("outside", "invite.sip")) is None
    assert digest.shown(shows("Bearer abc")) is None
    assert digest.shown(shows("Digest abc")) is None


@pytest.mark.parametrize("text", ["Digest", 'Digest username="a"', "Digest ==="])
def test_what_cannot_be_read_is_a_named_error(text: str) -> None:
    with pytest.raises(RemoteError):
        digest.shown(shows(text))
