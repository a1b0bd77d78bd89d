"""Whatever comes from outside stays text: no document gains a verb, an attribute or a URL from what is put into it."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twiml
from twiml.documents import MAX_PARAMETER_CHARS, MAX_SAY_CHARS

HOSTILE = (
    "</Say><Dial>+19005551234</Dial><Say>",
    '"/><Redirect>https://evil.example</Redirect><Say a="',
    "]]><Hangup/><![CDATA[",
    "&lt;Dial&gt;&#60;Dial&#62;",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "<?xml version='1.0'?><Response><Play>https://evil.example</Play></Response>",
    "+12025550143' onload='x",
    "\0\x0b\x1b[2J\ufffe\ud800",
    "<!-- ",
    "--></Response>",
)
hostile = st.sampled_from(HOSTILE) | st.text() | st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)

DOCUMENTS = [getattr(twiml, name) for name in twiml.__all__]
Skeleton = list[tuple[str, tuple[str, ...]]]


def filled(make: Callable[..., str], text: Callable[[], str]) -> str:
    """Make a document with ``text`` in every place that takes text."""
    given_values: dict[str, Any] = {}
    for name, parameter in inspect.signature(make).parameters.items():
        if parameter.annotation is int:
            given_values[name] = 1
        elif parameter.annotation == Sequence[str]:
            given_values[name] = [text()]
        elif name == "parameters":
            given_values[name] = {"name": text()}
        else:
            given_values[name] = text()
    return make(**given_values)


def skeleton(document: str) -> Skeleton:
    """Name every element with its attributes, and nothing of what they hold."""
    root = ET.fromstring(document)  # noqa: S314 - our own document, which is what is tested
    return [(element.tag, tuple(sorted(element.attrib))) for element in root.iter()]


@pytest.mark.parametrize("make", DOCUMENTS, ids=lambda make: make.__name__)
def test_a_document_has_the_same_bones_whatever_is_put_into_it(make: Callable[..., str]) -> None:
    bones = skeleton(filled(make, lambda: "x"))

    @given(st.data())
    def property_holds(data: st.DataObject) -> None:
        def text() -> str:
            return (data.draw(hostile).replace("?", "") or "x")[: MAX_PARAMETER_CHARS - len("token") - 1]

        assert skeleton(filled(make, text)) == bones

    property_holds()


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_said_is_what_was_given(text: str) -> None:
    say, _ = ET.fromstring(twiml.apologise_and_hang_up(text, "en-US"))  # noqa: S314 - our own document
    readable = "".join(letter if letter.isprintable() else " " for letter in text)
    assert (say.text or "").replace("\ufffe", " ") == readable
    assert len(say.text or "") <= MAX_SAY_CHARS
    assert len(say) == 0
