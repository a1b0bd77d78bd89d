"""What an attempt does, step by step: dial once and never twice, find out how it went, and write down what came of it.

Each step may be run again after a crash, by any process; none of them needs to know what the others remember. A step
that is written down before it is done (``intend``) is asked about afterwards, never repeated in good faith.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.legs.twilio.rest import CALL_GONE, Placing, never_taken
from phone_bridge.outbound.attempt import (
    ASK_AFTER_S,
    FAX,
    MACHINES,
    MAX_DIALS,
    OVER,
    SEND_WITHIN_S,
    Look,
    Next,
    Stage,
    after_deaf_ear,
    after_silence,
    final,
)
from phone_bridge.outbound.book import Attempt, Book
from phone_bridge.outbound.carrier import NOT_SENT, Placed
from phone_bridge.outbound.destinations import allowed
from phone_bridge.outbound.policy import Outcome
from phone_bridge.outbound.reminders import may_ring, settle
from phone_bridge.runtime.record import CallRecord, timestamp

PLACED, GONE = 0.0, -1.0
"""What ``dial`` gives when the call was placed, and when there will be none."""
NOT_NOW, CANCELLED = "not_permitted", "reminder_cancelled"
"""What stands in a call's ``error`` that was not dialled, since the hour or its reminder did not permit it any more."""
RETRY_S = 2.0
"""How long a carrier that turned us away is left alone, unless it says how long."""

_DETECTIONS = {"enable": "Enable", "message-end": "DetectMessageEnd"}

log = logging.getLogger("phone_bridge.outbound")


