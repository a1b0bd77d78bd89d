"""Campaigns: how far each has come, and whether what belongs to it rings."""

import asyncio
import time
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app import bodies
from phone_bridge.app.answers import answer, problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import refuse
from phone_bridge.errors import Refused
from phone_bridge.outbound.campaign import State
from phone_bridge.outbound.reminders import Name

MAX_PEOPLE = 1_000_000


class CampaignBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign, and how it is to stand; ``total`` people, and its ``name``, are needed for a new one alone."""

    id: Name
    state: State = "running"
    name: Name | None = None
    total: Annotated[int, Meta(ge=0, le=MAX_PEOPLE)] | None = None


async def change(request: Request) -> Response:
    """Begin a campaign, or pause, resume or end it."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:write", whole=True):
        return refusal
    try:
        body, _ = await bodies.read(request, CampaignBody)
    except Refused as error:
        return bodies.refused(error)
    book = bridge.outbound.book
    known = next(iter(await asyncio.to_thread(book.campaigns, body.id)), None)
    if known is None and body.total is None:
        return _unknown(body.id)
    await asyncio.to_thread(
        lambda: book.campaign(
            body.id,
            name=body.name or (known.name if known else body.id),
            total=(known.total if known else 0) if body.total is None else body.total,
            state=body.state,
            now=int(time.time()),
        )
    )
    bridge.outbound.poke()
    return await _shown(bridge, body.id)


async def index(request: Request) -> Response:
    """List campaigns with their figures, newest first."""
    bridge: Bridge = request.app.state.bridge
    if refusal := refuse(request, "reminders:read", whole=True):
        return refusal
    found = await asyncio.to_thread(bridge.outbound.book.campaigns)
    return answer({"object": "list", "data": [each.shown() for each in found]})


async def show(request: Request) -> Response:
    """Show a campaign's figures."""
    bridge: Bridge = request.app.state.bridge
    return refuse(request, "reminders:read", whole=True) or await _shown(bridge, request.path_params["id"])


async def _shown(bridge: Bridge, name: str) -> Response:
    found = await asyncio.to_thread(bridge.outbound.book.campaigns, name)
    return answer(found[0].shown()) if found else _unknown(name)


def _unknown(name: str) -> Response:
    return problem(404, "invalid_request_error", "campaign_not_found", f"There is no campaign {name}.")


ROUTES = (
    Route("/v1/campaigns", index, methods=["GET"]),
    Route("/v1/campaigns", change, methods=["POST"]),
    Route("/v1/campaigns/{id}", show, methods=["GET"]),
)
