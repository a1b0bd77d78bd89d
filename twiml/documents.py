"""Every TwiML document that the bridge answers with, one function each, as text.

Built with the official library, which escapes whatever is put into it. Source: https://www.twilio.com/docs/voice/twiml
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]  # the library ships no types

MAX_PARAMETER_CHARS = 500
"""A ``<Parameter>``'s name and value together must be shorter."""

MAX_SAY_CHARS = 4_096
"""The longest text that ``<Say>`` speaks; what is longer is cut."""

MAX_HINTS_CHARS = 1_000
"""Longer lists of words that are likely to be said are cut."""

DIAL_SECONDS = 25
"""How long somebody is rung before the caller is told that nobody answers."""

MESSAGE_SECONDS = 120
"""The longest message that a caller may leave."""

GREETING_QUIET_SECONDS = 3
"""So long is it quiet after a machine's greeting, with its beep in between: pauses for breath are shorter."""

MESSAGE_QUIET_SECONDS = 6
"""So much silence ends a message."""

KEY_SECONDS = 8
"""How long whoever was told of a caller has to press a key, before they are told again, and then let go."""

QUEUE_TURNS, QUEUE_PAUSE_SECONDS = 4, 30
"""How often a caller in a queue is told that they wait, and how long they wait after each time."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def connect_stream(
    stream_url: str,
    action_url: str,
    token: str,
    status_callback_url: str | None = None,
    parameters: Mapping[str, str] = _NOTHING,
) -> str:
    """Connect the caller to the media socket at ``stream_url``, and ask ``action_url`` what comes next.

    The ``token`` travels as the parameter of that name, beside ``parameters``. Raises ValueError for what Twilio would
    drop or refuse: a query in ``stream_url``, a parameter of MAX_PARAMETER_CHARS or more.

    ::

        <Response>
          <Connect action="https://b.example/c" method="POST">
            <Stream statusCallback="https://b.example/s" url="wss://b.example/m">
              <Parameter name="token" value="eyJ0" />
            </Stream>
          </Connect>
        </Response>
    """
    if "?" in stream_url:
        raise ValueError("the URL of a <Stream> has a query, which Twilio drops")
    response = VoiceResponse()
    connect = response.connect(action=_clean(action_url), method="POST")
    callback = _clean(status_callback_url) if status_callback_url else None
    stream = connect.stream(url=_clean(stream_url), status_callback=callback)
    for name, value in {**parameters, "token": token}.items():
        if len(name) + len(value) >= MAX_PARAMETER_CHARS:
            raise ValueError(f"the <Parameter> {name} has {len(name) + len(value)} characters with its value")
        stream.parameter(name=_clean(name), value=_clean(value))
    return str(response)


def apologise_and_hang_up(text: str, language: str) -> str:
    """Say ``text`` in Twilio's own voice for ``language`` (such as ``en-US``), then end the call.

    ::

        <Response>
          <Say language="en-US">I am sorry.</Say>
          <Hangup />
        </Response>
    """
    response = VoiceResponse()
    response.say(_clean(text)[:MAX_SAY_CHARS], language=_clean(language))
    response.hangup()
    return str(response)


def leave_message(text: str, language: str) -> str:
    """Say ``text`` in Twilio's own voice to a machine that records, a moment after its beep, then end the call.

    ::

        <Response>
          <Pause length="1" />
          <Say language="en-US">A call from your assistant.</Say>
          <Hangup />
        </Response>
    """
    response = VoiceResponse()
    response.pause(length=1)
    _say(response, text, language)
    response.hangup()
    return str(response)


def outwait_greeting(text: str, language: str, action_url: str) -> str:
    """Listen to a machine until its greeting and its beep are over, then go on at ``action_url``.

    They are over when it was quiet for GREETING_QUIET_SECONDS. Of a machine that says nothing at all Twilio tells
    nobody: it goes on with this document, in which ``text`` is said and the call ends. Nothing is recorded.

    ::

        <Response>
          <Gather action="https://b.example/a" input="speech" language="en-US" method="POST" speechTimeout="3"
            timeout="3" />
          <Say language="en-US">A call from your assistant.</Say>
          <Hangup />
        </Response>
    """
    response = VoiceResponse()
    response.gather(
        input="speech",
        action=_clean(action_url),
        method="POST",
        timeout=GREETING_QUIET_SECONDS,
        speech_timeout=str(GREETING_QUIET_SECONDS),
        language=_clean(language),
    )
    _say(response, text, language)
    response.hangup()
    return str(response)


def press_keys(
    digits: str,
    stream_url: str,
    action_url: str,
    token: str,
    status_callback_url: str | None = None,
) -> str:
    """Play ``digits`` to the other side (``w`` is half a second), then go on with the stream at ``stream_url``.

    ::

        <Response>
          <Play digits="1ww2" />
          <Connect action="https://b.example/c" method="POST">
            <Stream url="wss://b.example/m">
              <Parameter name="token" value="eyJ0" />
            </Stream>
          </Connect>
        </Response>
    """
    rest = connect_stream(stream_url, action_url, token, status_callback_url)
    response = VoiceResponse()
    response.play(digits=_clean(digits))
    head, _, _ = str(response).rpartition("</Response>")
    return head + rest.partition("<Response>")[2]


def move_on(url: str, pause_seconds: int) -> str:
    """Ask for another document at ``url`` after a pause; before the call is answered it goes on ringing meanwhile.

    ::

        <Response>
          <Pause length="2" />
          <Redirect method="POST">https://b.example/v</Redirect>
        </Response>
    """
    response = VoiceResponse()
    response.pause(length=pause_seconds)
    response.redirect(_clean(url), method="POST")
    return str(response)


def hand_back(url: str) -> str:
    """Give the caller back to whoever handed them over, at ``url``.

    ::

        <Response>
          <Redirect method="POST">https://ivr.example.com/back?pb_ended=completed&amp;pb_signature=0f1e</Redirect>
        </Response>
    """
    response = VoiceResponse()
    response.redirect(_clean(url), method="POST")
    return str(response)


def ask(
    texts: Sequence[str],
    language: str,
    action_url: str,
    *,
    timeout_seconds: int,
    digits: int = 1,
    hints: Sequence[str] = (),
) -> str:
    """Say ``texts``, any of which a key or a word interrupts, and ask ``action_url`` what comes of the answer.

    One key is an answer at once; of more ``digits`` fewer are one, too, after ``#``. Who keeps silent for
    ``timeout_seconds`` gives an empty answer. ``hints`` are words that are likely to be said.

    ::

        <Response>
          <Gather action="https://bridge.example.com/twilio/connect?after=menu" actionOnEmptyResult="true"
              finishOnKey="" hints="appointments, a person" input="dtmf speech" language="en-US" method="POST"
              numDigits="1" speechTimeout="auto" timeout="5">
            <Say language="en-US">For appointments press 1.</Say>
          </Gather>
        </Response>
    """
    response = VoiceResponse()
    gather = response.gather(
        action=_clean(action_url),
        action_on_empty_result=True,
        finish_on_key="" if digits == 1 else "#",
        hints=_clean(", ".join(hints))[:MAX_HINTS_CHARS] or None,
        input="dtmf speech",
        language=_clean(language),
        method="POST",
        num_digits=digits,
        speech_timeout="auto",
        timeout=timeout_seconds,
    )
    for text in texts:
        gather.say(_clean(text)[:MAX_SAY_CHARS], language=_clean(language))
    return str(response)


def transfer(
    text: str,
    language: str,
    number: str,
    action_url: str,
    caller_id: str | None = None,
    *,
    whisper_url: str | None = None,
    limit_seconds: int = 0,
) -> str:
    """Say ``text`` (nothing when empty), then ring ``number`` for DIAL_SECONDS; ``action_url`` hears what came of it.

    A ``number`` that begins with ``sip:`` is an address. The one who is rung sees ``caller_id``, or the caller's own
    number where that is None, and gets the document at ``whisper_url`` before the caller, who hears it ring meanwhile.
    They talk for ``limit_seconds`` at most (0: as long as the carrier lets them).

    ::

        <Response>
          <Say language="en-US">One moment.</Say>
          <Dial action="https://b.example/c" callerId="+12025550100" method="POST" timeLimit="3600" timeout="25">
            <Number method="POST" url="https://b.example/w">+493012345</Number>
          </Dial>
        </Response>
    """
    response = VoiceResponse()
    _say(response, text, language)
    seen = _clean(caller_id) if caller_id else None
    dial = response.dial(
        action=_clean(action_url), method="POST", timeout=DIAL_SECONDS, time_limit=limit_seconds or None, caller_id=seen
    )
    told = {"url": _clean(whisper_url), "method": "POST"} if whisper_url else {}
    party = dial.sip if number.startswith(("sip:", "sips:")) else dial.number
    party(_clean(number), **told)
    return str(response)


def tell_of_caller(text: str, language: str, action_url: str) -> str:
    """Say ``text``, who calls and which keys there are, twice, to whoever was rung; ``action_url`` hears of the key.

    Whoever presses nothing, as a machine does, is let go.

    ::

        <Response>
          <Gather action="https://b.example/k" finishOnKey="" method="POST" numDigits="1" timeout="8">
            <Say language="en-US">A call for you.</Say>
          </Gather>
          <Gather action="https://b.example/k" finishOnKey="" method="POST" numDigits="1" timeout="8">
            <Say language="en-US">A call for you.</Say>
          </Gather>
          <Hangup />
        </Response>
    """
    response = VoiceResponse()
    for _ in range(2):
        gather = response.gather(
            num_digits=1, action=_clean(action_url), method="POST", timeout=KEY_SECONDS, finish_on_key=""
        )
        _say(gather, text, language)
    response.hangup()
    return str(response)


def let_them_talk() -> str:
    """Do nothing more with whoever was rung: the end of this document connects them with the caller.

    ::

        <Response />
    """
    return str(VoiceResponse())


def enqueue(name: str, wait_url: str, action_url: str) -> str:
    """Put the caller into the queue ``name``; ``wait_url`` is what they hear, ``action_url`` hears what came of it.

    ::

        <Response>
          <Enqueue action="https://b.example/c" method="POST" waitUrl="https://b.example/q" waitUrlMethod="POST">
            sales
          </Enqueue>
        </Response>
    """
    response = VoiceResponse()
    response.enqueue(
        name=_clean(name), action=_clean(action_url), method="POST", wait_url=_clean(wait_url), wait_url_method="POST"
    )
    return str(response)


def wait_in_queue(text: str, language: str) -> str:
    """Say ``text`` again and again to a caller in a queue, QUEUE_TURNS times in all, then take them out of it.

    ::

        <Response>
          <Say language="en-US">Please wait.</Say>
          <Pause length="30" />
          <Say language="en-US">Please wait.</Say>
          <Pause length="30" />
          <Say language="en-US">Please wait.</Say>
          <Pause length="30" />
          <Say language="en-US">Please wait.</Say>
          <Pause length="30" />
          <Leave />
        </Response>
    """
    response = VoiceResponse()
    for _ in range(QUEUE_TURNS):
        _say(response, text, language)
        response.pause(length=QUEUE_PAUSE_SECONDS)
    response.leave()
    return str(response)


def take_message(
    text: str, language: str, action_url: str, thanks: str, *, recorded_url: str = "", transcribed_url: str = ""
) -> str:
    """Say ``text``, then record the caller after a beep; ``action_url`` hears of the recording.

    ``recorded_url`` hears of it, too, once it can be fetched, and ``transcribed_url`` what was said; each where it is
    not empty.

    ::

        <Response>
          <Say language="en-US">Speak now.</Say>
          <Record action="https://b.example/c" finishOnKey="#" maxLength="120" method="POST" playBeep="true"
            recordingStatusCallback="https://b.example/r" recordingStatusCallbackMethod="POST" timeout="6"
            transcribe="true" transcribeCallback="https://b.example/t" />
          <Say language="en-US">Thank you.</Say>
          <Hangup />
        </Response>

    A caller who is silent for MESSAGE_QUIET_SECONDS, presses # or has spoken for MESSAGE_SECONDS is done. Of silence
    alone Twilio tells nobody: it goes on with this document, in which ``thanks`` are said and the call ends.
    """
    response = VoiceResponse()
    _say(response, text, language)
    response.record(
        action=_clean(action_url),
        method="POST",
        max_length=MESSAGE_SECONDS,
        timeout=MESSAGE_QUIET_SECONDS,
        finish_on_key="#",
        play_beep=True,
        transcribe=bool(transcribed_url),
        transcribe_callback=_clean(transcribed_url) if transcribed_url else None,
        recording_status_callback=_clean(recorded_url) if recorded_url else None,
        recording_status_callback_method="POST" if recorded_url else None,
    )
    _say(response, thanks, language)
    response.hangup()
    return str(response)


def hang_up() -> str:
    """End the call.

    ::

        <Response>
          <Hangup />
        </Response>
    """
    response = VoiceResponse()
    response.hangup()
    return str(response)


def _say(response: Any, text: str, language: str) -> None:
    if text:
        response.say(_clean(text)[:MAX_SAY_CHARS], language=_clean(language))


def _clean(text: str) -> str:
    return _NOT_XML.sub(" ", text)
