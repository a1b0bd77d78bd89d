"""The telephone that rings others: what was asked for goes into the book, and out to the carrier when it is time.

One task of each process looks once a second: what is due begins, what has begun is handed to the durable engine, what
came of it is told. Each of these steps may be done by any process, and is done by one.
"""

import asyncio
import hmac
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

import msgspec

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.exchange import Request
from phone_bridge.legs.twilio.rest import Account
from phone_bridge.legs.twilio.webhook import IncomingCall, MachineDetected, StatusChanged
from phone_bridge.outbound.attempt import OVER, Answer, on_answer
from phone_bridge.outbound.book import Attempt, Book, Plan, Promise
from phone_bridge.outbound.carrier import Carrier
from phone_bridge.outbound.carriers import Carriers
from phone_bridge.outbound.destinations import allowed
from phone_bridge.outbound.dialler import Dialler, Line
from phone_bridge.outbound.engine import BEAT_S, CLEANED_AT_ONCE, Engine, Limits
from phone_bridge.outbound.policy import Outcome
from phone_bridge.outbound.reminders import (
    MAX_TEXT_CHARS,
    Reminder,
    ReminderBody,
    cancel,
    follow,
    iso,
    make,
    shown,
)
from phone_bridge.outbound.turns import Turns
from phone_bridge.routing import Facts, sip_host
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.record import CallRecord, Records, timestamp
from phone_bridge.runtime.sip_trunks import calls_as, outward
from phone_bridge.settings import Settings
from phone_bridge.tenants import Tenants
from phone_bridge.tools.keeper import Reminder as Wanted

TICK_S = 1.0
"""How often each process looks for what is due."""
FOLLOW_S = 30
"""How often the reminders of events are held against their events."""
FOLLOWED = 500
"""So many at a time, in turn; what is due is held against its event once more before it rings."""
FORGET_S = 3_600
CLEAN_S = 60.0
"""How often the engine forgets what is over."""
DAY_S = 86_400
DELIVERY_TRIES = 8
DELIVERY_FIRST_S = 10
"""How long after the first failure a webhook is sent again; four times as long after each further one."""
DELIVERY_MS = 10_000
DELIVERED_AT_ONCE = 20
CONSENT = "PHONE_BRIDGE_USER_NUMBERS names the number as this user's own"
LEASE_S = 60
"""How long a process has to deliver what it took, before another one does."""

log = logging.getLogger("phone_bridge.outbound")


class Calendar(Protocol):
    """The calendar beside which this bridge rings, as ``Embedded`` has it."""

    async def event_time(self, user_id: str, event_id: str, before: str) -> datetime | None:
        """Say when an event starts (``start``) or is to be left for (``departure``); None when it is no more."""
        ...

    async def reminders(self, user_id: str) -> list[Wanted]:
        """List the reminders that the assistant has set for a user."""
        ...


