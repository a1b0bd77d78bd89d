"""A TwiML document as values, checked as Twilio checks it.

Which attributes an element may have is asked of the official library, the nearest thing to a public schema. What is not
in it is skipped with a warning (12200), and so is a misspelt verb: TwiML is case-sensitive.
Source: https://www.twilio.com/docs/voice/twiml and https://www.twilio.com/docs/api/errors/12200.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as Xml

import msgspec
from twilio.twiml import voice_response as library  # type: ignore[import-untyped]  # ships none

from phone_bridge.simulator.faults import CarrierRefused, Code, Fault

DOCUMENT_BYTES = 65_536
"""The largest document that Twilio reads (error 11750)."""
PARAMETER_CHARACTERS = 500
"""The name and the value of a ``<Parameter>`` together must stay below this."""
FOR_EVER = 100
"""How often ``loop="0"``, which means for ever, is played here."""


class Say(msgspec.Struct, frozen=True):
    """Speak ``text`` to the caller."""

    text: str
    language: str = "en-US"
    loop: int = 1


class Play(msgspec.Struct, frozen=True):
    """Play ``digits`` as tones; ``w`` is half a second of silence."""

    digits: str


class Pause(msgspec.Struct, frozen=True):
    """Be silent for ``seconds``."""

    seconds: int = 1


class Redirect(msgspec.Struct, frozen=True):
    """Go on with the document at ``url``, relative to this one."""

    url: str
    method: str = "POST"


class Hangup(msgspec.Struct, frozen=True):
    """End the call."""


class Reject(msgspec.Struct, frozen=True):
    """Do not take the call; ``reason`` is ``rejected`` or ``busy``."""

    reason: str = "rejected"


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    """Collect keys, while ``prompts`` are played; an empty ``action`` is this very document.

    With ``speech_timeout_s`` speech is listened for, until it is quiet for so long, and ends the prompts as a key does;
    with ``keys`` False it is listened for alone.
    """

    prompts: tuple[Say | Play | Pause, ...] = ()
    action: str = ""
    method: str = "POST"
    timeout_s: int = 5
    finish_on_key: str = "#"
    num_digits: int | None = None
    action_on_empty: bool = False
    keys: bool = True
    speech_timeout_s: int | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Record what the caller says, after a beep; an empty ``action`` is this very document."""

    action: str = ""
    method: str = "POST"
    timeout_s: int = 5
    finish_on_key: str = "1234567890*#"
    max_length_s: int = 3_600
    play_beep: bool = True


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """Connect the caller to ``targets``; nobody is dialled here, it is an outcome."""

    targets: tuple[str, ...]
    action: str | None = None
    method: str = "POST"


class ConnectStream(msgspec.Struct, frozen=True, kw_only=True):
    """Open a bidirectional media stream and stay in it until one side ends it."""

    url: str
    name: str = ""
    track: str = "inbound_track"
    status_callback: str = ""
    status_callback_method: str = "POST"
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    action: str | None = None
    method: str = "POST"


class Unsupported(msgspec.Struct, frozen=True):
    """Something that Twilio can do and this carrier cannot."""

    what: str


Asking = Redirect | Gather | Record | Dial | ConnectStream
"""Verbs that end with a request for the next document."""

Verb = Say | Play | Pause | Redirect | Hangup | Reject | Gather | Record | Dial | ConnectStream | Unsupported


class Document(msgspec.Struct, frozen=True):
    """The verbs of a document in order, and what Twilio would warn of."""

    verbs: tuple[Verb, ...]
    faults: tuple[Fault, ...] = ()


class _Element(msgspec.Struct, frozen=True):
    attributes: frozenset[str]
    children: frozenset[str] = frozenset()


def _element(builder: Callable[..., Any], *children: str, content: str = "") -> _Element:
    """Ask the official builder of an element for its attributes; ``content`` is its text and none of them."""
    names = set(inspect.signature(builder).parameters) - {"self", "kwargs", content}
    return _Element(frozenset(re.sub(r"_(\w)", lambda m: m[1].upper(), name) for name in names), frozenset(children))


