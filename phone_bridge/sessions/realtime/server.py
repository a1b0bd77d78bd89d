"""A Realtime client's socket as a session keeps it, in GA's shape or the beta's: its messages to facts, and back.

The conversation's items are kept here, for they are the dialect's own: what of them means something to the session (a
turn, a function's result, a turn taken back) goes on as a fact.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from phone_bridge.audio.format import Format
from phone_bridge.audio.path import Path, path
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime.answers import Answers, Options, Taken
from phone_bridge.sessions.realtime.items import Items, words
from phone_bridge.sessions.realtime.names import (
    ACTIVE_RESPONSE,
    INVALID_VALUE,
    ITEM_NOT_FOUND,
    MAX_SESSION_MINUTES,
    MISSING_PARAMETER,
    NOTHING_TO_CANCEL,
    NOTHING_TO_COMMIT,
    RATE_LIMITED,
    SESSION_EXPIRED,
    SOUND,
    Shape,
)
from phone_bridge.sessions.realtime.settings import Settings, TurnDetection, read, write

MAX_TEXT_CHARS = 32_000
"""Longest text of an item, and longest instructions."""

MAX_METADATA = 16
"""Pairs of a response's metadata; a key has 64 characters at most, a value 512."""

MAX_TOOLS = 128
"""Functions that a client may offer."""

DEFAULTS = Settings(
    model="phone-bridge",
    modalities=("audio",),
    instructions="",
    voice="alloy",
    speed=1.0,
    input_format="audio/pcm",
    output_format="audio/pcm",
    transcription=None,
    noise_reduction=None,
    turn_detection=TurnDetection(
        threshold=0.5, prefix_padding_ms=250, silence_duration_ms=500, create_response=True, interrupt_response=True
    ),
    tools=(),
    tool_choice="auto",
    max_output_tokens="inf",
)
"""What a session is set to that nobody has set otherwise; the times are those of the assistant's own ear."""

NOTHING = Settings()

MAX_ASKED = 16
"""Responses that may wait to begin."""

_CODES = {
    "response_not_active": NOTHING_TO_CANCEL,
    "turn_empty": NOTHING_TO_COMMIT,
    "rate_limit_exceeded": RATE_LIMITED,
    "session_expired": SESSION_EXPIRED,
    "payload_too_large": INVALID_VALUE,
    "resource_missing": INVALID_VALUE,
}
_WORDS = {
    "response_not_active": "Cancellation failed: no active response found.",
    "turn_empty": "Error committing input audio buffer: the buffer is too small, or holds no speech.",
    "session_expired": f"Your session hit the maximum duration of {MAX_SESSION_MINUTES} minutes.",
}
_BETA_FIELDS = frozenset(
    {"modalities", "voice", "input_audio_format", "output_audio_format", "turn_detection", "temperature"}
    | {"input_audio_transcription", "max_response_output_tokens"}
)
_SERVER_ERRORS = frozenset({"service_unavailable", "internal_error"})
_CLOSE_CODES = {"completed": 1000, "expired": 1001, "server_shutdown": 1001, "refused": 1008, "error": 1011}


class Identity(NamedTuple):
    """What a session is called: ids, and its end in seconds since 1970."""

    session_id: str
    conversation_id: str
    expires_at: int


def settle(now: Settings, change: Settings) -> Settings:
    """Change what ``change`` holds and nothing else; the id, the model and the end stay."""
    kept = ("id", "model", "expires_at")
    fields = {name: getattr(change, name) for name in change.__struct_fields__ if name not in kept}
    return msgspec.structs.replace(now, **{name: value for name, value in fields.items() if value is not UNSET})


def check(settings: Settings) -> None:
    """Refuse settings that no session here can have; raises InvalidMessage."""
    if settings.instructions and len(settings.instructions) > MAX_TEXT_CHARS:
        raise _invalid(f"Instructions have {MAX_TEXT_CHARS} characters at most.", "session.instructions")
    tools = settings.tools or ()
    if len(tools) > MAX_TOOLS:
        raise _invalid(f"A session has {MAX_TOOLS} tools at most.", "session.tools")
    for at, tool in enumerate(tools):
        if tool.get("type", "function") != "function" or not isinstance(tool.get("name"), str):
            raise _invalid("Only tools of the type function, with a name, are supported here.", f"session.tools[{at}]")


