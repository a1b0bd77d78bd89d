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
from phone_bridge.legs.sip.rtp import Packet, unpack
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
        (["m=audio 4000 RTP/SAVPF 0", LINE], Srtp.REQUIRE, True),
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


def test_the_same_key_under_another_number_is_the_same_seal() -> None:
    call, there = leg(), far()
    first = there.seal(sound(1).pack())
    assert call.receive(first, START) == []
    before = unpack(there.open(_out(call, START)[0]))
    call.receive(invite("m=audio 4000 RTP/SAVP 0", LINE.replace(":1 ", ":9 ")), START)
    assert f"a=crypto:9 {OFFERED} ".encode() in answered(call).body
    assert call.receive(first, START) == [e.LegTrouble("broken_seal")], "it is known already"
    assert unpack(there.open(_out(call, START + 20)[0])).ssrc == before.ssrc


def test_no_packet_is_sealed_twice_by_one_key_and_one_number() -> None:
    """RFC 3711, 9.1: two sounds under the same key stream would give both away."""
    call = leg()
    before = unpack(far().open(_out(call, START)[0]))
    other = bytes(KEY_BYTES)
    call.receive(invite("m=audio 4000 RTP/SAVP 0", f"a=crypto:1 {OFFERED} inline:{b64encode(other).decode()}"), START)
    assert f"inline:{b64encode(OURS).decode()}".encode() in answered(call).body
    there = Seal(Crypto(1, OFFERED, other), Crypto(1, OFFERED, OURS))
    after = [unpack(there.open(each)) for now in (20, 40) for each in _out(call, START + now)]
    assert {packet.ssrc for packet in after} == {before.ssrc + 1}
    reports = [there.open(each) for now in range(60, 20_000, 20) for each in _out(call, START + now)]
    assert (before.ssrc + 1).to_bytes(4, "big") in next(each for each in reports if is_control(each))


# Somebody else takes over

NEW_KEY, THEIR_NEW_KEY = bytes(range(50, 80)), bytes(range(150, 180))


def takes_over(call: SipLeg, *, seal: bool, suite: str = OFFERED, sequence: int = 9) -> Seal | None:
    """Let somebody else take over, with a stream of our own for them; gives their end of the seal, if any."""
    theirs = Crypto(4, suite, THEIR_NEW_KEY)
    lines = ["m=audio 4100 RTP/SAVP 0", f"a=crypto:{theirs}"] if seal else ["m=audio 4100 RTP/AVP 0"]
    agreed = sdp.agree(described(*lines), Srtp.OFFER)
    call.change(samples.dialog(), agreed, MEDIA, Numbers(ssrc=70, sequence=sequence, timestamp=0, key=NEW_KEY))
    due = call.deadline()
    assert due is not None
    assert call.expire(due) == [e.CallerChanged()]
    return Seal(theirs, Crypto(4, suite, NEW_KEY)) if seal else None


def clear_leg() -> SipLeg:
    agreed = sdp.agree(described("m=audio 4000 RTP/AVP 0"))
    return SipLeg(samples.dialog(), agreed, MEDIA, Numbers(ssrc=7, sequence=1, timestamp=0, key=OURS), START)


def goes_both_ways(call: SipLeg, there: Seal | None) -> list[Packet]:
    """Have each side say something to the other; gives what we have said."""
    told: list[e.Event] = []
    for number in range(500, 506):
        packet = sound(number, 0x20, ssrc=5).pack()
        assert call.receive(packet if there is None else there.seal(packet), START + 40) == []
    call.send(c.Play(b"\x01" * 320, ""), START + 40)
    sent: list[bytes] = []
    for now in range(60, 20_000, 20):
        told += call.expire(START + now)
        sent += [each for each in call.outgoing() if isinstance(each, bytes)]
    assert e.CallerHeard(b"\x20" * 160) in told
    opened = sent if there is None else [there.open(each) for each in sent]
    assert any(is_control(each) for each in opened), "reports go the same way"
    packets = [unpack(each) for each in opened if not is_control(each)]
    assert b"\x01" * 160 in [packet.payload for packet in packets]
    return packets


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True), (True, True)])
def test_whoever_takes_over_has_a_seal_of_their_own_or_none(before: bool, after: bool, suite: str) -> None:
    call = leg() if before else clear_leg()
    old = far()
    for number in range(3):
        packet = sound(number).pack()
        call.receive(old.seal(packet) if before else packet, START)
    _out(call, START)
    there = takes_over(call, seal=after, suite=suite)
    if after:
        for packet in (sound(4).pack(), old.seal(sound(5).pack())):
            assert call.receive(packet, START) == [e.LegTrouble("broken_seal")], "nor what was sealed for another"
    packets = goes_both_ways(call, there)
    assert {packet.ssrc for packet in packets} == {70}
    assert [packet.sequence for packet in packets[:2]] == [9, 10]


def test_a_seal_begins_anew_with_whoever_takes_over_whatever_the_count_was() -> None:
    """The roll-over counter that sequence numbers have behind them (RFC 3711, 3.3.1) is 0 for a new stream."""
    call = leg()
    there = far()
    numbers = Numbers(ssrc=7, sequence=65_530, timestamp=0, key=OURS)
    call.change(samples.dialog(), sdp.agree(described("m=audio 4000 RTP/SAVP 0", LINE), Srtp.OFFER), MEDIA, numbers)
    for now in range(0, 400, 20):  # past the end of the sequence numbers, both ways
        for each in _out(call, START + now):
            there.open(each)
        call.receive(there.seal(sound(65_530 + now // 20).pack()), START + now)
    anew = takes_over(call, seal=True, sequence=3)
    assert anew is not None
    assert goes_both_ways(call, anew)[0].sequence == 3


def test_a_seal_that_was_required_of_whoever_took_over_is_kept_to() -> None:
    call = clear_leg()
    takes_over(call, seal=True)
    call.receive(invite("m=audio 4000 RTP/AVP 0"), START)
    assert answered(call).code == 488
    call = leg()
    takes_over(call, seal=False)
    call.receive(invite("m=audio 4000 RTP/SAVP 0", LINE), START)
    assert answered(call).code == 488
