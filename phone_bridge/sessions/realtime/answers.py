"""A server's responses, message by message in the documented order: one at a time, each with its items and its usage.

Usage is counted in what this assistant really takes and gives, for it has no tokens: a word is a text token, 100 ms of
the caller's speech are an audio token, and so are 50 ms of the assistant's, which are the vendor's own measures.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from phone_bridge.audio.format import Format
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError
from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime.items import Items
from phone_bridge.sessions.realtime.names import BETA_FORMATS, SOUND, Shape
from phone_bridge.sessions.realtime.settings import Settings

INPUT_TOKEN_MS = 100
OUTPUT_TOKEN_MS = 50


class Options(msgspec.Struct, frozen=True):
    """How one response is wanted; ``aside`` keeps it out of the conversation."""

    settings: Settings = Settings()
    metadata: dict[str, str] | None = None
    aside: bool = False


class Taken(msgspec.Struct):
    """What came in for the next response: words, and the caller's speech."""

    words: int = 0
    ms: int = 0


class _Message(msgspec.Struct):
    """The message that the response is saying."""

    id: str
    index: int
    text: str = ""
    size: int = 0  # bytes of sound


class _Response(msgspec.Struct):
    id: str
    options: Options
    settings: Settings  # of the session, with the response's own
    taken: Taken
    done: list[m.Item] = []
    open: _Message | None = None
    index: int = 0
    words: int = 0
    ms: int = 0

    @property
    def spoken(self) -> bool:
        return self.settings.modalities != ("text",)

    @property
    def format(self) -> Format:
        return SOUND[self.settings.output_format or "audio/pcm"]


