"""What the bridge itself says of a call: its API, asked from outside."""

from typing import TypeVar

import aiohttp
import msgspec

from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.simulator.result import Record

TIMEOUT_S = 5.0
"""How long the bridge's API may take for an answer."""
LIVE = frozenset({"queued", "ringing", "in_progress"})
"""States of a call that is not over."""

_T = TypeVar("_T")


class _Calls(msgspec.Struct):
    data: list[Record]


class BridgeApi:
    """The API of the bridge at ``url``, with its bearer ``key`` if it has one."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str = "") -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._ids: dict[str, str] = {}

    async def ping(self) -> None:
        """Make sure that somebody answers; raises Unavailable when nobody does."""
        await self._get("/healthz")

    async def record(self, carrier_id: str) -> Record | None:
        """Find the bridge's record of the carrier's call; None if there is none.

        Raises Unavailable when the bridge cannot be reached, Refused when it will not say, RemoteError for nonsense.
        """
        if carrier_id not in self._ids:
            listed = _read(await self._ask(f"/v1/calls?carrier_id={carrier_id}"), _Calls)
            self._ids |= {call.carrier_id: call.id for call in listed.data if call.carrier_id}
        if carrier_id not in self._ids:
            return None
        return _read(await self._ask(f"/v1/calls/{self._ids[carrier_id]}"), Record)

    async def _ask(self, path: str) -> bytes:
        status, body = await self._get(path)
        if status in (401, 403):
            raise Refused(f"the bridge refused GET {path} with the status {status}: give it the key of its API")
        if status != 200:
            raise RemoteError(f"the bridge answered GET {path} with the status {status}")
        return body

    async def _get(self, path: str) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._http.get(self._url + path, headers=self._headers, timeout=timeout) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"no bridge answers at {self._url}; start one with: phone-bridge serve") from error


def _read(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RemoteError(f"the bridge's API sent what is no {kind.__name__.strip('_').lower()}: {error}") from error
