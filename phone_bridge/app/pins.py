"""Who a caller is, as far as a process can tell: their number's tier, what their route's rule comes to, and the PIN."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from phone_bridge import trust_rules
from phone_bridge.app.embedded import Embedded
from phone_bridge.assistant.hearing import Utterances
from phone_bridge.assistant.ports import Ear, Expecting, Mood, SpeechEnded
from phone_bridge.call.digits import speaks
from phone_bridge.call.proving import Wanted
from phone_bridge.call.trust import Tier, Trust, tier_of
from phone_bridge.call.words import knowing
from phone_bridge.errors import Refused
from phone_bridge.offers import Effect
from phone_bridge.runtime.codes import CODE_SECONDS, Codes
from phone_bridge.runtime.pin_pad import Desk
from phone_bridge.runtime.pins import MAX_DIGITS, MIN_DIGITS, Outcome, Pins, check
from phone_bridge.runtime.record import CallRecord
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served, calendar_tools
from phone_bridge.tools.memory import MEMORY_TOOLS
from phone_bridge.tools.table import CALENDAR_TOOLS

EARS = frozenset({"faster-whisper", "sherpa-onnx", "vosk"})
"""The ears that a PIN may be spoken to: on this machine, and good at digits in any order. PocketSphinx is not: of 32
PINs of six digits by two voices it heard 5, and each wrong one costs the caller a try. Services elsewhere get none."""

Text = Callable[[str, str], Awaitable[bool]]
"""Sends a number a text message; tells whether it went."""

log = logging.getLogger("phone_bridge.calls")


def known_by(direction: str, served: Served, number: str | None, *, attested: bool) -> Tier:
    """Say how far whoever is at the other end is known by their number; one that we have dialled is nobody's claim."""
    return tier_of(number, served.numbers, attested=attested or direction != "inbound")


def trust_of(record: CallRecord, served: Served, effects: Mapping[str, str]) -> Trust:
    """Say what the caller of ``record`` is known by, and what each tool of their session needs."""
    has = Tier(record.trust) if record.trust else Tier.UNKNOWN
    return trust_rules.trusted(served.trust, has, served.settings, effects, offered(served))


def may_be_told(record: CallRecord, served: Served) -> bool:
    """Tell whether a model may be told at the beginning what is remembered of its caller's user."""
    effects = {tool.name: tool.effect.value for tool in MEMORY_TOOLS}
    trust = trust_of(record, served, effects)
    return all(trust.at_first.reaches(trust.needs(tool.name)) for tool in MEMORY_TOOLS if tool.effect == Effect.READ)


def offered(served: Served) -> tuple[str, ...]:
    """Name the calendar's tools that a session is given which acts by itself."""
    everything = tuple(tool.name for tool in CALENDAR_TOOLS)
    return everything if served.tools is None else calendar_tools(served.tools)


class PinDesk:
    """Judge PINs and codes, set PINs, and hear them where there is an ear on this machine for it."""

    def __init__(self, settings: Settings, pins: Pins, embedded: Embedded, text: Text) -> None:
        self._settings = settings
        self._pins = pins
        self._embedded = embedded
        self._text = text
        self._keeping: set[asyncio.Task[str]] = set()  # no caller's hanging up is to stop them half-way

    async def close(self) -> None:
        """Wait for what is being kept."""
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def hears(self, language: str) -> bool:
        """Tell whether a PIN may be spoken in ``language``."""
        same = _base(language) == _base(self._settings.language)  # which the ear's model is for
        return self._settings.ear in EARS and self._embedded.hears and same and speaks(language)

    def of(self, record: CallRecord, served: Served) -> Desk:
        """Give whoever judges the PINs of one call, of a user who may have a telephone for codes."""
        bearer = _Bearer(self._pins, self._text, record, served)
        ear = _Listening(self._embedded.ear) if self.hears(served.settings.language) else None
        others = {
            Wanted.CODE: bearer.judge_code,
            Wanted.LOOK: bearer.look,
            Wanted.NEW: bearer.fits,
            Wanted.ONCE_MORE: lambda pin: self._to_the_end(bearer.keep(pin)),
        }
        return Desk(bearer.judge, ear, MIN_DIGITS, others, bearer.send, bearer.forget)

    async def _to_the_end(self, keeping: Coroutine[Any, Any, str]) -> str:
        """Do it to its end, whether or not the caller waits: a thief who hangs up is to be told of all the same."""
        task = asyncio.create_task(keeping)
        self._keeping.add(task)
        task.add_done_callback(self._kept)
        return await asyncio.shield(task)

    def _kept(self, task: asyncio.Task[str]) -> None:
        self._keeping.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("! a PIN could not be set: %s", error)


