"""ChronaPilot's webhooks: a departure that is due and a late arrival that is foreseen become a call."""

import logging
import time
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app.answers import problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.outbound import CONSENT
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.outbound.book import Promise
from phone_bridge.outbound.policy import Policy
from phone_bridge.outbound.reminders import ReminderBody
from phone_bridge.sessions.chronapilot.webhook import Notice, event_request, signed
from phone_bridge.settings import CHRONAPILOT_URL

PATH = "/chronapilot/webhook"
SIGNATURE = "chronapilot-signature"
LOOK_UP_MS = 4_000
"""How long the event may take to be had; ChronaPilot wants its answer within eight seconds."""
LATE_MINUTES = 30
"""How long such a call is of any use."""

log = logging.getLogger("phone_bridge.chronapilot")


async def take(request: Request) -> Response:
    """Take a delivery in; the same one again rings nobody again."""
    bridge: Bridge = request.app.state.bridge
    body = await request.body()
    secrets = bridge.settings.chronapilot_secrets
    if not signed(request.headers.get(SIGNATURE, ""), body, secrets, int(time.time())):
        log.warning("x refused an unsigned webhook (is PHONE_BRIDGE_CHRONAPILOT_WEBHOOK_SECRET this endpoint's?)")
        return problem(403, "authorization_error", "unsigned", "The signature does not fit.")
    try:
        notice = Notice.parse(body)
    except RemoteError as error:
        return problem(400, "invalid_request_error", error.code, str(error))
    if notice.worth_a_call:
        await _ring(bridge, await _whole(bridge, notice))
    return Response(status_code=204)


async def _whole(bridge: Bridge, notice: Notice) -> Notice:
    """Look the event up, where its calendar is ChronaPilot's; what cannot be had is done without."""
    settings = bridge.settings
    if settings.session != "chronapilot" or not notice.event_id:
        return notice
    asked = event_request(settings.session_url or CHRONAPILOT_URL, settings.session_key, notice.event_id)
    try:
        return notice.with_event(await bridge.http.exchange(asked, timeout_ms=LOOK_UP_MS))
    except (Unavailable, Refused, RemoteError) as error:
        log.warning("! the event of a webhook could not be looked up: %s", error.code)
        return notice


async def _ring(bridge: Bridge, notice: Notice) -> None:
    settings = bridge.settings
    user_id = notice.user_id or settings.user_id
    number = settings.rung.get(user_id)
    if number is None or not notice.worth_a_call:
        log.info("= a webhook of ChronaPilot's rings nobody: its user has no number in PHONE_BRIDGE_USER_NUMBERS")
        return
    wish = ReminderBody(
        to=number,
        text=notice.words(settings.language),
        at=datetime.now(UTC).isoformat(),
        user_id=user_id,
        policy=Policy(late_minutes=LATE_MINUTES, voicemail="reached"),
        metadata={"webhook": notice.id},
        consent=CONSENT,
    )
    try:
        await bridge.outbound.remind(wish, user_id, Promise("chronapilot", notice.id, notice.id.encode()))
    except Refused as error:
        log.warning("x a webhook of ChronaPilot's cannot ring: %s", error.code)


ROUTES = (Route(PATH, take, methods=["POST"]),)
