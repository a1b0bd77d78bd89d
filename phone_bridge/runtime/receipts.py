"""What proves a consent: the receipts of confirmed actions, signed and kept beside the records of their calls.

Receipts are made from a call's record in the transaction that writes it. So a receipt is there when its record is,
and neither a failing database nor a record written twice, late or out of order can lose or double one.

The signature shows that a receipt is as this bridge wrote it. That the bridge wrote the truth rests on who holds the
secret half of the key, which lies in the database under ``secrets``.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from phone_bridge.call.receipt import (
    FIRST_VERSION,
    VERSION,
    Asking,
    Caller,
    Deed,
    OfCall,
    Outcome,
    Receipt,
    Reply,
    action_sha256,
    canonical,
    moment,
    receipt_id,
)
from phone_bridge.errors import RemoteError
from phone_bridge.runtime.receipt_keys import PublicKey, SigningKey
from phone_bridge.runtime.record import CallRecord, Records, timestamp

KEY_PREFIX = "receipt-"

log = logging.getLogger("phone_bridge.receipts")

_META = sa.MetaData()

_RECEIPTS = sa.Table(
    "receipts",
    _META,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False, index=True),
    sa.Column("document", sa.Text, nullable=False),  # canonical JSON with the signature, byte for byte
)

_KEYS = sa.Table(
    "receipt_keys",
    _META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),  # the public half, which stays when the secret half is gone
)


class Receipts:
    """Keep the receipts of ``records``, from now on one for each confirmed action; ``clock`` is seconds since 1970.

    Methods block and are called in a thread; they raise Unavailable when the database fails.
    """

    def __init__(self, records: Records, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._clock = clock
        records.create(_META)
        self._key = self._newest_key()
        records.follow(self._issue, self._forget)

    def of_call(self, call_id: str) -> list[Receipt]:
        """List the receipts of a call with all their revisions, in the order of the answers."""
        found = self._select(_RECEIPTS.c.call_id == call_id)
        return sorted(found, key=lambda receipt: (receipt.answer.answered_at, receipt.id, receipt.revision))

    def find(self, id: str) -> list[Receipt]:
        """List the revisions of one receipt, the oldest first; none when it is not known."""
        return self._select(_RECEIPTS.c.id == id)

    def keys(self) -> list[PublicKey]:
        """List the public keys, the oldest first."""
        with self._records.transaction() as connection:
            rows = connection.execute(sa.select(_KEYS.c.document).order_by(_KEYS.c.number))
            return [PublicKey.parse(msgspec.json.decode(document)) for (document,) in rows]

    def rotate(self) -> str:
        """Make the next key and name it; each process signs with it from its next start, and old keys still check."""
        keys = self.keys()
        self._key = self._make_key(1 + max((_number(key) for key in keys), default=0))
        return self._key.public.id

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Receipt]:
        query = sa.select(_RECEIPTS.c.document).where(condition).order_by(_RECEIPTS.c.id, _RECEIPTS.c.revision)
        with self._records.transaction() as connection:
            rows = connection.execute(query).all()
        return [receipt for (document,) in rows if (receipt := _read(document)) is not None]

    # Keys

    def _newest_key(self) -> SigningKey:
        keys = self.keys()
        if not keys:
            return self._make_key(1)
        newest = keys[-1]
        known = SigningKey(newest.id, self._records.secret(newest.id))
        if known.public == newest:
            return known
        log.error("! the secret of %s is not the one that its public key was made from: a new key is made", newest.id)
        return self._make_key(_number(newest) + 1)

    def _make_key(self, number: int) -> SigningKey:
        kid = f"{KEY_PREFIX}{number}"
        key = SigningKey(kid, self._records.secret(kid))
        document = canonical(key.public.jwk()).decode()
        try:
            with self._records.transaction() as connection:
                connection.execute(sa.insert(_KEYS).values(number=number, document=document))
        except IntegrityError:
            pass  # another process was quicker, and has the same secret
        return key

    # Issuing

    def _issue(self, connection: sa.Connection, records: Sequence[CallRecord]) -> None:
        """Issue what ``records`` say was consented to and no receipt says yet."""
        confirmed = [(record, action) for record in records for action in record.actions if _leaves_receipt(action)]
        if not confirmed:
            return
        call_ids = {record.id for record, _ in confirmed}
        query = sa.select(_RECEIPTS.c.id, _RECEIPTS.c.document).where(_RECEIPTS.c.call_id.in_(call_ids))
        issued = {row.id: _read(row.document) for row in connection.execute(query.order_by(_RECEIPTS.c.revision))}
        signed: list[Receipt] = []
        now = timestamp(self._clock)
        for record, action in confirmed:
            made = receipt_of(record, action, now)
            before = issued.get(made.id)
            due = before.settled(made.outcome, now) if before is not None else made
            if due is None or (before is None and made.id in issued):  # nothing new, or on top of what is unreadable
                continue
            issued[due.id] = each = self._key.sign(due)
            signed.append(each)
        if signed:
            connection.execute(sa.insert(_RECEIPTS), [_row(each) for each in signed])
        for each in signed:
            log.info("= receipt %s, revision %d, of call %s", each.id, each.revision, each.call.id)

    def _forget(self, connection: sa.Connection, call_ids: list[str]) -> None:
        """Let the receipts go with the words of their calls: they hold the same words."""
        connection.execute(sa.delete(_RECEIPTS).where(_RECEIPTS.c.call_id.in_(call_ids)))


def newest(receipts: list[Receipt]) -> list[Receipt]:
    """Keep of each receipt the last revision that ``receipts`` holds."""
    return list({receipt.id: receipt for receipt in receipts}.values())


def receipt_of(record: CallRecord, action: dict[str, Any], issued_at: str) -> Receipt:
    """Make the first revision of the receipt of one confirmed ``action`` of ``record``, unsigned."""
    began = record.answered_at or record.started_at
    name, parameters, at_ms = action["name"], action["parameters"], action["at_ms"]
    digest = action_sha256(name, parameters)
    question, trust = action.get("question", ""), action.get("trust", "")
    asked_ms = _asked_ms(record, question, at_ms)
    number = record.to_number if record.direction.startswith("outbound") else record.from_number
    return Receipt(
        version=VERSION if trust else FIRST_VERSION,  # of a call from before there was any
        revision=1,
        key_id="",
        signature="",
        id=receipt_id(record.id, action["id"], at_ms),
        issued_at=issued_at,
        user_id=record.user_id,
        caller=Caller.of(number, record.id),
        trust=trust or msgspec.UNSET,
        call=OfCall(id=record.id, carrier_id=record.carrier_id),
        action=Deed(id=action["id"], name=name, parameters=parameters, sha256=digest),
        question=Asking(
            text=question,
            ms=action.get("question_ms", 0),
            heard_ms=action["heard_ms"],
            asked_at=moment(began, asked_ms) if asked_ms is not None else None,
        ),
        answer=Reply(by=action["by"], said=action.get("answer", ""), answered_at=moment(began, at_ms)),
        outcome=Outcome.of(action.get("outcome", ""), action["result"]),
    )


def _leaves_receipt(action: dict[str, Any]) -> bool:
    """Tell whether ``action`` was consented to and it is still known to what: purging leaves nothing to prove."""
    return action["verdict"] == "confirmed" and (bool(action.get("question")) or action["by"] == "none")


def _asked_ms(record: CallRecord, question: str, until: int) -> int | None:
    """Find when the bridge last began to say ``question``; a line that was cut off is kept as far as it was heard."""
    words = question.split()
    for said in reversed(record.transcript):
        heard = said["text"].split()
        if said["speaker"] == "bridge" and heard and said["at_ms"] <= until and words[: len(heard)] == heard:
            at_ms: int = said["at_ms"]
            return at_ms
    return None


def _read(document: str) -> Receipt | None:
    """Read a receipt from the database; None, loudly, for one that somebody has written over."""
    try:
        return Receipt.parse(document)
    except RemoteError as error:
        log.exception("! a receipt in the database cannot be read: %s", error.code)
        return None


def _row(receipt: Receipt) -> dict[str, Any]:
    document = canonical(receipt).decode()
    return {"id": receipt.id, "revision": receipt.revision, "call_id": receipt.call.id, "document": document}


def _number(key: PublicKey) -> int:
    return int(key.id.removeprefix(KEY_PREFIX))
