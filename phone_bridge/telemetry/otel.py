"""Spans by way of OpenTelemetry's SDK: the extra ``otel``. Imported only where the environment names a receiver."""

from collections.abc import Mapping
from importlib.metadata import version
from threading import Thread

from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from phone_bridge.telemetry.spans import Over, Span, call_span

NAME = "phone_bridge"
CLOSE_SECONDS = 3.0
"""How long a process that stops waits for the receiver to take the last spans."""


class Tracing:
    """Report calls as spans to ``processor``; with ``content``, what was said in them, too."""

    def __init__(self, processor: SpanProcessor, *, environ: Mapping[str, str], content: bool) -> None:
        self._content = content
        self._provider = TracerProvider(resource=_resource(environ), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(NAME, version(NAME))

    def report(self, over: Over) -> None:
        """Tell of a call that is over; the telling itself goes on in a thread of the SDK's."""
        self._make(call_span(over, content=self._content), None, api.SpanKind.SERVER)

    def close(self) -> None:
        """Have the last spans taken, within ``CLOSE_SECONDS``; blocks meanwhile."""
        closing = Thread(target=self._provider.shutdown, name="otel-close", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _make(self, span: Span, parent: api.Span | None, kind: api.SpanKind) -> None:
        made = self._tracer.start_span(
            span.name,
            context=None if parent is None else api.set_span_in_context(parent),
            kind=kind,
            attributes=span.attributes,
            start_time=_nanoseconds(span.began),
        )
        for happening in span.happenings:
            made.add_event(happening.name, happening.attributes, _nanoseconds(happening.at))
        if span.error:
            made.set_attribute("error.type", span.error)
            made.set_status(api.Status(api.StatusCode.ERROR, span.error))
        for inner in span.inside:
            self._make(inner, made, api.SpanKind.INTERNAL)
        made.end(_nanoseconds(span.ended))


def tracing(environ: Mapping[str, str], *, content: bool) -> Tracing:
    """Report over OTLP/HTTP, as the standard ``OTEL_`` variables say."""
    return Tracing(BatchSpanProcessor(OTLPSpanExporter()), environ=environ, content=content)


def _resource(environ: Mapping[str, str]) -> Resource:
    own = {"service.version": version(NAME)}
    if "OTEL_SERVICE_NAME" not in environ and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        own["service.name"] = NAME
    return Resource.create(own)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000
