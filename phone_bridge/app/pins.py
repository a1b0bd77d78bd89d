"""Who a caller is, as far as a process can tell: their number's tier, what their route's rule comes to, and the PIN."""

import asyncio
import logging
from collections.abc import Mapping

from phone_bridge import trust_rules
from phone_bridge.app.embedded import Embedded
from phone_bridge.assistant.hearing import Utterances
from phone_bridge.assistant.ports import Ear, Expecting, Mood, SpeechEnded
from phone_bridge.call.digits import speaks
from phone_bridge.call.trust import Tier, Trust, tier_of
from phone_bridge.offers import Effect
from phone_bridge.runtime.pin_pad import Desk
from phone_bridge.runtime.pins import MIN_DIGITS, Pins
from phone_bridge.runtime.record import CallRecord
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served, calendar_tools
from phone_bridge.tools.memory import MEMORY_TOOLS
from phone_bridge.tools.table import CALENDAR_TOOLS

EARS = frozenset({"faster-whisper", "sherpa-onnx", "vosk"})
"""The ears that a PIN may be spoken to: on this machine, and good at digits in any order. PocketSphinx is not: of 32
PINs of six digits by two voices it heard 5, and each wrong one costs the caller a try. Services elsewhere get none."""

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
    """Judge PINs, and hear them where there is an ear on this machine for it."""

    def __init__(self, settings: Settings, pins: Pins, embedded: Embedded) -> None:
        self._settings = settings
        self._pins = pins
        self._embedded = embedded

    def hears(self, language: str) -> bool:
        """Tell whether a PIN may be spoken in ``language``."""
        same = _base(language) == _base(self._settings.language)  # which the ear's model is for
        return self._settings.ear in EARS and self._embedded.hears and same and speaks(language)

    def of(self, record: CallRecord, served: Served) -> Desk:
        """Give whoever judges the PINs of one call."""
        number = record.from_number if record.direction == "inbound" else record.to_number

        async def judge(pin: str) -> str:
            outcome = await asyncio.to_thread(self._pins.judge, record.user_id, number, pin)
            log.info("= a PIN was given in call %s: %s", record.id, outcome)
            return outcome.value

        ear = _Listening(self._embedded.ear) if self.hears(served.settings.language) else None
        return Desk(judge, ear, MIN_DIGITS)


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
