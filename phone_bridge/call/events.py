"""Facts, in the past tense: what a leg, a session or the pump has seen.

Both wires speak to the call in these words alone. Sound is in the leg's format; the call never looks inside it.
"""

from typing import Any

import msgspec


class CallerHeard(msgspec.Struct, frozen=True, gc=False):
    """The caller's line carried ``audio``, in the leg's format."""

    audio: bytes


class DigitPressed(msgspec.Struct, frozen=True, gc=False):
    """The caller pressed one key: ``0`` to ``9``, ``*``, ``#`` or ``A`` to ``D``."""

    digit: str


class MarkReached(msgspec.Struct, frozen=True, gc=False):
    """The carrier returned a mark: played up to it, or cleared, which only the ledger can tell apart."""

    mark: str


class LegTrouble(msgspec.Struct, frozen=True, gc=False):
    """The carrier sent something that was skipped; ``code`` is stable, for counting."""

    code: str
    message: str = ""


class LegClosed(msgspec.Struct, frozen=True, gc=False):
    """The leg is gone: ``hangup`` when the carrier said so, ``lost`` when its socket vanished."""

    reason: str = "hangup"


class VoiceStarted(msgspec.Struct, frozen=True, gc=False):
    """The caller began to speak at ``at`` (milliseconds on the call's clock, never later than now)."""

    at: int


class VoiceStopped(msgspec.Struct, frozen=True, gc=False):
    """The caller stopped speaking at ``at`` (milliseconds on the call's clock)."""

    at: int


class TurnEnded(msgspec.Struct, frozen=True, gc=False):
    """The session took what the caller said as a turn and will answer it; the words may come later, or never."""


class CallerSaid(msgspec.Struct, frozen=True, gc=False):
    """The session recognised words; a partial holds the whole utterance so far and is replaced by the next.

    ``began`` is when the utterance began (milliseconds on the call's clock), where the session knows which it was: then
    the voice and the turn's end were told apart from the words, which may come after the reply to them.
    """

    text: str
    final: bool = True
    began: int | None = None


class SessionOpened(msgspec.Struct, frozen=True, gc=False):
    """The session is ready to listen; it lives ``life_ms`` from now, as far as is known (0: not known)."""

    id: str = ""
    life_ms: int = 0


class SessionExpiring(msgspec.Struct, frozen=True, gc=False):
    """The session said that it will end in ``left_ms``."""

    left_ms: int


class SpareReady(msgspec.Struct, frozen=True, gc=False):
    """A further session stands by to take the place of the present one; ``life_ms`` as in ``SessionOpened``."""

    life_ms: int = 0


class SpareFailed(msgspec.Struct, frozen=True, gc=False):
    """The further session could not be had, or was lost while it stood by."""

    reason: str = ""


class OutcomeFound(msgspec.Struct, frozen=True, gc=False):
    """What a look-up tells of the action ``id``: ``executed``, ``not_executed`` or ``unknown``."""

    id: str
    outcome: str


class ReplyStarted(msgspec.Struct, frozen=True, gc=False):
    """The assistant began the reply ``item``."""

    item: str


class AssistantSpoke(msgspec.Struct, frozen=True, gc=False):
    """A run of the assistant's speech, part of the reply ``item``, in the leg's format."""

    item: str
    audio: bytes


class AssistantSaid(msgspec.Struct, frozen=True, gc=False):
    """More words (a delta) of what the reply ``item`` says."""

    item: str
    text: str


class ReplyEnded(msgspec.Struct, frozen=True, gc=False):
    """No more speech of the reply ``item`` follows; ``status`` is completed, cancelled, failed or incomplete."""

    item: str
    status: str = "completed"


class IntentDetected(msgspec.Struct, frozen=True):
    """The session understood a wish; for the record only."""

    name: str
    confidence: float
    parameters: dict[str, Any]


class Affected(msgspec.Struct, frozen=True):
    """One thing an action would touch, as far as the session tells."""

    id: str = ""
    title: str = ""
    start_time: str = ""


class Action(msgspec.Struct, frozen=True):
    """What would be done: a tool's name with its exact parameters, and the session's own words for it, if any."""

    name: str
    parameters: dict[str, Any] = {}
    summary: str = ""
    affects: tuple[Affected, ...] = ()


class ConfirmationAsked(msgspec.Struct, frozen=True):
    """The session wants to do ``action`` and waits for the caller's consent to exactly that."""

    id: str
    action: Action


class ActionSettled(msgspec.Struct, frozen=True):
    """The session says what became of a proposal: executed, failed, declined or expired; ``result`` is its own."""

    id: str
    outcome: str
    action: Action | None = None
    result: Any = None


class ToolCalled(msgspec.Struct, frozen=True):
    """The session's model calls a function and waits for its result; ``id`` is the session's name for the call."""

    id: str
    action: Action


class ToolPrepared(msgspec.Struct, frozen=True):
    """What a tool that has to be asked for would do exactly: ``action``; or ``refusal``, when it cannot be done."""

    id: str
    action: Action
    refusal: str = ""


