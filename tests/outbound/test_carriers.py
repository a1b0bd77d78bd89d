"""Which carrier is asked; what Twilio's own does is in test_carrier.py."""

import pytest

from phone_bridge.errors import Refused
from phone_bridge.legs.twilio.rest import Account, Placing
from phone_bridge.outbound.carrier import Carrier, Placed
from phone_bridge.outbound.carriers import Carriers

SIP_ID, TWILIO_ID = "id1@192.0.2.1", "CA1"
PLACING = Placing(
    call_id="call_1", to="+491", from_="+492", url="u", status_url="s", amd_url="a", ring_s=30, limit_s=60
)


class Asked:
    """Stands for either carrier, and remembers what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []

    def leads_to(self, to: str) -> bool:
        return to.startswith("+49")

    def has(self, carrier_id: str) -> bool:
        return "@" in carrier_id

    def place(self, placing: Placing) -> Placed:
        self.asked.append("place")
        return Placed(self.name, "queued")

    def look(self, carrier_id: str) -> Placed:
        self.asked.append("look")
        return Placed(self.name, "queued")

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        self.asked.append("find")
        return []

    def end(self, carrier_id: str, *, answered: bool) -> None:
        self.asked.append("end")

    def redirect(self, carrier_id: str, twiml: str) -> None:
        self.asked.append("redirect")

    def load(self) -> None:
        self.asked.append("load")

    def close(self) -> None:
        self.asked.append("close")


class Twilio(Asked, Carrier):
    """Twilio that only remembers."""

    def __init__(self) -> None:
        Carrier.__init__(self, Account(sid="AC1", token="t", base_url="http://127.0.0.1:1"))
        Asked.__init__(self, "twilio")


def made(*, has_account: bool = True) -> tuple[Carriers, Twilio, Asked]:
    twilio, sip = Twilio(), Asked("sip")
    carriers = Carriers(twilio, has_account=has_account)
    carriers.trunks = sip
    return carriers, twilio, sip


def test_a_call_goes_by_the_trunk_that_leads_there_and_else_by_twilio() -> None:
    carriers, twilio, sip = made()
    assert carriers.place(PLACING).carrier_id == "sip"
    other = Placing(call_id="c", to="+1", from_="", url="", status_url="", amd_url="", ring_s=1, limit_s=1)
    assert carriers.place(other).carrier_id == "twilio"
    assert (twilio.asked, sip.asked) == (["place"], ["place"])


def test_whoever_has_a_call_is_asked_about_it() -> None:
    carriers, twilio, sip = made()
    for name in (SIP_ID, TWILIO_ID):
        carriers.look(name)
        carriers.end(name, answered=True)
    carriers.redirect(TWILIO_ID, "<Response/>")
    assert sip.asked == ["look", "end"]
    assert twilio.asked == ["look", "end", "redirect"]
    with pytest.raises(Refused, match="by SIP"):
        carriers.redirect(SIP_ID, "<Response/>")


def test_a_trunk_that_may_have_rung_is_not_dialled_again() -> None:
    carriers, twilio, _ = made()
    with pytest.raises(Refused) as raised:
        carriers.find("+491", "+492", 0)
    assert raised.value.code == "carrier_unsure"
    carriers.find("+1", "+492", 0)
    assert twilio.asked == ["find"]


def test_without_a_trunk_everything_is_twilios() -> None:
    carriers, twilio, _ = made()
    carriers.trunks = None
    carriers.place(PLACING)
    carriers.look(SIP_ID)
    assert twilio.asked == ["place", "look"]


@pytest.mark.parametrize("has_account", [True, False])
def test_twilios_library_is_loaded_only_where_there_is_an_account(has_account: bool) -> None:
    carriers, twilio, _ = made(has_account=has_account)
    carriers.load()
    carriers.close()
    assert twilio.asked == ["load", "close"][1 - has_account :]
