"""The voice-agent endpoint: mints sessions with the built-in assistant, and runs tools for whoever holds them."""

import hashlib
import logging
import secrets
import time

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge import exchange
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import refuse
from phone_bridge.call.events import Action
from phone_bridge.errors import Refused
from phone_bridge.runtime.api_keys import TALK
from phone_bridge.runtime.toolbox import CallFacts, Ran
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.voice_agent import server
from phone_bridge.sessions.voice_agent.tools import BROWSER_ONLY

TICKET = "ticket"
"""The query parameter that holds a one-time ticket to the Realtime socket."""
TICKET_SECONDS = 7_200
"""How long a used ticket is remembered; none lives longer."""

log = logging.getLogger("phone_bridge.tools")


async def mint(request: Request) -> Response:
    """Mint a session, whose ``client_secret.value`` is the address of its socket with a one-time ticket."""
    refused = refuse(request, TALK)
    if refused:
        return _as_endpoint(refused)
    bridge: Bridge = request.app.state.bridge
    try:
        wish = server.read_wish(await _body(request))
    except server.BadRequest as error:
        return _answer(server.failed(400, str(error)))
    facts = _facts(bridge)
    await bridge.toolboxes.refresh()
    offers = bridge.toolboxes.all(facts).offers
    minted = bridge.embedded.realtime.mint(server.session(wish, offers), Shape.BETA)
    if minted.status != 200:
        log.warning("! a voice agent's session could not be minted: %d", minted.status)
        return _answer(server.failed(minted.status, f"OpenAI API error: {minted.status}"))
    address = "ws" + bridge.settings.base_url.removeprefix("http") + "/v1/realtime"
    return Response(server.addressed(minted.body, address), 200, {"content-type": "application/json"})


async def execute_tool(request: Request) -> Response:
    """Run one tool, for the user that this deployment is bound to, whatever the arguments say of that."""
    refused = refuse(request, TALK)
    if refused:
        return _as_endpoint(refused)
    bridge: Bridge = request.app.state.bridge
    try:
        action = server.read_execution(await _body(request))
    except server.BadRequest as error:
        return _answer(server.failed(400, str(error)))
    if action.name in BROWSER_ONLY:
        return Response(b'{"error":"Tool is not executable"}', 200, {"content-type": "application/json"})
    tools = bridge.toolboxes.all(_facts(bridge))
    if action.name not in {offer.name for offer in tools.offers}:
        return _answer(server.failed(404, f"Tool {action.name!r} not found"))
    return _ran(await tools.run(Action(action.name, action.parameters), secrets.token_hex(16)))


async def redeem(websocket: HTTPConnection) -> str:
    """Take the ticket of a socket's address: its key, once; "" where the address has none. Raises Refused."""
    ticket = websocket.query_params.get(TICKET, "")
    if not ticket:
        return ""
    bridge: Bridge = websocket.app.state.bridge
    now = int(time.time())
    jti = f"ticket:{hashlib.sha256(ticket.encode()).hexdigest()[:48]}"
    if not await bridge.admit_once(jti, now + TICKET_SECONDS, now):
        raise Refused("The ticket was used before: have a new session minted.", code="ticket_used")
    return ticket


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > server.MAX_BODY_BYTES:
            raise server.BadRequest(f"the body holds more than {server.MAX_BODY_BYTES} bytes")
    return bytes(body)


def _facts(bridge: Bridge) -> CallFacts:
    return CallFacts(call_id="", user_id=bridge.settings.user_id, language=bridge.settings.language)


def _ran(ran: Ran) -> Response:
    doubt = {"x-outcome": "unknown"} if ran.unsure else {}
    return Response(ran.result, 200, {"content-type": "application/json", **doubt})


def _as_endpoint(refused: Response) -> Response:
    """Say who may not come in as the endpoint does; clients look at the status alone."""
    words = {401: "Unauthorized", 403: "Forbidden", 429: "Too many requests"}
    answer = _answer(server.failed(refused.status_code, words.get(refused.status_code, "Refused")))
    for name in ("www-authenticate", "retry-after"):
        if name in refused.headers:
            answer.headers[name] = refused.headers[name]
    return answer


def _answer(response: exchange.Response) -> Response:
    return Response(response.body, response.status, response.headers)


ROUTES = (
    Route("/api/voice-agent", mint, methods=["POST"]),
    Route("/api/voice-agent/execute-tool", execute_tool, methods=["POST"]),
)
