import datetime

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from phone_bridge.errors import SettingsError
from phone_bridge.legs.sip.message import Request, read
from phone_bridge.legs.sip.passport import MAX_AGE_S, MAX_TOKEN_CHARS, UNVERIFIED, attestation, keys
from tests.legs.sip import samples

NOW = 1_760_000_000
CALLER, CALLED = "+12025550143", "+12025550100"
KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
CLAIMS = {"attest": "A", "dest": {"tn": ["12025550100"]}, "iat": NOW, "orig": {"tn": "12025550143"}, "origid": "x"}
HEADER = {"typ": "passport", "ppt": "shaken", "x5u": "https://cert.example/c.pem"}


def passport(key: ec.EllipticCurvePrivateKey = KEY, header: dict[str, str] | None = None, **changed: object) -> str:
    token = jwt.encode({**CLAIMS, **changed}, key, algorithm="ES256", headers=HEADER | (header or {}))
    return f"{token};info=<https://cert.example/c.pem>;alg=ES256;ppt=shaken"


def invite(identity: str) -> Request:
    field = f"Identity: {identity}\r\nContent-Type".encode()
    request = read(samples.raw("outside", "invite.sip").replace(b"Content-Type", field, 1))
    assert isinstance(request, Request)
    return request


def said(identity: str, calling: str | None = CALLER, called: str = CALLED) -> str:
    return attestation(invite(identity), calling, called, (OTHER.public_key(), KEY.public_key()), NOW)


@pytest.mark.parametrize("level", ["A", "B", "C"])
def test_whoever_is_trusted_vouches_for_a_caller(level: str) -> None:
    assert said(passport(attest=level)) == level


def test_a_call_that_nobody_vouches_for_says_nothing() -> None:
    assert attestation(samples.request("outside", "invite.sip"), CALLER, CALLED, (KEY.public_key(),), NOW) == ""


@pytest.mark.parametrize(
    "identity",
    [
        passport(ec.generate_private_key(ec.SECP256R1())),
        passport(header={"ppt": "div"}),
        passport(header={"typ": "JWT"}),
        passport(attest="D"),
        passport(attest=["A"]),
        passport(iat=NOW - MAX_AGE_S - 1),
        passport(iat=NOW + MAX_AGE_S + 1),
        passport(iat="now"),
        passport(orig={"tn": "12025550199"}),
        passport(orig="12025550143"),
        passport(dest={"tn": ["12025550199"]}),
        passport(dest={"uri": ["sip:x@y"]}),
        passport()[:-60].replace(".", ".A", 1),
        "A" * (MAX_TOKEN_CHARS + 1),
        "no token",
    ],
)
def test_what_does_not_hold_is_not_verified(identity: str) -> None:
    assert said(identity) == UNVERIFIED


def test_a_passport_counts_for_the_numbers_of_its_call_alone() -> None:
    assert said(passport(), calling=None) == UNVERIFIED
    assert said(passport(), calling="+491") == UNVERIFIED
    assert said(passport(), called="bridge") == UNVERIFIED
    assert attestation(invite(passport()), CALLER, CALLED, (), NOW) == UNVERIFIED


def certificate(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN")])
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, at, at + datetime.timedelta(1))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_certificates_are_read_and_what_is_none_is_told() -> None:
    assert keys(certificate(KEY) + certificate(OTHER)) == (KEY.public_key(), OTHER.public_key())
    with pytest.raises(SettingsError, match="holds no certificates"):
        keys(b"nothing")
    with pytest.raises(SettingsError, match="not for ES256"):
        keys(certificate(rsa.generate_private_key(65_537, 2_048)))
