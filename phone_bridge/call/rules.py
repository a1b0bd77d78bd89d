"""The values that a call goes by; every limit with its unit, and a deployment's choices beside them."""

from collections.abc import Mapping

import msgspec

from phone_bridge.call.trust import Trust
from phone_bridge.offers import Effect

LONGEST_CALL_MS = 3_600_000


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What one call may take, in milliseconds where the name ends so."""

    language: str = "en"
    languages: Mapping[str, str] = {}
    """Other languages that are offered at the beginning, each by its key."""
    chosen: str = ""
    """The language that the caller had chosen before the call came to us, in a menu; empty for none."""
    greeting: str = ""
    """The first words; empty for the language's own greeting."""
    errand: str = ""
    """What an outbound call is about, said first and answered by keys or words; empty for any other call."""
    about: str = ""
    """What whoever screens an outbound call is told; empty for a call that came in."""
    announce: bool = False
    """Whether the caller is told first that the call is recorded, and nothing is kept before that was heard."""
    onward: bool = False
    """Whether the caller gets something else (a transfer, a voicemail) where the assistant cannot be had."""
    auto_confirm: frozenset[str] = frozenset()
    """Tools that this user wants done without asking; told each time, and never for ``NEVER_UNASKED``."""

    callees: Mapping[str, bool] = {}
    """To whom the bridge puts a caller through who asks in words, and whether a person picks up there."""
    refers: bool = False
    """Whether it is the caller's own side that moves the line (by SIP), and the call stays here until it has."""
    effects: Mapping[str, str] = {}
    """What each tool does that a function-calling session is offered, by its name: read, write, outward, destroy."""

    trust: Trust = Trust()
    """How far the caller is known, and which tools need how much."""
    pin_by_voice: bool = False
    """Whether a PIN may be spoken, because there is an ear of our own for it."""
    pin_change: bool = False
    """Whether a caller may set a PIN, or another one, by telephone."""
    pin_digits: int = 6
    """Digits of the shortest PIN there is: with fewer, more are waited for."""
    pin_pause_ms: int = 4_000
    """How long after a key the PIN counts as complete that was not ended with the hash key."""
    pin_said_ms: int = 1_500
    """The same after digits that were spoken."""
    pin_judge_ms: int = 8_000
    """How long a check may take."""
    code_ms: int = 240_000
    """How long a code that was sent may be asked for in all; it is valid a little longer."""
    late_key_ms: int = 3_000
    """How long after a PIN was asked for further keys still belong to it, and are told to nobody."""
    muffled_ms: int = 400
    """How long after a PIN was asked for the session hears silence still; longer where a voice goes on."""

    answer_ms: int = 20_000
    """How long a question waits for its answer once it was asked."""
    question_ms: int = 120_000
    """How long one question may take with all its repetitions."""
    unclear_answers: int = 2
    """Unclear spoken answers after which only the keys are asked for."""
    lead_in_ms: int = 6_000
    """How long speech that preceded a proposal may go on before the question cuts in."""
    outcome_ms: int = 1_500
    """How long the next question waits for the outcome of the last one to be told."""
    outcome_limit_ms: int = 10_000
    """How long the telling of an outcome may hold up the next question."""
    double_tap_ms: int = 1_000
    """A key within this time of an answer belongs to that answer."""
    unheard_ms: int = 2_500
    """How long the words of a voice may take to come, before the question that it spoke to is asked again."""
    unseen_speech_ms: int = 700
    """How much earlier than its text an utterance began, at the least, when nothing else tells its beginning:
    a short word and a recogniser's end-of-turn silence."""
    wordless_ms: int = 15_000
    """A voice of which no words came for so long was none."""

    silence_ms: int = 20_000
    """Silence of both sides after which the caller is asked whether they are still there."""
    last_silence_ms: int = 10_000
    """Further silence after which the call ends."""
    one_moment_ms: int = 2_500
    """How long a caller's turn may go without any reply before the bridge says "one moment"."""
    one_moment_again_ms: int = 3_000
    """The same once it was said."""
    starved_ms: int = 600
    """How long a reply that has begun may leave the caller in silence before the bridge says "one moment"."""
    stalled_ms: int = 4_000
    """How long a session may send nothing in the midst of a reply before it counts as lost."""
    mute_ms: int = 15_000
    """The same while a reply is awaited, or something is being done: a tool may take ten seconds."""
    limit_ms: int = LONGEST_CALL_MS
    """The longest call."""
    prompt_ms: int = 3_000
    """How long the bridge's own voice may take to be made."""
    farewell_ms: int = 7_000
    """How long after its sending a goodbye may go unheard before the line is cut all the same."""
    hold_ms: int = 5_000
    """How much of the caller's speech is kept for a session that is still opening."""

    session_ms: int = 2_500
    """How long the first session may be without an answer."""
    session_more_ms: int = 2_500
    """How much longer while the greeting sounds, for then nobody waits."""
    session_failures: int = 3
    """How often in a row a session may be lost, or not be had, before the call is given up."""
    reopen_ms: int = 400
    """The pause before a lost session is tried for again, growing by as much each time; none before the first."""
    settled_ms: int = 30_000
    """How long a session must have lasted for earlier losses to be forgiven."""
    renew_ms: int = 30_000
    """How long before a session's end a further one is made ready; at most half of its life."""
    spare_pause_ms: int = 3_000
    """The pause before a further session that could not be had is tried for again."""
    swap_ms: int = 1_500
    """How near its end a session is left for the spare one, pause or no pause; at most an eighth of its life."""
    pause_ms: int = 400
    """How long neither side must have spoken for the session to be changed."""

    def reads(self, tool: str) -> bool:
        """Tell whether ``tool`` only looks; one of which nothing is known does not."""
        return self.effects.get(tool) == Effect.READ


NEVER_UNASKED = frozenset({"bulk_cancel_events"})
"""Tools that no preference can free from the question."""
