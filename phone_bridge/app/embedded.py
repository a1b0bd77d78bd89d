"""The built-in assistant of this process: its service, and everything it hears, thinks, acts and speaks with."""

import asyncio
import logging
import random
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from phone_bridge import exchange
from phone_bridge.assistant import keys
from phone_bridge.assistant.calendar.demo import ALICE
from phone_bridge.assistant.calendar.joined import add_users, keeper_of
from phone_bridge.assistant.calendar_api import CalendarApi
from phone_bridge.assistant.engines import registry as engines
from phone_bridge.assistant.engines.registry import EngineOptions, PlugEar
from phone_bridge.assistant.hearing import Utterances
from phone_bridge.assistant.mind import CalendarMind
from phone_bridge.assistant.minting import random_id
from phone_bridge.assistant.model_mind import ModelMind, Service
from phone_bridge.assistant.performer import Clocks, Faculties
from phone_bridge.assistant.ports import Ear, Expecting, Heard, Mind
from phone_bridge.assistant.realtime_door import RealtimeDoor
from phone_bridge.assistant.sdk_door import SdkDoor
from phone_bridge.assistant.server import VoiceService
from phone_bridge.assistant.telling import Webhooks
from phone_bridge.assistant.watched_keeper import watched
from phone_bridge.assistant.watching import Watch
from phone_bridge.assistant.webhook_api import WebhookApi
from phone_bridge.assistant.webhook_store import WebhookStore
from phone_bridge.assistant.webhooks import TIMEOUT_MS
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.voice import Speech, Voice
from phone_bridge.settings import FUNCTION_CALLING, Settings
from phone_bridge.tools.calendar import CalendarTools
from phone_bridge.tools.desk import SendText
from phone_bridge.tools.keeper import Reminder, User
from phone_bridge.tools.travel import Router

KEY = "embedded-key"
TOKENS = "embedded-tokens"
SECRETS = "embedded-client-secrets"
SDK_TOKENS = "embedded-sdk-tokens"
"""The names under which the records keep the assistant's own secrets."""

log = logging.getLogger("phone_bridge.assistant")


