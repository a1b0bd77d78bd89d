"""What is kept of transfers, for whichever process the carrier asks next.

Every method blocks, and raises Unavailable while the database is gone. Each step is a change that only one request can
make: an address that was given to the carrier is good for one call, and once.
"""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from phone_bridge.errors import Refused
from phone_bridge.outbound.tables import METADATA, TRANSFERS
from phone_bridge.outbound.transfer import BEFORE, MAX_TRANSFERS, State, Transfer
from phone_bridge.runtime.record import Records

_NEWEST = (TRANSFERS.c.created_at.desc(), TRANSFERS.c.id.desc())


class Transfers:
    """Keep transfers beside ``records``; they are forgotten with the words of their calls."""

    def __init__(self, records: Records) -> None:
        self._records = records
        records.create(METADATA)
        records.follow(lambda connection, kept: None, self._forget)

    def add(self, transfer: Transfer) -> None:
        """Keep a new one; raises Refused where the caller was put through too often, or is being put through."""
        before = self.of_call(transfer.call_id)
        if len(before) >= MAX_TRANSFERS:
            raise Refused(
                f"This caller was put through {MAX_TRANSFERS} times already, and is not once more.",
                code="too_many_transfers",
            )
        if any(each.where in (State.ASKED, State.RINGING, State.TOLD) for each in before):
            raise Refused("The caller is being put through already.", code="transfer_under_way")
        with self._records.transaction() as connection:
            connection.execute(sa.insert(TRANSFERS).values(msgspec.structs.asdict(transfer)))

    def find(self, id: str) -> Transfer | None:
        """Find one by its id."""
        return self._first(TRANSFERS.c.id == id)

    def of_part(self, call_id: str, part: int) -> Transfer | None:
        """Find the one from which a part of a call came back."""
        return self._first(sa.and_(TRANSFERS.c.call_id == call_id, TRANSFERS.c.part == part))

    def of_call(self, call_id: str) -> list[Transfer]:
        """List those of a call, in their order."""
        query = sa.select(TRANSFERS).where(TRANSFERS.c.call_id == call_id)
        with self._records.transaction() as connection:
            rows = connection.execute(query.order_by(TRANSFERS.c.created_at, TRANSFERS.c.id)).all()
        return [Transfer(**row._mapping) for row in rows]

    def step(self, id: str, state: State) -> bool:
        """Bring one to ``state``; False where it stands elsewhere, or another request was quicker."""
        return self._change(TRANSFERS.c.id == id, BEFORE[state], state=state)

    def tell(self, id: str, carrier_id: str, leg: str) -> bool:
        """Let the call ``leg``, which the carrier has made for the caller of ``carrier_id``, hear who calls; once.

        The same call may ask again, for the carrier asks twice where an answer was lost.
        """
        ours = sa.and_(TRANSFERS.c.id == id, TRANSFERS.c.carrier_id == carrier_id)
        if self._change(ours, BEFORE[State.TOLD], state=State.TOLD, leg=leg):
            return True
        found = self.find(id)
        return found is not None and (found.carrier_id, found.leg, found.where) == (carrier_id, leg, State.TOLD)

    def come_back(self, id: str, part: int) -> None:
        """Note which part of the call came back from one."""
        with self._records.transaction() as connection:
            connection.execute(sa.update(TRANSFERS).where(TRANSFERS.c.id == id).values(part=part))

    def _change(self, ours: sa.ColumnElement[bool], before: Iterable[State], **values: object) -> bool:
        states = TRANSFERS.c.state.in_([state.value for state in before])
        with self._records.transaction() as connection:
            return connection.execute(sa.update(TRANSFERS).where(ours, states).values(values)).rowcount == 1

    def _first(self, condition: sa.ColumnElement[bool]) -> Transfer | None:
        query = sa.select(TRANSFERS).where(condition).order_by(*_NEWEST).limit(1)
        with self._records.transaction() as connection:
            row = connection.execute(query).first()
        return Transfer(**row._mapping) if row is not None else None

    def _forget(self, connection: sa.Connection, call_ids: list[str]) -> None:
        connection.execute(sa.delete(TRANSFERS).where(TRANSFERS.c.call_id.in_(call_ids)))
