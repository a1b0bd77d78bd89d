"""What a caller gets whom the assistant cannot serve: a goodbye, a person, or a voicemail, in Twilio's own voice."""

import logging
import re
import time

import twiml
from phone_bridge import menu_talk
from phone_bridge.app import voicemail
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.choosing import choose, settings_of
from phone_bridge.app.resuming import CONNECT_PATH, newest
from phone_bridge.call import words
from phone_bridge.legs.twilio.webhook import ConnectEnded, Form, IncomingCall, Recording
from phone_bridge.runtime.record import CallRecord, timestamp
from phone_bridge.settings import Settings

AFTER = "after"
"""The query parameter that says which verb has ended, where it was not a stream."""
AFTER_DIAL = "dial"
AFTER_RECORD = "record"
AFTER_GREETING = "greeting"

RECORDED_PATH = "/twilio/recording"
TRANSCRIBED_PATH = "/twilio/transcription"
TRANSCRIBED = frozenset({"en"})
"""The languages in which Twilio writes down what a caller leaves on a voicemail."""

SAY_LANGUAGES = {"en": "en-US", "de": "de-DE", "es": "es-ES", "es-mx": "es-MX", "fr": "fr-FR", "fr-ca": "fr-CA"}
"""What Twilio's own voice calls our languages, and those of their countries that it speaks in their own way."""

_SENTENCES = {
    "en": {
        "sorry": "I am sorry, your calendar assistant cannot be reached now.",
        "connecting": "Please stay on the line, I am connecting you.",
        "waiting": "Please stay on the line, all of us are busy. Somebody will be with you in a moment.",
    },
    "de": {
        "sorry": "Es tut mir leid, Ihr Kalenderassistent ist gerade nicht erreichbar.",
        "connecting": "Bitte bleiben Sie am Apparat, ich verbinde Sie.",
        "waiting": "Bitte bleiben Sie am Apparat, alle Plätze sind besetzt. Gleich ist jemand für Sie da.",
    },
    "es": {
        "sorry": "Lo siento, ahora no puedo comunicarle con su asistente de agenda.",
        "connecting": "No cuelgue, por favor, le comunico.",
        "waiting": "No cuelgue, por favor, todas las líneas están ocupadas. Enseguida le atienden.",
    },
    "fr": {
        "sorry": "Je suis désolé, votre assistant d'agenda n'est pas joignable pour le moment.",
        "connecting": "Ne quittez pas, s'il vous plaît, je vous mets en communication.",
        "waiting": "Ne quittez pas, toutes nos lignes sont occupées. On vous répond dans un instant.",
    },
}
log = logging.getLogger("phone_bridge.twilio")

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def fall_back(settings: Settings, call: IncomingCall | ConnectEnded, apology: str = "") -> str:
    """Give the document of the route's fallback; ``apology`` names the sentence that the caller has not heard yet."""
    sorry = sentence(settings, "sorry") if apology else ""
    if settings.transfer_to:
        return to_number(settings, call, settings.transfer_to, sorry)
    if settings.fallback == "voicemail":
        return to_voicemail(settings, sorry)
    if apology:
        return twiml.apologise_and_hang_up(words.line(apology, settings.language).text, tongue(settings))
    return twiml.hang_up()


def to_number(
    settings: Settings, call: IncomingCall | ConnectEnded, number: str, first: str = "", more: str = ""
) -> str:
    """Give the document that says ``first`` and puts a caller through; ``more`` ends the address that is asked then."""
    text = f"{first} {sentence(settings, 'connecting')}".strip()
    action = f"{settings.base_url}{CONNECT_PATH}?{AFTER}={AFTER_DIAL}{more}"
    return twiml.transfer(text, tongue(settings), number, action, settings.twilio_phone_number or own_number(call))


def to_voicemail(settings: Settings, first: str = "", more: str = "") -> str:
    """Give the document that says ``first`` and takes a message; ``more`` ends the address that is asked then."""
    hears = settings.language.partition("-")[0].lower() in TRANSCRIBED
    return twiml.take_message(
        f"{first} {sentence(settings, 'message')}".strip(),
        tongue(settings),
        f"{settings.base_url}{CONNECT_PATH}?{AFTER}={AFTER_RECORD}{more}",
        sentence(settings, "thanks"),
        recorded_url=f"{settings.base_url}{RECORDED_PATH}",
        transcribed_url=f"{settings.base_url}{TRANSCRIBED_PATH}" if hears else "",
    )


def after_dial(settings: Settings, *, answered: bool) -> str:
    """Give the document for a caller who was put through, or to whom nobody answered."""
    if answered:
        return twiml.hang_up()
    return twiml.apologise_and_hang_up(sentence(settings, "nobody"), tongue(settings))


async def keep_message(bridge: Bridge, ended: ConnectEnded, form: Form) -> str:
    """Note where the carrier keeps what a caller has left on the voicemail; gives the document that comes after it.

    Raises Unavailable when nothing can be looked up.
    """
    recording = Recording.parse(form, bridge.settings.twilio_url)
    if recording.url is not None:
        record = await newest(bridge, ended.call_sid) or bridge.record(
            carrier_id=ended.call_sid,
            direction=ended.direction,
            from_number=ended.from_,
            to_number=ended.to,
            served=choose(bridge, ended),
        )
        record.ended_by = record.ended_by or "caller"
        record.ended_at = record.ended_at or timestamp(time.time)
        await voicemail.leave(bridge, record, recording.url, recording.seconds)
    if ended.ended:
        return twiml.hang_up()
    settings = settings_of(bridge, ended)
    return twiml.apologise_and_hang_up(sentence(settings, "thanks"), tongue(settings))


def leave_message(settings: Settings, message: str) -> str:
    """Give the document that leaves ``message`` on a machine that records."""
    return twiml.leave_message(message, tongue(settings))


def outwait_greeting(settings: Settings, message: str, action: str) -> str:
    """Give the document for a machine that is still greeting; once it has ended, ``action`` is asked what comes."""
    return twiml.outwait_greeting(message, tongue(settings), action)


def shown_number(settings: Settings, call: CallRecord) -> str | None:
    """Give the number that whoever is rung for a caller sees: one of ours, or none to show the caller's own."""
    ours = call.to_number if call.direction == "inbound" else call.from_number
    return settings.twilio_phone_number or (ours if ours and _E164.fullmatch(ours) else None)


def own_number(call: IncomingCall | ConnectEnded) -> str | None:
    """Give the bridge's side of a call, if that is a telephone number: nobody else's may be shown as the caller's."""
    number = call.to if call.direction == "inbound" else call.from_
    return number if number and _E164.fullmatch(number) else None


def sentence(settings: Settings, key: str) -> str:
    """Give one of the sentences of this room in a call's language."""
    known = _known(settings)
    return _SENTENCES[known].get(key) or menu_talk.sentence(key, known)


def tongue(settings: Settings) -> str:
    """Give what Twilio's own voice calls a call's language."""
    return SAY_LANGUAGES.get(settings.language.lower()) or SAY_LANGUAGES[_known(settings)]


def _known(settings: Settings) -> str:
    language = settings.language.partition("-")[0].lower()
    return language if language in _SENTENCES else "en"
