"""Every metric by its name, in base units; one set of them for one bridge, on a registry of its own."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from phone_bridge.telemetry import labels
from phone_bridge.telemetry.tally import Tallies, Tally

FRAME = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
SHORT = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
ANSWER = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0)
REQUEST = (0.02, 0.1, 0.5, 2.0, 10.0)
LOSS = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MOS = (1.0, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3)
LAG = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
CALL = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
"""Buckets, in seconds, but for those of loss and of opinion scores."""

_UP, _DOWN = ("direction", "up"), ("direction", "down")


class Measured(NamedTuple):
    """A histogram's name and meaning, its buckets, and the label that its values carry, if any."""

    name: str
    help: str
    buckets: tuple[float, ...]
    label: tuple[str, str] = ("", "")
    unit: str = "seconds"


SAMPLES = {
    "added_up_ms": Measured("added_latency", "What the bridge adds to a frame's way.", FRAME, ("direction", "up")),
    "added_down_ms": Measured("added_latency", "What the bridge adds to a frame's way.", FRAME, ("direction", "down")),
    "answer_ms": Measured("answer", "From the end of a caller's turn to the first sound of its reply.", ANSWER),
    "first_sound_ms": Measured("first_sound", "From a call's beginning to its first sound.", ANSWER),
    "tool_ms": Measured("tool", "From a model's call of a function to its result, once it might run.", ANSWER),
    "key_ms": Measured("key_answer", "From a key to the answer that was sent for it.", SHORT),
    "barge_in_stop_ms": Measured("barge_in_stop", "From a caller's voice to the reply's stop.", SHORT),
    "rtp_jitter_up_ms": Measured("rtp_jitter", "How unevenly packets of RTP come (RFC 3550).", FRAME, _UP),
    "rtp_jitter_down_ms": Measured("rtp_jitter", "How unevenly packets of RTP come (RFC 3550).", FRAME, _DOWN),
    "rtp_round_trip_ms": Measured("rtp_round_trip", "From a report of RTCP to its answer, less its stay there.", SHORT),
    "rtp_loss_up": Measured("rtp_loss", "Share of packets of RTP that were lost.", LOSS, _UP, "ratio"),
    "rtp_loss_down": Measured("rtp_loss", "Share of packets of RTP that were lost.", LOSS, _DOWN, "ratio"),
    "rtp_mos_up": Measured("rtp_mos", "Opinion score of the line, estimated by the E-model.", MOS, _UP, "score"),
    "rtp_mos_down": Measured("rtp_mos", "Opinion score of the line, estimated by the E-model.", MOS, _DOWN, "score"),
    "truncate_doubt_ms": Measured("truncate_doubt", "What a session was told was heard beyond what is proven.", SHORT),
}
"""The names under which ``call.trace`` keeps what it measured."""

COUNTS = {
    "heard_ms": ("heard_seconds", "Sound of callers that was passed on, with the silence that fills its gaps."),
    "dropped_ms": ("dropped_seconds", "Sound of assistants that came too late to be played."),
    "cut_ms": ("cut_seconds", "Sound that callers interrupted before they heard it."),
    "barge_ins": ("barge_ins", "Replies that callers interrupted."),
    "stray_marks": ("stray_marks", "Marks of the carrier's out of turn, which prove nothing."),
    "troubles": ("troubles", "Messages and prompts that were of no use, and were survived."),
    "losses": ("session_losses", "Sessions that were lost, or could not be had."),
    "input_text_tokens": ("input_text_tokens", "Tokens of text that models read, by their servers' account."),
    "input_audio_tokens": ("input_audio_tokens", "Tokens of sound that models heard."),
    "cached_tokens": ("cached_tokens", "Tokens of those that were cached, and cost less."),
    "output_text_tokens": ("output_text_tokens", "Tokens of text that models wrote."),
    "output_audio_tokens": ("output_audio_tokens", "Tokens of sound that models spoke."),
    "renewals": ("session_renewals", "Sessions that took the place of one about to end."),
}
"""The counts of ``call.trace``."""


