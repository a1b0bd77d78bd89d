"""Whether the process lives, and whether a call may be sent to it."""

from pathlib import Path

from tests.app.premises import Premises, json_of, lose_database, play


def test_a_process_that_answers_lives(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        lose_database(house, tmp_path)
        answer = await house.ask("GET", "/healthz")
        assert (answer.status, json_of(answer)) == (200, {"status": "ok"})

    play(tmp_path, story)


def test_calls_are_taken_while_there_is_room(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("GET", "/readyz")
        assert (answer.status, json_of(answer)) == (200, {"status": "ok", "calls": 0})
        carrier, _ = await house.talk("CA1")
        answer = await house.ask("GET", "/readyz")
        assert (answer.status, json_of(answer)) == (503, {"status": "unavailable", "reason": "busy"})
        carrier.hang_up()
        await house.ended(carrier)
        assert (await house.ask("GET", "/readyz")).status == 200

    play(tmp_path, story, max_calls=1)


def test_calls_are_not_taken_without_a_database(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        lose_database(house, tmp_path)
        answer = await house.ask("GET", "/readyz")
        assert (answer.status, json_of(answer)) == (503, {"status": "unavailable", "reason": "database"})

    play(tmp_path, story)


def test_calls_are_not_taken_by_a_process_that_is_about_to_stop(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.registry.draining = True
        answer = await house.ask("GET", "/readyz")
        assert (answer.status, json_of(answer)) == (503, {"status": "unavailable", "reason": "draining"})
        lose_database(house, tmp_path)  # which is not asked any more
        assert json_of(await house.ask("GET", "/readyz"))["reason"] == "draining"
        assert (await house.ask("GET", "/healthz")).status == 200

    play(tmp_path, story)


def test_nobody_needs_a_key_for_them(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path in ("/healthz", "/readyz"):
            assert (await house.ask("GET", path, headers={"Host": "bridge.test"})).status == 200

    play(tmp_path, story, api_key="the-api-key")
