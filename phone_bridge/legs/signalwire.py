"""SignalWire's cXML streams, which speak as Twilio's media streams do.

Documented: that cXML has ``<Stream>``, and that it is meant to be compatible with Twilio's. Inferred: everything else,
the messages above all; they are read as Twilio's, whose reader takes what it does not know for harmless.
Source: https://developer.signalwire.com/compatibility-api/cxml/voice/stream/
"""

from xml.etree import ElementTree

from phone_bridge.errors import RemoteError
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.pace import PacedStream
from phone_bridge.legs.twilio.stream import Opening


def answer(url: str) -> str:
    """Write the document that brings a call to the media socket at ``url``."""
    response = ElementTree.Element("Response")
    ElementTree.SubElement(ElementTree.SubElement(response, "Connect"), "Stream", url=url)
    ElementTree.SubElement(response, "Hangup")
    return ElementTree.tostring(response, "unicode", xml_declaration=True)


def begin(data: str | bytes, now: int) -> PacedStream | None:
    """Read one of the first messages; the leg with the start, None for a hello.

    Raises RemoteError ``unsupported_media_format``, ``malformed_stream``.
    """
    opened = Opening().receive(data, now)
    if isinstance(opened, StreamStart):
        return PacedStream(opened, now)
    if opened is not None:
        raise RemoteError("SignalWire's stream began with something else than its start.", code="malformed_stream")
    return None
