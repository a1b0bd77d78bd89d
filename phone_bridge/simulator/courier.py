"""The carrier's HTTP requests under way: which one the call waits for, how long, and where they are sent on to.

A pure machine. One request at a time is for a document, and the call waits for it; all others are callbacks, whose
answers only show whether the application is well.
"""

from urllib.parse import urljoin

import msgspec

from phone_bridge.exchange import Request, Response
from phone_bridge.simulator.duties import Ask
from phone_bridge.simulator.faults import Code, Fault
from phone_bridge.simulator.webhooks import Webhooks

REQUEST_MS = 15_000
"""How long Twilio waits for the whole answer to a request."""
REDIRECTS_MAX = 10
"""HTTP redirects that are followed for one request."""
_REDIRECTS = frozenset({301, 302, 303})


class DocumentCame(msgspec.Struct, frozen=True):
    """The document that the call waits for was answered, with whatever status."""

    response: Response


class DocumentFailed(msgspec.Struct, frozen=True):
    """The document that the call waits for will not come."""

    fault: Fault


class CallbackFailed(msgspec.Struct, frozen=True):
    """A callback was not taken; the call goes on."""

    fault: Fault


Outcome = DocumentCame | DocumentFailed | CallbackFailed | Ask


class _Pending(msgspec.Struct, frozen=True):
    url: str
    due: int
    document: bool
    hops: int


class Courier:
    """The requests of one call."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self._pending: dict[int, _Pending] = {}
        self._last_id = 0

    @property
    def idle(self) -> bool:
        """True when no answer is waited for."""
        return not self._pending

    def ask(self, request: Request, now: int, *, document: bool) -> Ask:
        """Send ``request``: for a ``document`` that the call waits for, or as a callback."""
        return self._send(request, now + REQUEST_MS, document=document, hops=0)

    def _send(self, request: Request, due: int, *, document: bool, hops: int) -> Ask:
        self._last_id += 1
        self._pending[self._last_id] = _Pending(request.url, due, document, hops)
        return Ask(self._last_id, request)

    def forget_document(self) -> None:
        """Wait no longer for a document; its answer will be ignored."""
        self._pending = {key: pending for key, pending in self._pending.items() if not pending.document}

    def answered(self, id_: int, response: Response) -> Outcome | None:
        """Take the answer to a request; None for one that nobody waits for, and for a callback that went well."""
        pending = self._pending.pop(id_, None)
        if pending is None:
            return None
        if response.status in _REDIRECTS and "location" in response.headers:
            return self._redirect(pending, response.headers["location"])
        if pending.document:
            return DocumentCame(response)
        if response.status >= 400:
            return CallbackFailed(Fault(Code.HTTP_STATUS, f"{pending.url} answered with the status {response.status}"))
        return None

    def _redirect(self, pending: _Pending, location: str) -> Outcome:
        if pending.hops == REDIRECTS_MAX:
            return _failed(pending, Fault(Code.TOO_MANY_REDIRECTS, f"{pending.url} redirects for ever"))
        request = self._webhooks.redirected(urljoin(pending.url, location))
        return self._send(request, pending.due, document=pending.document, hops=pending.hops + 1)

    def unreachable(self, id_: int, code: Code, message: str) -> Outcome | None:
        """Take the news that a request got no answer."""
        pending = self._pending.pop(id_, None)
        return None if pending is None else _failed(pending, Fault(code, f"{pending.url}: {message}"))

    def deadline(self) -> int | None:
        """Say when the next request has waited long enough."""
        return min((pending.due for pending in self._pending.values()), default=None)

    def expire(self, now: int) -> list[Outcome]:
        """Give up the requests that were not answered by ``now``."""
        late = [key for key, pending in self._pending.items() if pending.due <= now]
        outcomes = [self.unreachable(key, Code.HTTP_CONNECTION, f"no answer in {REQUEST_MS} ms") for key in late]
        return [outcome for outcome in outcomes if outcome is not None]


def _failed(pending: _Pending, fault: Fault) -> Outcome:
    return DocumentFailed(fault) if pending.document else CallbackFailed(fault)
