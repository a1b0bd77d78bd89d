import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from phone_bridge.assistant import webhooks
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.webhooks import (
    FIRST_WAIT_MS,
    GIVE_UP_MS,
    LONGEST_WAIT_MS,
    MAX_ATTEMPTS,
    MAX_URL_CHARS,
    TYPES,
    Delivery,
    Endpoint,
    Happening,
)

CREATED = Happening(type="event.created", object={"event_id": "evt_1"}, deed="usr_a:k")
ENDPOINT = Endpoint(
    id="wbk_1",
    url="https://example.com/hook",
    events=("event.created",),
    secret="whsec_hush",
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
)
DELIVERY = Delivery(
    id="whd_1", endpoint_id="wbk_1", event_id="whe_1", type="event.created", url=ENDPOINT.url, began_at=0, next_at=0
)


def test_an_attempt_is_signed_as_the_product_signs() -> None:
    body = b'{"id":"whe_1"}'
    request = webhooks.request(ENDPOINT, DELIVERY, body, 1_700_000_000)
    digest = hmac.new(b"whsec_hush", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert request.headers["Chronapilot-Signature"] == f"t=1700000000,v1={digest}"
    assert (request.method, request.url, request.body) == ("POST", ENDPOINT.url, body)
    assert (request.headers["Chronapilot-Event"], request.headers["Content-Type"]) == ("whe_1", "application/json")


def test_a_body_says_what_the_product_says() -> None:
    body = webhooks.body_of("whe_1", CREATED, created=1_700_000_000, live=False, request_id="req_1")
    assert json.loads(body) == {
        "id": "whe_1",
        "type": "event.created",
        "api_version": "2026-05-20",
        "created": 1_700_000_000,
        "data": {"object": {"event_id": "evt_1"}},
        "livemode": False,
        "request_id": "req_1",
    }
    tried = webhooks.body_of("whe_1", CREATED, created=1, live=True, request_id="req_1", is_test=True)
    assert (json.loads(tried)["livemode"], json.loads(tried)["livemode_test"]) == (True, True)


def test_one_deed_has_one_name_and_another_has_another() -> None:
    one = webhooks.event_id(CREATED)
    assert one == webhooks.event_id(Happening(type="event.created", object={}, deed="usr_a:k"))
    others = {
        webhooks.event_id(Happening(type=kind, object={}, deed=deed, account=account))
        for kind, deed, account in (
            ("event.updated", "usr_a:k", ""),
            ("event.created", "usr_a:l", ""),
            ("event.created", "usr_a:k", "cpa_1"),
        )
    }
    assert len({one, *others}) == 4
    assert one.startswith("whe_")


@pytest.mark.parametrize(
    ("endpoint", "account", "wanted"),
    [
        ({}, "", True),
        ({"events": ("*",)}, "", True),
        ({"events": ("event.updated",)}, "", False),
        ({"status": "disabled"}, "", False),
        ({}, "cpa_1", False),
        ({"connect_events": True}, "cpa_1", True),
        ({"account": "cpa_1"}, "cpa_1", True),
        ({"account": "cpa_1"}, "", False),
        ({"account": "cpa_2", "connect_events": True}, "cpa_1", False),
    ],
)
def test_an_endpoint_is_told_what_it_wants_of_its_own_account(
    endpoint: dict[str, object], account: str, wanted: bool
) -> None:
    assert structs.replace(ENDPOINT, **endpoint).wants("event.created", account) is wanted


def test_an_endpoint_does_not_show_its_secret() -> None:
    assert "hush" not in repr(ENDPOINT)


# When


def test_what_was_answered_with_2xx_has_arrived() -> None:
    for status in (200, 204, 299):
        stands = webhooks.after(DELIVERY, status, 5, 0.5)
        assert (stands.status, stands.attempts, stands.answered) == ("delivered", 1, status)


@pytest.mark.parametrize("answered", [None, 199, 301, 404, 500])
def test_what_was_not_is_tried_again(answered: int | None) -> None:
    stands = webhooks.after(DELIVERY, answered, 1_000, 0.0)
    assert (stands.status, stands.answered, stands.next_at) == ("pending", answered, 1_000 + FIRST_WAIT_MS)


@given(st.integers(1, 200), st.floats(0, 1))
def test_no_wait_is_shorter_than_the_first_or_longer_than_the_longest(attempts: int, chance: float) -> None:
    assert FIRST_WAIT_MS <= webhooks.wait_ms(attempts, chance) <= LONGEST_WAIT_MS


def test_waits_grow_until_they_are_the_longest() -> None:
    waits = [webhooks.wait_ms(attempts, 1.0) for attempts in range(1, 15)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_MS


@given(st.floats(0, 1))
def test_a_delivery_is_given_up_after_so_many_attempts_or_so_much_time(chance: float) -> None:
    stands, now = DELIVERY, 0
    while stands.status == "pending":
        now = stands.next_at
        assert now <= GIVE_UP_MS
        stands = webhooks.after(stands, 500, now, chance)
    assert stands.status == "failed"
    assert stands.attempts == MAX_ATTEMPTS or now > GIVE_UP_MS - LONGEST_WAIT_MS


def test_the_number_of_attempts_alone_ends_it_too() -> None:
    last = structs.replace(DELIVERY, attempts=MAX_ATTEMPTS - 1)
    assert webhooks.after(last, None, 0, 0).status == "failed"


def test_what_is_sent_now_is_the_oldest_that_has_room() -> None:
    due = [structs.replace(DELIVERY, id=f"whd_{at}", endpoint_id=name) for at, name in enumerate("aabcaa")]
    chosen = webhooks.choose(due, {"a": 1}, most=3, most_each=2)
    assert [each.id for each in chosen] == ["whd_0", "whd_2", "whd_3"]


# Where to


@pytest.mark.parametrize(
    "url", ["https://example.com/hook?a=b", "http://127.0.0.1:9000/", "http://localhost/x", "http://[::1]:80/"]
)
def test_a_receiver_is_https_or_on_this_machine(url: str) -> None:
    assert webhooks.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "http://example.com/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "https://user:pass@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https:///path",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://" + "a" * MAX_URL_CHARS,
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(Problem) as caught:
        webhooks.check_url(url)
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", "url")


# Samples


@pytest.mark.parametrize("type", TYPES)
def test_there_is_a_sample_of_every_type(type: str) -> None:
    made = webhooks.sample(type, "deed", "cpa_1")
    assert (made.type, made.account, made.deed) == (type, "cpa_1", "deed")
    assert "example" in json.dumps(dict(made.object))


def test_there_is_no_sample_of_what_is_never_told() -> None:
    with pytest.raises(Problem, match=r"event\.created"):
        webhooks.sample("user.created", "deed", "")