_SCHEMA: dict[str, _Element] = {
    "Say": _element(library.VoiceResponse.say, content="message"),
    "Play": _element(library.VoiceResponse.play, content="url"),
    "Pause": _element(library.VoiceResponse.pause),
    "Redirect": _element(library.VoiceResponse.redirect, content="url"),
    "Hangup": _element(library.VoiceResponse.hangup),
    "Reject": _element(library.VoiceResponse.reject),
    "Gather": _element(library.VoiceResponse.gather, "Say", "Play", "Pause"),
    "Record": _element(library.VoiceResponse.record),
    "Dial": _element(library.VoiceResponse.dial, "Number", "Sip", "Client", "Conference", "Queue", content="number"),
    "Number": _element(library.Dial.number, content="phone_number"),
    "Sip": _element(library.Dial.sip, content="sip_url"),
    "Client": _element(library.Dial.client, content="identity"),
    "Conference": _element(library.Dial.conference, content="name"),
    "Queue": _element(library.Dial.queue, content="name"),
    "Connect": _element(library.VoiceResponse.connect, "Stream"),
    "Stream": _element(library.Connect.stream, "Parameter"),
    "Parameter": _element(library.Stream.parameter),
}
_NOT_FOLLOWED = frozenset({"Echo", "Enqueue", "Leave", "Pay", "Prompt", "Refer", "Sms", "Start", "Stop"})


def parse(body: bytes) -> Document:
    """Read a document; raises CarrierRefused for one that Twilio could not read."""
    if len(body) > DOCUMENT_BYTES:
        raise CarrierRefused(Fault(Code.BODY_TOO_LARGE, f"the document has {len(body)} bytes, more than 64 kB"))
    try:
        root = Xml.fromstring(body)  # noqa: S314 -- small, and from the bridge that we are told to try
    except Xml.ParseError as error:
        raise CarrierRefused(Fault(Code.XML_PARSE, f"the document is no XML: {error}")) from error
    if root.tag != "Response":
        raise CarrierRefused(Fault(Code.NO_RESPONSE_ELEMENT, f"the root element is <{root.tag}> and not <Response>"))
    return _Reader().read(root)


