import re

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.tools.ics.names import event_id, said, uid_of
from phone_bridge.tools.keeper import Location
from phone_bridge.tools.series import series_id_of


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=80).filter(str.isprintable))
def test_an_id_leads_back_to_its_uid(uid: str) -> None:
    assert uid_of(event_id(uid)) == uid
    assert re.fullmatch("evt_[0-9A-Za-z]{6,}", event_id(uid)), "as tools want it"
    assert series_id_of(event_id(uid)) is None, "no UID looks like an occurrence"


def test_an_id_of_another_keeper_has_no_uid() -> None:
    assert uid_of("evt_k3j5h2x9q8w7") is None
    assert uid_of("evt_") is None
    assert uid_of("evt_6162") is None
    assert uid_of("evt_icalff") is None, "not UTF-8"
    assert uid_of("evt_ical00000001") is None, "no UID has such characters"


def test_a_place_is_said_once() -> None:
    assert said(Location(name="the office", address="350 Fifth Avenue")) == "the office, 350 Fifth Avenue"
    assert said(Location(name="the office", address="the office")) == "the office"
    assert said(Location(lat=1, lng=2)) == ""
    assert said(None) == ""