class ToolRan(msgspec.Struct, frozen=True, gc=False):
    """A tool that ran under ``id`` gave ``result``; ``ok`` when it did its work, ``unsure`` when nobody knows."""

    id: str
    result: str
    ok: bool
    unsure: bool = False


class TokensUsed(msgspec.Struct, frozen=True, gc=False):
    """What a reply cost, in tokens; ``cached`` ones are part of the input."""

    input_text: int = 0
    input_audio: int = 0
    cached: int = 0
    output_text: int = 0
    output_audio: int = 0


class SessionTrouble(msgspec.Struct, frozen=True, gc=False):
    """The session reported an error, or sent nonsense that was skipped, and lives on."""

    code: str
    message: str = ""


class SessionClosed(msgspec.Struct, frozen=True, gc=False):
    """The session is gone.

    ``reason``: ``ended`` (it said so, all is well), ``expired`` (its time was up), ``lost`` (the socket vanished),
    ``refused`` or ``unavailable`` (it never opened).
    """

    reason: str
    message: str = ""


class PromptReady(msgspec.Struct, frozen=True, gc=False):
    """The bridge's own voice is ready: one run of sound for each line of the ``Speak`` that asked for it."""

    prompt: str
    parts: tuple[bytes, ...]


class PromptFailed(msgspec.Struct, frozen=True, gc=False):
    """The bridge's own voice could not say the prompt."""

    prompt: str
    message: str = ""


class PinKeyed(msgspec.Struct, frozen=True, gc=False):
    """The caller pressed a key while the PIN was asked for: ``*``, ``#``, or one that is not told (an empty text).

    ``digits`` is how many digits there are by now. Which they are is known to the pump's pad alone.
    """

    key: str
    digits: int


class PinSpoken(msgspec.Struct, frozen=True, gc=False):
    """The caller spoke while the PIN was asked for; ``digits`` is how many there are by now.

    ``wish`` is what was said instead of digits: ``no``, ``repeat``, ``person`` (to be put through), or nothing that is
    understood (an empty text).
    """

    digits: int
    wish: str = ""


class PinJudged(msgspec.Struct, frozen=True, gc=False):
    """What was given in an ``attempt`` was checked; see ``Wanted`` for what that may be.

    ``outcome``: ``right``, ``wrong``, ``locked`` (there were too many wrong ones, here or in other calls), ``missing``
    (the user has none) or ``failed`` (it could not be checked). Of a new PIN: ``right`` (it may be one, or is the
    user's from now on), ``short``, ``weak``, ``same`` (as the old one) or ``differs`` (from what was given first).
    """

    attempt: int
    outcome: str


class CodeSent(msgspec.Struct, frozen=True, gc=False):
    """The code of a ``sending`` was sent, or not: ``outcome`` is ``sent``, ``locked`` (too many were) or ``failed``."""

    sending: int
    outcome: str


class PinChangeWanted(msgspec.Struct, frozen=True, gc=False):
    """The session says that the caller wants to set a PIN, or another one: the bridge is to ask for it."""


class EndRequested(msgspec.Struct, frozen=True, gc=False):
    """An operator or program asked for the call to end; ``by`` is for the record."""

    by: str = "api"


class TransferRequested(msgspec.Struct, frozen=True, gc=False):
    """Somebody asked for the caller to be put through to ``name``, which ends the call's part here."""

    name: str = ""


class TransferRefused(msgspec.Struct, frozen=True, gc=False):
    """The caller cannot be put through to whom they asked for, and stays here."""


class LanguageChosen(msgspec.Struct, frozen=True, gc=False):
    """The session wants the bridge to speak, and to understand, ``language`` from now on: a tag such as ``es-MX``."""

    language: str


class CallerChanged(msgspec.Struct, frozen=True, gc=False):
    """Somebody else has the line now: whoever was there has put them through, and is gone."""


class CallerHeld(msgspec.Struct, frozen=True, gc=False):
    """The other end has put us on hold, so that nobody hears us, or (not ``held``) has taken us back."""

    held: bool


Event = (
    CallerHeard
    | DigitPressed
    | MarkReached
    | LegTrouble
    | LegClosed
    | VoiceStarted
    | VoiceStopped
    | TurnEnded
    | CallerSaid
    | SessionOpened
    | SessionExpiring
    | SpareReady
    | SpareFailed
    | OutcomeFound
    | ReplyStarted
    | AssistantSpoke
    | AssistantSaid
    | ReplyEnded
    | IntentDetected
    | ConfirmationAsked
    | ActionSettled
    | ToolCalled
    | ToolPrepared
    | ToolRan
    | TokensUsed
    | SessionTrouble
    | SessionClosed
    | PromptReady
    | PromptFailed
    | EndRequested
    | TransferRequested
    | LanguageChosen
    | CallerChanged
    | CallerHeld
    | PinKeyed
    | PinSpoken
    | PinJudged
    | TransferRefused
    | CodeSent
    | PinChangeWanted
)
