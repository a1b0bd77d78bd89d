"""Locating SIP servers by RFC 3263, with a DNS that is a dictionary."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip import locating
from phone_bridge.legs.sip.dialog import TCP, TLS, TRANSPORTS, UDP, Hop
from phone_bridge.legs.sip.locating import Failures, Found, Naptr, Question, Record, Srv, Target, locate, ordered

NAME = "provider.example"
A, B, NONE = Srv(10, 0, 5070, "a.provider.example"), Srv(20, 0, 5060, "b.provider.example."), Srv(0, 0, 0, ".")
U, T, S = "_sip._udp.provider.example", "_sip._tcp.provider.example", "_sips._tcp.provider.example"
Zone = dict[tuple[str, str], Sequence[Record]]


def find(target: Target, zone: Zone, spoken: Sequence[str] = TRANSPORTS) -> tuple[Found, list[list[Question]]]:
    """Answer out of ``zone`` until somebody is found; gives what was asked, too."""
    known: dict[Question, Sequence[Record]] = {}
    asked: list[list[Question]] = []
    while not isinstance(found := locate(target, spoken, known), Found):
        assert found, "it asks for nothing and finds nothing"
        assert not set(found) & set(known), "it asks twice"
        asked.append(found)
        known |= {question: zone.get((question.type, question.name), ()) for question in found}
    return found, asked


def service(order: int, name: str, replacement: str, flags: str = "s") -> Naptr:
    return Naptr(order, 50, flags, name, replacement)


@pytest.mark.parametrize(
    ("target", "transport", "port"),
    [
        (Target("192.0.2.1"), UDP, 5060),
        (Target("2001:db8::1"), UDP, 5060),
        (Target("192.0.2.1", None, TLS), TLS, 5061),
        (Target("192.0.2.1", 5080, TCP), TCP, 5080),
        (Target("192.0.2.1", secure=True), TLS, 5061),
        (Target(NAME, 5080), UDP, 5080),
        (Target(NAME, 5080, TCP, secure=True), TLS, 5080),
        (Target("kamailio"), UDP, 5060),
        (Target("localhost.", None, TLS), TLS, 5061),
    ],
)
def test_an_address_a_port_or_a_plain_name_asks_the_dns_for_nothing(target: Target, transport: str, port: int) -> None:
    found, asked = find(target, {})
    assert (found, asked) == (Found(transport, (Srv(0, 0, port, target.host),)), [])


def test_a_domain_says_by_naptr_which_transport_it_likes_best() -> None:
    naptr = [service(20, "SIP+D2U", U), service(10, "SIPS+D2T", "tls.provider.example."), service(5, "SIP+D2S", "x")]
    zone: Zone = {("NAPTR", NAME): naptr, ("SRV", U): [A], ("SRV", "tls.provider.example"): [B]}
    found, asked = find(Target("Provider.Example."), zone)
    assert found == Found(TLS, (B,))
    assert asked == [
        [Question("NAPTR", NAME), Question("SRV", U), Question("SRV", T)],
        [Question("SRV", "tls.provider.example")],
    ]
    assert find(Target(NAME), zone, (UDP, TCP))[0] == Found(UDP, (A,)), "TLS is not spoken"


def test_a_service_that_is_listed_without_a_server_is_passed_over() -> None:
    naptr = [service(10, "SIPS+D2T", S), service(15, "SIP+D2T", "x.example", flags="a"), service(20, "SIP+D2T", T)]
    zone: Zone = {("NAPTR", NAME): naptr, ("SRV", S): [NONE], ("SRV", "x.example"): [B], ("SRV", T): [A]}
    assert find(Target(NAME), zone)[0] == Found(TCP, (A,))


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ({("SRV", U): [A, B]}, Found(UDP, (A, B))),
        ({("SRV", T): [A]}, Found(TCP, (A,))),
        ({("SRV", U): [NONE], ("SRV", T): [A]}, Found(TCP, (A,))),
        ({("SRV", U): [NONE]}, Found(TCP, (Srv(0, 0, 5060, NAME),))),
        ({("SRV", S): [A]}, Found(UDP, (Srv(0, 0, 5060, NAME),))),
        ({("NAPTR", NAME): [service(1, "SIP+D2S", U)], ("SRV", T): [A]}, Found(TCP, (A,))),
        ({}, Found(UDP, (Srv(0, 0, 5060, NAME),))),
    ],
)
def test_without_naptr_the_usual_names_are_asked_for_and_then_the_domain_itself(zone: Zone, expected: Found) -> None:
    assert find(Target(NAME), zone)[0] == expected


def test_a_named_transport_is_asked_for_alone() -> None:
    zone: Zone = {("NAPTR", NAME): [service(1, "SIP+D2U", U)], ("SRV", U): [A], ("SRV", S): [B]}
    assert find(Target(NAME, None, TLS), zone) == (Found(TLS, (B,)), [[Question("SRV", S)]])
    assert find(Target(NAME, None, TCP, secure=True), zone)[0] == Found(TLS, (B,))
    assert find(Target(NAME, None, TCP), zone)[0] == Found(TCP, (Srv(0, 0, 5060, NAME),))


def test_what_is_to_be_safe_goes_by_tls_alone() -> None:
    zone: Zone = {("NAPTR", NAME): [service(1, "SIP+D2U", U)], ("SRV", U): [A], ("SRV", S): [B]}
    assert find(Target(NAME, secure=True), zone)[0] == Found(TLS, (B,))
    assert find(Target(NAME, secure=True), {})[0] == Found(TLS, (Srv(0, 0, 5061, NAME),))


@pytest.mark.parametrize(
    ("target", "zone", "spoken"),
    [
        (Target(NAME, None, UDP), {("SRV", U): [NONE]}, TRANSPORTS),
        (Target(NAME), {("SRV", U): [NONE], ("SRV", T): [NONE]}, (UDP, TCP)),
        (Target(NAME, secure=True), {}, (UDP,)),
        (Target(NAME, None, UDP, secure=True), {}, TRANSPORTS),
    ],
)
def test_who_takes_no_calls_is_said_to(target: Target, zone: Zone, spoken: Sequence[str]) -> None:
    with pytest.raises(Unavailable) as raised:
        find(target, zone, spoken)
    assert raised.value.code == "sip_not_offered"


def never(total: int) -> int:
    return 0


def always(total: int) -> int:
    return total


@pytest.mark.parametrize("draw", [never, always])
def test_a_lower_priority_goes_first_whatever_the_weight(draw: Callable[[int], int]) -> None:
    assert ordered([Srv(20, 65_535, 1, "c"), Srv(10, 0, 1, "a"), Srv(10, 1, 1, "b")], draw)[2].target == "c"


def test_a_server_without_weight_is_chosen_by_nought_alone() -> None:
    light, heavy = Srv(10, 0, 1, "light"), Srv(10, 5, 1, "heavy")
    assert ordered([heavy, light], never) == [light, heavy]
    assert ordered([heavy, light], lambda total: min(total, 1)) == [heavy, light]


def test_servers_share_by_their_weights() -> None:
    servers = [Srv(10, 60, 1, "a"), Srv(10, 30, 1, "b"), Srv(10, 10, 1, "c")]
    drawn = range(sum(server.weight for server in servers) + 1)
    firsts = Counter(ordered(servers, partial(min, number))[0].target for number in drawn)
    assert firsts == {"a": 60, "b": 30, "c": 11}


srvs = st.builds(Srv, st.integers(0, 3), st.integers(0, 65_535), st.integers(0, 65_535), st.sampled_from("abcdef."))
names = st.sampled_from([U, T, S, "x.example", "x.example.", ""])
naptrs = st.builds(
    Naptr,
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(["s", "S", "a", "u", ""]),
    st.sampled_from(["SIP+D2U", "sip+d2t", "SIPS+D2T", "SIP+D2S", "E2U+sip", ""]),
    names,
)
targets = st.builds(
    Target,
    st.sampled_from([NAME, "192.0.2.1", "2001:db8::1", "pbx"]),
    st.sampled_from([None, 5080]),
    st.sampled_from(["", *TRANSPORTS]),
    st.booleans(),
)
zones = st.dictionaries(
    st.one_of(st.tuples(st.just("NAPTR"), st.just(NAME)), st.tuples(st.just("SRV"), names)),
    st.lists(st.one_of(srvs, naptrs), max_size=6),
)


@given(target=targets, zone=zones, spoken=st.sets(st.sampled_from(TRANSPORTS), min_size=1))
def test_whatever_the_dns_says_it_ends_with_servers_that_can_be_spoken_with(
    target: Target, zone: Zone, spoken: set[str]
) -> None:
    try:
        found, asked = find(target, zone, sorted(spoken))
    except Unavailable:
        return
    assert found.servers
    assert len(asked) <= 2
    assert all(server.target.rstrip(".") for server in found.servers)
    if target.transport:
        assert found.transport == (TLS if target.secure else target.transport)
    elif target.secure:
        assert found.transport == TLS
    else:
        assert found.transport in spoken


@given(servers=st.lists(srvs, max_size=12), chance=st.randoms(use_true_random=False))
def test_every_server_is_tried_once_in_the_order_of_priorities(servers: list[Srv], chance: Random) -> None:
    found = ordered(servers, lambda total: chance.randint(0, total))
    assert Counter(found) == Counter(servers)
    assert [each.priority for each in found] == sorted(each.priority for each in servers)


def test_of_many_records_only_so_many_are_looked_at() -> None:
    many = [Srv(1, 1, port, "a.example") for port in range(locating.MAX_RECORDS + 1)]
    assert len(find(Target(NAME, None, UDP), {("SRV", U): many})[0].servers) == locating.MAX_RECORDS


# Who has failed

FIRST, SECOND, THIRD = (Hop(f"192.0.2.{n}", 5060) for n in (1, 2, 3))


def test_who_has_failed_is_last_for_a_while() -> None:
    failures = Failures()
    failures.note(FIRST, 1_000)
    assert failures.last([FIRST, SECOND, THIRD], 1_000) == [SECOND, THIRD, FIRST]
    assert failures.last([FIRST], 1_000) == [FIRST]
    over = 1_000 + locating.FAILED_MS
    assert failures.last([FIRST, SECOND], over - 1) == [SECOND, FIRST]
    assert failures.last([FIRST, SECOND], over) == [FIRST, SECOND]


def test_who_answers_again_or_has_asked_for_time_is_known_for_that() -> None:
    failures = Failures()
    failures.note(FIRST, 0)
    failures.clear(FIRST)
    failures.clear(SECOND)
    assert failures.last([FIRST, SECOND], 1) == [FIRST, SECOND]
    failures.note(FIRST, 0, retry_after_s=600)
    assert failures.last([FIRST, SECOND], 599_999) == [SECOND, FIRST]
    failures.note(FIRST, 0, retry_after_s=99_999)
    assert failures.last([FIRST, SECOND], locating.MAX_FAILED_MS) == [FIRST, SECOND]


def test_so_many_failures_are_remembered() -> None:
    failures = Failures()
    hops = [Hop("192.0.2.1", port) for port in range(locating.MAX_FAILURES + 1)]
    for hop in hops:
        failures.note(hop, 0)
    assert failures.last(hops, 0)[0] == hops[0]
    assert failures.last(hops, 0)[1:] == hops[1:]