class _Reader:
    """Reads one document and collects its warnings."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._readers: dict[str, Callable[[Xml.Element], Verb | None]] = {
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Redirect": self._redirect,
            "Hangup": self._hangup,
            "Reject": self._reject,
            "Gather": self._gather,
            "Record": self._record,
            "Dial": self._dial,
            "Connect": self._connect,
        }

    def read(self, root: Xml.Element) -> Document:
        verbs = [verb for element in root if (verb := self._verb(element)) is not None]
        return Document(tuple(verbs), tuple(self._faults))

    def _verb(self, element: Xml.Element) -> Verb | None:
        if element.tag in _NOT_FOLLOWED:
            return Unsupported(f"<{element.tag}>")
        read = self._readers.get(element.tag)
        if read is None:
            self._warn(f"<{element.tag}> is no verb")
            return None
        self._check(element)
        return read(element)

    def _warn(self, message: str) -> None:
        self._faults.append(Fault(Code.SCHEMA, message))

    def _check(self, element: Xml.Element) -> None:
        known = _SCHEMA[element.tag]
        for name in sorted(set(element.keys()) - known.attributes):
            self._warn(f"the attribute {name!r} is not allowed to appear in <{element.tag}>")
        for child in element:
            if child.tag in known.children:
                self._check(child)
            else:
                self._warn(f"<{child.tag}> is not allowed to appear in <{element.tag}>")

    def _number(self, element: Xml.Element, name: str, default: int) -> int:
        value = element.get(name, str(default))
        if re.fullmatch(r"\d{1,5}", value):
            return int(value)
        self._warn(f"{name}={value!r} of <{element.tag}> is no whole number")
        return default

    def _choice(self, element: Xml.Element, name: str, *choices: str) -> str:
        value = element.get(name, choices[0])
        if value in choices:
            return value
        self._warn(f"{name}={value!r} of <{element.tag}> is none of {', '.join(choices)}")
        return choices[0]

    def _method(self, element: Xml.Element, name: str = "method") -> str:
        return self._choice(element, name, "POST", "GET")

    def _say(self, element: Xml.Element) -> Say:
        return Say(_text(element), element.get("language", "en-US"), self._number(element, "loop", 1) or FOR_EVER)

    def _play(self, element: Xml.Element) -> Play | Unsupported | None:
        digits = element.get("digits")
        if digits is None:
            return Unsupported("<Play> of a file")
        if re.fullmatch(r"[0-9*#A-Dw]+", digits):
            return Play(digits)
        self._warn(f"digits={digits!r} of <Play> cannot be played")
        return None

    def _pause(self, element: Xml.Element) -> Pause:
        return Pause(self._number(element, "length", 1))

    def _redirect(self, element: Xml.Element) -> Redirect:
        return Redirect(_text(element), self._method(element))

    def _hangup(self, _: Xml.Element) -> Hangup:
        return Hangup()

    def _reject(self, element: Xml.Element) -> Reject:
        return Reject(self._choice(element, "reason", "rejected", "busy"))

    def _gather(self, element: Xml.Element) -> Gather:
        prompts = [self._verb(child) for child in element if child.tag in _SCHEMA["Gather"].children]
        kinds = self._choice(element, "input", "dtmf", "speech", "dtmf speech", "speech dtmf").split()
        timeout = self._number(element, "timeout", 5)
        quiet = 1 if element.get("speechTimeout") == "auto" else self._number(element, "speechTimeout", timeout)
        return Gather(
            prompts=tuple(prompt for prompt in prompts if isinstance(prompt, Say | Play | Pause)),
            action=element.get("action", ""),
            method=self._method(element),
            timeout_s=timeout,
            finish_on_key=element.get("finishOnKey", "#"),
            num_digits=self._number(element, "numDigits", 1) if element.get("numDigits") is not None else None,
            action_on_empty=self._choice(element, "actionOnEmptyResult", "false", "true") == "true",
            keys="dtmf" in kinds,
            speech_timeout_s=quiet if "speech" in kinds else None,
        )

    def _record(self, element: Xml.Element) -> Record:
        return Record(
            action=element.get("action", ""),
            method=self._method(element),
            timeout_s=self._number(element, "timeout", 5),
            finish_on_key=element.get("finishOnKey", Record().finish_on_key),
            max_length_s=self._number(element, "maxLength", Record().max_length_s),
            play_beep=self._choice(element, "playBeep", "true", "false") == "true",
        )

    def _dial(self, element: Xml.Element) -> Dial:
        nested = [_text(child) for child in element if child.tag in _SCHEMA["Dial"].children]
        targets = tuple(target for target in (_text(element), *nested) if target)
        return Dial(targets=targets, action=element.get("action"), method=self._method(element))

    def _connect(self, element: Xml.Element) -> ConnectStream | Unsupported | None:
        stream = element.find("Stream")
        if stream is None:
            return Unsupported("<Connect> without <Stream>") if len(element) else None
        return ConnectStream(
            url=stream.get("url", ""),
            name=stream.get("name", ""),
            track=stream.get("track", "inbound_track"),
            status_callback=stream.get("statusCallback", ""),
            status_callback_method=self._method(stream, "statusCallbackMethod"),
            parameters=self._parameters(stream),
            action=element.get("action"),
            method=self._method(element),
        )

    def _parameters(self, stream: Xml.Element) -> dict[str, str]:
        pairs = {child.get("name", ""): child.get("value", "") for child in stream.iter("Parameter")}
        for name, value in pairs.items():
            if len(name) + len(value) >= PARAMETER_CHARACTERS:
                self._warn(f"the <Parameter> {name!r} and its value have {PARAMETER_CHARACTERS} characters or more")
        return pairs


def _text(element: Xml.Element) -> str:
    return " ".join((element.text or "").split())
