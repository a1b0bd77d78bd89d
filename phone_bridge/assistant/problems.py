"""The errors of the voice service: their types, statuses and the one envelope that HTTP and sockets share."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from phone_bridge.errors import BridgeError, LocalError, Refused, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.error_table import KINDS, error_body
from phone_bridge.sessions.chronapilot.messages import ErrorBody

_NOTHING: Mapping[str, str] = MappingProxyType({})
_INVALID = "invalid_request_error"


class Problem(Refused):
    """A request or message that is refused; ``code`` is one of the API's, ``headers`` go with an HTTP response."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        param: str = "",
        retry_after_seconds: int | None = None,
        headers: Mapping[str, str] = _NOTHING,
    ) -> None:
        super().__init__(message, code=code)
        if code not in KINDS:
            raise LocalError(f"the voice service has no error called {code}")
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers

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
        headers = {"content-type": "application/json", **self.headers}
        if self.retry_after_seconds is not None:
            headers["retry-after"] = str(self.retry_after_seconds)
        body = msgspec.json.encode({"error": self.body(request_id)})
        return Response(status=self.status, headers=headers, body=body)


def of_error(error: BridgeError) -> Problem:
    """Say in the API's words why something of ours could not be done or would not be done."""
    if isinstance(error, Problem):
        return error
    return of_words("api_error" if isinstance(error, Unavailable) else _INVALID, error.code, str(error))


def of_words(type: str, code: str, message: str, param: str = "") -> Problem:
    """Make a problem of an error's own words, as a tool's result has them; a code of another table becomes ours."""
    if code not in KINDS:
        code = "service_unavailable" if type == "api_error" else "invalid_parameter"
    return Problem(message, code=code, param=param)
