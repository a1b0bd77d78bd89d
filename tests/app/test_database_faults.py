"""The database goes away under a live call: the call goes on, and everything is written when the database is back."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.verbs import Say
from tests.app.premises import LINE_MS, Premises, document, json_of, lose_database, play
from tests.postgres import Server, schema
from tests.runtime.serving import until

Fault = Callable[[Premises], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a database that is gone again sooner than in earnest."""
    monkeypatch.setattr("phone_bridge.runtime.spool.FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("phone_bridge.runtime.spool.MAX_PAUSE_SECONDS", 0.1)


async def the_fault_is_not_heard(house: Premises, fault: Fault) -> None:
    carrier, assistant = await house.talk("CA1")
    await asyncio.sleep(LINE_MS / 1000 + 0.1)  # the greeting
    await until(lambda: not house.bridge.spool.waiting)
    with fault(house):
        answer = await house.ask("GET", "/readyz")
        assert (answer.status, json_of(answer)["reason"]) == (503, "database")
        assert any(isinstance(verb, Say) for verb in document(await house.voice("CA2")).verbs)  # an apology

        assistant.propose("act_1", "Dentist")
        heard = len(carrier.sound)
        await until(lambda: len(carrier.sound) >= heard + 2 * LINE_MS * 8 - 100)
        await asyncio.sleep(2 * LINE_MS / 1000 + 0.1)  # the question
        carrier.press("1")
        await until(lambda: bool(assistant.words))
        assistant.tell(m.ActionExecuted(id="act_1", result={"ok": True}))
        carrier.hang_up()
        _, record = await house.ended(carrier)

        assert assistant.words == [m.ActionConfirm("act_1")]
        assert house.bridge.spool.waiting == 1
        shown = await house.ask("GET", f"/v1/calls/{record.id}")
        assert (shown.status, json_of(shown)["status"]) == (200, "completed")
        assert [action["verdict"] for action in json_of(shown)["actions"]] == ["confirmed"]
    await until(lambda: not house.bridge.spool.waiting)
    kept = await asyncio.to_thread(house.bridge.records.find, record.id)
    assert kept is not None
    assert (kept.status, kept.ended_by, house.bridge.spool.lost) == ("completed", "caller", 0)
    assert [(action["verdict"], action["result"]) for action in kept.actions] == [("confirmed", {"ok": True})]
    assert (await house.ask("GET", "/readyz")).status == 200
    assert (
        len(await asyncio.to_thread(house.bridge.receipts.of_call, record.id)) == 1
    )  # of what was consented meanwhile


def test_a_file_that_is_gone_for_a_while_harms_no_live_call(tmp_path: Path) -> None:
    @contextmanager
    def gone(house: Premises) -> Iterator[None]:
        lose_database(house, tmp_path)
        yield
        (tmp_path / "bridge.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "bridge.db")

    async def story(house: Premises) -> None:
        await the_fault_is_not_heard(house, gone)

    play(tmp_path, story)


def test_a_server_that_stops_for_a_while_harms_no_live_call(tmp_path: Path, postgres_server: Server) -> None:
    async def story(house: Premises) -> None:
        await the_fault_is_not_heard(house, lambda _: postgres_server.stopped())

    with schema(postgres_server.url) as url:
        play(tmp_path, story, database_url=url)


def test_what_is_lost_at_the_end_of_a_process_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phone_bridge.app.bridge.SPOOL_SECONDS", 0.2)
    ids = []

    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        lose_database(house, tmp_path)
        carrier.hang_up()
        _, record = await house.ended(carrier)
        ids.append(record.id)

    play(tmp_path, story)
    assert f"the record of call {ids[0]} is lost: the process ended before the database took it" in caplog.text