class Answers:
    """Writes responses for ``send``; ``items`` is the conversation ``conversation_id``, ``new_id`` makes ids."""

    def __init__(
        self,
        shape: Shape,
        send: Callable[[m.ServerMessage], None],
        items: Items,
        new_id: Callable[[str], str],
        conversation_id: str,
    ) -> None:
        self.shape = shape
        self._send = send
        self._items = items
        self._new_id = new_id
        self._conversation_id = conversation_id
        self._running: _Response | None = None
        self.has_spoken = False
        """True once any sound of the assistant's went out."""

    @property
    def running(self) -> Options | None:
        """How the running response is wanted; None while there is none."""
        return self._running.options if self._running is not None else None

    @property
    def settings(self) -> Settings | None:
        """What the running response is set to; None while there is none."""
        return self._running.settings if self._running is not None else None

    def begin(self, response_id: str, options: Options, settings: Settings, taken: Taken) -> None:
        """Begin a response."""
        self._running = _Response(response_id, options, settings, taken)
        self._send(m.ResponseCreated(response=self._written("in_progress", None)))
        self._send(m.RateLimitsUpdated())  # there are none; what the vendor sends at this place has them

    def say(self, text: str) -> None:
        """Add words to the message, and begin one where none is open."""
        response = self._response()
        message = response.open or self._open(response)
        message.text += text
        response.words += len(text.split())
        kind = m.TranscriptDelta if response.spoken else m.TextDelta
        self._send(kind(delta=text, **_place(response, message)))

    def sound(self, audio: bytes) -> None:
        """Add sound to the message."""
        response = self._response()
        message = response.open or self._open(response)
        if audio:
            message.size += len(audio)
            self.has_spoken = True
            self._send(m.AudioDelta(delta=audio, **_place(response, message)))

    def call(self, call_id: str, action: Action) -> None:
        """Call a function of the client's."""
        response = self._response()
        self._close("completed")
        arguments = msgspec.json.encode(action.parameters).decode()
        item = m.Item(
            id=self._new_id("item"),
            object="realtime.item",
            type="function_call",
            status="in_progress",
            name=action.name,
            call_id=call_id,
            arguments="",
        )
        self._add(response, item)
        place: dict[str, Any] = {
            "response_id": response.id,
            "item_id": item.id or "",
            "output_index": response.index,
            "call_id": call_id,
        }
        self._send(m.ArgumentsDelta(delta=arguments, **place))
        named = action.name if self.shape is Shape.GA else UNSET
        self._send(m.ArgumentsDone(arguments=arguments, name=named, **place))
        self._finish(response, msgspec.structs.replace(item, status="completed", arguments=arguments))
        response.words += len(arguments.split())

    def end(self, status: str, reason: str) -> None:
        """End the response."""
        response = self._response()
        self._close("completed" if status == "completed" else "incomplete")
        self._send(m.ResponseDone(response=self._written(status, _details(status, reason), _usage(response))))
        self._running = None

    # Items of the response

    def _response(self) -> _Response:
        if self._running is None:
            raise LocalError("a response goes on that has not begun")
        return self._running

    def _open(self, response: _Response) -> _Message:
        message = response.open = _Message(self._new_id("item"), response.index)
        item = m.Item(
            id=message.id,
            object="realtime.item",
            type="message",
            status="in_progress",
            role="assistant",
            content=(),
        )
        self._add(response, item)
        part = m.Part(type="audio", transcript="") if response.spoken else m.Part(type="text", text="")
        self._send(m.ContentPartAdded(part=part, **_place(response, message)))
        return message

    def _add(self, response: _Response, item: m.Item) -> None:
        self._send(m.OutputItemAdded(item=item, response_id=response.id, output_index=response.index))
        if not response.options.aside:
            kept, previous = self._items.add(item)
            self._send(m.ItemAdded(item=kept, previous_item_id=previous))

    def _close(self, status: str) -> None:
        """End the message that is open, if one is."""
        response = self._response()
        message, response.open = response.open, None
        if message is None:
            return
        place, text = _place(response, message), message.text
        ms = response.format.ms(message.size)
        if response.spoken:
            self._send(m.AudioDone(**place))
            self._send(m.TranscriptDone(transcript=text, **place))
            part, content = m.Part(type="audio", transcript=text), m.Content(type="output_audio", transcript=text)
        else:
            self._send(m.TextDone(text=text, **place))
            part, content = m.Part(type="text", text=text), m.Content(type="output_text", text=text)
        self._send(m.ContentPartDone(part=part, **place))
        item = m.Item(
            id=message.id,
            object="realtime.item",
            type="message",
            status=status,
            role="assistant",
            content=(content,),
        )
        response.ms += ms
        self._finish(response, item, ms)

    def _finish(self, response: _Response, item: m.Item, ms: int = 0) -> None:
        named = m.in_shape(item, self.shape)
        self._send(m.OutputItemDone(item=named, response_id=response.id, output_index=response.index))
        if not response.options.aside:
            previous = self._items.before(item.id or "")
            self._items.update(item, ms)
            self._send(m.ItemDone(item=named, previous_item_id=previous))
        response.done.append(named)
        response.index += 1

    # The response itself

    def _written(self, status: str, details: Any, usage: Any = None) -> m.Response:
        response = self._response()
        settings = response.settings
        named = m.Response(
            id=response.id,
            object="realtime.response",
            status=status,
            status_details=details,
            output=tuple(response.done),
            conversation_id=None if response.options.aside else self._conversation_id,
            max_output_tokens=settings.max_output_tokens or "inf",
            metadata=response.options.metadata,
            usage=usage,
        )
        if self.shape is Shape.GA:
            sound = {"type": settings.output_format or "audio/pcm"}
            if sound["type"] == "audio/pcm":
                sound = {**sound, "rate": response.format.rate}  # type: ignore[dict-item]  # the one that is a number
            audio = {"output": {"format": sound, "voice": settings.voice}}
            return msgspec.structs.replace(named, output_modalities=settings.modalities, audio=audio)
        return msgspec.structs.replace(
            named,
            modalities=("text", "audio") if response.spoken else ("text",),
            voice=settings.voice,
            output_audio_format=BETA_FORMATS[settings.output_format or "audio/pcm"],
            temperature=settings.temperature or None,
        )


def _place(response: _Response, message: _Message) -> dict[str, Any]:
    return {"response_id": response.id, "item_id": message.id, "output_index": message.index, "content_index": 0}


def _details(status: str, reason: str) -> dict[str, Any] | None:
    if status == "completed":
        return None
    if status == "failed":
        return {"type": status, "error": {"type": "server_error", "code": reason}}
    return {"type": status, "reason": reason}


def _usage(response: _Response) -> dict[str, Any]:
    taken = response.taken
    heard, spoken = -(-taken.ms // INPUT_TOKEN_MS), -(-response.ms // OUTPUT_TOKEN_MS)
    return {
        "total_tokens": taken.words + heard + response.words + spoken,
        "input_tokens": taken.words + heard,
        "output_tokens": response.words + spoken,
        "input_token_details": {
            "text_tokens": taken.words,
            "audio_tokens": heard,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": response.words, "audio_tokens": spoken},
    }
