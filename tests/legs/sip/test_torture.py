"""The torture tests of RFC 4475 that a reader of messages can meet, by their names there.

Of each message its trouble stands here as the RFC has it; what is no trouble is the same in all.
"""

import pytest

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import Request, Response, read

Change = tuple[str, str]
USUAL: dict[str, str] = {
    "Via": "SIP/2.0/UDP host.example.com:5060;branch=z9hG4bKkdjuw",
    "Max-Forwards": "70",
    "From": "<sip:caller@example.net>;tag=323",
    "To": "<sip:user@example.com>",
    "Call-ID": "torture@192.0.2.1",
    "CSeq": "8 OPTIONS",
}
OPTIONS = "OPTIONS sip:user@example.com SIP/2.0"


def message(first: str = OPTIONS, *more: str, tail: str = "", **changed: str) -> bytes:
    fields = {**USUAL, **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = [first, *(f"{name}: {value}" for name, value in fields.items() if value), *more]
    return ("\r\n".join(lines) + "\r\n\r\n" + tail).encode()


WSINV = """\
INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 0
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

"""
STRANGE = "!interesting-Method0123456789_*+`.%indeed'~"

WELL_FORMED = {
    "wsinv": WSINV.replace("\n", "\r\n").encode(),
    "intmeth": message(f"{STRANGE} sip:user@example.com SIP/2.0", CSeq=f"139122385 {STRANGE}"),
    "esc01": message(
        "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0",
        CSeq="234234 INVITE",
        To="sip:%75se%72@example.com",
        From="<sip:I%20have%20spaces@example.net>;tag=938",
    ),
    "escnull": message(
        "REGISTER sip:example.com SIP/2.0",
        "Contact: <sip:%00@host5.example.com>",
        To="sip:null-%00-null@example.com",
        From="sip:null-%00-null@example.com;tag=839923423",
        CSeq="14398234 REGISTER",
    ),
    "esc02": message("RE%47IST%45R sip:registrar.example.com SIP/2.0", CSeq="29344 RE%47IST%45R"),
    "lwsdisp": message(From="caller<sip:caller@example.com>;tag=323"),
    "dblreq": message(OPTIONS, "Content-Length: 0", tail="INVITE sip:joe@example.com SIP/2.0\r\n"),
    "semiuri": message("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", To="sip:j_user@example.com"),
    "transports": message(
        Via="SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw, SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf, "
        "SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj, SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en"
    ),
    "noreason": message("SIP/2.0 100 "),
    "unreason": message(
        "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u0434\u0435\u0432\u044f\u043d\u043e"
    ),
    "unkscm": message("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
    "unksm2": message(To="isbn:2983792873"),
    "zeromf": message(Max_Forwards="0"),
    "cparam01": message(
        "REGISTER sip:example.com SIP/2.0", "Contact: sip:+19725552222@gw1.example.net;unknownparam", CSeq="79 REGISTER"
    ),
    "regescrt": message(
        "REGISTER sip:example.com SIP/2.0",
        "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>",
        CSeq="14398234 REGISTER",
    ),
    "inv2543": message(
        "INVITE sip:UserB@example.com SIP/2.0", CSeq="0 INVITE", Via="SIP/2.0/UDP iftgw.example.com", Max_Forwards=""
    ),
}
"""What every reader should take."""

MALFORMED = {
    "badinv01": message(Via="SIP/2.0/UDP 192.0.2.15;;,;,,"),
    "clerr": message(OPTIONS, "Content-Length: 9999", tail="v=0\r\n"),
    "ncl": message(OPTIONS, "Content-Length: -999"),
    "scalar02": message(CSeq="36893488147419103232 OPTIONS"),
    "quotbal": message(To='"Mr. J. User <sip:j.user@example.com>'),
    "ltgtruri": message("OPTIONS <sip:user@example.com> SIP/2.0"),
    "lwsruri": message("OPTIONS sip:user@example.com; lr SIP/2.0"),
    "lwsstart": message("OPTIONS  sip:user@example.com  SIP/2.0"),
    "trws": message("OPTIONS sip:remote-target@example.com SIP/2.0  "),
    "badvers": message("OPTIONS sip:t.watson@example.org SIP/7.0"),
    "mismatch01": message(CSeq="8 INVITE"),
    "bigcode": message("SIP/2.0 4294967301 better not break the receiver", CSeq="353494 INVITE"),
    "insuf": message("INVITE sip:user@example.com SIP/2.0", From="", To="", CSeq="193942 INVITE"),
    "mcl01": message(OPTIONS, "Content-Length: 13", "Content-Length: 5", tail="thirteenbytes"),
    "baddn": message(From="Bell, Alexander <sip:a.g.bell@example.com>;tag=433423"),
    "multi01": message(OPTIONS, "Call-ID: another@192.0.2.1", "CSeq: 59 OPTIONS"),
}
"""What no reader should take."""

IN_SIGHT = {
    "unkscm": "an unknown scheme of the Request-URI is 416, and is dropped here",
    "unksm2": "an unknown scheme in To is no matter, and is dropped here",
    "regescrt": "a URI with header fields in a Contact is not read",
}
"""What is wrong still, and why."""


@pytest.mark.parametrize("name", WELL_FORMED)
def test_what_is_well_formed_is_read(name: str) -> None:
    if name in IN_SIGHT:
        with pytest.raises(RemoteError):
            read(WELL_FORMED[name])
    else:
        assert isinstance(read(WELL_FORMED[name]), Request | Response)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_a_named_error(name: str) -> None:
    with pytest.raises(RemoteError) as raised:
        read(MALFORMED[name])
    assert raised.value.code == "malformed_sip"


def test_the_tortuous_invite_is_understood() -> None:
    invite = read(WELL_FORMED["wsinv"])
    assert isinstance(invite, Request)
    assert (invite.from_tag, invite.to_tag, invite.sequence) == ("98asjd8", "1918181833n", 9)
    assert [hop.host for hop in invite.via] == ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
