"""What an assistant remembers of a user: the values, the tools over them, and how words are looked for."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from phone_bridge.offers import Effect
from phone_bridge.tools.catalogue import Catalogue, Reach, Tool
from phone_bridge.tools.schemas import Parameters, schema_of

MAX_CHARS = 1_000
"""The longest memory."""
MAX_MEMORIES = 10_000
"""Memories of one user; whoever has more forgets the oldest ones."""
MAX_TERMS = 16
"""Words of a query that are looked for."""
PAGE = 50
"""The most that one listing tells."""

Kind = Literal["LONG_TERM", "SHORT_TERM", "EPISODIC", "SEMANTIC", "PROCEDURAL"]

_WORD = re.compile(r"\w+")
_COMMON = frozenset(
    _WORD.findall(
        """a about an and are as at be by can did do does for from had has have he her him his how i in is it its know
        me my of on or our remember she tell that the their them they this to was we were what when where which who
        whose will with you your"""
    )
)


class Memory(Struct, frozen=True, kw_only=True):
    """One thing that is remembered."""

    id: str
    user_id: str
    memory: str
    memory_type: Kind = "LONG_TERM"
    created_at: datetime


class AddMemory(Parameters, frozen=True):
    """Parameters of add_memory."""

    memory: Annotated[str, Meta(min_length=1, max_length=MAX_CHARS, description="One fact, as a whole sentence.")]
    memory_type: Kind = "LONG_TERM"


class SearchMemory(Parameters, frozen=True):
    """Parameters of search_memory."""

    query: Annotated[str, Meta(min_length=1, max_length=MAX_CHARS)]
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = 10
    memory_type: Kind | None = None


class ListMemories(Parameters, frozen=True):
    """Parameters of list_memories."""

    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE
    memory_type: Kind | None = None


class ForgetMemory(Parameters, frozen=True):
    """Parameters of forget_memory."""

    memory_id: Annotated[str, Meta(min_length=1, max_length=64)]


_SCOPE = "memory"

MEMORY_TOOLS = Catalogue(
    (
        Tool(
            name="search_memory",
            description="Look for what is remembered of the caller: their name, habits, wishes, earlier calls.",
            schema=schema_of(SearchMemory),
            effect=Effect.READ,
            scope=_SCOPE,
        ),
        Tool(
            name="list_memories",
            description="List what is remembered of the caller, the newest first.",
            schema=schema_of(ListMemories),
            effect=Effect.READ,
            scope=_SCOPE,
        ),
        Tool(
            name="add_memory",
            description="Remember one fact that the caller told about themselves, for later calls.",
            schema=schema_of(AddMemory),
            effect=Effect.WRITE,
            scope=_SCOPE,
            reach=Reach.STATE,
            asks=True,
        ),
        Tool(
            name="forget_memory",
            description="Forget one thing for good, by its id from a search or a list.",
            schema=schema_of(ForgetMemory),
            effect=Effect.DESTROY,
            scope=_SCOPE,
            reach=Reach.STATE,
            asks=True,
        ),
    )
)


def terms(query: str) -> list[str]:
    """Find the words of a query that tell something; all of them where none does."""
    words = list(dict.fromkeys(_WORD.findall(query.lower())))
    return ([word for word in words if word not in _COMMON] or words)[:MAX_TERMS]


def shown(memory: Memory) -> dict[str, Any]:
    """Write a memory as a model, or its owner, is shown it."""
    return {
        "id": memory.id,
        "memory": memory.memory,
        "memory_type": memory.memory_type,
        "created_at": memory.created_at.isoformat(timespec="seconds"),
    }
