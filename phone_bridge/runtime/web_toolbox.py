"""Searching the web, as a toolbox that is there where a key is set."""

from typing import Protocol

import msgspec

from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError
from phone_bridge.exchange import Request, Response
from phone_bridge.offers import Offer
from phone_bridge.runtime.toolbox import CallFacts, Ran, failure, wanted
from phone_bridge.tools import web

SEARCH_TIMEOUT_MS = 8_000


class Http(Protocol):
    """What carries the request; ``runtime.http.HttpClient`` does."""

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        """Send a request and read the answer; raises Unavailable, Refused or RemoteError."""
        ...


class WebToolbox:
    """Search the web with ``key`` at ``base_url``."""

    def __init__(self, http: Http, key: str, base_url: str = web.TAVILY_URL) -> None:
        self._http = http
        self._key = key
        self._base_url = base_url.rstrip("/")

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer the search."""
        tool = web.WEB_SEARCH
        return (Offer(name=tool.name, description=tool.description, schema=tool.schema, effect=tool.effect),)

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Give the action as it is: a search is never asked for."""
        return action

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Search."""
        try:
            query = wanted(web.WebSearch, action).query
            request = web.search(self._base_url, self._key, query)
            result = web.found(await self._http.exchange(request, timeout_ms=SEARCH_TIMEOUT_MS))
        except BridgeError as error:
            return Ran(failure(error.code, str(error)), False)
        return Ran(msgspec.json.encode({"ok": True, **result}).decode(), True)
