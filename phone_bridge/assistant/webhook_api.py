"""``/v1/webhook_endpoints``: where somebody wants to be told, trying it, and sending something again."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from phone_bridge.assistant import paging, telling, webhooks
from phone_bridge.assistant.front import Asked, Caller, Front, Visit
from phone_bridge.assistant.limits import RollingLimit
from phone_bridge.assistant.minting import converted, random_id
from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.telling import Webhooks
from phone_bridge.assistant.webhooks import Endpoint
from phone_bridge.exchange import Response

SCOPE = "webhooks:manage"
MAX_ENDPOINTS = 16
"""Endpoints of one account."""
TESTS_PER_HOUR = 30
"""Tests of one endpoint."""

_HOUR_MS = 3600 * 1000
_GONE = "there is no such webhook endpoint"

Url = Annotated[str, Meta(min_length=1, max_length=webhooks.MAX_URL_CHARS, extra_json_schema={"format": "uri"})]
Type = Annotated[str, Meta(min_length=1, max_length=64)]
Types = Annotated[tuple[Type, ...], Meta(min_length=1, max_length=webhooks.MAX_EVENTS)]
Text = Annotated[str, Meta(max_length=webhooks.MAX_TEXT_CHARS)]
Secret = Annotated[str, Meta(min_length=webhooks.MIN_SECRET_CHARS, max_length=webhooks.MAX_SECRET_CHARS)]
T = TypeVar("T")


class EndpointBody(msgspec.Struct, frozen=True, kw_only=True):
    """Where to tell what; ``["*"]`` is everything. Without a secret one is made."""

    url: Url
    events: Types
    description: Text = ""
    connect_events: bool = False
    secret: Secret | None = None


class EndpointChange(msgspec.Struct, frozen=True, kw_only=True):
    """What of an endpoint to change."""

    url: Url | UnsetType = UNSET
    events: Types | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    status: Literal["enabled", "disabled"] | UnsetType = UNSET


class TrialBody(msgspec.Struct, frozen=True):
    """Which type of event to make up."""

    type: Type


class ReplayBody(msgspec.Struct, frozen=True):
    """Where to send it instead, if wanted."""

    url: Url | None = None


class WebhookApi:
    """The endpoints of one server."""

    def __init__(self, front: Front, hooks: Webhooks, wall: Callable[[], datetime]) -> None:
        self._front = front
        self._hooks = hooks
        self._wall = wall
        self._tests = RollingLimit(TESTS_PER_HOUR, _HOUR_MS)

    async def create(self, asked: Asked) -> Response:
        """Answer ``POST /v1/webhook_endpoints``."""
        with self._front.visit(asked) as visit:
            caller = visit.admit(SCOPE)
            wish = visit.body()
            if visit.is_new(wish):
                endpoint = await self._made(caller, converted(wish, EndpointBody, "the endpoint cannot be made"))
                visit.answer({**_shown(endpoint), "secret": endpoint.secret}, 201)
        return visit.response

    async def index(self, asked: Asked) -> Response:
        """Answer ``GET /v1/webhook_endpoints``."""
        with self._front.visit(asked) as visit:
            caller = visit.admit(SCOPE)
            page = paging.read(asked.query)
            found = await asyncio.to_thread(self._hooks.store.endpoints, caller.account)
            visit.answer(page.cut(found[::-1], lambda each: each.id, _shown))
        return visit.response

    async def show(self, asked: Asked, id: str) -> Response:
        """Answer ``GET /v1/webhook_endpoints/{id}``."""
        with self._front.visit(asked) as visit:
            visit.answer(_shown(await self._find(visit.admit(SCOPE), id)))
        return visit.response

    async def change(self, asked: Asked, id: str) -> Response:
        """Answer ``PATCH /v1/webhook_endpoints/{id}``."""
        with self._front.visit(asked) as visit:
            endpoint = await self._find(visit.admit(SCOPE), id)
            wish = visit.body()
            if visit.is_new(wish):
                change = converted(wish, EndpointChange, "the endpoint cannot be changed")
                if change.url is not UNSET:
                    webhooks.check_url(change.url)
                given = {
                    name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET
                }
                endpoint = msgspec.structs.replace(endpoint, **given)
                await asyncio.to_thread(self._hooks.store.put, endpoint)
                self._hooks.wake()
                visit.answer(_shown(endpoint))
        return visit.response

    async def delete(self, asked: Asked, id: str) -> Response:
        """Answer ``DELETE /v1/webhook_endpoints/{id}``; whatever is on its way there is let fall."""
        with self._front.visit(asked) as visit:
            endpoint = await self._find(visit.admit(SCOPE), id)
            await asyncio.to_thread(self._hooks.store.remove, endpoint.id)
            visit.answer({"id": endpoint.id, "object": "webhook_endpoint", "deleted": True})
        return visit.response

    async def test(self, asked: Asked, id: str) -> Response:
        """Answer ``POST /v1/webhook_endpoints/{id}/test``: send something made up."""
        with self._front.visit(asked) as visit:
            endpoint = await self._find(visit.admit(SCOPE), id)
            wish = visit.body()
            if visit.is_new(wish):
                body = converted(wish, TrialBody, "the endpoint cannot be tested")
                happening = webhooks.sample(body.type, self._hooks.new_id("req"), endpoint.account)
                self._count_test(endpoint)
                (delivery,) = await self._hooks.keep(happening, endpoint)
                visit.answer(telling.shown(delivery), 202)
        return visit.response

    async def deliveries(self, asked: Asked, id: str) -> Response:
        """Answer ``GET /v1/webhook_endpoints/{id}/deliveries``."""
        with self._front.visit(asked) as visit:
            endpoint = await self._find(visit.admit(SCOPE), id)
            page = paging.read(asked.query)
            found = await asyncio.to_thread(self._hooks.store.deliveries, endpoint.id)
            visit.answer(page.cut(found, lambda each: each.id, telling.shown))
        return visit.response

    async def replay(self, asked: Asked, id: str, delivery_id: str) -> Response:
        """Answer ``POST /v1/webhook_endpoints/{id}/deliveries/{delivery_id}/replay``."""
        with self._front.visit(asked) as visit:
            endpoint = await self._find(visit.admit(SCOPE), id)
            wish = visit.body() if asked.body else {}
            if visit.is_new(wish):
                body = converted(wish, ReplayBody, "the delivery cannot be sent again")
                url = webhooks.check_url(body.url) if body.url else ""
                await self._repeat(visit, endpoint, delivery_id, url)
        return visit.response

    async def _repeat(self, visit: Visit, endpoint: Endpoint, delivery_id: str, url: str) -> None:
        before = await asyncio.to_thread(self._hooks.store.delivery, endpoint.id, delivery_id)
        if before is None:
            raise Problem("there is no such delivery to that endpoint", code="resource_missing", param="delivery_id")
        again = self._hooks.delivery(endpoint, before.event_id, before.type, url)
        await asyncio.to_thread(self._hooks.store.repeat, again)
        self._hooks.wake()
        visit.answer(telling.shown(again), 202)

    async def _made(self, caller: Caller, body: EndpointBody) -> Endpoint:
        webhooks.check_url(body.url)
        if len(await asyncio.to_thread(self._hooks.store.endpoints, caller.account)) >= MAX_ENDPOINTS:
            raise Problem(
                f"{MAX_ENDPOINTS} endpoints are there already: remove one", code="invalid_parameter", param="url"
            )
        endpoint = Endpoint(
            id=self._hooks.new_id("wbk"),
            url=body.url,
            events=body.events,
            secret=body.secret or random_id("whsec"),
            description=body.description,
            connect_events=body.connect_events,
            account=caller.account,
            created_at=self._wall(),
        )
        await asyncio.to_thread(self._hooks.store.add, endpoint)
        return endpoint

    async def _find(self, caller: Caller, id: str) -> Endpoint:
        for endpoint in await asyncio.to_thread(self._hooks.store.endpoints, caller.account):
            if endpoint.id == id:
                return endpoint
        raise Problem(_GONE, code="resource_missing", param="id")

    def _count_test(self, endpoint: Endpoint) -> None:
        wait_ms = self._tests.wait_ms(endpoint.id, self._front.clocks.now())
        if wait_ms:
            raise Problem(
                f"{TESTS_PER_HOUR} tests were sent to that endpoint within an hour",
                code="rate_limit_exceeded",
                retry_after_seconds=-(-wait_ms // 1000),
            )


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    """Write an endpoint as the API shows it; its secret is shown once, when it is made."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "events": endpoint.events,
        "description": endpoint.description,
        "connect_events": endpoint.connect_events,
        "status": endpoint.status,
        "created_at": endpoint.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
