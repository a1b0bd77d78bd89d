"""HTTP as the dry rooms ask for it: one ``exchange`` a time, values in and out; or an answer read as it comes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import aiohttp
from yarl import URL

from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response

RESPONSE_BYTES = 1024 * 1024
CONNECTIONS_PER_HOST = 32


class Streamed(NamedTuple):
    """An answer whose body is still coming; ``chunks`` raises like ``HttpClient.exchange``."""

    status: int
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]


class HttpClient:
    """The process's HTTP connections: made inside its loop, closed with ``close``.

    Follows no redirect, keeps no cookie, verifies certificates by the system's own list.
    """

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit_per_host=CONNECTIONS_PER_HOST),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "phone-bridge"},
        )

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        """Send ``request`` and read the whole answer, whatever its status.

        Raises Unavailable (unreachable, too slow, broken off), Refused (a bad certificate or address) or RemoteError
        (no HTTP, or over ``RESPONSE_BYTES``). No message holds more of the request than its host.
        """
        place = _place(request.url)
        with _in_our_words(place, timeout_ms):
            return await self._exchange(request, place, timeout_ms)

    @asynccontextmanager
    async def stream(self, request: Request, *, timeout_ms: int) -> AsyncIterator[Streamed]:
        """Send ``request`` and give its answer when its head is there; ``timeout_ms`` is for that, and between pieces.

        Raises like ``exchange``, but the body may be as long as it likes. Who leaves early ends the connection.
        """
        place = _place(request.url)
        with _in_our_words(place, timeout_ms):
            answer = await self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout_ms / 1000, sock_read=timeout_ms / 1000),
            )
        try:
            yield Streamed(answer.status, _headers(answer), _pieces(answer, place, timeout_ms))
        finally:
            answer.close()

    async def close(self) -> None:
        """Close every connection; nothing can be asked afterwards."""
        await self._session.close()

    async def _exchange(self, request: Request, place: str, timeout_ms: int) -> Response:
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_ms / 1000),
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > RESPONSE_BYTES:
                    raise RemoteError(f"{place} answered with over {RESPONSE_BYTES} bytes", code="response_too_big")
            return Response(status=answer.status, headers=_headers(answer), body=bytes(body))


async def _pieces(answer: aiohttp.ClientResponse, place: str, timeout_ms: int) -> AsyncIterator[bytes]:
    pieces = answer.content.iter_any()
    while True:
        with _in_our_words(place, timeout_ms):
            piece = await anext(pieces, b"")
        if not piece:
            return
        yield piece


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


@contextmanager
def _in_our_words(place: str, timeout_ms: int) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unavailable(f"{place} did not answer within {timeout_ms} ms", code="timeout") from None
    except aiohttp.ClientConnectorCertificateError:
        raise Refused(f"{place} showed a certificate that does not hold", code="certificate") from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise Refused(f"{place} cannot be asked", code="bad_address") from None
    except aiohttp.ClientResponseError:
        raise RemoteError(f"{place} gave an answer that is not HTTP", code="bad_response") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"{place} could not be reached: {type(error).__name__}", code="unreachable") from None


def _place(url: str) -> str:
    try:
        return URL(url).authority.rpartition("@")[2]
    except ValueError:
        return "an address that is no URL"
