"""Troubles of the network by Twilio's numbers: what the HTTP client raised, as a fault of the call."""

import aiohttp

from phone_bridge.simulator.faults import Code


def http_code(error: Exception) -> Code:
    """Number what went wrong with a request."""
    match error:
        case aiohttp.ClientSSLError():
            return Code.TLS_HANDSHAKE
        case aiohttp.ClientConnectorDNSError() | aiohttp.InvalidURL():
            return Code.BAD_HOST
        case aiohttp.ConnectionTimeoutError():
            return Code.TCP_TIMEOUT
        case aiohttp.ClientConnectorError():
            return Code.TCP_REFUSED
        case _:
            return Code.HTTP_CONNECTION


def socket_code(error: Exception) -> Code:
    """Number what went wrong with the handshake of a media socket."""
    match error:
        case aiohttp.WSServerHandshakeError():
            return Code.STREAM_HANDSHAKE
        case aiohttp.ClientSSLError():
            return Code.STREAM_TLS
        case aiohttp.ClientConnectorError():
            return Code.STREAM_REFUSED
        case aiohttp.ServerDisconnectedError():
            return Code.STREAM_BROKEN_PIPE
        case aiohttp.InvalidURL():
            return Code.STREAM_URL
        case _:
            return Code.STREAM_TIMEOUT


def sentence(error: Exception) -> str:
    """Say what went wrong in words."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"the handshake was answered with the status {error.status}"
    return str(error) or type(error).__name__