class Embedded:
    """The assistant between ``start`` and ``stop``; ``key`` is the secret key that the bridge mints with."""

    def __init__(
        self,
        settings: Settings,
        records: Records,
        voice: Voice | None,
        *,
        router: Router | None = None,
        send_text: SendText | None = None,
    ) -> None:
        self._settings = settings
        self._http: HttpClient | None = None
        mode = "live" if keys.is_live(settings.all_voice_keys) else "test"
        self.hooks = Webhooks(
            WebhookStore(settings.database_url),
            self._send,
            live=mode == "live",
            new_id=random_id,
            now=lambda: int(time.time() * 1000),
            chance=random.random,
        )
        self._keeper = watched(
            keeper_of(settings.database_url, settings.caldav, new_id=random_id, now=_wall), self.hooks.tell
        )
        self.tools = CalendarTools(self._keeper, _wall, router=router, send_text=send_text)
        """What any session's model may be offered of this calendar."""
        self._zones: dict[str, ZoneInfo] = {}
        self._model: ModelMind | None = None
        self._mind = self._made_mind(CalendarMind(self._keeper, new_id=random_id, now=_wall))
        self._ear = _ear(settings)
        self.key = f"sk_{mode}_{records.secret(KEY).hex()}"
        faculties = Faculties(
            endpointer=Utterances,
            ear=self._ear,
            mind=self._mind,
            tools=self.tools,
            voice=voice if voice is not None else _Dumb(),
        )
        clocks = Clocks(now=_monotonic_ms, wall=_wall)
        self.service = VoiceService(
            [keys.of_plain("bridge", self.key, limited=False), *settings.all_voice_keys],
            faculties,
            clocks,
            secret=records.secret(TOKENS),
            tell=self.hooks.soon,
        )
        self.realtime = RealtimeDoor(
            faculties, clocks, secret=records.secret(SECRETS), user_id=settings.user_id, new_id=random_id
        )
        self.sdk = SdkDoor(
            faculties,
            clocks,
            secret=records.secret(SDK_TOKENS),
            ws_url=settings.sdk_socket_url,
            user_id=settings.user_id,
            admit=lambda jti, expires_at, now: asyncio.to_thread(records.admit, jti, expires_at, now),
            new_id=random_id,
        )
        self.calendar = CalendarApi(self.service.front, self._keeper, self.tools, settings.user_id)
        self.webhooks = WebhookApi(self.service.front, self.hooks, _wall)
        self._watch = Watch(self._keeper, self.tools, self.hooks, _wall)
        self._watching: asyncio.Task[None] | None = None

    def _made_mind(self, grammar: CalendarMind) -> Mind:
        settings = self._settings
        if not settings.mind_url:
            return grammar

        async def zone(user_id: str) -> str:
            return (await self._keeper.user(user_id)).timezone

        service = Service(url=settings.mind_url, model=settings.mind_model, key=settings.mind_key)
        self._model = ModelMind(service, grammar, self.tools.prepare, zone=zone, new_id=random_id, now=_monotonic_ms)
        return self._model

    @property
    def ear(self) -> Ear:
        """What hears here, on this machine or far away, as the operator chose."""
        return self._ear

    @property
    def hears(self) -> bool:
        """Whether anything does."""
        return not isinstance(self._ear, _Deaf)

    async def start(self) -> None:
        """Make the calendar ready; the ear learns its titles in the background."""
        self._http = HttpClient()
        await asyncio.to_thread(self._keeper.prepare)
        await add_users(self._keeper, self._settings.caldav)
        await self.hooks.start()
        self._watching = asyncio.create_task(self._watch.keep())
        await self.expect(self._settings.user_id, self._settings.session)

    async def expect(self, user_id: str, session: str) -> None:
        """Make the calendar ready for calls of a user with a kind of session."""
        if user_id != ALICE.id:
            await self._keeper.add_user(User(id=user_id))
        if session == "embedded":
            talk = await self._mind.converse(user_id, frozenset())
            self._ear.prepare(talk.expecting())
        elif session in FUNCTION_CALLING:
            await self._mind.converse(user_id, frozenset())  # fills the demonstration's calendar
            self._zones[user_id] = ZoneInfo((await self._keeper.user(user_id)).timezone)

    def now(self, user_id: str) -> datetime:
        """Tell the time by the user's own clock, as far as that is known."""
        return _wall().astimezone(self._zones.get(user_id, UTC))

    async def _send(self, request: exchange.Request) -> exchange.Response:
        if self._http is None:
            raise Unavailable("the assistant was not started")
        return await self._http.exchange(request, timeout_ms=TIMEOUT_MS)

    async def event_time(self, user_id: str, event_id: str, before: str) -> datetime | None:
        """Say when an event of a user starts, or (``departure``) is to be left for; None where it is no more.

        Without a place to go to, or a way there, it is left for when it starts. Raises Unavailable.
        """
        try:
            event = await self._keeper.event(event_id)
        except Refused:
            return None
        if event.is_cancelled or event.user_id != user_id:
            return None
        leaving = await self.tools.departure(event) if before == "departure" else None
        return (event.start_time if leaving is None else leaving.latest_departure).astimezone(UTC)

    async def reminders(self, user_id: str) -> list[Reminder]:
        """List the reminders that the assistant has set for a user, the oldest first."""
        return await self._keeper.reminders(user_id)

    async def stop(self) -> None:
        """End the live sessions and let everything go."""
        self.service.close()
        self.realtime.close()
        self.sdk.close()
        await self._ear.close()
        if self._model is not None:
            await self._model.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self.hooks.stop()
        if self._http is not None:
            await self._http.close()
        self._keeper.close()


def _monotonic_ms() -> int:
    return int(time.monotonic() * 1000)


def _wall() -> datetime:
    return datetime.now(UTC)


def _ear(settings: Settings) -> PlugEar:
    options = EngineOptions(
        model=settings.ear_model, url=settings.speech_url, key=settings.speech_key, language=settings.language
    )
    try:
        return engines.ear(settings.ear, options)
    except Unavailable as error:
        log.warning("! the built-in assistant cannot hear: %s", error)
        return _Deaf(error)


class _Deaf:
    """An ear where none can be had; the session tells its client why."""

    def __init__(self, why: Unavailable) -> None:
        self._why = why

    def prepare(self, expecting: Expecting) -> None:
        """Do nothing: it will not hear."""

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        raise Unavailable(str(self._why), code=self._why.code)

    async def close(self) -> None:
        """Do nothing: there is nothing to let go."""


class _Dumb:
    """A voice where none is installed."""

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        raise Unavailable("no voice is installed: pip install 'phone_bridge[speech]'", code="no_voice")

    async def close(self) -> None:
        """Do nothing: there is nothing to let go."""
