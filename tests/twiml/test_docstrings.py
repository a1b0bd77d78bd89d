"""Documents that show their XML show what they give."""

import inspect
import re
from collections.abc import Callable
from xml.etree import ElementTree as Xml

import pytest

import twiml

BASE = "https://b.example/"
SHOWN: dict[str, Callable[[], str]] = {
    "connect_stream": lambda: twiml.connect_stream("wss://b.example/m", f"{BASE}c", "eyJ0", f"{BASE}s"),
    "apologise_and_hang_up": lambda: twiml.apologise_and_hang_up("I am sorry.", "en-US"),
    "leave_message": lambda: twiml.leave_message("A call from your assistant.", "en-US"),
    "outwait_greeting": lambda: twiml.outwait_greeting("A call from your assistant.", "en-US", f"{BASE}a"),
    "press_keys": lambda: twiml.press_keys("1ww2", "wss://b.example/m", f"{BASE}c", "eyJ0"),
    "move_on": lambda: twiml.move_on(f"{BASE}v", 2),
    "hang_up": twiml.hang_up,
    "ask": lambda: twiml.ask(
        ["For appointments press 1."],
        "en-US",
        "https://bridge.example.com/twilio/connect?after=menu",
        timeout_seconds=5,
        hints=("appointments", "a person"),
    ),
    "hand_back": lambda: twiml.hand_back("https://ivr.example.com/back?pb_ended=completed&pb_signature=0f1e"),
    "transfer": lambda: twiml.transfer(
        "One moment.",
        "en-US",
        "+493012345",
        f"{BASE}c",
        "+12025550100",
        whisper_url=f"{BASE}w",
        limit_seconds=3_600,
    ),
    "tell_of_caller": lambda: twiml.tell_of_caller("A call for you.", "en-US", f"{BASE}k"),
    "let_them_talk": twiml.let_them_talk,
    "enqueue": lambda: twiml.enqueue("sales", f"{BASE}q", f"{BASE}c"),
    "wait_in_queue": lambda: twiml.wait_in_queue("Please wait.", "en-US"),
    "take_message": lambda: twiml.take_message(
        "Speak now.", "en-US", f"{BASE}c", "Thank you.", recorded_url=f"{BASE}r", transcribed_url=f"{BASE}t"
    ),
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
    shown = re.search(r"<Response>.*</Response>|<Response />", inspect.getdoc(getattr(twiml, name)) or "", re.DOTALL)
    assert shown is not None
    assert shape(shown[0]) == shape(SHOWN[name]())


def test_every_document_is_shown() -> None:
    assert set(SHOWN) == {name for name in twiml.__all__ if inspect.isfunction(getattr(twiml, name))}
