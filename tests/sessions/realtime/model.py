"""A Realtime server whose model is a function of a test's: in the order of events that the real one keeps.

It hears by the level of the sound, is told beforehand what will have been said, speaks in whatever sound the test
gives it, and is strict: one response at a time, truncations within what was spoken, results for calls that were made.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import msgspec
from msgspec import UNSET

from phone_bridge.audio.format import Format
from phone_bridge.audio.level import VoiceActivity
from phone_bridge.audio.path import path
from phone_bridge.runtime.sockets import Socket
from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime import settings as s
from phone_bridge.sessions.realtime.names import SOUND, Shape

TURN_MS = 500  # silence that ends a turn
THINKING_MS = 300  # until a response's first item
CHUNK_MS = 200  # of sound in one delta
STEP_MS = 20  # between deltas: ten times as fast as it is heard
TRANSCRIBING_MS = 900  # later than the reply begins


class Call(msgspec.Struct, frozen=True):
    """A function that the model calls."""

    name: str
    arguments: dict[str, Any] = {}


class Drop(msgspec.Struct, frozen=True):
    """The connection is lost here."""


Step = Call | Drop | str


class Turn(msgspec.Struct, frozen=True):
    """A thing in the conversation: ``role`` is user, assistant, system, call or result."""

    role: str
    text: str


Mind = Callable[[Sequence[Turn]], Sequence[Step]]
"""What a response says and calls, after the conversation so far."""


class _Running(msgspec.Struct):
    id: str
    output: list[m.Item] = []
    timer: asyncio.TimerHandle | None = None
    sized: dict[str, int] = {}


class Model:
    """The far end of one session's ``socket``; ``speak`` says words in ``format``, ``words`` will be said."""

    def __init__(
        self,
        socket: Socket,
        mind: Mind,
        *,
        words: deque[str],
        speak: Callable[[str], bytes],
        format: Format,
        shape: Shape = Shape.GA,
        takes: Sequence[str] = tuple(SOUND),
        pace: float = 1.0,
    ) -> None:
        self.heard: list[m.ClientMessage] = []
        self.talk: list[Turn] = []
        self.settings = s.Settings()
        self.errors: list[str] = []
        self.truncated: dict[str, int] = {}
        self.spoken_ms: dict[str, int] = {}
        self.code: int | None = None
        self._socket = socket
        self._mind = mind
        self._words = words
        self._speak = speak
        self._format = format
        self._shape = shape
        self._takes = takes
        self._pace = pace
        self._numbers = count(1)
        self._running: _Running | None = None
        self._calls: set[str] = set()
        self._voice = VoiceActivity(SOUND["audio/pcm"], stop_hold_ms=TURN_MS)
        self._ear = path(SOUND["audio/pcm"], SOUND["audio/pcm"])
        self._mouth = path(format, SOUND["audio/pcm"])
        self._heard_ms = 0.0
        self._item = ""
        socket.attach(self)
        self._tell(m.SessionCreated(session=self._state()))
        if shape is Shape.BETA:
            self._tell(m.ConversationCreated(conversation=m.Conversation("conv_1")))

    # The socket

    def message(self, data: str | bytes) -> None:
        message = m.read_client_message(data)
        if not isinstance(message, m.InputAudioAppend):
            self.heard.append(message)
        self._take(message)

    def closed(self, code: int, reason: str) -> None:
        self.code = code
        if self._running is not None and self._running.timer is not None:
            self._running.timer.cancel()

    def _take(self, message: m.ClientMessage) -> None:
        match message:
            case m.SessionUpdate(session=session):
                self._update(session, message)
            case m.InputAudioAppend(audio=audio):
                self._hear(audio)
            case m.ItemCreate(item=item):
                self._add(item, message)
            case m.ItemTruncate():
                self._truncate(message)
            case m.ResponseCreate():
                if self._running is not None:
                    self._fail("conversation_already_has_active_response", message)
                else:
                    self._respond()
            case m.ResponseCancel():
                if self._running is None:
                    self._fail("response_cancel_not_active", message)
                else:
                    self._end("cancelled", "client_cancelled")
            case _:
                raise AssertionError(message)

    def _update(self, session: dict[str, Any], message: m.ClientMessage) -> None:
        asked = s.read(session, self._shape)
        if not {asked.input_format, asked.output_format} <= {*self._takes, UNSET}:
            self._fail("invalid_value", message)
            return
        given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}
        self.settings = msgspec.structs.replace(self.settings, **given)
        into, out = SOUND[str(self.settings.input_format)], SOUND[str(self.settings.output_format)]
        self._ear, self._mouth = path(into, SOUND["audio/pcm"]), path(self._format, out)
        self._tell(m.SessionUpdated(session=self._state()))

    def _state(self) -> dict[str, Any]:
        return s.write(msgspec.structs.replace(self.settings, id="sess_1"), self._shape, state=True)

    # Hearing

    def _hear(self, audio: bytes) -> None:
        sound = self._ear.push(audio)
        self._heard_ms += len(sound) / SOUND["audio/pcm"].bytes_per_ms
        for voiced in self._voice.push(sound, round(self._heard_ms)):
            if voiced.started:
                self._item = self._id("item")
                self._tell(m.SpeechStarted(audio_start_ms=max(0, voiced.at), item_id=self._item))
                if self._running is not None:
                    self._end("cancelled", "turn_detected")
            else:
                self._tell(m.SpeechStopped(audio_end_ms=voiced.at, item_id=self._item))
                self._commit(self._item, self._words.popleft())

    def _commit(self, item_id: str, words: str) -> None:
        self._tell(m.InputCommitted(item_id=item_id))
        self._show(m.Item(id=item_id, type="message", role="user", content=(m.Content(type="input_audio"),)))
        self.talk.append(Turn("user", words))
        self._later(TRANSCRIBING_MS - 200, lambda: self._tell(m.TranscriptionDelta(item_id=item_id, delta=words)))
        self._later(TRANSCRIBING_MS, lambda: self._tell(m.TranscriptionCompleted(item_id=item_id, transcript=words)))
        if self._running is None:
            self._respond()

    def _add(self, item: m.Item, message: m.ClientMessage) -> None:
        if item.type == "function_call_output":
            if item.call_id not in self._calls:
                self._fail("invalid_value", message)
                return
            self._calls.discard(item.call_id)
            self.talk.append(Turn("result", item.output or ""))
        else:
            self.talk.append(Turn(item.role or "", "".join(part.text or "" for part in item.content or ())))
        self._show(msgspec.structs.replace(item, id=item.id or self._id("item")))

    def _truncate(self, message: m.ItemTruncate) -> None:
        spoken = self.spoken_ms.get(message.item_id)
        if spoken is None or message.audio_end_ms > spoken:
            self._fail("invalid_value", message)
            return
        self.truncated[message.item_id] = message.audio_end_ms
        self._tell(m.ItemTruncated(item_id=message.item_id, content_index=0, audio_end_ms=message.audio_end_ms))

    # Answering

    def _respond(self) -> None:
        running = self._running = _Running(self._id("resp"))
        self._tell(m.ResponseCreated(response=self._response(running, "in_progress")))
        running.timer = self._later(THINKING_MS, self._think)

    def _think(self) -> None:
        self._make(list(self._mind(tuple(self.talk))))

    def _make(self, left: list[Step]) -> None:
        if not left:
            self._end("completed")
        elif isinstance(left[0], Call):
            self._call(left[0])
            self._make(left[1:])
        elif isinstance(left[0], Drop):
            self._running = None
            self._socket.close(1011)
        else:
            self._begin_words(left[0], left[1:])

    def _call(self, call: Call) -> None:
        running = self._now()
        arguments = msgspec.json.encode(call.arguments).decode()
        item = m.Item(
            id=self._id("item"),
            type="function_call",
            status="in_progress",
            name=call.name,
            call_id=self._id("call"),
            arguments="",
        )
        ids: dict[str, Any] = {
            "response_id": running.id,
            "item_id": item.id,
            "output_index": len(running.output),
            "call_id": item.call_id,
        }
        index = len(running.output)
        self._tell(m.OutputItemAdded(item=item, response_id=running.id, output_index=index))
        self._tell(m.ItemAdded(item=item))
        half = len(arguments) // 2
        for part in (arguments[:half], arguments[half:]):
            self._tell(m.ArgumentsDelta(delta=part, **ids))
        name = call.name if self._shape is Shape.GA else UNSET
        self._tell(m.ArgumentsDone(arguments=arguments, name=name, **ids))
        done = msgspec.structs.replace(item, status="completed", arguments=arguments)
        self._calls.add(str(item.call_id))
        self.talk.append(Turn("call", call.name))
        running.output.append(done)
        self._tell(m.OutputItemDone(item=done, response_id=running.id, output_index=index), m.ItemDone(item=done))

    def _begin_words(self, words: str, left: list[Step]) -> None:
        running = self._now()
        item = m.Item(id=self._id("item"), type="message", role="assistant", status="in_progress", content=())
        self._tell(m.OutputItemAdded(item=item, response_id=running.id, output_index=len(running.output)))
        self._tell(m.ItemAdded(item=item))
        ids: dict[str, Any] = {"response_id": running.id, "item_id": str(item.id), "output_index": len(running.output)}
        self._tell(m.ContentPartAdded(part=m.Part(type="audio", transcript=""), **ids))
        self.talk.append(Turn("assistant", words))
        self.spoken_ms[str(item.id)] = 0
        sound = self._speak(words)
        size = self._format.size(CHUNK_MS)
        chunks = [sound[at : at + size] for at in range(0, len(sound), size)]
        self._tell(m.TranscriptDelta(delta=words, **ids))
        self._speak_on(item, ids, words, chunks, left)

    def _speak_on(self, item: m.Item, ids: dict[str, Any], words: str, chunks: list[bytes], left: list[Step]) -> None:
        running = self._now()
        if chunks:
            self.spoken_ms[str(item.id)] += self._format.ms(len(chunks[0]))
            self._tell(m.AudioDelta(delta=self._mouth.push(chunks[0]), **ids))
            running.timer = self._later(STEP_MS, lambda: self._speak_on(item, ids, words, chunks[1:], left))
            return
        part = m.Part(type="audio", transcript=words)
        done = msgspec.structs.replace(
            item, status="completed", content=(m.Content(type="output_audio", transcript=words),)
        )
        running.output.append(done)
        self._tell(m.AudioDone(**ids), m.TranscriptDone(transcript=words, **ids), m.ContentPartDone(part=part, **ids))
        self._tell(m.OutputItemDone(item=done, response_id=running.id, output_index=ids["output_index"]))
        self._tell(m.ItemDone(item=done))
        self._make(left)

    def _end(self, status: str, reason: str = "") -> None:
        running = self._now()
        self._running = None
        if running.timer is not None:
            running.timer.cancel()
        self._tell(m.ResponseDone(response=self._response(running, status, reason)))

    def _now(self) -> _Running:
        assert self._running is not None
        return self._running

    def _response(self, running: _Running, status: str, reason: str = "") -> m.Response:
        return m.Response(
            id=running.id,
            object="realtime.response",
            status=status,
            status_details={"type": status, "reason": reason} if reason else None,
            output=tuple(m.in_shape(item, self._shape) for item in running.output),
            usage={"input_tokens": 10, "output_tokens": 5, "total_tokens": 15} if status != "in_progress" else None,
        )

    # Saying

    def _show(self, item: m.Item) -> None:
        self._tell(m.ItemAdded(item=item), m.ItemDone(item=item))

    def _fail(self, code: str, cause: m.ClientMessage) -> None:
        self.errors.append(code)
        event_id = cause.event_id if cause.event_id is not UNSET else None
        error = m.ErrorBody(type="invalid_request_error", code=code, message=code, event_id=event_id)
        self._tell(m.ErrorMessage(error=error))

    def _tell(self, *messages: m.ServerMessage) -> None:
        for message in messages:
            shaped = message
            if isinstance(message, m.ItemAdded | m.ItemDone | m.OutputItemAdded | m.OutputItemDone):
                shaped = msgspec.structs.replace(message, item=m.in_shape(message.item, self._shape))
            text = m.encode(msgspec.structs.replace(shaped, event_id=self._id("event")), self._shape)
            if text:
                self._socket.send(text)

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers):03}"

    def _later(self, ms: int, step: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(ms * self._pace / 1000, step)

    # What a test asks

    def said(self, kind: type[m.ClientMessage]) -> list[m.ClientMessage]:
        return [message for message in self.heard if isinstance(message, kind)]
