"""The errors of the voice service: their types, statuses and the one envelope that HTTP and sockets share."""

import msgspec

from phone_bridge.errors import LocalError, Refused
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.error_table import KINDS, error_body
from phone_bridge.sessions.chronapilot.messages import ErrorBody


class Problem(Refused):
    """A request or message that is refused; ``code`` is one of the API's."""

    def __init__(self, message: str, *, code: str, param: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(message, code=code)
        if code not in KINDS:
            raise LocalError(f"the voice service has no error called {code}")
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return KINDS[self.code][1]

    def body(self, request_id: str, event_id: str = "") -> ErrorBody:
        """Write it as the envelope's inside; ``event_id`` is the client message's that caused it."""
        return error_body(
            self.code,
            str(self),
            request_id,
            param=self.param,
            retry_after_seconds=self.retry_after_seconds,
            event_id=event_id,
        )

    def response(self, request_id: str) -> Response:
        """Write it as an HTTP response."""
        headers = {"content-type": "application/json"}
        if self.retry_after_seconds is not None:
            headers["retry-after"] = str(self.retry_after_seconds)
        body = msgspec.json.encode({"error": self.body(request_id)})
        return Response(status=self.status, headers=headers, body=body)
