from ipaddress import ip_network

import pytest
from msgspec import structs

from phone_bridge.errors import SettingsError
from phone_bridge.legs.sip.locating import Target
from phone_bridge.runtime.sip_transports import Listening
from phone_bridge.runtime.sip_trunks import (
    SipTrunk,
    binding,
    calls_as,
    check_proxies,
    codecs,
    domain,
    domains,
    listening,
    opened,
    outward,
    proxy,
    rtp_ports,
    trunk,
)

ENVIRON = {"PBX_PASSWORD": "sesame"}
PBX = SipTrunk(name="pbx", addresses=("192.0.2.0/24", "2001:db8::7"))
ALICE = SipTrunk(name="alice", username="alice", password_env="PBX_PASSWORD", algorithm="SHA-256", user_id="usr_a")


def test_trunks_get_their_passwords_from_the_environment() -> None:
    pbx, alice = opened([PBX, ALICE], ENVIRON)
    assert (pbx.password, alice.password) == ("", "sesame")
    assert "sesame" not in repr(alice)


def test_a_leg_knows_a_trunk_by_its_networks_and_its_user() -> None:
    known = trunk(PBX, "usr_usual")
    assert known.user_id == "usr_usual"
    assert known.networks == (ip_network("192.0.2.0/24"), ip_network("2001:db8::7"))
    assert trunk(opened([ALICE], ENVIRON)[0], "usr_usual").user_id == "usr_a"


@pytest.mark.parametrize(
    ("trunks", "mend"),
    [
        ([SipTrunk(name="a", addresses=("::1",), calls_out=True)], "needs a proxy"),
        ([SipTrunk(name="a", addresses=("::1",), proxy="192.0.2.1", registers=True)], "registers, and needs"),
        ([SipTrunk(name="a", proxy="192.0.2.1", expires=5)], "expires from 10"),
        ([SipTrunk(name="a", addresses=("::1",), desk_phone=True)], "is a desk phone"),
        ([SipTrunk(name="a", proxy="pbx.example;transport=sctp")], "written as host"),
        ([SipTrunk(name="a", proxy="jane@pbx.example")], "written as host"),
        ([SipTrunk(name="a", proxy="pbx example")], "written as host"),
        ([PBX, PBX], "a name of its own"),
        ([SipTrunk(name="")], "a name of its own"),
        ([SipTrunk(name="a")], "would let anybody in"),
        ([SipTrunk(name="a", username="a", password="p")], "in the clear"),
        ([SipTrunk(name="a", username="a")], "both of username and password_env"),
        ([SipTrunk(name="a", addresses=("::1",), password_env="X")], "both of username and password_env"),
        ([SipTrunk(name="a", addresses=("192.0.2.1/24",))], "an address that is none"),
        ([SipTrunk(name="a", addresses=("pbx.example",))], "an address that is none"),
        ([SipTrunk(name="a", username="a", password_env="PBX_PASSWORD", algorithm="MD4")], "SHA-256, MD5"),
        ([SipTrunk(name="a", addresses=("::1",), srtp="yes")], "off, offer, require"),
        ([SipTrunk(name="a", addresses=("::1",), codecs=("opus",))], "codecs of pcmu, pcma, g722"),
        ([SipTrunk(name="a", addresses=("::1",), codecs=("g722", "g722"))], "each once"),
        ([SipTrunk(name="a", username="a", password_env="NOT_SET")], "NOT_SET, which is not set"),
    ],
)
def test_what_cannot_work_is_told_with_its_mend(trunks: list[SipTrunk], mend: str) -> None:
    with pytest.raises(SettingsError, match=mend):
        opened(trunks, ENVIRON)


def test_a_trunk_s_codecs_are_what_is_spoken_in_the_order_of_our_offers() -> None:
    written = SipTrunk(name="a", addresses=("::1",), codecs=("g722", "pcmu"))
    assert trunk(written, "usr_1").codecs == codecs(written) == (9, 0)
    assert codecs(SipTrunk(name="a", addresses=("::1",))) == (0, 8)


def test_where_to_listen_is_an_address_and_a_port() -> None:
    assert listening("udp://192.0.2.1") == (Listening("udp", "192.0.2.1", 5060),)
    assert listening("udp://[::1]:5070, tls://[::1]") == (Listening("udp", "::1", 5070), Listening("tls", "::1", 5061))


