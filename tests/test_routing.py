"""Which route a call is given, by every condition, through every hour of a year with its two changes of the clock."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge import routing
from phone_bridge.errors import SettingsError
from phone_bridge.hours import DAYS
from phone_bridge.routing import MAX_ROUTES, Facts, Route, choose, missed, number_of, sip_user_of

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # a Monday, 12:00 in Berlin
OFFICE = "+49301234567"


def route(name: str = "office", **more: Any) -> Route:
    return Route(name=name, **more)


def facts(called: str | None = OFFICE, calling: str | None = "+12025550143", **more: Any) -> Facts:
    return Facts(called=called, calling=calling, **more)


def fits(call: Facts, at: datetime = NOON, **conditions: Any) -> bool:
    return not missed(route(**conditions), call, at)


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


# Addresses


@pytest.mark.parametrize("called", [OFFICE, "+4930*", "+*", ("+1*", OFFICE)])
def test_a_number_fits_itself_and_its_beginnings(called: Any) -> None:
    assert fits(facts(), called=called)


@pytest.mark.parametrize("called", ["+4930123456", "+49301234568", "+1*", ()])
def test_another_number_does_not_fit_and_no_condition_fits_all(called: Any) -> None:
    assert fits(facts(), called=called) == (called == ())


def test_a_withheld_number_is_no_number() -> None:
    assert fits(facts(calling=None), calling="withheld")
    assert not fits(facts(calling=None), calling="+*")
    assert not fits(facts(), calling="withheld")
    assert not fits(facts(calling="sip:alice@example.com"), calling=("withheld", "+*"))  # no number, but not hidden


def test_a_sip_address_is_known_by_its_user_and_by_the_number_in_it() -> None:
    assert fits(facts("sip:reception@acme.sip.example"), sip_user="reception")
    assert fits(facts("SIPS:front%20desk@acme.example;transport=tls"), sip_user=("x", "front desk"))
    assert fits(facts(f"sip:{OFFICE};phone-context=x@acme.example"), called="+4930*")
    assert not fits(facts("sip:acme.example"), sip_user="acme.example")
    assert not fits(facts(None), sip_user="reception")


def test_headers_must_all_fit_whatever_their_case() -> None:
    call = facts(headers=MappingProxyType({"x-tenant": "acme", "x-line": "7"}))
    assert fits(call, headers={"X-Tenant": "acme"})
    assert fits(call, headers={"X-Tenant": "ac*", "x-LINE": "*"})
    assert not fits(call, headers={"X-Tenant": "acme", "X-Line": "8"})
    assert not fits(call, headers={"X-Other": "*"})


def test_a_language_is_the_same_language_in_every_country() -> None:
    assert fits(facts(language="de-AT"), caller_language="de")
    assert fits(facts(language="DE"), caller_language=("fr", "de"))
    assert not fits(facts(language="de"), caller_language="de-AT")
    assert not fits(facts(language="den"), caller_language="de")
    assert not fits(facts(), caller_language="de")


@given(st.text())
@settings(max_examples=100)
def test_no_address_breaks_the_reading(address: str) -> None:
    for text in (address, f"sip:{address}", f"sip:{address}@host"):
        number = number_of(text)
        assert not number or (number[0] == "+" and number[1:].isdigit())
        assert "@" not in sip_user_of(text) or "%40" in text


# Hours and days


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T08:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T12:29", True),
        ("2026-11-23T12:30", False),  # the end is not included
        ("2026-11-23T13:00", True),
        ("2026-11-28T09:00", False),  # a Saturday
    ],
)
def test_hours_are_those_of_the_zone(moment: str, opens: bool) -> None:
    conditions = {"hours": ("09:00-12:30", "13:00-17:00"), "days": "mon-fri", "timezone": "Europe/Berlin"}
    assert fits(facts(), at(moment), **conditions) == opens


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    night = {"hours": "22:00-06:00", "days": "fri", "timezone": "Europe/Berlin"}
    assert fits(facts(), at("2026-11-27T22:00"), **night)
    assert fits(facts(), at("2026-11-28T05:59"), **night)
    assert not fits(facts(), at("2026-11-28T06:00"), **night)
    assert not fits(facts(), at("2026-11-27T05:00"), **night)
    assert not fits(facts(), at("2026-11-28T22:00"), **night)


def test_days_may_go_round_the_week_and_hours_to_midnight() -> None:
    assert fits(facts(), at("2026-11-23T23:59"), days="sat-mon", hours="18:00-24:00", timezone="Europe/Berlin")
    assert not fits(facts(), at("2026-11-24T00:00"), days="sat-mon", hours="18:00-24:00", timezone="Europe/Berlin")
    assert not fits(facts(), at("2026-11-24T12:00"), days="sat-mon", timezone="Europe/Berlin")


def test_the_hour_that_comes_twice_is_open_twice_and_the_one_that_is_left_out_never() -> None:
    hours = {"hours": "02:00-03:00", "timezone": "Europe/Berlin"}
    night = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    opened = [fits(facts(), night + timedelta(hours=hour), **hours) for hour in range(4)]
    assert opened == [False, True, True, False]
    spring = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    assert not any(fits(facts(), spring + timedelta(minutes=10 * step), **hours) for step in range(18))


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
MINUTES = st.integers(0, 24 * 60 - 1)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@given(
    st.sampled_from(ZONES),
    MINUTES,
    MINUTES,
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
@settings(max_examples=200)
def test_a_route_is_open_when_a_clock_on_the_wall_there_says_so(
    zone: str, begins: int, ends: int, days: set[str], moment: datetime
) -> None:
    if begins == ends:
        return
    here = moment.astimezone(ZoneInfo(zone))
    minute = here.hour * 60 + here.minute
    today, yesterday = DAYS[here.weekday()], DAYS[here.weekday() - 1]
    if begins < ends:
        expected = today in days and begins <= minute < ends
    else:
        expected = (today in days and minute >= begins) or (yesterday in days and minute < ends)
    hours = f"{clock(begins)}-{clock(ends)}"
    assert fits(facts(), moment, hours=hours, days=tuple(sorted(days)), timezone=zone) == expected


# The first match


NUMBERS = st.sampled_from(["+491", "+492", "+11", "+12"])
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "called": st.sampled_from(["+49*", "+491", "+1*", "+*"]),
        "calling": st.sampled_from(["+49*", "+12", "withheld"]),
        "caller_language": st.sampled_from(["de", "en"]),
        "days": st.sampled_from(["mon-fri", "sat-sun"]),
    },
)


@given(
    st.lists(CONDITIONS, max_size=6),
    NUMBERS,
    st.none() | NUMBERS,
    st.sampled_from(["", "de", "en-GB"]),
    st.integers(0, 7 * 24),
)
@settings(max_examples=200)
def test_the_first_route_that_fits_is_taken_and_no_other(
    conditions: list[dict[str, Any]], called: str, calling: str | None, language: str, hour: int
) -> None:
    routes = [route(str(n), timezone="Asia/Tokyo", **each) for n, each in enumerate(conditions)]
    call, moment = facts(called, calling, language=language), NOON + timedelta(hours=hour)
    taken = choose(routes, call, moment)
    fitting = [each for each in routes if not missed(each, call, moment)]
    assert taken == (fitting[0] if fitting else None)
    if taken is not None:
        before = routes[: routes.index(taken)]
        assert choose(before, call, moment) is None
        assert choose([*before, *routes[len(before) + 1 :]], call, moment) != taken


@given(NUMBERS, st.none() | NUMBERS, st.integers(0, 7 * 24))
@settings(max_examples=100)
def test_a_call_to_one_tenants_number_never_gets_another_tenants_route(
    called: str, calling: str | None, hour: int
) -> None:
    tenants = {"+491": "a", "+492": "b", "+11": "c", "+12": "d"}
    routes = [
        route(f"{name}{n}", called=number, user_id=name, **more)
        for number, name in tenants.items()
        for n, more in enumerate([{"days": "mon-wed", "timezone": "UTC"}, {"calling": "+49*"}, {}])
    ]
    taken = choose(routes, facts(called, calling), NOON + timedelta(hours=hour))
    assert taken is not None
    assert taken.user_id == tenants[called]


# What an operator may write


@pytest.mark.parametrize(
    ("conditions", "mend"),
    [
        ({"called": "0301234"}, "'0301234' in called: write numbers as"),
        ({"called": "withheld"}, "in called"),
        ({"calling": "+49-30"}, "or withheld"),
        ({"hours": "9-17", "timezone": "UTC"}, "'9-17' in hours: write 09:00-12:30"),
        ({"hours": "09:00-24:01", "timezone": "UTC"}, "in hours"),
        ({"hours": "24:00-06:00", "timezone": "UTC"}, "in hours"),
        ({"hours": "09:61-10:00", "timezone": "UTC"}, "in hours"),
        ({"hours": "09:00-09:00", "timezone": "UTC"}, "in hours"),
        ({"days": "mo-fr", "timezone": "UTC"}, "'mo-fr' in days: write mon-fri"),
        ({"days": "mon"}, "needs a timezone such as Europe/Berlin, not ''"),
        ({"days": "mon", "timezone": "Berlin"}, "not 'Berlin'"),
        ({"timezone": "Europe/Berlin"}, "neither hours nor days nor closed dates"),
        ({"caller_language": "german"}, "'german' in caller_language"),
        ({"language": "de_DE"}, "'de_DE' in language"),
        ({"languages": {"2": "de_DE"}}, "2 = 'de_DE' in languages"),
        ({"languages": {"0": "de"}}, "write a key of 1 to 9"),
        ({"languages": {"*": "de"}}, "write a key of 1 to 9"),
        ({"languages": {"12": "de"}}, 'such as { 2 = "de" }'),
        ({"sip_user": ""}, "empty sip_user"),
        ({"hours": ""}, "needs a timezone"),
        ({"sip_user": ("",)}, "empty sip_user"),
        ({"headers": {"": "x"}}, "header without a name"),
        ({"session_key": "sk_secret"}, "session_key in the clear"),
        ({"return_key": "sk_secret"}, "return_key in the clear"),
        ({"answer_seconds": 121}, "answer_seconds = 121: it must be 1 to 120"),
        ({"max_seconds": -1}, "max_seconds = -1"),
        ({"max_calls": 1_000_001}, "max_calls"),
        ({"name": "an office"}, "needs a name of 1 to 64"),
    ],
)
def test_what_cannot_work_is_refused_with_the_place_and_the_mend(conditions: dict[str, Any], mend: str) -> None:
    made = [Route(**{"name": "office", "called": "+49*", **conditions})]
    with pytest.raises(SettingsError) as refused:
        routing.check(made, ["here"])
    assert str(refused.value).startswith("here ")
    assert mend in str(refused.value)
    assert "sk_secret" not in str(refused.value)


def test_two_routes_have_two_names_and_none_stands_after_one_that_takes_every_call() -> None:
    with pytest.raises(SettingsError, match="two has the name of one"):
        routing.check([route(called="+1*"), route()], ["one", "two"])
    with pytest.raises(SettingsError, match="two never gets a call, for one before it takes every one"):
        routing.check([route("all"), route()], ["one", "two"])
    routing.check([route(called="+1*"), route("all")], ["one", "two"])


def test_a_route_that_is_only_named_takes_no_call_by_itself_and_shadows_none() -> None:
    handed = route("handed", named=True)
    assert missed(handed, facts(), NOON) == "named"
    routing.check([handed, route("all")], ["one", "two"])
    chosen = choose([handed, route("all")], facts(), NOON)
    assert chosen is not None
    assert chosen.name == "all"


def test_there_are_only_so_many_routes() -> None:
    routes = [route(f"r{n}", called="+1*") for n in range(MAX_ROUTES + 1)]
    routing.check(routes[:-1], [""] * MAX_ROUTES)
    with pytest.raises(SettingsError, match="10000 at most"):
        routing.check(routes, [""] * len(routes))


def test_a_route_is_written_without_its_key() -> None:
    assert "secret" not in repr(route(session_key="secret"))
