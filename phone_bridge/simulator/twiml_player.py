"""Where a call stands in its TwiML: the document, the next verb, and what comes after a verb that ended.

A pure machine. It reads what the application answered to a webhook, and says what to do next; doing it is the work of
``carrier_call``.
"""

from collections import deque
from urllib.parse import urldefrag, urljoin

import msgspec

from phone_bridge.exchange import Response
from phone_bridge.simulator.faults import CarrierRefused, Code, Fault
from phone_bridge.simulator.verbs import Asking, Redirect, Say, Verb, parse

XML_TYPES = frozenset({"text/xml", "application/xml"})
"""What a document must be labelled as. (Twilio also reads ``text/plain`` aloud; from a bridge that is a mistake.)"""
REQUESTS_MAX = 50
"""Documents in one call; a bridge that sends a caller round and round would never end it otherwise."""


class Fetch(msgspec.Struct, frozen=True):
    """A document to be asked for at the absolute ``url``, with what the verb has to tell."""

    url: str
    method: str
    extra: dict[str, str]


class TwimlPlayer:
    """The TwiML of one call, from the voice webhook on."""

    def __init__(self) -> None:
        self._url = ""
        self._verbs: deque[Verb] = deque()
        self._requests = 0
        self.followed: list[str] = []
        """The names of the verbs that were taken up, in order."""

    def begin(self, url: str) -> Fetch:
        """Ask for the first document."""
        return self._fetch(url, "POST", {})

    def go_to(self, url: str, method: str) -> Fetch:
        """Ask for a document that no verb's end leads to: what a caller in a queue hears."""
        return self._fetch(url, method, {})

    def _fetch(self, reference: str, method: str, extra: dict[str, str]) -> Fetch:
        self._requests += 1
        if self._requests > REQUESTS_MAX:
            raise CarrierRefused(Fault(Code.TOO_MANY_REDIRECTS, f"the call asked for {REQUESTS_MAX} documents"))
        self._url = self.resolve(reference)
        return Fetch(self._url, method, extra)

    def resolve(self, reference: str) -> str:
        """Make ``reference`` absolute, as seen from the document."""
        return urldefrag(urljoin(self._url, reference)).url

    def read(self, response: Response) -> tuple[Fault, ...]:
        """Take up the document that came back; raises CarrierRefused where Twilio could not go on with it."""
        if response.status >= 400:
            raise CarrierRefused(Fault(Code.HTTP_STATUS, f"{self._url} answered with the status {response.status}"))
        label = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if label not in XML_TYPES:
            raise CarrierRefused(Fault(Code.CONTENT_TYPE, f"{self._url} answered with {label or 'no content type'}"))
        document = parse(response.body)
        self._verbs = deque(document.verbs)
        return document.faults

    def announce(self, text: str) -> None:
        """Put ``text`` in the place of what is left of the document."""
        self._verbs = deque([Say(text)])

    def next(self) -> Verb | None:
        """Take up the next verb; None at the end of the document, where the call ends."""
        if not self._verbs:
            return None
        verb = self._verbs.popleft()
        self.followed.append(type(verb).__name__)
        return verb

    def after(self, verb: Asking, extra: dict[str, str]) -> Fetch | None:
        """Say what to ask for now that ``verb`` has ended; None where the document goes on. Raises CarrierRefused."""
        reference = verb.url if isinstance(verb, Redirect) else verb.action
        if reference is None:
            return None
        return self._fetch(reference, verb.method, extra)
