"""What is remembered of users, in the database, found by its words: SQLite's FTS5, or PostgreSQL's text search.

Methods block and are called in a thread.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from phone_bridge.errors import Refused
from phone_bridge.runtime import database
from phone_bridge.tools.memory import MAX_MEMORIES, Kind, Memory, terms

_METADATA = sa.MetaData()
_TABLE = sa.Table(
    "memories",
    _METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(128), nullable=False, index=True),
    sa.Column("memory", sa.Text, nullable=False),
    sa.Column("memory_type", sa.String(16), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String(128), unique=True),  # the deed that wrote it
)
_SQLITE_WORDS = "CREATE VIRTUAL TABLE IF NOT EXISTS memory_words USING fts5(id UNINDEXED, user_id UNINDEXED, memory)"
_POSTGRES_WORDS = "CREATE INDEX IF NOT EXISTS memories_words ON memories USING gin (to_tsvector('simple', memory))"


class Memories:
    """Remember in the database at ``url``; ``new_id`` makes an id from its prefix, ``now`` gives the time, aware."""

    def __init__(self, url: str, *, new_id: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self._engine = database.engine(url)
        self._lite = self._engine.dialect.name == "sqlite"
        self._new_id = new_id
        self._now = now

    def prepare(self) -> None:
        """Make what is missing; raises Unavailable when the database cannot be had."""
        database.prepare(self._engine, _METADATA)
        with database.transaction(self._engine) as db:
            db.execute(sa.text(_SQLITE_WORDS if self._lite else _POSTGRES_WORDS))

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    def add(self, user_id: str, memory: str, kind: Kind = "LONG_TERM", *, key: str | None = None) -> Memory:
        """Remember something; the same ``key`` remembers it once."""
        row = {
            "id": self._new_id("mem"),
            "user_id": user_id,
            "memory": memory,
            "memory_type": kind,
            "created_ms": int(self._now().timestamp() * 1000),
            "key": key,
        }
        try:
            with database.transaction(self._engine) as db:
                db.execute(sa.insert(_TABLE).values(row))
                self._index(db, row)
                self._crop(db, user_id)
        except IntegrityError:
            with database.transaction(self._engine) as db:
                found = db.execute(sa.select(_TABLE).where(_TABLE.c.key == key)).mappings().one()
            return _read(found)
        return _read(row)

    def search(self, user_id: str, query: str, limit: int, kind: Kind | None = None) -> list[Memory]:
        """Find what is nearest to the words of ``query``: any of them, or what begins with them, the best first."""
        words = terms(query)
        if not words:
            return []
        statement = self._lite_search() if self._lite else self._postgres_search()
        looked_for = " OR ".join(f'"{word}"*' for word in words) if self._lite else " | ".join(f"{w}:*" for w in words)
        values = {"words": looked_for, "user_id": user_id, "kind": kind or "", "limit": limit}
        with database.transaction(self._engine) as db:
            return [_read(row) for row in db.execute(sa.text(statement), values).mappings()]

    def list(self, user_id: str, limit: int | None = None, kind: Kind | None = None) -> list[Memory]:
        """List what is remembered, the newest first."""
        query = sa.select(_TABLE).where(_TABLE.c.user_id == user_id)
        query = query.where(_TABLE.c.memory_type == kind) if kind else query
        with database.transaction(self._engine) as db:
            newest = query.order_by(_TABLE.c.created_ms.desc(), _TABLE.c.id.desc()).limit(limit)
            return [_read(row) for row in db.execute(newest).mappings()]

    def find(self, user_id: str, memory_id: str) -> Memory:
        """Find one memory; raises Refused (``resource_missing``) for none."""
        mine = (_TABLE.c.user_id == user_id) & (_TABLE.c.id == memory_id)
        with database.transaction(self._engine) as db:
            row = db.execute(sa.select(_TABLE).where(mine)).mappings().one_or_none()
        if row is None:
            raise Refused("Nothing is remembered under that id.", code="resource_missing")
        return _read(row)

    def forget(self, user_id: str, memory_id: str) -> Memory:
        """Forget one memory for good; raises Refused (``resource_missing``) for none."""
        memory = self.find(user_id, memory_id)
        with database.transaction(self._engine) as db:
            self._remove(db, [memory_id])
        return memory

    def forget_all(self, user_id: str) -> int:
        """Forget everything about a user; how much it was is returned."""
        with database.transaction(self._engine) as db:
            ids = list(db.execute(sa.select(_TABLE.c.id).where(_TABLE.c.user_id == user_id)).scalars())
            self._remove(db, ids)
        return len(ids)

    def _index(self, db: sa.Connection, row: dict[str, Any]) -> None:
        if self._lite:
            statement = "INSERT INTO memory_words (id, user_id, memory) VALUES (:id, :user_id, :memory)"
            db.execute(sa.text(statement), {name: row[name] for name in ("id", "user_id", "memory")})

    def _crop(self, db: sa.Connection, user_id: str) -> None:
        newest = sa.select(_TABLE.c.id).where(_TABLE.c.user_id == user_id).order_by(_TABLE.c.created_ms.desc())
        self._remove(db, list(db.execute(newest.offset(MAX_MEMORIES)).scalars()))

    def _remove(self, db: sa.Connection, ids: Sequence[str]) -> None:
        for at in range(0, len(ids), 500):  # well below what a statement may bind
            some = ids[at : at + 500]
            db.execute(sa.delete(_TABLE).where(_TABLE.c.id.in_(some)))
            if self._lite:
                words = sa.table("memory_words", sa.column("id"))
                db.execute(sa.delete(words).where(words.c.id.in_(some)))

    @staticmethod
    def _lite_search() -> str:
        return (
            "SELECT m.* FROM memory_words w JOIN memories m ON m.id = w.id "
            "WHERE memory_words MATCH :words AND m.user_id = :user_id AND :kind IN ('', m.memory_type) "
            "ORDER BY bm25(memory_words), m.created_ms DESC LIMIT :limit"
        )

    @staticmethod
    def _postgres_search() -> str:
        vector, query = "to_tsvector('simple', memory)", "to_tsquery('simple', :words)"
        return (
            f"SELECT * FROM memories WHERE {vector} @@ {query} AND user_id = :user_id "  # noqa: S608 - our own words
            f"AND :kind IN ('', memory_type) ORDER BY ts_rank({vector}, {query}) DESC, created_ms DESC LIMIT :limit"
        )


def _read(row: Any) -> Memory:
    created_at = datetime.fromtimestamp(row["created_ms"] / 1000, UTC)
    return Memory(
        id=row["id"],
        user_id=row["user_id"],
        memory=row["memory"],
        memory_type=row["memory_type"],
        created_at=created_at,
    )
