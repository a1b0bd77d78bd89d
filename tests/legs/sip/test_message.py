import pytest

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import message as m
from tests.legs.sip import samples


def test_a_request_is_read() -> None:
    request = samples.request("outside", "invite.sip")
    assert (request.method, request.sequence, request.from_tag, request.to_tag) == ("INVITE", 1, "theirs", "")
    assert request.from_.uri.global_phone_number == "+4930123456"
    assert request.branch == "z9hG4bKb1"
    assert request.content_type == "application/sdp"
    assert request.body.startswith(b"v=0")


def test_a_response_is_read() -> None:
    answer = m.read(m.response(samples.request("outside", "invite.sip"), 180, tag="ours").encode())
    assert isinstance(answer, m.Response)
    assert (answer.code, answer.phrase, answer.to_tag, answer.cseq_method) == (180, "Ringing", "ours", "INVITE")


@pytest.mark.parametrize("name", ["length_beyond_body", "two_call_ids", "cseq_of_another_method", "no_message"])
def test_what_the_rfc_does_not_allow_is_a_named_error(name: str) -> None:
    with pytest.raises(RemoteError) as raised:
        m.read(samples.raw("broken", f"{name}.sip"))
    assert raised.value.code == "malformed_sip"


@pytest.mark.parametrize("field", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_each_field_that_must_be_there_is_missed(field: str) -> None:
    lines = samples.raw("outside", "options.sip").split(b"\r\n")
    without = b"\r\n".join(line for line in lines if not line.startswith(field.encode() + b":"))
    with pytest.raises(RemoteError):
        m.read(without)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"CSeq: 1 ", b"CSeq: 2147483647 "),
        (b"Max-Forwards", b"Max Forwards"),
        (b"sip:+4930123456@", b"sip:" + b"1" * m.MAX_FIELD_CHARS + b"@"),
        (b"OPTIONS sip:", b"OPTIONS sip:" + b"1" * m.MAX_FIELD_CHARS),
        (b"Via: ", b"Via: " + b"SIP/2.0/UDP h," * (m.MAX_VIAS)),
        (b"\r\n\r\n", b"\r\n\r\n" + b"x" * m.MAX_MESSAGE_BYTES),
        (b"Content-Length: 0", b"Content-Length: -1"),
        (b"Jane", b"\xff"),
    ],
)
def test_each_limit_is_reached(old: bytes, new: bytes) -> None:
    data = samples.raw("outside", "options.sip")
    m.read(data)
    with pytest.raises(RemoteError):
        m.read(data.replace(old, new))


def test_folded_lines_and_short_names_are_read() -> None:
    data = samples.raw("outside", "options.sip")
    data = data.replace(b"Via: SIP/2.0/UDP ", b"v:  SIP  / 2.0 / UDP\r\n   ").replace(b"Call-ID:", b"i :")
    assert m.read(b"\r\n" + data).call_id == "3848276298220188511@192.0.2.10"


def test_a_body_is_cut_to_its_length() -> None:
    data = samples.raw("outside", "options.sip").replace(b"Content-Length: 0", b"Content-Length: 2") + b"abcd"
    assert m.read(data).body == b"ab"


def test_of_a_body_in_several_parts_the_session_description_is_kept() -> None:
    request = samples.request("outside", "invite_multipart.sip")
    assert (request.content_type, request.body) == ("application/sdp", samples.request("outside", "invite.sip").body)
    again = m.read(m.rendered(request).encode())
    assert again.body == request.body


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"application/sdp", b"application/pidf+xml"),
        (b'"next part"', b'"no part"'),
        (b'boundary="next part"', b"x=1"),
        (b"sdp;charset=utf-8\r\n\r\n", b"sdp\r\n"),
    ],
)
def test_a_body_in_several_parts_without_a_description_stays_what_it_is(old: bytes, new: bytes) -> None:
    data = samples.raw("outside", "invite_multipart.sip")
    head, _, body = data.replace(old, new).partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    message = m.read(head.replace(length, f"Content-Length: {len(body)}".encode()) + b"\r\n\r\n" + body)
    assert (message.content_type, message.body) == ("multipart/mixed", body)


def test_a_response_repeats_the_way_and_the_routes_only_where_they_belong() -> None:
    data = samples.raw("outside", "invite.sip").replace(
        b"Max-Forwards", b"Record-Route: <sip:p.example;lr>\r\nMax-Forwards"
    )
    invite = m.read(data)
    assert isinstance(invite, m.Request)
    assert "Record-Route: <sip:p.example;lr>\r\n" in m.response(invite, 200, tag="a")
    assert "Record-Route" not in m.response(invite, 486, tag="a")
    assert "To: <sip:bridge@192.0.2.1>;tag=a\r\n" in m.response(invite, 486, tag="a")


def test_a_tag_that_is_there_is_kept() -> None:
    assert ";tag=ours\r\n" in m.response(samples.request("said", "9_bye.sip"), 200, tag="another")


def test_where_a_request_came_from_is_noted() -> None:
    same = m.received(samples.request("outside", "options.sip"), "192.0.2.10", 5060)
    assert "received" not in m.response(same, 200)
    moved = m.received(samples.request("outside", "options.sip"), "198.51.100.1", 9)
    assert ";received=198.51.100.1" in m.response(moved, 200)
    asked = samples.raw("outside", "options.sip").replace(b";branch", b";rport;branch")
    request = m.read(asked)
    assert isinstance(request, m.Request)
    assert ";rport=9" in m.response(m.received(request, "198.51.100.1", 9), 200)


def test_a_request_is_rendered_as_it_was_read() -> None:
    request = samples.request("said", "1_info_dtmf_relay.sip")
    again = m.read(m.rendered(request).encode())
    assert isinstance(again, m.Request)
    assert (again.body, again.branch, again.sequence) == (request.body, request.branch, request.sequence)


def test_who_the_trunk_asserts_is_read_where_it_can_be() -> None:
    data = samples.raw("outside", "options.sip")
    asserted = m.read(data.replace(b"CSeq", b"P-Asserted-Identity: <sip:+44123@p.example>\r\nCSeq"))
    assert isinstance(asserted, m.Request)
    assert asserted.asserted is not None
    assert asserted.asserted.uri.user == "+44123"
    garbled = m.read(data.replace(b"CSeq", b"P-Asserted-Identity: <<>\r\nCSeq"))
    assert isinstance(garbled, m.Request)
    assert garbled.asserted is None
