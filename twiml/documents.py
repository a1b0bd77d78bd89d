"""Every TwiML document that the bridge answers with, one function each, as text.

Built with the official library, which escapes whatever is put into it. Source: https://www.twilio.com/docs/voice/twiml
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]  # the library ships no types

MAX_PARAMETER_CHARS = 500
"""A ``<Parameter>``'s name and value together must be shorter."""

MAX_SAY_CHARS = 4_096
"""The longest text that ``<Say>`` speaks; what is longer is cut."""

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
    """
    if "?" in stream_url:
        raise ValueError("the URL of a <Stream> has a query, which Twilio drops")
    response = VoiceResponse()
    connect = response.connect(action=action_url, method="POST")
    stream = connect.stream(url=stream_url, status_callback=status_callback_url)
    for name, value in {**parameters, "token": token}.items():
        if len(name) + len(value) >= MAX_PARAMETER_CHARS:
            raise ValueError(f"the <Parameter> {name} has {len(name) + len(value)} characters with its value")
        stream.parameter(name=name, value=value)
    return str(response)


def apologise_and_hang_up(text: str, language: str) -> str:
    """Say ``text`` in Twilio's own voice for ``language`` (such as ``en-US``), then end the call."""
    response = VoiceResponse()
    response.say(_NOT_XML.sub(" ", text)[:MAX_SAY_CHARS], language=language)
    response.hangup()
    return str(response)


def hang_up() -> str:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def reject(reason: Literal["rejected", "busy"] = "rejected") -> str:
    """Turn the call away unanswered; the caller hears that the number is out of service, or busy."""
    response = VoiceResponse()
    response.reject(reason=reason)
    return str(response)
