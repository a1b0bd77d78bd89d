"""Sound under seal, and the keys for it in session descriptions."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import sdp, srtp
from phone_bridge.legs.sip.access import sealed
from phone_bridge.legs.sip.leg import Numbers, SipLeg
from phone_bridge.legs.sip.message import Response, read
from phone_bridge.legs.sip.rtcp import Control, is_control
from phone_bridge.legs.sip.srtp import KEY_BYTES, MAX_TAG, OFFERED, SUITES, Crypto, Seal, Srtp
from tests.legs.sip import samples
from tests.legs.sip.samples import MEDIA, START, sound

OURS, THEIRS = bytes(range(30)), bytes(range(100, 130))
INLINE = b64encode(THEIRS).decode()
LINE = f"a=crypto:1 {OFFERED} inline:{INLINE}"
SHORT = "AES_CM_128_HMAC_SHA1_32"


def described(*lines: str) -> sdp.Description:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0"]
    return sdp.read("".join(f"{line}\r\n" for line in (*head, *lines)).encode())


def pair(suite: str = OFFERED) -> tuple[Seal, Seal]:
    ours, theirs = Crypto(1, suite, OURS), Crypto(1, suite, THEIRS)
    return Seal(ours, theirs), Seal(theirs, ours)


# Keys


def test_a_line_is_read_and_written_and_its_key_is_never_shown() -> None:
    found = srtp.read(f"1 {OFFERED} inline:{INLINE}")
    assert found == Crypto(1, OFFERED, THEIRS)
    assert str(found) == f"1 {OFFERED} inline:{INLINE}"
    assert INLINE not in repr(found)
    assert "key" not in repr(samples.NUMBERS)


@pytest.mark.parametrize("more", ["|2^20", "|1048576", " WSH=128"])
def test_a_key_s_life_and_the_window_s_size_change_nothing(more: str) -> None:
    assert srtp.read(f"2 {SHORT} inline:{INLINE}{more}") == Crypto(2, SHORT, THEIRS)


@pytest.mark.parametrize(
    "value",
    [
        f"1 F8_128_HMAC_SHA1_80 inline:{INLINE}",
        f"1 {OFFERED} inline:{INLINE}|2^20|1:4",  # an index
        f"1 {OFFERED} inline:{INLINE};inline:{INLINE}",
        f"1 {OFFERED} inline:{INLINE} UNENCRYPTED_SRTP",
        f"1 {OFFERED} inline:{INLINE} KDR=1",
        f"1 {OFFERED} inline:AAAA",
        f"1 {OFFERED} prompt:{INLINE}",
    ],
)
def test_what_cannot_be_used_is_passed_over(value: str) -> None:
    assert srtp.read(value) is None
    assert described("m=audio 4000 RTP/SAVP 0", f"a=crypto:{value}", LINE).streams[0].crypto is not None


@pytest.mark.parametrize("value", ["", "1", f"x {OFFERED} inline:{INLINE}", f"{MAX_TAG + 1} {OFFERED} inline:{INLINE}"])
def test_nonsense_is_a_malformed_description(value: str) -> None:
    with pytest.raises(RemoteError) as caught:
        described("m=audio 4000 RTP/SAVP 0", f"a=crypto:{value}")
    assert caught.value.code == "malformed_sdp"


@given(st.text(max_size=60))
def test_no_line_does_more_than_raise_a_remote_error(text: str) -> None:
    try:
        described("m=audio 4000 RTP/SAVP 0", f"a=crypto:{text}")
    except RemoteError as error:
        assert error.code == "malformed_sdp"  # noqa: PT017 - the only way out


# What is agreed


@pytest.mark.parametrize(
    ("lines", "wish", "is_sealed"),
    [
        (["m=audio 4000 RTP/AVP 0"], Srtp.OFF, False),
        (["m=audio 4000 RTP/AVP 0"], Srtp.OFFER, False),
        (["m=audio 4000 RTP/AVP 0"], Srtp.REQUIRE, None),
        (["m=audio 4000 RTP/AVP 0", LINE], Srtp.OFF, False),
        (["m=audio 4000 RTP/AVP 0", LINE], Srtp.OFFER, True),
        (["m=audio 4000 RTP/AVP 0", LINE], Srtp.REQUIRE, True),
        (["m=audio 4000 RTP/SAVP 0", LINE], Srtp.OFF, None),
        (["m=audio 4000 RTP/SAVP 0", LINE], Srtp.OFFER, True),
        (["m=audio 4000 RTP/SAVP 0"], Srtp.REQUIRE, None),
        (["m=audio 4002 RTP/AVP 0", "m=audio 4000 RTP/SAVP 0", LINE], Srtp.OFFER, True),
    ],
)
def test_sound_is_sealed_as_both_sides_wish(lines: list[str], wish: Srtp, is_sealed: bool | None) -> None:
    offer = described(*lines)
    if is_sealed is None:
        with pytest.raises(RemoteError) as caught:
            sdp.agree(offer, wish=wish)
        assert caught.value.code == "no_common_codec"
        return
    agreed = sdp.agree(offer, wish=wish)
    assert (agreed.crypto is not None, agreed.port) == (is_sealed, 4000)
    answer = sdp.answer(offer, agreed, "192.0.2.1", 5000, 1, key=OURS).decode()
    assert (f"a=crypto:1 {OFFERED} inline:{b64encode(OURS).decode()}" in answer) is is_sealed
    assert INLINE not in answer
    assert answer.count("m=audio 0 ") == len([line for line in lines if line.startswith("m=")]) - 1


@pytest.mark.parametrize(("wish", "protocol"), [(Srtp.OFFER, "RTP/AVP"), (Srtp.REQUIRE, "RTP/SAVP")])
def test_an_offer_of_ours_can_be_sealed(wish: Srtp, protocol: str) -> None:
    offer = sdp.offer("192.0.2.1", 5000, 1, key=OURS, wish=wish)
    assert f"m=audio 5000 {protocol} ".encode() in offer
    agreed = sdp.agree(sdp.read(offer), wish=Srtp.REQUIRE)
    assert agreed.crypto == Crypto(1, OFFERED, OURS)
    assert b"crypto" not in sdp.offer("192.0.2.1", 5000, 1, key=OURS)


def test_keys_go_over_tls_alone_unless_a_trunk_says_otherwise() -> None:
    assert [sealed(None, transport) for transport in ("udp", "tcp", "tls")] == [Srtp.OFF, Srtp.OFF, Srtp.OFFER]
    assert [sealed(wish, "udp") for wish in Srtp] == list(Srtp)


# The seal


def test_a_packet_is_sealed_as_libsrtp_s_own_reference_has_it() -> None:
    key = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")
    plain = bytes.fromhex("800f1234decafbadcafebabe" + "ab" * 16)
    expected = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
    seal = Seal(Crypto(1, OFFERED, key), Crypto(1, OFFERED, key))
    assert seal.seal(plain).hex() == expected
    assert seal.open(bytes.fromhex(expected)) == plain


@pytest.mark.parametrize("suite", SUITES)
def test_sound_and_reports_are_opened_by_the_other_side_once(suite: str) -> None:
    here, there = pair(suite)
    control = Control(7, 8_000, START)
    report = control.report(START + 60_000, 0, 40)
    for packet in (sound(1).pack(), report):
        under_seal = here.seal(packet)
        assert packet[12:] not in under_seal
        assert there.open(under_seal) == packet
        with pytest.raises(RemoteError) as caught:
            there.open(under_seal)  # the same again
        assert caught.value.code == "broken_seal"


@given(st.binary(max_size=200))
def test_what_is_not_sealed_is_not_opened(noise: bytes) -> None:
    _, there = pair()
    for data in (noise, b"\x80\x00" + noise, b"\x80\xc8" + noise, sound(1).pack()):
        with pytest.raises(RemoteError) as caught:
            there.open(data)
        assert caught.value.code == "broken_seal"


# A call under seal


def leg() -> SipLeg:
    agreed = sdp.agree(described("m=audio 4000 RTP/SAVP 0", LINE), wish=Srtp.OFFER)
    numbers = Numbers(ssrc=7, sequence=1, timestamp=0, key=OURS)
    return SipLeg(samples.dialog(), agreed, MEDIA, numbers, START)


def far() -> Seal:
    return Seal(Crypto(1, OFFERED, THEIRS), Crypto(1, OFFERED, OURS))


def test_a_call_under_seal_hears_and_speaks_so_alone() -> None:
    call, there = leg(), far()
    (trouble,) = call.receive(sound(1).pack(), START)
    assert trouble == e.LegTrouble("broken_seal")
    for number in (1, 2):
        assert call.receive(there.seal(sound(number).pack()), START) == []
    assert call.expire(START) == [e.CallerHeard(sound(1).payload)]
    call.send(c.Play(b"\x01" * 160, ""), START)
    sent = [there.open(each) for now in range(20, 20_000, 20) for each in _out(call, START + now)]
    assert b"\x01" * 160 in sent[1]
    assert any(is_control(packet) for packet in sent), "reports are sealed, too"


def _out(call: SipLeg, now: int) -> list[bytes]:
    call.expire(now)
    return [each for each in call.outgoing() if isinstance(each, bytes)]


def invite(*lines: str) -> str:
    head = samples.text("said", "2_reinvite_hold.sip").partition("\r\n\r\n")[0]
    body = "".join(f"{line}\r\n" for line in ("v=0", "o=- 1 2 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", *lines))
    kept = [line for line in head.split("\r\n") if not line.lower().startswith("content-length")]
    return "\r\n".join([*kept, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body


def answered(call: SipLeg) -> Response:
    (text,) = [each for each in call.outgoing() if isinstance(each, str)]
    found = read(text.encode())
    assert isinstance(found, Response)
    return found


def test_a_new_description_may_change_the_key_and_not_take_the_seal_off() -> None:
    call = leg()
    call.receive(invite("m=audio 4000 RTP/AVP 0"), START)
    assert answered(call).code == 488
    other = bytes(KEY_BYTES)
    call.receive(invite("m=audio 4000 RTP/SAVP 0", f"a=crypto:3 {OFFERED} inline:{b64encode(other).decode()}"), START)
    answer = answered(call)
    assert answer.code == 200
    assert f"a=crypto:3 {OFFERED} inline:{b64encode(OURS).decode()}".encode() in answer.body
    there = Seal(Crypto(3, OFFERED, other), Crypto(3, OFFERED, OURS))
    assert call.receive(there.seal(sound(9).pack()), START) == []
