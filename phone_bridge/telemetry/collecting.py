"""One bridge's telemetry: what is told to it, what it looks up when it is asked, and what it shows."""

import logging
import platform
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TypeVar

import msgspec

from phone_bridge.call.past import Past
from phone_bridge.call.trace import Trace
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.record import CallRecord
from phone_bridge.telemetry import labels
from phone_bridge.telemetry.metrics import Metrics
from phone_bridge.telemetry.opening import MAX_OPENINGS, Opening, WatchedConnector
from phone_bridge.telemetry.reading import Place, Reader
from phone_bridge.telemetry.spans import Report, no_report

Number = TypeVar("Number", int, float)
log = logging.getLogger("phone_bridge.telemetry")


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures of this very moment are looked up, in the event loop's thread."""

    calls: Callable[[], Iterable[tuple[CallRecord, Trace]]]
    max_calls: int
    has_room: Callable[[], bool]
    draining: Callable[[], bool]
    spool_waiting: Callable[[], int]
    records_lost: Callable[[], int]
    worst_lag: Callable[[], float]
    loop_cpu: Callable[[], float] = time.thread_time
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Telemetry:
    """Count and show what happens; ``report`` is given each call that is over. Nothing in here can fail a call."""

    def __init__(self, sources: Sources, *, session: str, worker: str = "", report: Report = no_report) -> None:
        self._sources = sources
        self._report = report
        self._metrics = Metrics(worker=worker)
        self._reader = Reader(self._metrics)
        self._lost = 0
        self._cpu = 0.0
        build = {"version": version("phone_bridge"), "python": platform.python_version(), "session": session}
        self._metrics.build.info(build)
        self._metrics.calls_started.labels("inbound", session)
        self._show_gauges()

    # What is told

    def watch(self, connector: Connector, trace: Trace, past: Past | None = None, *, begun: bool = False) -> Connector:
        """Expect a call, and give the connector that it opens its sessions by; one that has ``begun`` was counted."""
        place = self._reader.expect(trace, past)
        place.begun = begun
        sources = self._sources
        return WatchedConnector(
            connector, lambda opening: self._opened(place, opening), clock=sources.clock, wall=sources.wall
        )

    def call_ended(self, record: CallRecord, trace: Trace) -> None:
        """Count a call that is over, and make its spans."""
        try:
            self._reader.end(record, trace)
            over = self._reader.over(record, trace, self._sources.wall())
            if over is not None:
                self._report(over)
        except Exception:  # the top of what a call's end does for telemetry: the call itself is over and kept
            log.exception("! the figures of call %s could not be counted", record.id)

    def request_served(self, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request; ``route`` is one of our own paths, or empty."""
        kind = labels.bounded(f"{status // 100}xx", labels.STATUSES)
        self._metrics.requests.labels(route or labels.OTHER, kind).inc()
        self._metrics.request_seconds.labels(route or labels.OTHER).observe(seconds)

    def webhook_refused(self, code: str) -> None:
        """Count a webhook that was not served."""
        self._metrics.webhooks_refused.labels(labels.bounded(code, labels.WEBHOOK_REFUSALS)).inc()

    def stream_refused(self, code: str) -> None:
        """Count a media socket that was not let in."""
        self._metrics.streams_refused.labels(labels.bounded(code, labels.STREAM_REFUSALS)).inc()

    def turned_away(self) -> None:
        """Count a caller for whom there was no free line."""
        self._metrics.calls_turned_away.inc()

    def loop_was_late(self, seconds: float) -> None:
        """Count one beat of the event loop."""
        self._metrics.loop_lag.observe(seconds)

    # What is shown

    def scrape(self, accept: str = "") -> tuple[bytes, str]:
        """Write every metric as it is now, in the format that ``accept`` asks for, and name that format."""
        for record, trace in list(self._sources.calls()):
            self._reader.read(record, trace)
        self._lost = _follow(self._metrics.records_lost.inc, self._lost, self._sources.records_lost())
        self._cpu = _follow(self._metrics.loop_cpu.inc, self._cpu, self._sources.loop_cpu())
        return self._metrics.show(accept)

    def _opened(self, place: Place, opening: Opening) -> None:
        self._metrics.openings.labels(opening.outcome).inc()
        if opening.outcome == labels.OPENED:
            self._metrics.open_seconds.observe(opening.seconds)
        if len(place.openings) < MAX_OPENINGS:
            place.openings = [*place.openings, opening]

    def _show_gauges(self) -> None:
        sources, gauge = self._sources, self._metrics.gauge
        gauge("live_calls", "Calls that are live now.", lambda: sum(1 for _ in sources.calls()))
        gauge("max_calls", "How many calls may be live at a time; 0 is no cap.", lambda: sources.max_calls)
        gauge("ready", "Whether new calls are taken.", lambda: not sources.draining() and sources.has_room())
        gauge("draining", "Whether the process waits for its last calls to end.", sources.draining)
        gauge("spool_records", "Call records that wait for the database.", sources.spool_waiting)
        gauge("loop_lag_worst_seconds", "The latest that the event loop was within a minute.", sources.worst_lag)


def _follow(count: Callable[[float], None], before: Number, now: Number) -> Number:
    """Have ``count`` catch up with a figure that only grows."""
    if now > before:
        count(now - before)
    return max(before, now)