class Outbound:
    """The outbound side of one process; ``wall`` gives seconds since 1970."""

    def __init__(
        self,
        settings: Settings,
        records: Records,
        calendar: Calendar,
        *,
        wall: Callable[[], float] = time.time,
        tenants: Tenants | None = None,
    ) -> None:
        self._settings = settings
        self._tenants = tenants or Tenants(settings)
        self._wall = wall
        self._calendar = calendar
        self.book = Book(records)
        account = Account(
            sid=settings.twilio_account_sid,
            token=next(iter(settings.twilio_tokens), ""),
            base_url=settings.twilio_url,
        )
        self.carrier = Carriers(Carrier(account), has_account=self.configured)
        line = Line(
            base_url=settings.base_url,
            ring_s=settings.ring_seconds,
            limit_s=settings.call_minutes * 60,
            detection=settings.amd,
            prefixes=settings.allowed_prefixes,
            domains=settings.sip_domains,
        )
        self.dialler = Dialler(self.book, self.carrier, line, wall=wall, posted=self._post)
        limits = Limits(settings.calls_per_second, settings.outbound_calls)
        name = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
        self.engine = Engine(settings.database_url, name, self.book, self.dialler, limits)
        self.turns = Turns(
            self.book,
            self.engine,
            settings.calls_per_second,
            make=self._attempt,
            new_id=lambda: new_id("call"),
            wall=wall,
        )
        self.loaded: Callable[[], None] = lambda: None
        """Called once, when what calls are made with was loaded."""
        self._poked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._http: HttpClient | None = None
        self._followed = self._forgot = float("-inf")
        self._followed_to = ""

    @property
    def configured(self) -> bool:
        """Whether there is an account to call from."""
        return bool(self._settings.twilio_account_sid and self._settings.twilio_tokens)

    def start(self, http: HttpClient) -> None:
        """Begin to ring, in the background, where there is an account to call from, or a trunk."""
        self._http = http
        if self.configured or any(trunk.calls_out or trunk.desk_phone for trunk in self._settings.sip_trunks):
            self._tasks = [asyncio.create_task(self._run())]
        elif self._settings.webhook_url:  # of callers' messages is told all the same
            works = ((self._deliver, TICK_S), (self._forget, FORGET_S))
            self._tasks = [asyncio.create_task(self._again(work, seconds)) for work, seconds in works]

    async def stop(self) -> None:
        """Begin nothing more; what is unfinished goes on in another process, or in the next one."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.engine.stop)
        await asyncio.to_thread(self.carrier.close)

    # What is asked for

    def check(self, to: str, from_: str | None) -> str:
        """Let a call to ``to`` pass, and give the number it comes from; raises Refused."""
        settings = self._settings
        trunk = outward(settings.sip_trunks, to)
        if trunk is not None or sip_host(to):
            allowed(to, settings.allowed_prefixes, settings.sip_domains)
            return self._from(to, from_)
        if not self.configured:
            raise Refused(
                "There is no account to call from: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
                code="carrier_not_configured",
            )
        allowed(to, settings.allowed_prefixes, settings.sip_domains)
        number = from_ or settings.twilio_phone_number
        if not number:
            raise Refused("There is no number to call from: set TWILIO_PHONE_NUMBER, or send from.", code="from")
        return number

    def _from(self, to: str, from_: str | None) -> str:
        trunk = outward(self._settings.sip_trunks, to)
        if trunk is not None:
            return from_ or calls_as(trunk)
        return from_ or self._settings.twilio_phone_number

    def user_of(self, to: str, from_: str | None) -> str:
        """Say whose a call is that is placed for nobody by name: that of the line's route, or the deployment's own."""
        facts = Facts(called=from_ or self._settings.twilio_phone_number, calling=to)
        return self._tenants.choose_outbound(facts).settings.user_id

    def call(
        self, *, to: str, from_: str | None, user_id: str, plan: Plan, metadata: Any, promise: Promise | None
    ) -> str:
        """Have somebody called at once; gives the call's id. Blocks; raises Refused."""
        known = self.book.promised(promise)
        if known is not None:
            return known
        number = self.check(to, from_)
        if self.book.is_barred(to):
            raise Refused("The number asked not to be called.", code="do_not_call")
        attempt = Attempt(
            call_id=new_id("call"),
            user_id=user_id,
            to_number=to,
            from_number=number,
            plan=msgspec.to_builtins(plan),
            created_at=int(self._wall()),
        )
        return self.book.add(attempt, self._record(attempt, metadata), promise)

    async def remind(self, wish: ReminderBody, user_id: str, promise: Promise | None = None) -> Reminder:
        """Keep a new reminder; raises Refused, whose ``code`` names the parameter at fault."""
        known = await asyncio.to_thread(self.book.promised, promise)
        if known is None:
            self.check(wish.to, wish.from_)
            event_at = None
            if wish.event_id is not None:
                event_at = await self._calendar.event_time(user_id, wish.event_id, wish.before)
            known = await asyncio.to_thread(self._remind, wish, user_id, event_at, promise)
        reminder = await asyncio.to_thread(self.book.reminder, known)
        if reminder is None:
            raise Unavailable("the reminder that was just kept is gone", code="database")
        self.poke()
        return reminder

    def _remind(self, wish: ReminderBody, user_id: str, event_at: datetime | None, promise: Promise | None) -> str:
        if self.book.is_barred(wish.to):
            raise Refused("The number asked not to be called.", code="do_not_call")
        now = datetime.fromtimestamp(self._wall(), UTC)
        reminder = make(
            wish, id=new_id("rem"), user_id=user_id, timezone=self._settings.timezone, now=now, event_at=event_at
        )
        return self.book.remind(reminder, int(self._wall()), promise)

    async def cancel(self, id: str) -> Reminder | None:
        """Cancel a reminder, and take back the call that rings for it; raises Refused when it is over."""
        before = await asyncio.to_thread(self.book.reminder, id)
        reminder = await asyncio.to_thread(self.book.change, id, cancel)
        if before is not None and before.call_id is not None:
            await self.hang_up(before.call_id)
        return reminder

    async def hang_up(self, call_id: str) -> bool:
        """Take a call back that was not answered, or end one that was; False where nothing of it is outbound."""
        attempt = await asyncio.to_thread(self.book.find, call_id)
        if attempt is None:
            return False
        if await asyncio.to_thread(self.book.step, call_id, "cancel", told="canceled"):
            await asyncio.to_thread(self.dialler.settle, call_id)
            return True
        if attempt.carrier_id and attempt.told not in OVER:
            record = await asyncio.to_thread(self.book.record, call_id)
            answered = record is not None and record.answered_at is not None
            await asyncio.to_thread(lambda: self.carrier.end(attempt.carrier_id or "", answered=answered))
            return True
        return False

    async def plan(self, record: CallRecord) -> Plan | None:
        """Give what is said first in an outbound call; None for any other, and for one that came back after a fault."""
        if record.direction != "outbound" or record.resumed:
            return None
        attempt = await asyncio.to_thread(self.book.find, record.id)
        return attempt.what if attempt is not None else None

    async def attempt(self, call_id: str) -> Attempt | None:
        """Find the attempt of a call."""
        return await asyncio.to_thread(self.book.find, call_id)

    def poke(self) -> None:
        """Have what was asked for looked at now."""
        self._poked.set()

    # What the carrier says

    async def answered(self, attempt: Attempt, incoming: IncomingCall) -> Answer | None:
        """Decide what whoever has answered gets; None for a call that is not the one that this attempt has placed."""
        if not await asyncio.to_thread(self.book.claim_carrier, attempt.call_id, incoming.call_sid):
            log.error("! a second call for %s was answered: it is hung up", attempt.call_id)
            return None
        if incoming.answered_by:
            await asyncio.to_thread(lambda: self.book.note(attempt.call_id, answered_by=incoming.answered_by))
        await asyncio.to_thread(self.book.tell, attempt.call_id, "in_progress", timestamp(self._wall))
        return on_answer(incoming.answered_by or "", message=bool(attempt.what.message))

    async def taken(self, call_id: str, carrier_id: str) -> tuple[Attempt, CallRecord]:
        """Know that somebody has answered a call by SIP; gives its attempt and its record.

        Raises Refused for a call that is not, or no longer, wanted.
        """
        return await asyncio.to_thread(self._taken, call_id, carrier_id)

    def _taken(self, call_id: str, carrier_id: str) -> tuple[Attempt, CallRecord]:
        if not self.book.claim_carrier(call_id, carrier_id):
            raise Refused("The call that was answered is not wanted any more.", code="call_ended")
        self.book.tell(call_id, "in_progress", timestamp(self._wall))
        attempt, record = self.book.find(call_id), self.book.record(call_id)
        if attempt is None or record is None:
            raise Refused("The call that was answered is not known.", code="call_ended")
        return attempt, record

    async def detected(self, attempt: Attempt, detected: MachineDetected) -> Answer | None:
        """Decide about what a detection found while the assistant was speaking already; None for another's call.

        It may overtake the carrier's answer to the dial, and then tells which call it is.
        """
        if not await asyncio.to_thread(self.book.claim_carrier, attempt.call_id, detected.call_sid):
            return None
        attempt.carrier_id = detected.call_sid
        await asyncio.to_thread(lambda: self.book.note(attempt.call_id, answered_by=detected.answered_by))
        return on_answer(detected.answered_by, message=bool(attempt.what.message))

    async def go_on(self, attempt: Attempt, step: Answer, document: str) -> None:
        """Have a call that is live go on as was decided: with ``document`` for a machine, with the end, or as it is."""
        carrier_id = attempt.carrier_id or ""
        try:
            if step is Answer.HANG_UP:
                await asyncio.to_thread(lambda: self.carrier.end(carrier_id, answered=True))
            elif step is not Answer.CONNECT:
                await asyncio.to_thread(self.carrier.redirect, carrier_id, document)
        except (Refused, Unavailable) as error:
            log.warning("! call %s could not be changed: %s", attempt.call_id, error.code)

    async def told(self, call_id: str, changed: StatusChanged) -> None:
        """Take in what the carrier says of a call, however late, often and out of order."""
        await asyncio.to_thread(self._told, call_id, changed)

    def _told(self, call_id: str, changed: StatusChanged) -> None:
        attempt = self.book.find(call_id)
        if attempt is None or attempt.settled_at is not None:
            return
        if not self.book.claim_carrier(call_id, changed.call_sid):
            log.warning("= a callback of another call came for %s", call_id)
            return
        if changed.answered_by and attempt.answered_by is None:
            self.book.note(call_id, answered_by=changed.answered_by)
        if changed.status not in OVER:
            self.book.tell(call_id, changed.status, timestamp(self._wall))
        elif attempt.told is None:
            self.book.note(call_id, told=changed.status)
            self.engine.told(call_id)

    # Once a second

    async def _run(self) -> None:
        while not self.engine.running:
            try:
                await asyncio.to_thread(self.carrier.load)
                await asyncio.to_thread(self.engine.start)
                log.info("= outbound calls are ready")
            except Exception:
                log.exception("! outbound calls could not be made ready: once more in a moment")  # a task's top
                await asyncio.sleep(BEAT_S)
        self.loaded()
        works: tuple[tuple[Callable[[], Awaitable[None]], float], ...] = (
            (self._beat, BEAT_S),
            (self._tick, TICK_S),
            (self._deliver, TICK_S),
            (self._clean, CLEAN_S),
        )
        self._tasks += [asyncio.create_task(self._again(work, seconds)) for work, seconds in works]

    async def _again(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Do something again and again: each work in a task of its own, so that a slow one keeps no other waiting."""
        while True:
            try:
                await work()
            except Unavailable as error:
                log.warning("! outbound calls wait for the database: %s", error.code)
            except Exception:
                log.exception("! outbound calls failed: once more in a moment")  # a task's top
            if work == self._tick:
                await _wait(self._poked, seconds)
            else:
                await asyncio.sleep(seconds)

    async def _beat(self) -> None:
        await asyncio.to_thread(self.engine.beat)

    async def _clean(self) -> None:
        forgotten = CLEANED_AT_ONCE
        while forgotten == CLEANED_AT_ONCE:
            forgotten = await asyncio.to_thread(self.engine.clean)

    async def _tick(self) -> None:
        self._poked.clear()
        room = await asyncio.to_thread(self.turns.room)
        if room > 0:
            now_s = int(self._wall())
            await self._hold(await asyncio.to_thread(self.book.of_events_due, now_s, room))
            await asyncio.to_thread(self.turns.begin, room)
        now = time.monotonic()
        if now - self._followed >= FOLLOW_S:
            self._followed = now
            await self._follow()
        if now - self._forgot >= FORGET_S:
            self._forgot = now
            await self._forget()

    async def _forget(self) -> None:
        if self._settings.retention_days:
            await asyncio.to_thread(self.book.forget, int(self._wall()) - self._settings.retention_days * DAY_S)

    def _attempt(self, reminder: Reminder) -> tuple[Attempt, dict[str, Any]]:
        wish = reminder.wish
        text = wish.text.strip()
        attempt = Attempt(
            call_id=reminder.call_id or "",
            user_id=reminder.user_id,
            to_number=wish.to,
            from_number=self._from(wish.to, wish.from_),
            plan=msgspec.to_builtins(
                Plan(text=text, message="" if wish.policy.voicemail == "silent" else text, about=text, errand=True)
            ),
            reminder_id=reminder.id,
            created_at=int(self._wall()),
        )
        return attempt, self._record(attempt, wish.metadata or None)

    def _record(self, attempt: Attempt, metadata: Any) -> dict[str, Any]:
        facts = Facts(called=attempt.from_number, calling=attempt.to_number)
        served = self._tenants.choose_outbound(facts, attempt.user_id)
        return {
            "id": attempt.call_id,
            "carrier_id": "",
            "direction": "outbound",
            "from_number": attempt.from_number,
            "to_number": attempt.to_number,
            "user_id": attempt.user_id,
            "session": served.settings.session,
            "route": served.route,
            "status": "queued",
            "started_at": timestamp(self._wall),
            "transcript": [],
            "actions": [],
            "reminder_id": attempt.reminder_id,
            "metadata": metadata,
        }

    # Events that move

    async def _follow(self) -> None:
        """Hold the reminders of events against their events, and take over those that the assistant has set."""
        for user_id, number in self._settings.rung.items():
            for wanted in await self._calendar.reminders(user_id):
                await self._take_over(wanted, number)
        page = await asyncio.to_thread(self.book.of_events, FOLLOWED, self._followed_to)
        self._followed_to = page[-1].id if len(page) == FOLLOWED else ""
        await self._hold(page)

    async def _hold(self, reminders: list[Reminder]) -> None:
        """Hold reminders against their events."""
        for reminder in reminders:
            wish = reminder.wish
            try:
                at = await self._calendar.event_time(reminder.user_id, wish.event_id or "", wish.before)
            except Unavailable:
                continue  # what cannot be asked has not moved
            if at is None or int(at.timestamp()) - wish.offset_minutes * 60 != int(reminder.due.timestamp()):
                await asyncio.to_thread(self._move, reminder.id, at)

    async def _take_over(self, wanted: Wanted, number: str) -> None:
        """Ring for a reminder that the assistant has set, once; one that it has cancelled does not ring."""
        promise = Promise("assistant", wanted.id, wanted.id.encode())
        known = await asyncio.to_thread(self.book.promised, promise)
        try:
            if known is None and wanted.status == "scheduled":
                await self.remind(wish_of(wanted, number), wanted.user_id, promise)
            elif known is not None and wanted.status == "cancelled":
                await self.cancel(known)
        except Refused as error:
            log.debug("= the assistant's reminder %s does not ring: %s", wanted.id, error.code)

    def _move(self, id: str, at: datetime | None) -> None:
        now = datetime.fromtimestamp(self._wall(), UTC)
        self.book.change(id, lambda reminder: follow(reminder, at, now))

    # What came of it

    def _post(self, attempt: Attempt, outcome: Outcome) -> None:
        if not self._settings.webhook_url:
            return
        reminder = self.book.reminder(attempt.reminder_id) if attempt.reminder_id else None
        data = {
            "call_id": attempt.call_id,
            "status": outcome.status,
            "reply": outcome.reply or None,
            "error": attempt.error,
            "reminder": shown(reminder) if reminder else None,
        }
        self.announce(f"evt_{attempt.call_id}", "reminder.attempted" if reminder else "call.ended", data)

    def announce(self, id: str, kind: str, data: dict[str, Any]) -> None:
        """Have a webhook of ``kind`` sent until it is taken, if webhooks are wanted; once for each ``id``. Blocks."""
        if not self._settings.webhook_url:
            return
        at = iso(datetime.fromtimestamp(self._wall(), UTC))
        body = {"id": id, "type": kind, "created_at": at, "data": data}
        self.book.post(id, msgspec.json.encode(body).decode(), int(self._wall()))

    async def _deliver(self) -> None:
        if not self._settings.webhook_url or self._http is None:
            return
        now = int(self._wall())
        due = await asyncio.to_thread(self.book.due_deliveries, now, now + LEASE_S, DELIVERED_AT_ONCE)
        await asyncio.gather(*(self._send(*each) for each in due))

    async def _send(self, id: str, body: str, tries: int) -> None:
        now = int(self._wall())
        request = Request(
            method="POST",
            url=self._settings.webhook_url,
            headers={
                "Content-Type": "application/json",
                "Phone-Bridge-Signature": sign(body, now, self._settings.webhook_secret),
                "Phone-Bridge-Delivery": f"{id}.{tries}",
            },
            body=body.encode(),
        )
        taken = False
        if self._http is not None:
            try:
                taken = 200 <= (await self._http.exchange(request, timeout_ms=DELIVERY_MS)).status < 300
            except (Unavailable, Refused) as error:
                log.warning("! the webhook %s was not taken: %s", id, error.code)
        later = now + DELIVERY_FIRST_S * 4 ** (tries - 1)
        next_at = None if taken or tries >= DELIVERY_TRIES else later
        if not taken and next_at is None:
            log.error("! the webhook %s is given up after %d tries", id, tries)
        await asyncio.to_thread(self.book.delivered, id, next_at)


def sign(body: str, at: int, secret: str) -> str:
    """Sign a webhook: ``t=SECONDS,v1=HEX``, an HMAC-SHA256 over the seconds, a dot and the body."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.{body}'.encode(), sha256).hexdigest()}"


def wish_of(wanted: Wanted, number: str) -> ReminderBody:
    """Make a call of a reminder that the assistant has set."""
    text = f"{wanted.title}. {wanted.body}" if wanted.body else wanted.title
    departure = wanted.offset_minutes_before_departure
    return ReminderBody(
        to=number,
        text=text[:MAX_TEXT_CHARS],
        at=wanted.remind_at.isoformat() if wanted.remind_at is not None else None,
        event_id=wanted.event_id if wanted.remind_at is None else None,
        offset_minutes=(wanted.offset_minutes_before_start if departure is None else departure) or 0,
        before="start" if departure is None else "departure",
        consent=CONSENT,
        metadata={"reminder": wanted.id},
    )


def new_id(kind: str) -> str:
    """Make an id of a kind."""
    return f"{kind}_{secrets.token_hex(12)}"


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
