"""What the application is put together from, and that it lets go of all of it."""

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from phone_bridge.app.bridge import Bridge
from phone_bridge.call.commands import Speak
from phone_bridge.call.recording import replay
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.traces import read as read_trace
from phone_bridge.settings import Settings
from tests.app.premises import LINE_MS, Premises, Tone, play, premises
from tests.runtime.pumping import FRAME
from tests.runtime.serving import until


def test_a_call_by_the_built_in_assistant_goes_over_its_own_socket(tmp_path: Path) -> None:
    """The same paths as a remote session's: minted, opened and deleted over the loopback, by the address we have."""

    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        carrier = await house.open("CA1", token=token)
        carrier.speak(*[FRAME] * 5)
        await until(lambda: house.bridge.registry.live == 1)
        await asyncio.sleep(LINE_MS / 1000 + 0.2)
        (record,) = await house.calls()
        assert record.session == "embedded"
        house.bridge.registry.end(record.id, "api")
        code, record = await house.ended(carrier)
        assert (code, record.ended_by, record.error) == (1000, "api", None)
        assert house.peers.mints == []

    play(tmp_path, story, session="embedded", user_id="usr_carol", public_url="")


def test_a_call_over_the_voice_sdk_reaches_a_session_of_that_kind(tmp_path: Path) -> None:
    """Two bridges: one asks the other's built-in assistant, and both are as they are."""

    async def story(theirs: Premises) -> None:
        async with premises(
            tmp_path / "ours",
            session="voice-sdk",
            session_url=f"http://127.0.0.1:{theirs.running.port}",
            session_key="the-api-key",
        ) as ours:
            carrier = await ours.open("CA1", token=(await ours.ring("CA1")).parameters["token"])
            carrier.speak(*[FRAME] * 5)
            await until(lambda: theirs.bridge.embedded.sdk.live == 1)
            (record,) = await ours.calls()
            assert record.session == "voice-sdk"
            ours.bridge.registry.end(record.id, "api")
            code, record = await ours.ended(carrier)
            assert (code, record.error) == (1000, None)
            await until(lambda: theirs.bridge.embedded.sdk.live == 0)

    (tmp_path / "ours").mkdir()
    play(tmp_path, story, session="embedded", api_key="the-api-key", public_url="")


def test_a_bridge_that_was_not_started_takes_no_calls(tmp_path: Path) -> None:
    async def story() -> None:
        bridge = Bridge(settings_in(tmp_path), Records(settings_in(tmp_path).database_url), None)
        record = bridge.record(carrier_id="CA1", direction="inbound", from_number=None, to_number=None)
        with pytest.raises(RuntimeError, match="not started"):
            bridge.pump(record, None, None)  # type: ignore[arg-type]  # neither is looked at
        await bridge.stop()

    asyncio.run(story())


def test_what_was_started_is_let_go(tmp_path: Path) -> None:
    async def story() -> None:
        settings = settings_in(tmp_path)
        bridge = Bridge(settings, Records(settings.database_url), Tone())
        await bridge.start()
        await bridge.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())


def test_a_bridge_without_a_voice_says_so_and_lives(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        settings = settings_in(tmp_path)
        bridge = Bridge(settings, Records(settings.database_url), None)
        await bridge.start()
        await until(lambda: "cannot speak its own lines" in caplog.text)
        await bridge.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())


def test_what_was_said_longer_ago_than_it_is_to_be_kept_is_forgotten(tmp_path: Path) -> None:
    def number_of(id: str) -> str | None:
        found = records.find(id)
        return found.from_number if found is not None else "gone"

    async def story() -> None:
        bridge = Bridge(settings, records, Tone())
        old = bridge.record(carrier_id="CA1", direction="inbound", from_number="+12025550143", to_number=None)
        old.started_at = old.ended_at = "2020-01-01T00:00:00.000Z"
        records.save(old)
        await bridge.start()
        await until(lambda: number_of(old.id) is None)
        await bridge.stop()

    settings = settings_in(tmp_path)
    records = Records(settings.database_url)
    asyncio.run(story())


def test_processes_of_one_database_share_their_keys(tmp_path: Path) -> None:
    async def story() -> None:
        one, other = (Bridge(settings_in(tmp_path), Records(settings_in(tmp_path).database_url), None) for _ in "ab")
        assert one.stream_keys.signing(0) == other.stream_keys.signing(0)
        assert one.embedded.key == other.embedded.key
        await one.stop()
        await other.stop()

    asyncio.run(story())


def test_a_call_can_be_run_again_from_its_trace(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk("CA1")
        carrier.speak(*[FRAME] * 5)
        assistant.propose("act_1")
        await asyncio.sleep(LINE_MS / 1000 + 0.2)
        carrier.hang_up()
        _, record = await house.ended(carrier)
        await asyncio.to_thread(house.bridge.traces.close)
        recording = read_trace(tmp_path / "traces" / f"{record.id}.trace")
        call = recording.call()
        duties = [duty for step in replay(recording, call) for duty in step.duties]
        assert any(isinstance(duty, Speak) and duty.lines[0].key == "question.cancel_event" for duty in duties)
        again = msgspec.structs.replace(record)
        again.observe(call.trace)
        assert again == record

    play(tmp_path, story, traces="all", traces_folder=f"{tmp_path}/traces")


@pytest.mark.parametrize("settings", [{"traces": "off", "traces_folder": "traces"}, {"traces": "all"}])
def test_without_a_folder_or_a_wish_no_call_keeps_a_journal(tmp_path: Path, settings: dict[str, str]) -> None:
    async def story(house: Premises) -> None:
        assert not house.bridge.traces.wanted

    play(tmp_path, story, **settings)


def settings_in(folder: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder}/bridge.db", session="chronapilot", session_key="sk_test_1", user_id="usr_bob"
    )


def test_the_rules_of_a_call_are_the_settings(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk("CA1")
        await asyncio.sleep(LINE_MS / 1000 + 0.1)
        assistant.propose("act_1")
        await until(lambda: bool(assistant.words))  # unasked, as this user wants it
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert record.transcript[0]["text"] == "Praxis Doktor Schmidt."
        assert [(action["verdict"], action["by"]) for action in record.actions] == [("confirmed", "none")]

    play(
        tmp_path,
        story,
        greeting="Praxis Doktor Schmidt.",
        language="de",
        user_id="usr_bob",
        auto_confirm="usr_alice:create_event, usr_bob:cancel_event",
    )
