import pytest

from phone_bridge.legs.sip.dialog import Dialog, Hop, is_address
from phone_bridge.legs.sip.message import Request, read
from tests.legs.sip import samples


def dialog(*changes: tuple[bytes, bytes], source: Hop = samples.CALLER) -> Dialog:
    data = samples.raw("outside", "invite.sip")
    for old, new in changes:
        assert old in data
        data = data.replace(old, new)
    invite = read(data)
    assert isinstance(invite, Request)
    return Dialog.answering(invite, "ours", samples.BRIDGE, source, samples.Ids())


def routed(*routes: str) -> tuple[bytes, bytes]:
    return b"Max-Forwards", "".join(f"Record-Route: {route}\r\n" for route in routes).encode() + b"Max-Forwards"


def said(text: str) -> Request:
    request = read(text.encode())
    assert isinstance(request, Request)
    return request


def test_a_request_of_ours_goes_the_other_way() -> None:
    mine = dialog()
    bye = said(mine.request("BYE"))
    assert (bye.method, str(bye.uri), bye.sequence) == ("BYE", "sip:jane@192.0.2.10:5060", 1)
    assert (bye.from_tag, bye.to_tag) == ("ours", "theirs")
    assert bye.call_id == mine.call_id
    assert said(mine.request("BYE")).sequence == 2
    assert said(mine.request("BYE")).branch != bye.branch
    assert mine.next_hop == samples.CALLER


def test_loose_routers_are_passed_in_the_order_of_their_record() -> None:
    mine = dialog(routed("<sip:192.0.2.21:5070;lr>", "<sip:192.0.2.22;lr>"))
    text = mine.request("BYE")
    assert text.startswith("BYE sip:jane@192.0.2.10:5060 SIP/2.0\r\n")
    assert text.index("Route: <sip:192.0.2.21:5070;lr>") < text.index("Route: <sip:192.0.2.22;lr>")
    assert mine.next_hop == Hop("192.0.2.21", 5070)


def test_a_strict_router_is_put_first_and_the_caller_last() -> None:
    text = dialog(routed("<sip:192.0.2.21>", "<sip:192.0.2.22;lr>")).request("BYE")
    assert text.startswith("BYE sip:192.0.2.21 SIP/2.0\r\n")
    assert text.index("Route: <sip:192.0.2.22;lr>") < text.index("Route: <sip:jane@192.0.2.10:5060>")


def test_a_caller_behind_nat_or_with_a_name_is_found_where_it_spoke_from() -> None:
    assert dialog(source=Hop("198.51.100.1", 61_000)).next_hop == Hop("198.51.100.1", 61_000)
    named = dialog((b"jane@192.0.2.10:5060", b"jane@phone.example"), source=Hop("192.0.2.10", 6000))
    assert named.next_hop == Hop("192.0.2.10", 6000)


def test_a_caller_without_a_contact_is_found_by_its_from() -> None:
    assert dialog((b"Contact: <sip:jane@192.0.2.10:5060>\r\n", b"")).next_hop == samples.CALLER


def test_requests_are_taken_in_their_order() -> None:
    mine = dialog()
    hold, bye = samples.request("said", "2_reinvite_hold.sip"), samples.request("said", "9_bye.sip")
    assert mine.admits(bye)
    assert not mine.admits(bye)
    assert not mine.admits(hold)


def test_a_new_contact_is_where_requests_go_from_then_on() -> None:
    mine = dialog()
    moved = samples.raw("said", "2_reinvite_hold.sip").replace(b"jane@192.0.2.10:5060", b"jane@192.0.2.99:5061")
    assert mine.admits(said(moved.decode()))
    assert mine.next_hop == Hop("192.0.2.99", 5061)


def test_our_contact_is_where_we_are_reached() -> None:
    assert dialog().contact == "<sip:192.0.2.1:5060>"
    invite = samples.request("outside", "invite.sip")
    assert (
        Dialog.answering(invite, "t", ("2001:db8::1", 5060), Hop("2001:db8::2", 1), samples.Ids()).contact
        == "<sip:[2001:db8::1]:5060>"
    )


def test_a_port_that_there_is_not_is_the_usual_one() -> None:
    assert dialog((b"jane@192.0.2.10:5060", b"jane@192.0.2.10:70000")).next_hop == Hop("192.0.2.10", 5060)


@pytest.mark.parametrize(
    ("host", "is_one"), [("192.0.2.1", True), ("2001:db8::1", True), ("phone.example", False), ("999.1.1.1", False)]
)
def test_addresses_are_told_from_names(host: str, is_one: bool) -> None:
    assert is_address(host) is is_one


def test_a_connection_is_gone_back_by_as_long_as_it_is_there() -> None:
    came_by = Hop("192.0.2.10", 49_152, "tcp")
    mine = dialog((b"5060>", b"5070;transport=tcp>"), source=came_by)
    assert mine.contact == "<sip:192.0.2.1:5060;transport=tcp>"
    assert mine.next_hop == came_by
    assert said(mine.request("BYE")).via[0].transport == "TCP"
    mine.part()
    assert mine.next_hop == Hop("192.0.2.10", 5070, "tcp")


def test_an_address_says_how_it_is_reached() -> None:
    secure = dialog((b"sip:jane@192.0.2.10:5060", b"sips:jane@192.0.2.10"))
    assert secure.next_hop == Hop("192.0.2.10", 5061, "tls")
    odd = dialog((b"jane@192.0.2.10:5060", b"jane@192.0.2.10:5060;transport=sctp"))
    assert odd.next_hop == Hop("192.0.2.10", 5060, "udp")
