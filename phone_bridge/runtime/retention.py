"""What is forgotten, and when: the words and numbers of calls that are long over, and keys that nobody needs now."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from phone_bridge.runtime.tables import ADMISSIONS, CALLS, SECRETS, UNPURGED

PURGE_CALLS = 500
"""Calls that are purged in one transaction, so that no other writer waits long."""
STREAM_KEY_DAYS = 2
"""How long the secret of one day's stream tokens, ``stream-YYYYMMDD``, is kept after that day."""

_KEPT_OF_ACTION = ("id", "name", "verdict", "by", "at_ms", "question_ms", "heard_ms", "outcome")
_PURGED_OF_ACTION: dict[str, Any] = {"parameters": {}, "question": "", "answer": "", "result": None}


def purge(connection: sa.Connection, before: str) -> list[str]:
    """Clear what was said, asked and dialled in some of the calls that ended before ``before``, and give their ids.

    Their ids, status, times and verdicts stay. A call that never ended has lost its process: its beginning counts, for
    no carrier lets a call last for days.
    """
    over = sa.func.coalesce(CALLS.c.ended_at, CALLS.c.started_at) < before
    due = sa.select(CALLS.c.id, CALLS.c.actions).where(UNPURGED, CALLS.c.started_at < before, over)
    due = due.order_by(CALLS.c.started_at).limit(PURGE_CALLS).with_for_update(skip_locked=True)
    rows = connection.execute(due).all()
    if rows:
        kept = [{"call": row.id, "kept": _purged(row.actions)} for row in rows]
        connection.execute(_clear(before), kept)
    return [row.id for row in rows]


def sweep(connection: sa.Connection, now: float) -> None:
    """Forget used stream tokens and stream secrets that are two days older than ``now`` (seconds since 1970)."""
    day = datetime.fromtimestamp(now, UTC) - timedelta(days=STREAM_KEY_DAYS)
    kid = SECRETS.c.kid
    connection.execute(sa.delete(ADMISSIONS).where(ADMISSIONS.c.expires_at < int(day.timestamp())))
    connection.execute(sa.delete(SECRETS).where(kid.like("stream-________"), kid < f"stream-{day:%Y%m%d}"))


def _clear(before: str) -> sa.Update:
    return (
        sa.update(CALLS)
        .where(CALLS.c.id == sa.bindparam("call"))
        .values(
            transcript=[],
            actions=sa.bindparam("kept", type_=sa.JSON),
            from_number=None,
            to_number=None,
            voicemail=None,
            recording=sa.null(),
            timeline=sa.null(),
            metadata=sa.null(),
            voicemail_text=None,
            return_ref=None,
            purged_before=before,
        )
    )


def _purged(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep of each action what tells nothing about the caller; what is not known here goes, too."""
    kept = ({name: action[name] for name in _KEPT_OF_ACTION if name in action} for action in actions)
    return [{**action, **_PURGED_OF_ACTION} for action in kept]
