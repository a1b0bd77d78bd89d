import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import sdp
from tests.legs.sip import samples

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"


def described(*lines: str) -> sdp.Description:
    return sdp.read((HEAD + "".join(f"{line}\r\n" for line in lines)).encode())


def test_an_offer_is_agreed_to_by_its_first_codec_that_is_spoken() -> None:
    agreed = sdp.agree(described("m=audio 4000 RTP/AVP 18 8 0 96", "a=rtpmap:96 telephone-event/8000"))
    assert (agreed.host, agreed.port, agreed.payload, agreed.format) == ("192.0.2.10", 4000, 8, PCMA_8K)
    assert agreed.events == 96
    assert agreed.sends
    assert agreed.hears


def test_a_codec_may_have_a_payload_type_of_the_caller_s_own() -> None:
    agreed = sdp.agree(described("m=audio 4000 RTP/AVP 97", "a=rtpmap:97 pcmu/8000"))
    assert (agreed.payload, agreed.format, agreed.events) == (97, PCMU_8K, None)


def test_g722_is_spoken_where_the_caller_likes_it_best_by_a_clock_of_eight_thousand() -> None:
    offer = described("m=audio 4000 RTP/AVP 9 0 101", "a=rtpmap:9 G722/8000", "a=rtpmap:101 telephone-event/8000")
    agreed = sdp.agree(offer, codecs=(0, 9))
    assert (agreed.payload, agreed.codec, agreed.format, agreed.events) == (9, 9, LINEAR_16K, 101)
    assert "a=rtpmap:9 G722/8000\r\n" in sdp.answer(offer, agreed, "192.0.2.1", 5000, 1).decode()
    own = sdp.agree(described("m=audio 4000 RTP/AVP 98", "a=rtpmap:98 g722/8000"), codecs=(9,))
    assert (own.payload, own.codec) == (98, 9)


def test_what_is_not_wished_is_not_spoken() -> None:
    offer = described("m=audio 4000 RTP/AVP 9 0")
    assert sdp.agree(offer).codec == 0, "nor G.722 where nobody wishes it"
    assert sdp.agree(offer, codecs=(0, 9)).codecs == (0, 9), "and later on neither"
    with pytest.raises(RemoteError, match="in PCMA over RTP/AVP"):
        sdp.agree(offer, codecs=(8,))


def test_a_soft_phone_that_offers_all_it_knows_gets_its_sound_with_feedback_and_no_more() -> None:
    offer = sdp.read(samples.request("outside", "invite_softphone.sip").body)
    agreed = sdp.agree(offer)
    assert (agreed.payload, agreed.events, agreed.control_port) == (0, 101, 7152)
    answer = sdp.answer(offer, agreed, "192.0.2.1", 5000, 1).decode().split("\r\n")
    assert [line for line in answer if line.startswith("m=")] == [
        "m=audio 5000 RTP/AVPF 0 101",
        "m=video 0 RTP/AVPF 96",
    ]
    assert not [line for line in answer if line.startswith(("a=ice", "a=candidate", "a=group", "a=rtcp-fb", "a=mid"))]


def test_our_offers_have_the_order_that_is_wished() -> None:
    assert b"RTP/AVP 0 8 101\r\n" in sdp.offer("192.0.2.1", 5000, 1)
    assert b"RTP/AVP 9 0 101\r\n" in sdp.offer("192.0.2.1", 5000, 1, codecs=(9, 0))
    assert b"RTP/AVP 9 101\r\n" in sdp.offer("192.0.2.1", 5000, 1, codecs=(9,))


@pytest.mark.parametrize(
    ("line", "sends", "hears"),
    [("sendrecv", True, True), ("sendonly", False, True), ("recvonly", True, False), ("inactive", False, False)],
)
def test_a_direction_says_who_sends(line: str, sends: bool, hears: bool) -> None:
    agreed = sdp.agree(described("m=audio 4000 RTP/AVP 0", f"a={line}"))
    assert (agreed.sends, agreed.hears) == (sends, hears)


def test_the_old_way_of_hold_is_known() -> None:
    assert not sdp.agree(described("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0")).sends


def test_an_answer_names_what_was_agreed_and_declines_every_other_stream_in_its_place() -> None:
    offer = described(
        "m=video 9 RTP/AVP 99", "m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000", "a=sendonly"
    )
    text = sdp.answer(offer, sdp.agree(offer), "2001:db8::1", 5000, 3).decode()
    assert text.index("m=video 0 RTP/AVP 99") < text.index("m=audio 5000 RTP/AVP 8 101")
    assert "o=- 1 3 IN IP6 2001:db8::1" in text
    assert "a=recvonly" in text
    assert "PCMU" not in text


def test_our_own_offer_can_be_answered() -> None:
    agreed = sdp.agree(sdp.read(sdp.offer("192.0.2.1", 5000, 1)))
    assert (agreed.payload, agreed.events, agreed.port) == (0, sdp.TELEPHONE_EVENT, 5000)


@pytest.mark.parametrize(
    ("lines", "port"),
    [([], 4001), (["a=rtcp:5005"], 5005), (["a=rtcp:5005 IN IP4 192.0.2.1"], 5005), (["a=rtcp-mux"], 4000)],
)
def test_reports_have_a_port_of_their_own_unless_both_ends_share_one(lines: list[str], port: int) -> None:
    offer = described("m=audio 4000 RTP/AVP 0", *lines)
    agreed = sdp.agree(offer)
    assert agreed.control_port == port
    assert ("a=rtcp-mux" in sdp.answer(offer, agreed, "192.0.2.1", 5000, 1).decode()) == (port == 4000)


def test_the_last_port_there_is_has_none_behind_it() -> None:
    assert sdp.agree(described("m=audio 65535 RTP/AVP 0")).control_port == 65_535


@pytest.mark.parametrize("line", ["m=audio 4000 RTP/SAVP 0", "m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 18"])
def test_an_offer_without_anything_that_is_spoken_is_named(line: str) -> None:
    with pytest.raises(RemoteError) as raised:
        sdp.agree(described(line))
    assert raised.value.code == "no_common_codec"


@pytest.mark.parametrize(
    "line",
    [
        "m=audio",
        "m=audio x RTP/AVP 0",
        "m=audio 70000 RTP/AVP 0",
        "m=audio 4000 RTP/AVP",
        "m=audio 4000 RTP/AVP 0\r\nc=IN ATM x",
        "m=audio 4000 RTP/AVP 300\r\na=rtpmap:300 PCMU/8000",
        "\r\n".join(["m=audio 4000 RTP/AVP 0"] * (sdp.MAX_STREAMS + 1)),
        "\r\n".join(["a=x"] * sdp.MAX_LINES),
    ],
)
def test_what_makes_no_sense_is_a_named_error(line: str) -> None:
    with pytest.raises(RemoteError) as raised:
        described(line)
    assert raised.value.code == "malformed_sdp"


def test_the_samples_are_read() -> None:
    assert sdp.read(samples.request("outside", "invite.sip").body).audio()
