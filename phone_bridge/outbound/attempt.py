"""One attempt to ring somebody, as tables: how far it has come, how its call stands, and what came of it.

Two things are kept apart. The *stage* says what we have done, and guards that nobody is dialled twice. The *status* is
what the carrier tells of the call; its callbacks come late, doubled and out of order, and never move a call back.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from phone_bridge.errors import LocalError

ASK_AFTER_S = 6
"""How long after a dial of which nobody knows what became of it the carrier is asked; its list may lag behind."""
ASKS = 3
"""How often the carrier must have said that there is no such call before it is dialled anew."""
MAX_DIALS = 5
"""How often one attempt may be sent to the carrier in all, each time because it surely was not taken."""
GIVE_UP_S = 600
"""How long a carrier that cannot be asked is asked; after that the call is given up, and never dialled again."""
SEND_WITHIN_S = 5
"""How long after its intent was written a dial may be sent; a process that slept longer may have been replaced."""


class Stage(StrEnum):
    """How far we have brought an attempt."""

    WAITING = "waiting"  # nothing has been sent
    DIALLING = "dialling"  # it is about to be sent, or was: the phone may ring
    PLACED = "placed"  # the carrier has it and gave it a name
    OVER = "over"


STEPS: Mapping[tuple[Stage, str], Stage] = MappingProxyType(
    {
        (Stage.WAITING, "intend"): Stage.DIALLING,
        (Stage.WAITING, "forbid"): Stage.OVER,
        (Stage.WAITING, "cancel"): Stage.OVER,
        (Stage.DIALLING, "place"): Stage.PLACED,
        (Stage.DIALLING, "not_taken"): Stage.WAITING,
        (Stage.DIALLING, "refuse"): Stage.OVER,
        (Stage.DIALLING, "give_up"): Stage.OVER,
        (Stage.PLACED, "end"): Stage.OVER,
    }
)


def stepped(stage: Stage, step: str) -> Stage:
    """Give the stage after ``step``; raises LocalError for one that the table does not have."""
    try:
        return STEPS[stage, step]
    except KeyError:
        raise LocalError(f"an attempt that is {stage} cannot {step}") from None


# How the call stands

OVER = frozenset({"completed", "no_answer", "busy", "failed", "canceled", "voicemail"})
"""Statuses after which nothing comes."""

AFTER: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "queued": frozenset({"ringing", "in_progress"}) | OVER,
        "ringing": frozenset({"in_progress"}) | OVER,
        "in_progress": frozenset({"completed", "failed", "voicemail"}),
        **dict.fromkeys(OVER, frozenset[str]()),
    }
)
"""Which statuses may follow each; a call that was answered is not busy any more, and one that is over stays so."""


def moves(status: str, told: str) -> bool:
    """Tell whether a call of ``status`` becomes ``told``, or has to be left alone."""
    return told in AFTER[status]


def before(told: str) -> tuple[str, ...]:
    """Name the statuses from which a call may become ``told``."""
    return tuple(status for status, following in AFTER.items() if told in following)


# Who answered

MODES = ("off", "enable", "enable-async", "message-end", "message-end-async")
"""How answering machines are looked for: not at all; by their first words, or by the end of them; before the call is
connected, or (``async``) while the assistant speaks already."""

MACHINES = frozenset({"machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other"})
FAX = "fax"


class Answer(StrEnum):
    """What is done with a call that was answered."""

    CONNECT = "connect"
    LEAVE_MESSAGE = "leave_message"
    OUTWAIT_GREETING = "outwait_greeting"  # then the message
    HANG_UP = "hang_up"


def on_answer(answered_by: str, *, message: bool) -> Answer:
    """Decide what whoever (or whatever) has answered gets; in doubt it is a person.

    A machine that is still greeting would not record what is said now: a message waits until its beep.
    """
    if answered_by not in MACHINES | {FAX}:
        return Answer.CONNECT
    if answered_by == FAX or not message:
        return Answer.HANG_UP
    return Answer.OUTWAIT_GREETING if answered_by == "machine_start" else Answer.LEAVE_MESSAGE


def final(status: str, answered_by: str) -> str:
    """Give the status that a call ends with: one that a machine took is ``voicemail`` in the end."""
    if status == "completed" and answered_by in MACHINES:
        return "voicemail"
    return "failed" if status == "completed" and answered_by == FAX else status


# What became of the dial


class Look(msgspec.Struct, frozen=True):
    """What is known of a dial whose answer never came: since when, and how often the carrier had no such call."""

    since_s: int
    asked: int = 0
    found: str = ""


class Next(StrEnum):
    """What comes next for such a dial; the last three are steps of its stage."""

    WAIT = "wait"
    ASK = "ask"
    PLACE = "place"
    DIAL_AGAIN = "not_taken"
    GIVE_UP = "give_up"


def after_silence(look: Look, now_s: int) -> Next:
    """Decide about a dial that nobody knows the outcome of; ``now_s`` in seconds since 1970.

    It is dialled again only when the carrier, asked often enough and late enough, has no such call.
    """
    if look.found:
        return Next.PLACE
    if look.asked >= ASKS:
        return Next.DIAL_AGAIN
    return Next.ASK if now_s - look.since_s >= ASK_AFTER_S else Next.WAIT


def after_deaf_ear(look: Look, now_s: int) -> Next:
    """Decide where the carrier cannot even be asked: in the end the call is given up, and never dialled again."""
    return Next.GIVE_UP if now_s - look.since_s > GIVE_UP_S else Next.WAIT
