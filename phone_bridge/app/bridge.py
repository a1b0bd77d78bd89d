"""What all routes share: one process's settings, calls, records and makers of sound, put together once."""

import asyncio
import logging
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from phone_bridge import trust_rules
from phone_bridge.app import sessions
from phone_bridge.app.door import Door, utc_today
from phone_bridge.app.embedded import Embedded
from phone_bridge.app.outbound import Outbound
from phone_bridge.app.outside import Texting, router
from phone_bridge.app.pins import PinDesk, known_by, may_be_told, offered, trust_of
from phone_bridge.app.sip_transfers import SipTransfers
from phone_bridge.app.stream_keys import StreamKeys
from phone_bridge.app.toolboxes import Toolboxes
from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.call import words
from phone_bridge.call.journal import Journal
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import LONGEST_CALL_MS, Rules
from phone_bridge.call.trace import Recorded, Trace
from phone_bridge.call.trust import Trust
from phone_bridge.errors import BridgeError, Refused, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.joined_talk import JoinedTalk
from phone_bridge.legs.twilio import rest
from phone_bridge.menu_talk import MenuTalk
from phone_bridge.outbound.book import Plan
from phone_bridge.outbound.transfers import Transfers
from phone_bridge.routing import Route
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.housekeeping import keep_house
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.joined_pump import JoinedPump, PacedLeg
from phone_bridge.runtime.loop_lag import LoopLag
from phone_bridge.runtime.menu_pump import Ear as MenuEar
from phone_bridge.runtime.menu_pump import MenuPump, PutThrough
from phone_bridge.runtime.pins import Pins
from phone_bridge.runtime.prompts import Prompts
from phone_bridge.runtime.pump import LegWire, Pump
from phone_bridge.runtime.receipts import Receipts
from phone_bridge.runtime.record import CallRecord, Records, timestamp
from phone_bridge.runtime.recordings import NOT_ANNOUNCED, Recorder, Recordings
from phone_bridge.runtime.registry import Registry
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.spool import Spool
from phone_bridge.runtime.toolbox import NO_TOOLS, CallFacts, Tools
from phone_bridge.runtime.traces import Traces
from phone_bridge.runtime.voice import Voice
from phone_bridge.runtime.waiting import Waiting
from phone_bridge.runtime.wheel import Wheel
from phone_bridge.sessions.dialect import Dialect
from phone_bridge.settings import FUNCTION_CALLING, Settings
from phone_bridge.telemetry import Sources, Telemetry
from phone_bridge.telemetry.tracing import Reporting
from phone_bridge.tenants import Served, Tenants

OUTSIDE_TIMEOUT_MS = 3_000
"""How long a route server, or the carrier with a text message, is waited for; a caller waits, too."""
CARRIER_TIMEOUT_MS = 5_000
MAX_OPENING_STREAMS = 256
"""Media sockets of a process that are open and have not said whose call they carry; the oldest goes first."""
SWITCH_SECONDS = 0.0001
"""How long a thread that writes records may keep the interpreter from the calls; Python's own 5 ms add up."""
PUT_THROUGH = "transfer"
"""Who ended the assistant's part of a call whose caller was put through."""
SPOOL_SECONDS = 10.0
"""How long a process that stops goes on trying to write what the database has not taken yet."""

log = logging.getLogger("phone_bridge")


def new_call_id() -> str:
    """Make the id of a call."""
    return f"call_{secrets.token_hex(12)}"


