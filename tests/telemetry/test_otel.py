"""Spans in the SDK's hands: in memory, and once over HTTP as a collector receives them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from phone_bridge.telemetry.otel import CLOSE_SECONDS, Tracing, tracing
from tests.telemetry.figures import ANSWERED
from tests.telemetry.test_spans import over


def exported(environ: dict[str, str] | None = None, **changes: Any) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    reporter = Tracing(SimpleSpanProcessor(exporter), environ=environ or {}, content=False)
    reporter.report(over(**changes))
    reporter.close()
    return list(exporter.get_finished_spans())


def test_a_call_is_one_trace_at_the_times_it_took_place() -> None:
    spans = exported()
    (call,) = [span for span in spans if span.parent is None]
    assert (call.name, call.kind) == ("call", SpanKind.SERVER)
    assert (call.start_time, call.end_time) == (ANSWERED * 1_000_000_000, (ANSWERED + 90) * 1_000_000_000)
    assert sorted(span.name for span in spans) == ["call", "confirmation", "session.open", "session.renew"]
    assert call.context is not None
    for span in spans:
        assert span.context is not None
        assert span.context.trace_id == call.context.trace_id
        if span is not call:
            assert span.parent is not None
            assert span.parent.span_id == call.context.span_id
    (confirmation,) = [span for span in spans if span.name == "confirmation"]
    assert confirmation.start_time == (ANSWERED + 4) * 1_000_000_000
    assert [(event.name, event.timestamp) for event in confirmation.events] == [("answered", confirmation.end_time)]


def test_what_failed_is_marked() -> None:
    spans = {span.name: span for span in exported()}
    assert spans["session.open"].status.status_code is StatusCode.UNSET
    renewed = spans["session.renew"]
    assert renewed.status.status_code is StatusCode.ERROR
    assert renewed.attributes is not None
    assert renewed.attributes["error.type"] == "timeout"


def test_two_calls_are_two_traces() -> None:
    exporter = InMemorySpanExporter()
    reporter = Tracing(SimpleSpanProcessor(exporter), environ={}, content=False)
    reporter.report(over())
    reporter.report(over())
    contexts = [span.context for span in exporter.get_finished_spans()]
    assert len({context.trace_id for context in contexts if context is not None}) == 2


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "phone_bridge"),
        ({"OTEL_SERVICE_NAME": "hotline"}, "hotline"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=desk,service.namespace=eu"}, "desk"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test"}, "phone_bridge"),
    ],
)
def test_the_operator_may_name_the_service(environ: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    span = exported(dict(os.environ))[0]
    assert span.resource.attributes["service.name"] == name


class Receiver(ThreadingHTTPServer):
    """A collector of spans on the loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[str, str, bytes]] = []
        self.answering = Event()
        self.answering.set()


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["x-tenant"], body))
        self.server.answering.wait(30)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=desk")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        try:
            yield receiver
        finally:
            receiver.answering.set()
            receiver.shutdown()
            thread.join()


def test_a_collector_receives_what_the_standard_variables_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(monkeypatch) as receiver:
        reporter = tracing(os.environ, content=False)
        reporter.report(over())
        reporter.close()
        ((path, tenant, body),) = receiver.taken
    assert (path, tenant) == ("/v1/traces", "desk")
    (resource_spans,) = ExportTraceServiceRequest.FromString(body).resource_spans
    names = [span.name for scope in resource_spans.scope_spans for span in scope.spans]
    assert sorted(names) == ["call", "confirmation", "session.open", "session.renew"]
    assert b"Dentist" not in body
    assert b"+1202" not in body


def test_a_collector_that_hangs_holds_up_the_end_for_a_few_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phone_bridge.telemetry.otel.CLOSE_SECONDS", 0.2)
    assert CLOSE_SECONDS <= 5
    with receiving(monkeypatch) as receiver:
        receiver.answering.clear()
        reporter = tracing(os.environ, content=False)
        reporter.report(over())
        began = monotonic()
        reporter.close()
        assert monotonic() - began < 2
        assert len(receiver.taken) <= 1
