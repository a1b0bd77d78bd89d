"""Log lines for people, or as JSON for machines that collect them."""

import logging
import re
from datetime import UTC, datetime

import msgspec

from phone_bridge.telemetry.discreet import Discreet

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

_CALL = re.compile(r"\bcall_[0-9a-f]{24}\b")


def configure(format: str) -> None:
    """Write the log to standard error, as ``PHONE_BRIDGE_LOG_FORMAT`` says."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if format == "json" else Discreet(TEXT_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class JsonLines(Discreet):
    """One JSON object a line: time, level, logger, message, and call and exception where there are."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        message = record.getMessage()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if call := _CALL.search(message):
            line["call"] = call.group()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
