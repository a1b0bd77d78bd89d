"""Troubles of the network by Twilio's numbers."""

import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from phone_bridge.simulator.network_faults import http_code, sentence, socket_code

KEY: Any = SimpleNamespace(host="a.test", port=443, ssl=True, is_ssl=True)
INFO = RequestInfo(URL("wss://a.test"), "GET", CIMultiDictProxy(CIMultiDict()), URL("wss://a.test"))
SSL = aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError("bad certificate"))
DNS = aiohttp.ClientConnectorDNSError(KEY, OSError("no such host"))
REFUSED = aiohttp.ClientConnectorError(KEY, OSError("refused"))
HANDSHAKE = aiohttp.WSServerHandshakeError(INFO, (), status=403, message="no")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SSL, 11220),
        (DNS, 11210),
        (aiohttp.InvalidURL("http://"), 11210),
        (aiohttp.ConnectionTimeoutError("late"), 11201),
        (REFUSED, 11202),
        (aiohttp.ServerDisconnectedError(), 11205),
        (TimeoutError(), 11205),
    ],
)
def test_a_request_that_fails_has_its_number(error: Exception, code: int) -> None:
    assert http_code(error) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HANDSHAKE, 31920),
        (SSL, 31910),
        (REFUSED, 31902),
        (aiohttp.ServerDisconnectedError(), 31903),
        (aiohttp.InvalidURL("ws://"), 31923),
        (TimeoutError(), 31901),
    ],
)
def test_a_handshake_that_fails_has_its_number(error: Exception, code: int) -> None:
    assert socket_code(error) == code


def test_what_went_wrong_is_always_said_in_words() -> None:
    assert sentence(HANDSHAKE) == "the handshake was answered with the status 403"
    assert sentence(OSError("no route")) == "no route"
    assert sentence(TimeoutError()) == "TimeoutError"
