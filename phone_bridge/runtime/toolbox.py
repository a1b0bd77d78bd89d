"""The tools that one call's model may use: offered by several keepers of tools, found by name, run within limits.

A toolbox is whoever keeps some tools: the calendar's, a memory's, a server's far away. What comes back is text for a
model to read, so it is cut to a length; a tool that does not come to its end in its time is let go, and where it may
have written, nobody knows whether it did.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, LocalError, Refused
from phone_bridge.offers import Effect, Offer
from phone_bridge.tools import schemas

MAX_RESULT_CHARS = 8_000
"""Longest result that a model is given: about 2,000 tokens of a window that holds 32,768."""

CUT = " … (cut: there is more than can be told; where you can text the caller, offer to)"

P = TypeVar("P", bound=schemas.Parameters)
T = TypeVar("T")

_log = logging.getLogger("phone_bridge.tools")


class CallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a toolbox may know of a call when it says what it offers; numbers are as the carrier gave them.

    ``transfers`` is the list of those to whom its caller may be put through, ``pin`` whether a PIN is of any use.
    """

    call_id: str
    user_id: str
    direction: str = "inbound"
    from_number: str | None = None
    to_number: str | None = None
    language: str = "en"
    carrier_id: str = ""
    transfers: str = ""
    pin: bool = False


class Ran(NamedTuple):
    """What came of a tool: ``result`` for the model, ``ok`` when it did its work, ``unsure`` when nobody knows."""

    result: str
    ok: bool
    unsure: bool = False


class Toolbox(Protocol):
    """Some tools, with whoever can run them."""

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Say which tools a call may use, and whatever is needed to call them."""
        ...

    async def prepare(self, user_id: str, action: Action) -> Action | Ran:
        """Say what ``action`` would do exactly and what it touches, or, as its result, why it cannot be done at all."""
        ...

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Run ``action``; the same ``key`` does it once. Raises nothing for what a user or a peer can cause."""
        ...


class Some:
    """Those of a toolbox's tools that ``chosen`` lets pass."""

    def __init__(self, box: Toolbox, chosen: Callable[[Offer], bool]) -> None:
        self._box = box
        self._chosen = chosen
        self.prepare, self.run = box.prepare, box.run

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer what passes."""
        return tuple(offer for offer in self._box.offers(facts) if self._chosen(offer))


class Elsewhere(Protocol):
    """Whoever runs the tools that a session brings along, and that nobody here offers."""

    @property
    def effects(self) -> Mapping[str, Effect]:
        """What is known of some of them; any other one counts as DESTROY."""
        ...

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Say what ``action`` would do exactly, as a toolbox does."""
        ...

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Run ``action``, as a toolbox does."""
        ...


ELSEWHERE_SECONDS = 30.0
"""How long a tool may take that is run elsewhere."""


class Tools:
    """What one call may use: what all ``boxes`` offer, where the first to offer a name has it, and ``elsewhere``."""

    def __init__(self, boxes: Sequence[Toolbox], facts: CallFacts, elsewhere: Elsewhere | None = None) -> None:
        self._user_id = facts.user_id
        self._elsewhere = elsewhere
        self._boxes: dict[str, Toolbox] = {}
        self._offers: dict[str, Offer] = {}
        for box in boxes:
            for offer in box.offers(facts):
                if offer.name in self._boxes:
                    _log.warning("! two toolboxes offer a tool of the same name; the first one's is taken")
                    continue
                self._boxes[offer.name] = box
                self._offers[offer.name] = offer

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All that is offered, in the order of the toolboxes."""
        return tuple(self._offers.values())

    @property
    def effects(self) -> Mapping[str, str]:
        """What each tool does, as the call's rules want to know it."""
        known = self._elsewhere.effects if self._elsewhere is not None else {}
        own = {name: offer.effect for name, offer in self._offers.items()}
        return {name: effect.value for name, effect in {**known, **own}.items()}

    def reads(self, name: str) -> bool:
        """Tell whether a tool only looks."""
        return self.effects.get(name) == Effect.READ

    async def prepare(self, action: Action) -> Action | Ran:
        """Say what ``action`` would do exactly, or why it cannot be done; raises nothing but our own mistakes."""
        prepared = await self._within_limits(action, lambda box: box.prepare(self._user_id, action))
        return prepared._replace(unsure=False) if isinstance(prepared, Ran) else prepared

    async def run(self, action: Action, key: str) -> Ran:
        """Run ``action``; raises nothing but our own mistakes."""
        return await self._within_limits(action, lambda box: box.run(self._user_id, action, key))

    async def _within_limits(self, action: Action, work: Callable[[Toolbox | Elsewhere], Awaitable[T]]) -> T | Ran:
        """Have the tool's own box do ``work`` in the tool's time, and cut a result to its length."""
        found = self._find(action.name)
        if found is None:
            return Ran(failure("unknown_tool", "There is no tool of that name."), False)
        box, offer = found
        unsure = offer.effect is not Effect.READ
        try:
            async with asyncio.timeout(offer.seconds):
                done = await work(box)
        except TimeoutError:
            return Ran(failure("tool_timeout", "The tool did not come to its end in time."), False, unsure)
        except LocalError:
            raise
        except BridgeError as error:
            _log.warning("! a tool failed: %s", error.code)
            return Ran(failure(error.code, str(error)), False, unsure)
        return done._replace(result=cut(done.result)) if isinstance(done, Ran) else done

    def _find(self, name: str) -> tuple[Toolbox | Elsewhere, Offer] | None:
        if name in self._boxes:
            return self._boxes[name], self._offers[name]
        if self._elsewhere is None:
            return None
        effect = self._elsewhere.effects.get(name, Effect.DESTROY)
        return self._elsewhere, Offer(name=name, description="", schema={}, effect=effect, seconds=ELSEWHERE_SECONDS)


NO_TOOLS = Tools((), CallFacts(call_id="", user_id=""))


def wanted(kind: type[P], action: Action) -> P:
    """Read the parameters of ``action``; raises Refused (``invalid_parameter``), whose message is for the model."""
    try:
        return schemas.read(kind, action.parameters)
    except schemas.Invalid as error:
        raise Refused(str(error), code="invalid_parameter") from None


def cut(result: str) -> str:
    """Cut a result to MAX_RESULT_CHARS, and say so at its end."""
    return result if len(result) <= MAX_RESULT_CHARS else result[: MAX_RESULT_CHARS - len(CUT)] + CUT


def failure(code: str, message: str) -> str:
    """Write for a model what went wrong."""
    return msgspec.json.encode({"ok": False, "error": {"code": code, "message": message}}).decode()
