"""Hostile facts: any fact, of the types of its fields, with words that mean something at least as often as not.

A new fact is drawn as soon as it is one of ``Event``: the fields' types say how (``tests/call/facts``), and their names
say which values mean something. Names of items and proposals are few, so that facts meet.
"""

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.call.commands import Speak
from tests.call.facts import facts_of

KINDS: tuple[type[e.Event], ...] = get_args(e.Event)
ENDS = (e.LegClosed, e.EndRequested)

ACTIONS = (
    e.Action("cancel_event", {"event_id": "evt_dentist"}, "Cancel Dentist on Tuesday at 3 p.m."),
    e.Action("update_event", {"event_id": "evt_lunch", "start_time": "2026-11-24T13:00:00+01:00"}),
    e.Action("create_event", {"title": "Lunch", "attendees": ["ada@example.org"]}),
    e.Action("bulk_cancel_events", {"event_ids": ["evt_1", "evt_2"]}, "Cancel everything on Tuesday."),
    e.Action("cancel_event", {"event_id": "evt_dentist"}, "Cancel Dentist on Tuesday at 3 p.m."),
    e.Action("no such tool", {"start_time": 7, "title": None, "deep": [[{"a": 10**30}]]}, "x" * 3_000),
)
TEXTS = ("yes please", "yes", "no", "yes no wait", "make it four", "what", "", " ", "yesterday", "nein", "1")
ITEMS = ("rsp_1", "rsp_2", "rsp_3", "#1", "")
REASONS = ("hangup", "lost", "ended", "expired", "refused", "unavailable", "who knows")

_sizes = st.sampled_from([0, 1, 79, 160, 799, 800, 801, 8_000, 40_000])
_sounds = _sizes.map(lambda size: b"\x11" * size)

NAMED: dict[str, st.SearchStrategy[Any]] = {
    "action": st.sampled_from(ACTIONS),
    "at": st.integers(-3_000, 300),
    "audio": _sounds,
    "by": st.sampled_from(["api", "drain"]),
    "digit": st.sampled_from([*"112*#09A", ""]),
    "final": st.booleans(),
    "id": st.sampled_from(["act_1", "act_2", "act_3"]),
    "item": st.sampled_from(ITEMS),
    "left_ms": st.sampled_from([-5_000, 0, 1, 1_500, 10_000, 60_000]),
    "life_ms": st.sampled_from([-1, 0, 1, 2_000, 40_000, 600_000]),
    "mark": st.tuples(st.integers(0, 4), st.integers(0, 90)).map(lambda pair: f"{pair[0]}.{pair[1]}"),
    "name": st.sampled_from(["cancel_event", "create_event"]),
    "outcome": st.sampled_from(["executed", "failed", "declined", "expired", "not_executed", "unknown"]),
    "parts": st.lists(_sounds, max_size=3).map(tuple),
    "prompt": st.integers(1, 30).map(lambda number: f"~{number}"),
    "reason": st.sampled_from(REASONS),
    "status": st.sampled_from(["completed", "cancelled", "failed", "incomplete"]),
    "text": st.sampled_from(TEXTS),
}


OUR_OWN = ("by",)  # said by the house itself, which says nothing strange
FUNCTIONS = (e.ToolCalled, e.ToolPrepared, e.ToolRan)
FUNCTION_IDS = st.sampled_from(["call_1", "call_2", "call_3"])  # no session both proposes and calls functions


def hostile(kind: type[e.Event]) -> st.SearchStrategy[e.Event]:
    """Draw facts of ``kind``; an ``at`` counts from the present."""
    fields = {}
    for field in msgspec.structs.fields(kind):
        strange = facts_of(field.type)
        named = NAMED.get(field.name)
        if kind in FUNCTIONS and field.name == "id":
            fields["id"] = FUNCTION_IDS
        elif named is None or field.name in OUR_OWN:
            fields[field.name] = named if named is not None else strange
        else:
            fields[field.name] = st.one_of(named, named, named, strange)
    return st.builds(kind, **fields)


def placed(fact: e.Event, now: int, prompts: dict[str, Speak]) -> e.Event:
    """Put a fact into a call: its times near the present, and a prompt with a run of sound for each of its lines."""
    if isinstance(fact, e.VoiceStarted | e.VoiceStopped):
        return msgspec.structs.replace(fact, at=now + fact.at)
    if isinstance(fact, e.PromptReady) and fact.prompt in prompts:
        lines = prompts[fact.prompt].lines
        parts = [*fact.parts, *(b"\x22" * PCMU_8K.size(300) for _ in lines)][: len(lines)]
        return e.PromptReady(fact.prompt, tuple(parts))
    return fact
