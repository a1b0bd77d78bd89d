"""What Twilio would put into its debugger, as values: its numbers and our sentence.

Numbers and meanings: https://www.twilio.com/docs/api/errors.
"""

from enum import IntEnum

import msgspec

from phone_bridge.errors import RemoteError


class Code(IntEnum):
    """Twilio's numbers for what this carrier can notice."""

    TCP_TIMEOUT = 11201
    TCP_REFUSED = 11202
    HTTP_CONNECTION = 11205
    BAD_HOST = 11210
    TOO_MANY_REDIRECTS = 11215
    HTTP_STATUS = 11217
    TLS_HANDSHAKE = 11220
    BODY_TOO_LARGE = 11750
    XML_PARSE = 12100
    NO_RESPONSE_ELEMENT = 12102
    SCHEMA = 12200
    CONTENT_TYPE = 12300
    STREAM_TIMEOUT = 31901
    STREAM_REFUSED = 31902
    STREAM_BROKEN_PIPE = 31903
    STREAM_TLS = 31910
    STREAM_HANDSHAKE = 31920
    STREAM_CLOSED = 31921
    STREAM_SCHEME = 31922
    STREAM_URL = 31923
    STREAM_PROTOCOL = 31924
    STREAM_OVERFLOW = 31930
    STREAM_TRACK = 31941
    STREAM_UNDECODABLE = 31950
    STREAM_MESSAGE = 31951


class Fault(msgspec.Struct, frozen=True):
    """One entry of the debugger; ``blames`` is False for what Twilio lists although nothing went wrong."""

    code: int
    message: str
    blames: bool = True

    def __str__(self) -> str:
        return f"Twilio error {int(self.code)}: {self.message}"


class CarrierRefused(RemoteError):
    """An answer of the application's that Twilio could not go on with; ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault), code=f"twilio_{int(fault.code)}")
        self.fault = fault
