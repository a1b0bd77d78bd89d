"""What calls leave behind, as figures, spans and log lines; the only place that knows their names."""

from phone_bridge.telemetry.collecting import Sources, Telemetry

__all__ = ["Sources", "Telemetry"]
