"""A PostgreSQL server for tests: the one at PHONE_BRIDGE_TEST_POSTGRES, or a throw-away one from Debian's packages.

``tests/conftest.py`` makes its fixtures known.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

URL = "PHONE_BRIDGE_TEST_POSTGRES"
PROGRAMS = "/usr/lib/postgresql/*/bin"
PATIENCE_SECONDS = 60
NOWHERE = f"no PostgreSQL: {URL} names no server, and there is no {PROGRAMS} (apt-get install postgresql)"

_numbers = count(1)


class Server:
    """A server of our own in a folder of its own, on a socket that nobody else knows."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._owner = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if self._owner is not None:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.folder} -c fsync=off -c max_connections=60 -c timezone=UTC"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-D", self._data, "-w", "-l", log, "-o", options)

    def stop(self) -> None:
        """End the server and every connection at once, as a crash does."""
        self._run("pg_ctl", "stop", "-D", self._data, "-w", "-m", "immediate")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have no server for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have all of the server hang, with its connections open."""
        main = int(Path(self._data, "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        user: Any = {} if self._owner is None else {"user": self._owner.pw_uid, "group": self._owner.pw_gid}
        if user:
            user["extra_groups"] = []
        with (self.folder / "output").open("wb") as output:  # not a pipe: the server would keep it open
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE_SECONDS,
                check=False,
                **user,
            )
        assert done.returncode == 0, f"{program} failed:\n{(self.folder / 'output').read_text()}"


def programs() -> Path | None:
    """Find the newest server that is installed."""
    found = [path for path in Path("/").glob(PROGRAMS.lstrip("/")) if (path / "initdb").is_file()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _unprivileged() -> pwd.struct_passwd | None:
    """Choose who runs the server: not root, which PostgreSQL refuses; None is whoever we are."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


@contextmanager
def schema(url: str) -> Iterator[str]:
    """Give the URL of an empty database: a schema of its own, which is made in a hundredth of a database's time."""
    address = sa.make_url(url).set(drivername="postgresql")
    plain = address.render_as_string(hide_password=False)
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(plain) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    try:
        yield address.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(plain) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@contextmanager
def find_server() -> Iterator[str]:
    """Give the URL of a server to a program that is no test: the one that is named, or one of its own."""
    installed = programs()
    if url := os.environ.get(URL):
        yield url
    elif installed is None:
        raise SystemExit(NOWHERE)
    else:
        server = Server(installed)
        try:
            yield server.url
        finally:
            server.remove()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A server of our own, which may be stopped and frozen for a while."""
    installed = programs()
    if installed is None:
        pytest.skip(NOWHERE)
    server = Server(installed)
    yield server
    server.remove()


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database on whichever server there is."""
    url = os.environ.get(URL) or request.getfixturevalue("postgres_server").url
    with schema(url) as own:
        yield own


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind; what asks for it runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.sqlite3"
    url: str = request.getfixturevalue("postgres")
    return url
