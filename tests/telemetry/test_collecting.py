"""What is told to one bridge's telemetry, and what it looks up itself."""

import logging
from typing import Any

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.trace import Trace
from phone_bridge.errors import Refused
from phone_bridge.runtime.connect import SESSION_BUDGET_MS
from phone_bridge.runtime.record import CallRecord
from phone_bridge.telemetry import Sources, Telemetry
from phone_bridge.telemetry.opening import MAX_OPENINGS
from phone_bridge.telemetry.spans import Over
from tests.clock import run_virtual
from tests.runtime.test_connect import Paper, World
from tests.telemetry.figures import ANSWERED, Figures, record


class House:
    """A bridge as its telemetry sees it."""

    def __init__(self, **options: Any) -> None:
        self.calls: list[tuple[CallRecord, Trace]] = []
        self.room = True
        self.draining = False
        self.waiting = self.lost = 0
        self.cpu = self.lag = 0.0
        self.told: list[Over] = []
        self.telemetry = Telemetry(
            Sources(
                calls=lambda: self.calls,
                max_calls=40,
                has_room=lambda: self.room,
                draining=lambda: self.draining,
                spool_waiting=lambda: self.waiting,
                records_lost=lambda: self.lost,
                worst_lag=lambda: self.lag,
                loop_cpu=lambda: self.cpu,
                clock=lambda: 0.0,
                wall=lambda: ANSWERED,
            ),
            session="chronapilot",
            **{"report": self.told.append, **options},
        )

    def figures(self) -> Figures:
        return Figures(*self.telemetry.scrape())


def test_live_calls_are_read_at_each_scrape() -> None:
    house, trace = House(), Trace(0)
    assert (house.figures()("live_calls"), house.figures()("max_calls")) == (0, 40)
    house.calls = [(record(ended_at=None), trace)]
    trace.counts.heard_ms = 500
    assert (house.figures()("live_calls"), house.figures()("heard_seconds_total")) == (1, 0.5)
    house.calls = []
    house.telemetry.call_ended(record(), trace)
    figures = house.figures()
    assert (figures("live_calls"), figures("heard_seconds_total"), figures("calls_ended_total")) == (0, 0.5, 1)


@pytest.mark.parametrize(("room", "draining", "ready"), [(1, 0, 1), (0, 0, 0), (1, 1, 0), (0, 1, 0)])
def test_a_process_is_ready_while_it_takes_calls(room: int, draining: int, ready: int) -> None:
    house = House()
    house.room, house.draining = bool(room), bool(draining)
    assert (house.figures()("ready"), house.figures()("draining")) == (ready, draining)


def test_figures_that_others_keep_are_followed() -> None:
    house = House()
    house.waiting, house.lost, house.cpu, house.lag = 7, 2, 1.5, 0.25
    house.figures()
    house.lost, house.cpu = 3, 2.25
    figures = house.figures()
    assert (figures("spool_records"), figures("records_lost_total")) == (7, 3)
    assert (figures("loop_cpu_seconds_total"), figures("loop_lag_worst_seconds")) == (2.25, 0.25)


def test_what_is_refused_is_counted_by_a_code_that_is_known() -> None:
    house = House()
    for code in ("unsigned", "unsigned", "form_too_large", "+12025550143", ""):
        house.telemetry.webhook_refused(code)
    for code in ("token_used", "busy", 'x"}'):
        house.telemetry.stream_refused(code)
    house.telemetry.turned_away()
    figures = house.figures()
    assert figures("webhooks_refused_total", code="unsigned") == 2
    assert figures("webhooks_refused_total", code="other") == figures("webhooks_refused_total", code="none") == 1
    assert {"token_used", "busy", "other"} <= figures.values("streams_refused_total", "code")
    assert figures("streams_refused_total", code="other") == figures("streams_refused_total", code="busy") == 1
    assert figures("streams_refused_total") == 3
    assert figures("calls_turned_away_total") == 1


def test_requests_are_counted_by_route_and_kind_of_answer() -> None:
    house = House()
    house.telemetry.request_served("/v1/calls/{id}", 404, 0.15)
    house.telemetry.request_served("", 404, 0.01)
    house.telemetry.request_served("", 777, 0.01)
    figures = house.figures()
    assert figures("http_requests_total", route="/v1/calls/{id}", status="4xx") == 1
    assert figures("http_request_seconds_sum", route="/v1/calls/{id}") == 0.15
    assert figures("http_requests_total", route="other") == 2
    assert figures("http_request_seconds_bucket", route="other", le="0.02") == 2
    assert figures.values("http_requests_total", "status") == {"4xx", "other"}


def test_the_build_and_the_beat_of_the_loop_are_shown() -> None:
    house = House(worker="4711")
    house.telemetry.loop_was_late(0.004)
    figures = house.figures()
    assert figures("build_info", session="chronapilot", worker="4711") == 1
    assert figures("loop_lag_seconds_sum", worker="4711") == 0.004


def test_a_call_is_reported_with_its_sessions() -> None:
    async def story() -> None:
        house, trace = House(), Trace(0)
        connector = house.telemetry.watch(World().connector, trace)
        await connector.connect(Paper(), PCMU_8K, nonce="n1", budget_ms=SESSION_BUDGET_MS)
        refusing = house.telemetry.watch(World(mints=[Refused("no", code="authorization_failed")]).connector, Trace(0))
        with pytest.raises(Refused):
            await refusing.connect(Paper(), PCMU_8K, nonce="n1")
        house.telemetry.call_ended(record(), trace)
        (over,) = house.told
        assert over.trace is trace
        assert [opening.outcome for opening in over.openings] == ["opened"]
        figures = house.figures()
        assert figures("session_openings_total", outcome="opened") == 1
        assert figures("session_openings_total", outcome="authorization_failed") == 1
        assert figures("session_open_seconds_count") == 1

    run_virtual(story())


def test_a_call_keeps_no_more_openings_than_its_spans_may_have() -> None:
    async def story() -> None:
        house, trace = House(), Trace(0)
        connector = house.telemetry.watch(World().connector, trace)
        for _ in range(MAX_OPENINGS + 1):
            await connector.connect(Paper(), PCMU_8K, nonce="n1")
        house.telemetry.call_ended(record(), trace)
        assert len(house.told[0].openings) == MAX_OPENINGS
        assert house.figures()("session_openings_total", outcome="opened") == MAX_OPENINGS + 1

    run_virtual(story())


def test_a_call_that_never_sounded_is_not_reported() -> None:
    house = House()
    house.telemetry.call_ended(record(answered_at=None), Trace(0))
    assert house.told == []


def test_telemetry_that_fails_ends_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(over: Over) -> None:
        raise ValueError("the receiver is broken")

    house = House(report=fail)
    with caplog.at_level(logging.ERROR):
        house.telemetry.call_ended(record(), Trace(0))
    assert f"the figures of call {record().id} could not be counted" in caplog.text
    assert house.figures()("calls_ended_total") == 1