class Bridge:
    """One process of the bridge; ``start`` and ``stop`` stand around everything else.

    ``worker`` tells it from its siblings where several share a port; ``reporting`` is told of every call;
    ``read_routes`` reads the routes, now and whenever ``reload`` asks for it.
    """

    def __init__(
        self,
        settings: Settings,
        records: Records,
        voice: Voice | None,
        *,
        worker: str = "",
        reporting: Reporting | None = None,
        read_routes: Callable[[], Sequence[Route]] = tuple,
    ) -> None:
        self.settings = settings
        self._read_routes = read_routes
        self.tenants = Tenants(settings, read_routes())
        self.records = records
        self.door = Door(settings, clock=time.monotonic, today=utc_today)
        self.receipts = Receipts(records)
        self.transfers = Transfers(records)
        self.spool = Spool(records)
        self.traces = Traces(Path(settings.traces_folder), settings.traces if settings.traces_folder else "off")
        self.recordings = Recordings(Path(settings.recordings_folder))
        self.registry = Registry(
            self.spool,
            max_calls=settings.max_calls,
            calls_per_caller=settings.calls_per_caller,
            clock=time.monotonic,
            wall=time.time,
            on_end=lambda record, trace: self.telemetry.call_ended(record, trace),
            files=self.traces,
        )
        self._reporting = reporting or Reporting()
        self._lag = LoopLag(lambda seconds: self.telemetry.loop_was_late(seconds))
        self.telemetry = Telemetry(
            Sources(
                calls=self.registry.traces,
                max_calls=settings.max_calls,
                has_room=self.registry.has_room,
                draining=lambda: self.registry.draining,
                spool_waiting=lambda: self.spool.waiting,
                records_lost=lambda: self.spool.lost,
                worst_lag=lambda: self._lag.worst,
            ),
            session=settings.session,
            worker=worker,
            report=self._reporting.report,
        )
        self.wheel = Wheel(time.monotonic)
        self.prompts = Prompts(voice, Path(settings.prompts) if settings.prompts else None)
        self.texting = Texting(settings, lambda: (record for record, _ in self.registry.traces()), self._ask)
        self.embedded = Embedded(
            settings, records, voice, router=router(settings, self._ask), send_text=self.texting.send
        )
        self.pins = PinDesk(settings, Pins(records), self.embedded, self.texting.to)
        self.outbound = Outbound(settings, records, self.embedded, tenants=self.tenants)
        self.toolboxes = Toolboxes(settings, self.embedded)
        self.stream_keys = StreamKeys(records.secret)
        self.opening_streams = Waiting(MAX_OPENING_STREAMS)
        self.voicemail_turn = asyncio.Lock()
        """One word of the carrier's on a message at a time."""
        self.sip_transfers = SipTransfers(self._put_through)
        self.callees: Callable[[CallRecord], Mapping[str, bool]] = lambda record: {}
        """Says to whom a call's caller may be put through who asks in words, and whether a person picks up there."""
        self.put_through: Callable[[CallRecord, str], Awaitable[None]] | None = None
        """Puts a call's caller through to one of them."""
        self.watchers = 0
        """Streams of events that are open."""
        self._voice = voice
        self._http: HttpClient | None = None
        self._connector: Connector | None = None
        self._warming: asyncio.Task[None] | None = None
        self._house: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open what needs a running loop; slow things go on in the background."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._lag.start()
        self._http = HttpClient()
        self._connector = Connector(self._http)
        await self.embedded.start()
        await self._expect(self.tenants)
        self.outbound.start(self._http)
        await self.toolboxes.start(self._http)
        self._warming = asyncio.create_task(self._warm())
        self._house = asyncio.create_task(
            keep_house(self.records, self.settings.retention_days, traces=self.traces, recordings=self.recordings)
        )

    async def reload(self) -> None:
        """Read the routes again for the calls that begin from now on; what cannot be read or kept changes nothing."""
        try:
            routes = await asyncio.to_thread(self._read_routes)
            await self._expect(Tenants(self.settings, routes))
        except BridgeError as error:
            log.critical("! the routes were not read again, and the old ones stay: %s", error)
            return
        self.tenants.replace(routes)
        log.info("= the routes were read again, %d of them; all other settings wait for a new start", len(routes))
        await self._warm()

    async def _expect(self, tenants: Tenants) -> None:
        for settings in (served.settings for served in tenants.all[1:]):
            if settings.session == "embedded" or settings.session in FUNCTION_CALLING:
                await self.embedded.expect(settings.user_id, settings.session)

    async def stop(self) -> None:
        """Let everything go."""
        if self._warming is not None:
            self._warming.cancel()
        if self._house is not None:
            self._house.cancel()
            await asyncio.gather(self._house, return_exceptions=True)
        await self.outbound.stop()
        await self.pins.close()
        await self.prompts.close()
        await self.toolboxes.stop()
        await self.embedded.stop()
        if self._connector is not None:
            await self._connector.close()
        if self._http is not None:
            await self._http.close()
        if self._voice is not None:
            await self._voice.close()
        await self.spool.close(SPOOL_SECONDS)
        await asyncio.to_thread(self.traces.close)
        await asyncio.to_thread(self.recordings.close)
        self.records.close()
        await asyncio.to_thread(self._reporting.close)
        self._lag.stop()

    def record(
        self,
        *,
        carrier_id: str,
        direction: str,
        from_number: str | None,
        to_number: str | None,
        id: str = "",
        served: Served | None = None,
        attested: bool = False,
    ) -> CallRecord:
        """Begin the record of a call that has been announced, as ``id`` where that was given out already.

        ``served`` is what its route gives it, ``attested`` whether a carrier vouches for the caller's number.
        """
        served = served or self.tenants.own
        number = from_number if direction == "inbound" else to_number
        return CallRecord(
            id=id or new_call_id(),
            carrier_id=carrier_id,
            direction=direction,
            from_number=from_number,
            to_number=to_number,
            user_id=served.settings.user_id,
            session=served.settings.session,
            route=served.route,
            status="ringing",
            trust=known_by(direction, served, number, attested=attested).value,
            started_at=timestamp(time.time),
        )

    async def admit_once(self, jti: str, expires_at: int, now: int) -> bool:
        """Admit what may come in once, by any process; False for what has come in before."""
        return await asyncio.to_thread(self.records.admit, jti, expires_at, now)

    async def begin(self, record: CallRecord) -> str:
        """Get ready for a call, and say what its session's model should know of the caller."""
        served = self.tenants.of(record)
        known = await self.toolboxes.begin(self._facts(record), served)
        return known if may_be_told(record, served) else ""

    def pump(
        self,
        record: CallRecord,
        leg: LegWire,
        socket: Socket,
        *,
        known: str = "",
        plan: Plan | None = None,
        onward: bool = True,
        lead_in: str = "",
        owed: bool = True,
        began: int | None = None,
        keeps_line: bool = False,
        keeps_moved: bool = False,
    ) -> Pump:
        """Put a call, or a later part of one, together from its leg and the session it is bound to.

        ``known`` is what ``begin`` said, ``plan`` what is said first in a call of our own, ``onward`` whether the
        carrier can send a caller on who cannot be served, ``lead_in`` what a caller is told who comes back, ``owed``
        whether the session goes on by itself then, ``began`` when a caller has called who comes from a menu that we
        have spoken, in milliseconds on the call's clock, ``keeps_line`` whether we send a caller on ourselves, and
        ``keeps_moved`` one who is put through. Raises Unavailable where the call's route is no more.
        """
        if self._connector is None:
            raise RuntimeError("the bridge was not started")
        past = record.past(timestamp(time.time)) if record.resumed and began is None else None
        if past is not None:
            past = msgspec.structs.replace(past, lead_in=lead_in, owed=owed)
        served = self.tenants.of(record)
        tools = self.toolboxes.tools(self._facts(record), served)
        onward = onward and (served.settings.fallback != "goodbye" or record.return_url is not None)
        trust = trust_of(record, served, tools.effects)
        by_voice = self.pins.hears(served.settings.language)
        rules = _rules(record.user_id, tools, plan or Plan(), served, onward=onward)
        rules = msgspec.structs.replace(
            rules,
            trust=trust,
            pin_by_voice=by_voice,
            pin_change=bool(served.trust),
            callees=self.callees(record),
            chosen=record.language or "",
            refers=self.sip_transfers.carries(record.id),
        )
        now, put_through = int(time.monotonic() * 1000), self.put_through
        call = Call(leg.format, rules, now, past, before_ms=0 if began is None else now - began)
        return Pump(
            call,
            leg,
            socket,
            dialect=self._dialect(record.user_id, tools, known, served, trust),
            connector=self.telemetry.watch(self._connector, call.trace, past, begun=began is not None),
            prompts=self.prompts,
            tools=tools,
            clock=time.monotonic,
            language=rules.language,
            apology=words.line("apology_onward", rules.language) if rules.onward and not keeps_line else None,
            journal=Journal(leg.format, rules, past, now) if self.traces.wanted else None,
            pins=self.pins.of(record, served) if served.trust else None,
            recorder=self._recorder(record, leg, call.trace) if served.settings.record else None,
            put_through=None if put_through is None else lambda name: put_through(record, name),
            wheel=self.wheel,
            keeps_line=keeps_line and rules.onward,
            keeps_moved=keeps_moved,
        )

    def joined_pump(self, record: CallRecord, talk: JoinedTalk, leg: PacedLeg, socket: Socket) -> JoinedPump:
        """Put together what carries a caller who is put through by us; raises Unavailable like ``pump``."""
        return JoinedPump(talk, leg, socket, **self._without_session(record))

    def menu_pump(
        self,
        record: CallRecord,
        talk: MenuTalk,
        leg: LegWire,
        socket: Socket,
        *,
        ear: MenuEar | None,
        put_through: PutThrough | None,
    ) -> MenuPump:
        """Put together what carries a caller through our own menus; raises Unavailable like ``pump``."""
        return MenuPump(
            talk,
            leg,
            socket,
            ear=ear,
            put_through=put_through,
            tape=lambda: self._recorder(record, leg, talk.trace),
            **self._without_session(record),
        )

    def _without_session(self, record: CallRecord) -> dict[str, Any]:
        if self._connector is None:
            raise RuntimeError("the bridge was not started")
        served = self.tenants.of(record)
        return {
            "dialect": self._dialect(record.user_id, NO_TOOLS, "", served, Trust()),  # of which no session is opened
            "connector": self._connector,
            "prompts": self.prompts,
            "clock": time.monotonic,
            "language": served.settings.language,
            "wheel": self.wheel,
        }

    def _recorder(self, record: CallRecord, leg: LegWire, trace: Trace) -> Recorder:
        known = record.recording if record.resumed else None
        earlier = Recorded(known["state"], known["from_ms"]) if known else trace.recording
        if earlier is not None and earlier.state == NOT_ANNOUNCED:
            earlier = None
        return self.recordings.open(record.id, leg.format, trace, earlier)

    @property
    def http(self) -> HttpClient:
        """The process's HTTP connections."""
        if self._http is None:
            raise RuntimeError("the bridge was not started")
        return self._http

    async def end_at_carrier(self, record: CallRecord) -> None:
        """Have the carrier end a call whose stream is not with this process; raises what its answer means."""
        settings = self.settings
        if self._http is None or not (settings.twilio_account_sid and settings.twilio_tokens):
            raise Refused("The carrier can be asked once TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are set.")
        sid, token = settings.twilio_account_sid, settings.twilio_tokens[0]
        account = rest.Account(sid=sid, token=token, base_url=settings.twilio_url)
        request = rest.end_call(account, record.carrier_id)
        try:
            rest.read_call(await self._http.exchange(request, timeout_ms=CARRIER_TIMEOUT_MS))
        except Refused as error:
            if error.code != rest.CALL_GONE:  # what is over already is what was wanted
                raise

    def _put_through(self, call_id: str) -> None:
        for record, trace in self.registry.traces():
            if record.id == call_id:
                trace.ending(PUT_THROUGH)

    async def _ask(self, request: Request) -> Response:
        """Ask somebody outside, for a tool that a caller waits for; raises as the HTTP client does."""
        if self._http is None:
            raise Unavailable("The bridge was not started.")
        return await self._http.exchange(request, timeout_ms=OUTSIDE_TIMEOUT_MS)

    def _facts(self, record: CallRecord) -> CallFacts:
        settings = self.tenants.settings_of(record)
        return CallFacts(
            call_id=record.id,
            user_id=record.user_id,
            direction=record.direction,
            from_number=record.from_number,
            to_number=record.to_number,
            language=settings.language,
            carrier_id=record.carrier_id,
            transfers=settings.transfers,
            pin=bool(self._rule_of(record)),
        )

    def _rule_of(self, record: CallRecord) -> Mapping[str, str]:
        try:
            return self.tenants.of(record).trust
        except Unavailable:
            return {}

    def _dialect(self, user_id: str, tools: Tools, known: str, served: Served, trust: Trust) -> Dialect:
        theirs = offered(served)
        bound = sessions.Bound(
            user_id=user_id,
            offers=tools.offers,
            now=self.embedded.now(user_id),
            known=known,
            tools=served.tools,
            withheld=trust_rules.withheld(trust, theirs),
            confirm=trust_rules.policy(trust, theirs).value,
        )
        return sessions.dialect(served.settings, bound, embedded_key=self.embedded.key)

    async def _warm(self) -> None:
        offers = [words.offer(tag, key) for served in self.tenants.all for key, tag in served.languages.items()]
        is_wide = any("g722" in trunk.codecs for trunk in self.settings.sip_trunks)
        formats = (PCMU_8K, LINEAR_16K) if is_wide else (PCMU_8K,)
        spoken = {served.settings.language for served in self.tenants.all}.union(offer.language for offer in offers)
        for language in sorted(spoken):
            own = (words.line(key, language) for key in words.SENTENCES["en"])
            lines = (*own, *(offer for offer in offers if offer.language == language))
            try:
                for format_ in formats:
                    await self.prompts.warm(lines, language, format_)
            except Unavailable as error:
                log.warning("! the bridge cannot speak its own lines in %s: %s", language, error)


def _rules(user_id: str, tools: Tools, plan: Plan, served: Served, *, onward: bool) -> Rules:
    settings = served.settings
    return Rules(
        language=settings.language,
        languages=served.languages,
        announce=settings.record and settings.record_announce,
        greeting=settings.greeting if plan.errand else plan.text or settings.greeting,
        errand=plan.text if plan.errand else "",
        about=plan.about,
        onward=onward,
        auto_confirm=settings.unasked(user_id),
        effects=tools.effects,
        answer_ms=settings.answer_seconds * 1000,
        limit_ms=served.max_seconds * 1000 or LONGEST_CALL_MS,
    )