class Metrics:
    """One bridge's metrics; ``worker`` marks every series where several processes answer at one address."""

    def __init__(self, *, worker: str = "") -> None:
        self.registry = CollectorRegistry()
        self._shown = _Shown(self.registry, {"worker": worker} if worker else {})
        ProcessCollector(registry=self.registry)
        self.build = Info("phone_bridge_build", "Which bridge this is.", registry=self.registry)
        self._traffic()
        self._consent()
        self._sessions()
        self._saturation()
        self.counts = {name: self._counter(*about) for name, about in COUNTS.items()}
        self._measured: dict[str, Tallies] = {}
        self.samples = {name: self._sample(about) for name, about in SAMPLES.items()}

    def show(self, accept: str) -> tuple[bytes, str]:
        """Write all of them in the format that ``accept`` (a header) asks for, and name that format."""
        encode, content_type = choose_encoder(accept)
        return encode(self._shown), content_type

    def gauge(self, name: str, help: str, value: Callable[[], float]) -> None:
        """Show what ``value`` gives at each scrape."""
        Gauge(f"phone_bridge_{name}", help, registry=self.registry).set_function(value)

    def _traffic(self) -> None:
        self.calls_started = self._counter("calls_started", "Calls whose sound began.", "direction", "session")
        self.calls_resumed = self._counter("calls_resumed", "Calls that went on after they had been cut off.")
        self.calls_ended = self._counter("calls_ended", "Calls that are over.", "ended_by", "error")
        self.calls_turned_away = self._counter("calls_turned_away", "Callers for whom there was no free line.")
        self.call_seconds = self._histogram("call_duration", "How long calls took.", CALL)
        self.said = self._counter("utterances", "Lines of transcript: what was said and heard.", "speaker")
        self.lines = self._counter("prompts_heard", "Lines of the bridge's own that callers heard.", "line")
        self.requests = self._counter("http_requests", "HTTP requests.", "route", "status")
        self.request_seconds = self._histogram("http_request", "How long HTTP requests took.", REQUEST, "route")
        self.webhooks_refused = self._counter("webhooks_refused", "Webhooks that were not served.", "code")
        self.streams_refused = self._counter("streams_refused", "Media sockets that were not let in.", "code")
        for ended_by, error in labels.USUAL_ENDS:
            self.calls_ended.labels(ended_by, error)
        for speaker in labels.SPEAKERS:
            self.said.labels(speaker)
        for code in labels.WEBHOOK_REFUSALS:
            self.webhooks_refused.labels(code)
        for code in labels.USUAL_STREAM_REFUSALS:
            self.streams_refused.labels(code)
        for line in ("still_there", "one_moment", "expired"):
            self.lines.labels(line)

    def _consent(self) -> None:
        self.confirmations = self._counter("confirmations", "Questions that were settled.", "verdict", "by")
        self.confirmed = self._counter("confirmed_actions", "What became of confirmed actions.", "outcome")
        for verdict in labels.VERDICTS:
            for by in labels.ANSWERED_BY:
                self.confirmations.labels(verdict, by)
        for outcome in labels.OUTCOMES:
            self.confirmed.labels(outcome)

    def _sessions(self) -> None:
        self.openings = self._counter("session_openings", "Sessions that were asked for.", "outcome")
        self.open_seconds = self._histogram("session_open", "How long the opening of a session took.", ANSWER)
        for outcome in labels.USUAL_OPENINGS:
            self.openings.labels(outcome)

    def _saturation(self) -> None:
        self.loop_lag = self._histogram("loop_lag", "How late the event loop was, ten times a second.", LAG)
        self.loop_cpu = self._counter("loop_cpu_seconds", "Processor time of the event loop's thread.")
        self.records_lost = self._counter("records_lost", "Call records that the database never took.")

    def _sample(self, about: Measured) -> Tally:
        label, value = about.label
        if about.name not in self._measured:
            whole = Tallies(f"phone_bridge_{about.name}_{about.unit}", about.help, about.buckets, label)
            self.registry.register(whole)
            self._measured[about.name] = whole
        return self._measured[about.name].tally(value)

    def _counter(self, name: str, help: str, *names: str) -> Counter:
        return Counter(f"phone_bridge_{name}", help, names, registry=self.registry)

    def _histogram(self, name: str, help: str, buckets: tuple[float, ...], *names: str) -> Histogram:
        return Histogram(f"phone_bridge_{name}_seconds", help, names, buckets=buckets, registry=self.registry)


class _Shown:
    """A registry as it is shown: without the times of creation, which double the series, and with our own labels."""

    def __init__(self, registry: CollectorRegistry, own: dict[str, str]) -> None:
        self._registry = registry
        self._own = own

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = list(self._shown(metric.samples))
            yield metric

    def _shown(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            if not sample.name.endswith("_created"):
                yield sample._replace(labels={**sample.labels, **self._own}) if self._own else sample