class Rest(Protocol):
    """The carrier's REST API, as ``carrier.Carrier`` has it."""

    def place(self, placing: Placing) -> Placed:
        """Have a call placed."""
        ...

    def look(self, carrier_id: str) -> Placed:
        """Ask how a call stands."""
        ...

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        """List the calls between two numbers that were made since then, newest first."""
        ...


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How this deployment dials; ``base_url`` is where the carrier finds us."""

    base_url: str
    ring_s: int
    limit_s: int
    detection: str = "off"
    prefixes: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    """Whose SIP addresses may be called."""


class Dialler:
    """Take attempts of ``book`` through their steps; ``wall`` gives seconds since 1970, ``clock`` never runs back."""

    def __init__(
        self,
        book: Book,
        carrier: Rest,
        line: Line,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        posted: Callable[[Attempt, Outcome], None] = lambda attempt, outcome: None,
    ) -> None:
        self._book = book
        self._carrier = carrier
        self._line = line
        self._wall = wall
        self._clock = clock
        self._posted = posted

    # Dial

    def dial(self, call_id: str) -> float:
        """Bring a call to the carrier; gives PLACED, GONE, or how many seconds to wait before the next try."""
        attempt = self._book.find(call_id)
        if attempt is None or attempt.stage == Stage.OVER:
            return GONE
        if attempt.stage == Stage.PLACED:
            return PLACED
        if attempt.stage == Stage.DIALLING:
            return self._find_out(attempt)
        if attempt.not_before is not None and attempt.not_before > self._wall():
            return attempt.not_before - self._wall()
        return self._send(attempt)

    def _send(self, attempt: Attempt) -> float:
        call_id, to = attempt.call_id, attempt.to_number or ""
        try:
            self._permit(attempt)
        except Refused as error:
            told = "canceled" if error.code in (CANCELLED, NOT_NOW) else "failed"
            self._book.step(call_id, "forbid", told=told, error=error.code)
            return GONE
        began, now = self._clock(), int(self._wall())
        if not self._book.step(call_id, "intend", dialled_at=now, dials=attempt.dials + 1, asks=0):
            return self.dial(call_id)  # another process was quicker
        if self._clock() - began > SEND_WITHIN_S:
            return ASK_AFTER_S  # so long asleep that another process may have taken over
        try:
            placed = self._carrier.place(self._placing(attempt, to))
        except Refused as error:
            log.warning("x call %s was refused by the carrier: %s", call_id, error)
            self._book.step(call_id, "refuse", told="failed", error=error.code)
            return GONE
        except Unavailable as error:
            return self._not_placed(attempt, error)
        return self._found(attempt, placed.carrier_id)

    def _permit(self, attempt: Attempt) -> None:
        """Look once more, just before it rings: settings and wishes may have changed since it was asked for."""
        if attempt.dials >= MAX_DIALS:
            raise Refused("the carrier has turned the call away too often", code="carrier_unavailable")
        allowed(attempt.to_number or "", self._line.prefixes, self._line.domains)
        if self._book.is_barred(attempt.to_number or ""):
            raise Refused("the number must not be called", code="do_not_call")
        reminder = self._book.reminder(attempt.reminder_id) if attempt.reminder_id else None
        may = reminder is None or may_ring(reminder, attempt.call_id, datetime.fromtimestamp(self._wall(), UTC))
        if may and reminder is not None and reminder.wish.campaign and self._book.rests(reminder.wish.campaign):
            may = None
        if not may:
            raise Refused("the reminder must not ring now", code=NOT_NOW if may is None else CANCELLED)

    def _placing(self, attempt: Attempt, to: str) -> Placing:
        base, call_id = self._line.base_url, attempt.call_id
        return Placing(
            call_id=call_id,
            to=to,
            from_=attempt.from_number or "",
            url=f"{base}/twilio/voice?call={call_id}",
            status_url=f"{base}/twilio/status?call={call_id}",
            amd_url=f"{base}/twilio/amd?call={call_id}",
            ring_s=self._line.ring_s,
            limit_s=self._line.limit_s,
            machine_detection=_DETECTIONS.get(self._line.detection.removesuffix("-async"), ""),
            async_amd=self._line.detection.endswith("-async"),
            digits=attempt.what.digits,
        )

    def _not_placed(self, attempt: Attempt, error: Unavailable) -> float:
        if error.code == NOT_SENT or never_taken(error):
            wait = (error.retry_after_ms or 0) / 1000 or RETRY_S * (attempt.dials + 1)
            log.warning("! call %s waits %.0f s for the carrier: %s", attempt.call_id, wait, error.code)
            self._book.step(attempt.call_id, "not_taken", not_before=int(self._wall() + wait))
            return wait
        log.warning("! nobody knows whether call %s was placed (%s): the carrier is asked", attempt.call_id, error.code)
        return float(ASK_AFTER_S)

    # Find out

    def _find_out(self, attempt: Attempt) -> float:
        """Learn what became of a dial whose answer nobody has: the carrier's own callbacks, or its list of calls."""
        look = Look(attempt.dialled_at or attempt.created_at, attempt.asks, attempt.carrier_id or "")
        step = after_silence(look, int(self._wall()))
        if step is Next.WAIT:
            return float(ASK_AFTER_S)
        if step is not Next.ASK:
            return self._decide(attempt, step)
        try:
            found = self._search(attempt, look.since_s)
        except Unavailable:
            step = after_deaf_ear(look, int(self._wall()))
            return self._decide(attempt, step) if step is Next.GIVE_UP else RETRY_S
        except Refused as error:
            self._book.step(attempt.call_id, "give_up", told="failed", error=error.code)
            return GONE
        if found:
            return self._found(attempt, found)
        self._book.note(attempt.call_id, asks=attempt.asks + 1)
        return float(ASK_AFTER_S)

    def _decide(self, attempt: Attempt, step: Next) -> float:
        if step is Next.PLACE:
            return self._found(attempt, attempt.carrier_id or "")
        if step is Next.DIAL_AGAIN:
            log.warning("= the carrier has no call %s: it is dialled again", attempt.call_id)
            self._book.step(attempt.call_id, "not_taken", not_before=int(self._wall()))
            return self.dial(attempt.call_id)
        log.error("! call %s is given up: nobody knows whether it was placed", attempt.call_id)
        self._book.step(attempt.call_id, "give_up", told="failed", error="carrier_unsure")
        return GONE

    def _search(self, attempt: Attempt, since: int) -> str:
        found = self._carrier.find(attempt.to_number or "", attempt.from_number or "", since)
        ours = self._book.known_carrier_ids(call.carrier_id for call in found)
        return next((call.carrier_id for call in found if call.carrier_id not in ours), "")

    def _found(self, attempt: Attempt, carrier_id: str) -> float:
        if not self._book.claim_carrier(attempt.call_id, carrier_id):
            log.error("! call %s has another call at the carrier already", attempt.call_id)
        return PLACED

    # How it went

    def over(self, call_id: str, *, ask: bool) -> bool:
        """Tell whether a call is over and its record written; ``ask`` the carrier where its callbacks are missing."""
        attempt = self._book.find(call_id)
        if attempt is None or attempt.settled_at is not None or attempt.stage == Stage.OVER:
            return True
        if attempt.told not in OVER and ask and attempt.carrier_id:
            attempt.told = self._ask(attempt)
        return attempt.told in OVER

    def _ask(self, attempt: Attempt) -> str | None:
        try:
            status = self._carrier.look(attempt.carrier_id or "").status
        except Refused as error:
            status = "failed" if error.code == CALL_GONE else attempt.told or "queued"
        except Unavailable:
            return attempt.told
        if status in OVER:
            self._book.note(attempt.call_id, told=status)
        return status

    def settle(self, call_id: str, *, last: bool = True) -> bool:
        """Write down what came of a call that is over: its final status, and what its reminder does next.

        False while the process that carried the call has not written its record yet, unless it is the ``last`` try.
        """
        attempt, record = self._book.find(call_id), self._book.record(call_id)
        if attempt is None or record is None or attempt.settled_at is not None:
            return True
        spoke = attempt.answered_by not in MACHINES | {FAX}
        if spoke and record.answered_at is not None and record.ended_at is None and not last:
            return False
        outcome = self._outcome(attempt, record)
        self._book.close(call_id, outcome.status, timestamp(self._wall), attempt.error, attempt.answered_by)
        now = self._wall()
        if outcome.reply == "stop" and attempt.to_number:
            self._book.bar(attempt.to_number, int(now), call_id)
        if attempt.reminder_id:
            at = datetime.fromtimestamp(now, UTC)
            self._book.change(attempt.reminder_id, lambda reminder: settle(reminder, call_id, outcome, at))
        self._posted(attempt, outcome)
        self._book.note(call_id, settled_at=int(now), stage=Stage.OVER)
        log.info("x outbound call %s: %s", call_id, outcome.status)
        return True

    def _outcome(self, attempt: Attempt, record: CallRecord) -> Outcome:
        answered_by = attempt.answered_by or ""
        status = final(attempt.told or record.status, answered_by)
        if record.status in ("voicemail", "canceled"):
            status = record.status
        reply = record.reply or ""
        if answered_by in MACHINES and reply != "stop":
            reply = (
                ""  # a greeting's words are no answer; a wish not to be called is one, whoever was taken for a machine
            )
        postponed = attempt.error == NOT_NOW
        refused = attempt.error is not None and not postponed
        return Outcome(status if status in OVER else "failed", answered_by, reply, refused, postponed)
