"""What is kept of transfers, on both databases: each step once, each address for one call."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from phone_bridge.errors import Refused
from phone_bridge.outbound.transfer import MAX_TRANSFERS, State, Transfer
from phone_bridge.outbound.transfers import Transfers
from phone_bridge.runtime.record import Records
from tests.runtime.test_registry import call


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    kept = Records(database_url)
    yield kept
    kept.close()


def transfer(number: int = 1, **values: object) -> Transfer:
    fields = {"call_id": "call_1", "carrier_id": "CA1", "name": "reception", "kind": "number", "address": "+4930"}
    return Transfer(**{"id": f"trf_{number}", "created_at": number, **fields, **values})  # type: ignore[arg-type]


def test_a_transfer_goes_its_way_and_each_step_is_one_requests(records: Records) -> None:
    kept = Transfers(records)
    kept.add(transfer())
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: kept.step("trf_1", State.RINGING), range(8))).count(True) == 1
    assert not kept.step("trf_1", State.ACCEPTED), "nobody was told yet"
    assert not kept.tell("trf_1", "CA9", "CA2"), "another call's"
    assert kept.tell("trf_1", "CA1", "CA2")
    assert kept.tell("trf_1", "CA1", "CA2"), "the same line may ask again"
    assert not kept.tell("trf_1", "CA1", "CA3")
    with ThreadPoolExecutor(4) as threads:
        chosen = list(threads.map(lambda state: kept.step("trf_1", state), [State.ACCEPTED, State.REFUSED] * 4))
    assert chosen.count(True) == 1, "who has accepted has not refused"
    found = kept.find("trf_1")
    assert found is not None
    assert (found.leg, found.target.name) == ("CA2", "reception")
    assert kept.find("trf_x") is None


def test_one_at_a_time_and_so_many_in_all(records: Records) -> None:
    kept = Transfers(records)
    for number in range(MAX_TRANSFERS):
        kept.add(transfer(number))
        with pytest.raises(Refused) as under_way:
            kept.add(transfer(99))
        kept.step(f"trf_{number}", State.RINGING)
        kept.step(f"trf_{number}", State.BUSY)
        kept.come_back(f"trf_{number}", number + 1)
    assert under_way.value.code in ("transfer_under_way", "too_many_transfers")
    with pytest.raises(Refused) as caught:
        kept.add(transfer(99))
    assert caught.value.code == "too_many_transfers"
    assert [each.id for each in kept.of_call("call_1")] == [f"trf_{number}" for number in range(MAX_TRANSFERS)]
    back = kept.of_part("call_1", 2)
    assert back is not None
    assert back.id == "trf_1"
    kept.add(transfer(7, call_id="call_2"))  # another call's are counted apart


def test_a_transfer_is_forgotten_with_the_words_of_its_call(records: Records) -> None:
    kept = Transfers(records)
    record = call(1)
    record.ended_at = "2026-01-01T00:00:00.000Z"
    records.save(record)
    kept.add(transfer(call_id=record.id, about="A call for you"))
    assert records.purge("2027-01-01T00:00:00.000Z") == 1
    assert kept.of_call(record.id) == []
