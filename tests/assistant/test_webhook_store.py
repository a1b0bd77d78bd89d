"""Webhooks on both databases: what is told is kept once, and what is due is taken by one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from phone_bridge.assistant.webhook_store import LISTED, WebhookStore
from phone_bridge.assistant.webhooks import Delivery, Endpoint
from phone_bridge.errors import SettingsError, Unavailable

ENDPOINT = Endpoint(
    id="wbk_1",
    url="https://example.com/hook",
    events=("event.created", "*"),
    secret="whsec_1",
    account="cpa_1",
    connect_events=True,
    created_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
)
DELIVERY = Delivery(
    id="whd_1", endpoint_id="wbk_1", event_id="whe_1", type="event.created", url=ENDPOINT.url, began_at=10, next_at=10
)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebhookStore]:
    sqlite = request.param == "sqlite"
    made = WebhookStore(f"sqlite:///{tmp_path}/hooks.db" if sqlite else request.getfixturevalue("postgres"))
    made.prepare()
    yield made
    made.close()


def test_an_endpoint_is_kept_as_it_is_and_found_by_its_account(store: WebhookStore) -> None:
    store.add(ENDPOINT)
    assert store.endpoints("cpa_1") == store.endpoints() == [ENDPOINT]
    assert store.endpoints("") == []
    store.put(structs.replace(ENDPOINT, status="disabled"))
    assert store.endpoints()[0].status == "disabled"


def test_an_event_is_kept_once_with_its_deliveries(store: WebhookStore) -> None:
    store.add(ENDPOINT)
    assert store.tell("whe_1", b"{}", [DELIVERY], 10)
    assert not store.tell("whe_1", b"{}", [structs.replace(DELIVERY, id="whd_2")], 11)
    assert store.deliveries("wbk_1") == [DELIVERY]
    assert store.delivery("wbk_1", "whd_1") == DELIVERY
    assert store.delivery("wbk_2", "whd_1") is None


def test_what_is_due_is_taken_by_one_and_not_again_before_the_lease_is_over(store: WebhookStore) -> None:
    store.add(ENDPOINT)
    store.tell("whe_1", b"body", [DELIVERY], 10)
    assert (store.due(9, [], 9), store.next_at()) == ([], 10)
    due = store.due(10, [], 9)
    assert store.due(10, ["wbk_1"], 9) == []
    assert store.claim(due, 70) == [(DELIVERY, ENDPOINT, b"body")]
    assert store.claim(due, 70) == []
    assert (store.due(69, [], 9), store.next_at()) == ([], 70)
    assert [each.id for each in store.due(70, [], 9)] == ["whd_1"]


def test_what_has_arrived_is_not_taken_though_somebody_saw_it_waiting(store: WebhookStore) -> None:
    store.add(ENDPOINT)
    store.tell("whe_1", b"body", [DELIVERY], 10)
    seen = store.due(10, [], 9)
    store.settle(structs.replace(DELIVERY, status="delivered", attempts=1, answered=204))
    assert store.claim(seen, 70) == []
    assert store.next_at() is None


def test_an_endpoint_goes_with_all_that_is_on_its_way(store: WebhookStore) -> None:
    store.add(ENDPOINT)
    store.tell("whe_1", b"body", [DELIVERY], 10)
    store.remove("wbk_1")
    assert (store.endpoints(), store.due(99, [], 9)) == ([], [])


def test_what_is_old_is_forgotten(store: WebhookStore) -> None:
    store.add(ENDPOINT)
    store.tell("whe_1", b"body", [DELIVERY], 10)
    store.repeat(structs.replace(DELIVERY, id="whd_2"))
    store.purge(10)
    assert len(store.deliveries("wbk_1")) == 2
    store.purge(11)
    assert store.deliveries("wbk_1") == []


def test_so_many_deliveries_are_listed_the_newest_first(tmp_path: Path) -> None:
    store = WebhookStore(f"sqlite:///{tmp_path}/hooks.db")
    store.prepare()
    store.add(ENDPOINT)
    many = [structs.replace(DELIVERY, id=f"whd_{at}", began_at=at) for at in range(LISTED + 1)]
    store.tell("whe_1", b"{}", many, 10)
    listed = store.deliveries("wbk_1")
    assert (len(listed), listed[0].began_at, listed[-1].began_at) == (LISTED, LISTED, 1)
    store.close()


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        WebhookStore("nonsense")
    with pytest.raises(Unavailable):
        WebhookStore(f"sqlite:///{tmp_path}/no/such/folder.db").prepare()
