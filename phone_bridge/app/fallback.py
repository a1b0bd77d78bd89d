"""What a caller gets whom the assistant cannot serve: a goodbye, a person, or a voicemail, in Twilio's own voice."""

import logging
import re
import time

import twiml
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.choosing import choose, settings_of
from phone_bridge.app.resuming import CONNECT_PATH, newest
from phone_bridge.call import words
from phone_bridge.legs.twilio.webhook import ConnectEnded, Form, IncomingCall, recording_url
from phone_bridge.runtime.record import CallRecord, timestamp
from phone_bridge.settings import Settings

AFTER = "after"
"""The query parameter that says which verb has ended, where it was not a stream."""
AFTER_DIAL = "dial"
AFTER_RECORD = "record"
AFTER_GREETING = "greeting"

SAY_LANGUAGES = {"en": "en-US", "de": "de-DE", "es": "es-ES", "es-mx": "es-MX", "fr": "fr-FR", "fr-ca": "fr-CA"}
"""What Twilio's own voice calls our languages, and those of their countries that it speaks in their own way."""

_SENTENCES = {
    "en": {
        "sorry": "I am sorry, your calendar assistant cannot be reached now.",
        "connecting": "Please stay on the line, I am connecting you.",
        "message": ("Please stay on the line to leave a message after the tone. Press the hash key when you are done."),
        "thanks": "Thank you. Goodbye.",
        "nobody": "Nobody can take your call now. Please call again later. Goodbye.",
    },
    "de": {
        "sorry": "Es tut mir leid, Ihr Kalenderassistent ist gerade nicht erreichbar.",
        "connecting": "Bitte bleiben Sie am Apparat, ich verbinde Sie.",
        "message": (
            "Bitte bleiben Sie am Apparat und sprechen Sie nach dem Ton. "
            "Drücken Sie die Rautetaste, wenn Sie fertig sind."
        ),
        "thanks": "Vielen Dank. Auf Wiederhören.",
        "nobody": "Gerade kann niemand Ihren Anruf annehmen. Bitte rufen Sie später noch einmal an. Auf Wiederhören.",
    },
    "es": {
        "sorry": "Lo siento, ahora no puedo comunicarle con su asistente de agenda.",
        "connecting": "No cuelgue, por favor, le comunico.",
        "message": (
            "No cuelgue, por favor, y deje su mensaje después del tono. "
            "Pulse la tecla almohadilla, o numeral, cuando termine."
        ),
        "thanks": "Gracias. Adiós.",
        "nobody": "Ahora nadie puede atender su llamada. Por favor, vuelva a llamar más tarde. Adiós.",
    },
    "fr": {
        "sorry": "Je suis désolé, votre assistant d'agenda n'est pas joignable pour le moment.",
        "connecting": "Ne quittez pas, s'il vous plaît, je vous mets en communication.",
        "message": (
            "Ne quittez pas, s'il vous plaît, et laissez votre message après le signal. "
            "Appuyez sur la touche dièse, ou carré, quand vous avez terminé."
        ),
        "thanks": "Merci. Au revoir.",
        "nobody": "Personne ne peut prendre votre appel pour le moment. Veuillez rappeler plus tard. Au revoir.",
    },
}
log = logging.getLogger("phone_bridge.twilio")

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def fall_back(settings: Settings, call: IncomingCall | ConnectEnded, apology: str = "") -> str:
    """Give the document of the route's fallback; ``apology`` names the sentence that the caller has not heard yet."""
    sorry = _say(settings, "sorry") if apology else ""
    if settings.transfer_to:
        return to_number(settings, call, settings.transfer_to, sorry)
    if settings.fallback == "voicemail":
        return to_voicemail(settings, sorry)
    if apology:
        return twiml.apologise_and_hang_up(words.line(apology, settings.language).text, _tongue(settings))
    return twiml.hang_up()


def to_number(
    settings: Settings, call: IncomingCall | ConnectEnded, number: str, first: str = "", more: str = ""
) -> str:
    """Give the document that says ``first`` and puts a caller through; ``more`` ends the address that is asked then."""
    text = f"{first} {_say(settings, 'connecting')}".strip()
    action = f"{settings.base_url}{CONNECT_PATH}?{AFTER}={AFTER_DIAL}{more}"
    return twiml.transfer(text, _tongue(settings), number, action, settings.twilio_phone_number or own_number(call))


def to_voicemail(settings: Settings, first: str = "", more: str = "") -> str:
    """Give the document that says ``first`` and takes a message; ``more`` ends the address that is asked then."""
    text = f"{first} {_say(settings, 'message')}".strip()
    action = f"{settings.base_url}{CONNECT_PATH}?{AFTER}={AFTER_RECORD}{more}"
    return twiml.take_message(text, _tongue(settings), action, _say(settings, "thanks"))


def after_dial(settings: Settings, *, answered: bool) -> str:
    """Give the document for a caller who was put through, or to whom nobody answered."""
    if answered:
        return twiml.hang_up()
    return twiml.apologise_and_hang_up(_say(settings, "nobody"), _tongue(settings))


async def keep_message(bridge: Bridge, ended: ConnectEnded, form: Form) -> str:
    """Note where the carrier keeps what a caller has left on the voicemail; gives the document that comes after it.

    Raises Unavailable when nothing can be looked up.
    """
    url = recording_url(form)
    if url is not None:
        record = await newest(bridge, ended.call_sid) or bridge.record(
            carrier_id=ended.call_sid,
            direction=ended.direction,
            from_number=ended.from_,
            to_number=ended.to,
            served=choose(bridge, ended),
        )
        record.status, record.voicemail = "voicemail", url
        record.ended_by = record.ended_by or "caller"
        record.ended_at = record.ended_at or timestamp(time.time)
        bridge.spool.put(record, urgent=True)
        log.info("= call %s has left a message", record.id)
    if ended.ended:
        return twiml.hang_up()
    settings = settings_of(bridge, ended)
    return twiml.apologise_and_hang_up(_say(settings, "thanks"), _tongue(settings))


def leave_message(settings: Settings, message: str) -> str:
    """Give the document that leaves ``message`` on a machine that records."""
    return twiml.leave_message(message, _tongue(settings))


def outwait_greeting(settings: Settings, message: str, action: str) -> str:
    """Give the document for a machine that is still greeting; once it has ended, ``action`` is asked what comes."""
    return twiml.outwait_greeting(message, _tongue(settings), action)


def put_through(settings: Settings, call: CallRecord, number: str) -> str:
    """Give the document that puts the other side of a call through to ``number``."""
    action = f"{settings.base_url}{CONNECT_PATH}?{AFTER}={AFTER_DIAL}"
    ours = call.to_number if call.direction == "inbound" else call.from_number
    caller_id = settings.twilio_phone_number or (ours if ours and _E164.fullmatch(ours) else None)
    return twiml.transfer(_say(settings, "connecting"), _tongue(settings), number, action, caller_id)


def own_number(call: IncomingCall | ConnectEnded) -> str | None:
    """Give the bridge's side of a call, if that is a telephone number: nobody else's may be shown as the caller's."""
    number = call.to if call.direction == "inbound" else call.from_
    return number if number and _E164.fullmatch(number) else None


def _say(settings: Settings, key: str) -> str:
    return _SENTENCES[_known(settings)][key]


def _tongue(settings: Settings) -> str:
    return SAY_LANGUAGES.get(settings.language.lower()) or SAY_LANGUAGES[_known(settings)]


def _known(settings: Settings) -> str:
    language = settings.language.partition("-")[0].lower()
    return language if language in _SENTENCES else "en"
