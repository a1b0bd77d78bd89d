"""Whether calls are told of as spans: where the environment names a receiver, and the extra is installed."""

import logging
from collections.abc import Callable, Mapping

import msgspec

from phone_bridge.telemetry.spans import Report, no_report

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = logging.getLogger("phone_bridge.telemetry")


def _nothing() -> None:
    pass


class Reporting(msgspec.Struct, frozen=True):
    """To whom calls are reported; ``close`` blocks, for a few seconds at the most."""

    report: Report = no_report
    close: Callable[[], None] = _nothing


def reporting(environ: Mapping[str, str], *, content: bool) -> Reporting:
    """Report calls as ``environ`` says; nothing of OpenTelemetry is imported where it names no receiver."""
    if not _wanted(environ):
        return Reporting()
    try:
        from phone_bridge.telemetry import otel
    except ImportError:
        log.warning("! %s is set, but no spans are sent: pip install 'phone_bridge[otel]'", ENDPOINTS[0])
        return Reporting()
    tracing = otel.tracing(environ, content=content)
    return Reporting(tracing.report, tracing.close)


def _wanted(environ: Mapping[str, str]) -> bool:
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER", "") == "none"
    return not off and any(environ.get(name) for name in ENDPOINTS)