@pytest.mark.parametrize(
    "url", ["", "sctp://0.0.0.0", "udp://192.0.2.1,", "udp://pbx.example", "udp://0.0.0.0:x", "udp://0.0.0.0/x", "5060"]
)
def test_what_is_nowhere_is_told(url: str) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_SIP_LISTEN"):
        listening(url)


def test_ports_for_sound_are_even_and_come_round() -> None:
    ports = rtp_ports("16385-16390")
    assert {ports.next() for _ in range(10)} == {16_386, 16_388, 16_390}


@pytest.mark.parametrize("text", ["", "1", "1-2", "9000-8000", "20000-70000", "a-b", "20000-"])
def test_what_is_no_range_is_told(text: str) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_SIP_RTP_PORTS"):
        rtp_ports(text)


PROVIDER = SipTrunk(
    name="provider",
    username="u",
    password_env="PBX_PASSWORD",
    proxy="sip.provider.example:5080;transport=tls",
    calls_out=True,
    prefixes=("+49",),
    domains=("provider.example",),
)
OFFICE = SipTrunk(name="office", addresses=("192.0.2.7",), proxy="192.0.2.7", calls_out=True)


def test_a_trunk_says_where_it_is_called() -> None:
    assert proxy(PROVIDER) == Target("sip.provider.example", 5080, "tls")
    assert proxy(OFFICE) == Target("192.0.2.7", None, "")
    assert (domain(PROVIDER), domain(OFFICE)) == ("provider.example", "192.0.2.7")


def test_what_we_show_is_nothing_that_is_shown_to_us() -> None:
    known = trunk(opened([PROVIDER], ENVIRON)[0], "usr")
    assert (known.username, known.password) == ("", "")


def test_the_first_trunk_that_leads_there_has_the_call() -> None:
    trunks = (PBX, PROVIDER, OFFICE)
    assert outward(trunks, "+4930123456") is PROVIDER
    assert outward(trunks, "+12025550143") is OFFICE
    assert outward(trunks, "sip:100@192.0.2.7") is OFFICE
    assert outward(trunks, "sips:jane@SIP.provider.example:5061") is PROVIDER
    assert outward(trunks, "sip:jane@elsewhere.example") is None
    assert outward((PBX,), "+4930123456") is None
    assert domains(trunks) == {"sip.provider.example", "provider.example", "192.0.2.7"}


def test_a_desk_phone_is_called_by_its_name_here() -> None:
    desk = structs.replace(ALICE, desk_phone=True)
    assert outward((PBX, desk), "sip:alice@phone-bridge") is desk
    assert outward((PBX, desk), "sip:bob@phone-bridge") is None
    assert domains((desk,)) == {"phone-bridge"}
    assert (calls_as(desk), calls_as(PROVIDER), calls_as(OFFICE)) == ("assistant", "u", "office")


def test_a_trunk_says_what_is_registered_with_it() -> None:
    found = binding(opened([PROVIDER], ENVIRON)[0])
    shown = (found.name, found.user, found.domain, found.password, found.expires_s)
    assert shown == ("provider", "u", "provider.example", "sesame", 600)


def test_whoever_is_called_must_be_able_to_call_back_the_same_way() -> None:
    check_proxies((PROVIDER, OFFICE), listening("udp://192.0.2.1,tls://192.0.2.1"))
    check_proxies((SipTrunk(name="n", proxy="provider.example"),), listening("tls://192.0.2.1"))
    with pytest.raises(SettingsError, match="'n' is called by udp"):
        check_proxies((SipTrunk(name="n", proxy="provider.example:5080"),), listening("tls://192.0.2.1"))
    with pytest.raises(SettingsError, match="'provider' is called by tls"):
        check_proxies((OFFICE, PROVIDER), listening("udp://192.0.2.1"))


def test_a_desk_phone_may_refer_and_others_where_it_is_said() -> None:
    desk = structs.replace(ALICE, desk_phone=True)
    trunks = (desk, ALICE, structs.replace(ALICE, may_refer=True), structs.replace(desk, may_refer=False))
    assert [trunk.refers for trunk in trunks] == [True, False, True, False]
