"""Several real processes on one PostgreSQL database, one of which is killed: nobody is left out or rung twice."""

from pathlib import Path

from tests.outbound.many import Load, run

LOAD = Load(processes=4, reminders=20, rate=5, lines=10, talk_s=0.5, silent_s=4.0, kill=True)


def test_several_processes_ring_everybody_once_though_one_is_killed(postgres: str, tmp_path: Path) -> None:
    outcome = run(postgres, tmp_path, LOAD)
    assert (outcome.rang, outcome.twice) == (LOAD.reminders, 0)
    assert outcome.seconds >= LOAD.reminders / LOAD.rate - 2  # the account's calls per second, over all of them