class RealtimeKeeper:
    """One client's socket; ``settings`` are what was agreed on before, ``new_id`` makes ids from their prefixes."""

    def __init__(
        self, shape: Shape, identity: Identity, new_id: Callable[[str], str], settings: Settings = NOTHING
    ) -> None:
        self._shape = shape
        self._identity = identity
        self._new_id = new_id
        self._outbox: list[bytes | str] = []
        self._settings = settle(DEFAULTS, settings)
        if settings.model is not UNSET:
            self._settings = msgspec.structs.replace(self._settings, model=settings.model)
        if shape is Shape.BETA and self._settings.temperature is UNSET:
            self._settings = msgspec.structs.replace(self._settings, temperature=0.8)
        self._items = Items(new_id)
        self._answers = Answers(shape, self._send, self._items, new_id, identity.conversation_id)
        self._asked: deque[Options] = deque()  # responses that have not begun
        self._taken = Taken()
        self._durations: dict[str, int] = {}  # of turns whose words are not known yet
        self._calls: dict[str, str] = {}  # the session's names of calls, by ours
        self._hear(self._settings.input_format or "audio/pcm")
        self.event_id = ""

    @property
    def settings(self) -> Settings:
        """What the session is set to."""
        return self._settings

    @property
    def manners(self) -> s.Manners:
        """What the session does of itself, as things are now."""
        detection = self._settings.turn_detection or None
        replying = self._answers.settings or self._settings
        return s.Manners(
            begins_at_once=True,
            finds_turns=detection is not None,
            answers_speech=detection is not None and detection.create_response is not False,
            stops_for_speech=detection is not None and detection.interrupt_response is not False,
            answers_always=True,
            takes_proposals=False,
            speaks=replying.modalities != ("text",),
            idle_ms=None,
            warns=False,
        )

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting

    def voice(self, format: Format) -> Path:
        """Make the way of our own sound in ``format`` to the client."""
        settings = self._answers.settings or self._settings
        return path(format, SOUND[settings.output_format or "audio/pcm"])

    def close_code(self, reason: str) -> int:
        """Say with which code the socket closes."""
        return _CLOSE_CODES.get(reason, 1000)

    # What the client says

    def opening(self) -> list[s.ClientFact]:
        """Offer the functions that came with a client secret."""
        return [s.ToolsOffered(_offered(self._settings))]

    def receive(self, data: bytes | str) -> list[s.ClientFact]:
        """Read one message; raises BadMessage."""
        self.event_id = ""
        try:
            message = m.read_client_message(data)
            self.event_id = message.event_id or ""
            return self._facts(message)
        except m.InvalidMessage as error:
            event_id = error.event_id or self.event_id
            raise s.BadMessage(str(error), code=error.code, param=error.param, event_id=event_id) from None

    def _facts(self, message: m.ClientMessage) -> list[s.ClientFact]:
        match message:
            case m.InputAudioAppend(audio=audio):
                return [s.SoundCame(self._ear.push(audio))]
            case m.InputAudioCommit():
                return [s.TurnEnded(strict=True)]
            case m.InputAudioClear():
                self._send(m.InputCleared())
                return [s.TurnCleared()]
            case m.SessionUpdate(session=session):
                return self._update(session)
            case m.ResponseCreate(response=response):
                return self._create_response(response or {})
            case m.ResponseCancel(response_id=response_id):
                return [s.ReplyCancelled(response_id or "")]
            case m.ItemCreate() | m.ItemRetrieve() | m.ItemDelete() | m.ItemTruncate():
                return self._item(message)
        raise _invalid("This server does not support that event on a WebSocket.", "type")

    def _update(self, session: dict[str, Any]) -> list[s.ClientFact]:
        if "type" not in session and _BETA_FIELDS & session.keys():
            self._shape = self._answers.shape = Shape.BETA  # a client that did not ask for it by header
        if self._shape is Shape.GA and "type" not in session:
            raise m.InvalidMessage(
                "Missing required parameter: 'session.type'.", code=MISSING_PARAMETER, param="session.type"
            )
        if self._shape is Shape.GA and session["type"] != "realtime":
            raise _invalid("Only sessions of the type realtime are served here.", "session.type")
        change = read(session, self._shape)
        check(change)
        other_voice = change.voice is not UNSET and change.voice != self._settings.voice
        if other_voice and self._answers.has_spoken:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise m.InvalidMessage(message, code="cannot_update_voice", param="session.voice")
        before, self._settings = self._settings, settle(self._settings, change)
        if self._settings.input_format != before.input_format:
            self._hear(self._settings.input_format or "audio/pcm")
        facts: list[s.ClientFact] = []
        if change.turn_detection is not UNSET and (change.turn_detection is None) != (before.turn_detection is None):
            facts.append(s.TurnCleared())  # what was heard so far belongs to the other way of finding turns
        return [*facts, s.ToolsOffered(_offered(self._settings)), s.SettingsSent()]

    def _hear(self, name: str) -> None:
        self._ear = path(SOUND[name], s.EAR)

    # Responses

    def _create_response(self, wanted: dict[str, Any]) -> list[s.ClientFact]:
        where = wanted.get("conversation", "auto")
        if where not in ("auto", "none"):
            raise _invalid("Invalid value. Supported values are: 'auto', 'none'.", "response.conversation")
        aside = where == "none"
        if not aside and (self._asked or self._answers.running is not None):
            raise m.InvalidMessage(
                "Conversation already has an active response in progress. "
                "Wait until the response is finished before creating a new one.",
                code=ACTIVE_RESPONSE,
            )
        if len(self._asked) >= MAX_ASKED:
            raise m.InvalidMessage(f"{MAX_ASKED} responses wait already.", code=RATE_LIMITED)
        settings = read(wanted, self._shape)
        check(settings)
        texts = self._texts(wanted.get("input")) if aside else None
        self._asked.append(Options(settings, _metadata(wanted.get("metadata")), aside))
        own_tools = settings.tools is not UNSET or settings.tool_choice is not UNSET
        tools = _offered(settle(self._settings, settings)) if own_tools else None
        return [s.ReplyAsked(texts, tools)]

    def _texts(self, items: Any) -> tuple[str, ...]:
        """Find what a response beside the conversation is to answer: the last words of the user's."""
        if items is None:
            return tuple(filter(None, [self._items.last_words_of("user")]))
        try:
            given = msgspec.convert(items, tuple[m.Item, ...])
        except msgspec.ValidationError:
            raise _invalid("The input is a list of items.", "response.input") from None
        named = [self._items.find(each.id or "") if each.type == "item_reference" else each for each in given]
        return tuple(filter(None, [words(each) for each in named if each.role == "user"][-1:]))

    # Items

    def _item(self, message: m.ItemCreate | m.ItemRetrieve | m.ItemDelete | m.ItemTruncate) -> list[s.ClientFact]:
        match message:
            case m.ItemCreate():
                return self._create_item(message)
            case m.ItemRetrieve(item_id=item_id):
                self._send(m.ItemRetrieved(item=m.in_shape(self._items.find(item_id), self._shape)))
                return []
            case m.ItemDelete(item_id=item_id):
                self._items.delete(item_id)
                self._durations.pop(item_id, None)
                self._send(m.ItemDeleted(item_id=item_id))
                return [s.TurnTakenBack(item_id)]
            case m.ItemTruncate(item_id=item_id, content_index=index, audio_end_ms=end):
                self._items.truncate(item_id, index, end)
                self._send(m.ItemTruncated(item_id=item_id, content_index=index, audio_end_ms=end))
        return []

    def _create_item(self, message: m.ItemCreate) -> list[s.ClientFact]:
        item = message.item
        maker = {
            ("message", "user"): self._user_message,
            ("message", "assistant"): self._assistant_message,
            ("message", "system"): _nothing,
            ("function_call", None): _nothing,
            ("function_call_output", None): self._function_output,
        }.get((item.type or "message", item.role if item.type in ("message", None) else None))
        if maker is None:
            raise _invalid("Items are messages, function calls and their outputs here.", "item.type")
        _check_text(item)
        status = msgspec.structs.replace(item, type=item.type or "message", status="completed")
        facts = maker(msgspec.structs.replace(status, id=item.id or self._new_id("item")))
        kept = facts.item
        added, previous = self._items.add(kept, message.previous_item_id or None)
        named = m.in_shape(added, self._shape)
        self._send(m.ItemAdded(item=named, previous_item_id=previous))
        self._send(m.ItemDone(item=named, previous_item_id=previous))
        return facts.facts

    def _user_message(self, item: m.Item) -> "_Made":
        text, sound = words(item), b""
        for at, part in enumerate(item.content or ()):
            if part.type == "input_audio":
                sound += self._decoded(part.audio, at)
            elif part.type not in ("input_text", "text"):
                raise _invalid("A user's message holds input_text and input_audio here.", f"item.content[{at}].type")
        self._taken.words += len(text.split())
        if sound:
            self._taken.ms += s.EAR.ms(len(sound))
            self._durations[item.id or ""] = s.EAR.ms(len(sound))
        bare = tuple(
            msgspec.structs.replace(part, audio=None, transcript=part.transcript or "")
            if part.type == "input_audio"
            else part
            for part in item.content or ()
        )
        turn = s.TurnGiven(item.id or "", text, sound, answered=False)
        return _Made(msgspec.structs.replace(item, content=bare), [turn])

    def _decoded(self, audio: str | None, at: int) -> bytes:
        try:
            sound = msgspec.convert(audio, bytes)
        except msgspec.ValidationError:
            raise _invalid("Sound is not base64.", f"item.content[{at}].audio") from None
        return path(SOUND[self._settings.input_format or "audio/pcm"], s.EAR).push(sound)

    def _assistant_message(self, item: m.Item) -> "_Made":
        """Take what was answered elsewhere: the turns before it wait no more."""
        return _Made(item, [s.TurnsAnswered()])

    def _function_output(self, item: m.Item) -> "_Made":
        call_id, output = item.call_id or "", item.output or ""
        if call_id not in self._calls and not self._items.knows_call(call_id):
            message = f"The conversation has no function call {call_id[:64]}."
            raise m.InvalidMessage(message, code=ITEM_NOT_FOUND, param="item.call_id")
        self._taken.words += len(output.split())
        named = self._calls.pop(call_id, None)
        return _Made(item, [s.ToolReturned(named, output)] if named is not None else [])

    # What happens

    def tell(self, happening: s.Happening) -> None:
        """Queue what says this; what the dialect has no word for is left out."""
        match happening:
            case s.ReplySound(_, audio):
                self._answers.sound(audio)
            case s.ReplyWords(_, text):
                self._answers.say(text)
            case s.ReplyBegan(reply):
                options = self._asked.popleft() if self._asked else Options()
                taken, self._taken = self._taken, Taken()
                self._answers.begin(reply, options, settle(self._settings, options.settings), taken)
            case s.ToolAsked(action_id, action):
                call_id = f"call_{action_id.partition('_')[2] or action_id}"
                self._calls[call_id] = action_id
                self._answers.call(call_id, action)
            case s.ReplyEnded(_, status, reason):
                self._answers.end(status, reason)
            case s.Opened():
                self._open()
            case s.SettingsTaken():
                self._send(m.SessionUpdated(session=self._state()))
            case s.Trouble():
                self._trouble(happening)
            case _:
                self._turn(happening)

    def _open(self) -> None:
        self._send(m.SessionCreated(session=self._state()))
        if self._shape is Shape.BETA:
            conversation = m.Conversation(self._identity.conversation_id)
            self._send(m.ConversationCreated(conversation=conversation))

    def _state(self) -> dict[str, Any]:
        known = msgspec.structs.replace(
            self._settings, id=self._identity.session_id, expires_at=self._identity.expires_at
        )
        return write(known, self._shape, state=True)

    def _turn(self, happening: s.Happening) -> None:
        match happening:
            case s.VoiceBegan(at_ms, turn):
                self._send(m.SpeechStarted(audio_start_ms=at_ms, item_id=turn))
            case s.VoiceEnded(at_ms, turn):
                self._send(m.SpeechStopped(audio_end_ms=at_ms, item_id=turn))
            case s.TurnTaken(turn, ms):
                self._take_turn(turn, ms)
            case s.Transcribed(turn, text):
                self._transcribed(turn, text)
            case s.NotTranscribed(turn, message):
                self._durations.pop(turn, None)
                body = {"type": "server_error", "code": "service_unavailable", "message": message, "param": None}
                self._send(m.TranscriptionFailed(item_id=turn, error=body))

    def _take_turn(self, turn: str, ms: int) -> None:
        content = (m.Content(type="input_audio", transcript=""),)  # a strict client wants a text there
        item = m.Item(id=turn, type="message", status="completed", role="user", content=content)
        self._taken.ms += ms
        kept, previous = self._items.add(item)
        self._send(m.InputCommitted(item_id=turn, previous_item_id=previous))
        self._send(m.ItemAdded(item=kept, previous_item_id=previous))
        self._send(m.ItemDone(item=kept, previous_item_id=previous))
        self._durations[turn] = ms

    def _transcribed(self, turn: str, text: str) -> None:
        self._items.transcribe(turn, text)
        ms = self._durations.pop(turn, 0)
        if self._settings.transcription:
            if text:
                self._send(m.TranscriptionDelta(item_id=turn, delta=text))
            usage = {"type": "duration", "seconds": ms / 1000}
            self._send(m.TranscriptionCompleted(item_id=turn, transcript=text, usage=usage))

    def _trouble(self, trouble: s.Trouble) -> None:
        body = m.ErrorBody(
            type="server_error" if trouble.code in _SERVER_ERRORS else "invalid_request_error",
            code=_CODES.get(trouble.code, trouble.code),
            message=_WORDS.get(trouble.code, trouble.message),
            param=trouble.param or None,
            event_id=trouble.event_id or None,
        )
        self._send(m.ErrorMessage(error=body))

    def _send(self, message: m.ServerMessage) -> None:
        text = m.encode(msgspec.structs.replace(message, event_id=self._new_id("event")), self._shape)
        if text:
            self._outbox.append(text)