class _Bearer:
    """Whoever calls as one user: it sets no PIN for them but after proofs of its own, whatever the call believes."""

    def __init__(self, pins: Pins, text: Text, record: CallRecord, served: Served) -> None:
        self._pins = pins
        self._text = text
        self._user_id, self._call_id = record.user_id, record.id
        self._number = record.from_number if record.direction == "inbound" else record.to_number
        self._telephone = served.settings.rung.get(record.user_id)  # whoever calls, by whatever number
        self._language = served.settings.language
        self._codes = Codes(pins, record.user_id, self._number)
        self._enrol = trust_of(record, served, {}).enrol
        self._tier = Tier(record.trust) if record.trust else Tier.UNKNOWN
        self._knows_pin = False

    async def judge(self, pin: str) -> str:
        outcome = await asyncio.to_thread(self._pins.judge, self._user_id, self._number, pin)
        log.info("= a PIN was given in call %s: %s", self._call_id, outcome)
        self._knows_pin = self._knows_pin or outcome is Outcome.RIGHT
        return outcome.value

    async def send(self, language: str) -> str:
        if self._telephone is None:
            return "failed"
        code = await asyncio.to_thread(self._codes.make)
        if code is None:
            log.warning("! call %s wants one code more than %s may be sent", self._call_id, self._user_id)
            return "locked"
        went = await self._text(self._telephone, knowing.code(code, CODE_SECONDS // 60, language))
        log.info("= a code was sent to %s in call %s: %s", self._user_id, self._call_id, "sent" if went else "failed")
        return "sent" if went else "failed"

    async def judge_code(self, code: str) -> str:
        outcome = await asyncio.to_thread(self._codes.judge, code)
        log.info("= a code was given in call %s: %s", self._call_id, outcome)
        if outcome is Outcome.RIGHT:
            self._tier = self._tier.plus(Tier.CODE)
        return outcome.value

    def forget(self) -> None:
        self._knows_pin, self._tier = False, Tier.UNKNOWN
        self._codes.forget()

    async def look(self, nothing: str) -> str:
        return "right" if await asyncio.to_thread(self._pins.has, self._user_id) else "missing"

    async def fits(self, pin: str) -> str:
        """Tell whether ``pin`` may be the user's from now on; of one that they have, only who knows it is told so."""
        try:
            check(pin)
        except Refused:
            return "weak" if MIN_DIGITS <= len(pin) <= MAX_DIGITS else "short"
        same = self._knows_pin and await asyncio.to_thread(self._pins.is_the_same, self._user_id, pin)
        return "same" if same else "right"

    async def keep(self, pin: str) -> str:
        """Make ``pin`` the user's, and tell their telephone, so that it comes to light where it was not they."""
        if self._knows_pin:
            await asyncio.to_thread(self._pins.set, self._user_id, pin)
        elif not self._may_enrol or not await asyncio.to_thread(self._pins.enrol, self._user_id, pin):
            log.warning("! call %s has not proven what it takes to set a PIN of %s", self._call_id, self._user_id)
            return "failed"
        log.info("= the PIN of %s was set in call %s", self._user_id, self._call_id)
        if self._telephone is not None:
            await self._text(self._telephone, knowing.changed(self._language))
        return "right"

    @property
    def _may_enrol(self) -> bool:
        return self._enrol is not Tier.PIN and self._tier.reaches(self._enrol)


def _base(language: str) -> str:
    return language.partition("-")[0].lower()


class _Listening:
    """One caller's ear."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._utterances = Utterances()

    def push(self, audio: bytes) -> list[bytes]:
        return [notice.utterance for notice in self._utterances.push(audio) if isinstance(notice, SpeechEnded)]

    def clear(self) -> None:
        self._utterances.clear()

    async def words(self, utterance: bytes) -> str:
        return (await self._ear.hear(utterance, Expecting(mood=Mood.DIGITS))).text
