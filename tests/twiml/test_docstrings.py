"""Documents that show their XML show what they give."""

import inspect
import re
from xml.etree import ElementTree as Xml

import pytest

import twiml

SHOWN = {
    "ask": lambda: twiml.ask(
        ["For appointments press 1."],
        "en-US",
        "https://bridge.example.com/twilio/connect?after=menu",
        timeout_seconds=5,
        hints=("appointments", "a person"),
    ),
    "hand_back": lambda: twiml.hand_back("https://ivr.example.com/back?pb_ended=completed&pb_signature=0f1e"),
}


def shape(text: str) -> str:
    """Write XML without what indents it."""
    root = Xml.fromstring(text)  # noqa: S314 - our own documents
    for element in root.iter():
        element.text = (element.text or "").strip() or None
        element.tail = None
    return Xml.tostring(root, encoding="unicode")


@pytest.mark.parametrize("name", SHOWN)
def test_the_xml_in_a_docstring_is_the_document_that_comes(name: str) -> None:
    shown = re.search(r"<Response>.*</Response>", inspect.getdoc(getattr(twiml, name)) or "", re.DOTALL)
    assert shown is not None
    assert shape(shown[0]) == shape(SHOWN[name]())
