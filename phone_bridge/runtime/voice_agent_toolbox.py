"""The tools that a voice agent's session brings along: run by its endpoint, for the user that the call is bound to."""

from collections.abc import Mapping
from typing import Protocol

from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.offers import Effect
from phone_bridge.runtime.toolbox import Ran, failure
from phone_bridge.sessions.voice_agent import tools
from phone_bridge.sessions.voice_agent.dialect import credentials

EXECUTE_TIMEOUT_MS = int(tools.EXECUTE_SECONDS * 1000) - 1_000


class Http(Protocol):
    """What carries the request; ``runtime.http.HttpClient`` does."""

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        """Send a request and read the answer; raises Unavailable, Refused or RemoteError."""
        ...


class VoiceAgentTools:
    """Have tools run at ``base_url`` with ``key``."""

    def __init__(self, http: Http, base_url: str, key: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._key = key

    @property
    def effects(self) -> Mapping[str, Effect]:
        """What is known of tools that the session itself offers."""
        return tools.EFFECTS

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Give the action as it is: what it would do exactly knows its endpoint alone."""
        return action

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Have one tool run."""
        request = tools.execute(self._base_url, credentials(self._key), user_id, action.name, action.parameters)
        unsure = tools.EFFECTS.get(action.name, Effect.DESTROY) is not Effect.READ
        try:
            return Ran(tools.executed(await self._http.exchange(request, timeout_ms=EXECUTE_TIMEOUT_MS)), True)
        except Unavailable as error:
            return Ran(failure(error.code, str(error)), False, unsure)
        except BridgeError as error:
            return Ran(failure(error.code, str(error)), False)