class _Made(NamedTuple):
    """An item as it is kept, and what it means to the session."""

    item: m.Item
    facts: list[s.ClientFact]


def _nothing(item: m.Item) -> _Made:
    return _Made(item, [])


def _offered(settings: Settings) -> tuple[s.ClientTool, ...]:
    """Name the functions that may be called: none with a tool_choice of none, one where one is named."""
    choice = settings.tool_choice
    only = choice.get("name") if isinstance(choice, dict) else None
    if choice == "none":
        return ()
    return tuple(
        s.ClientTool(tool["name"], str(tool.get("description") or ""), _schema(tool.get("parameters")))
        for tool in settings.tools or ()
        if only is None or tool["name"] == only
    )


def _schema(parameters: Any) -> dict[str, Any]:
    return parameters if isinstance(parameters, dict) else {}


def _metadata(given: Any) -> dict[str, str] | None:
    if given is None:
        return None
    fits = isinstance(given, dict) and len(given) <= MAX_METADATA
    if not fits or not all(
        isinstance(value, str) and len(key) <= 64 and len(value) <= 512 for key, value in given.items()
    ):
        raise _invalid(f"Metadata holds {MAX_METADATA} pairs of texts at most.", "response.metadata")
    kept: dict[str, str] = given
    return kept


def _check_text(item: m.Item) -> None:
    if len(words(item)) > MAX_TEXT_CHARS or len(item.output or "") + len(item.arguments or "") > MAX_TEXT_CHARS:
        raise _invalid(f"An item holds {MAX_TEXT_CHARS} characters of text at most.", "item.content")


def _invalid(message: str, param: str) -> m.InvalidMessage:
    return m.InvalidMessage(message, code=INVALID_VALUE, param=param)
