"""The command: its arguments, what it prints, and its exit status."""

import argparse
import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import msgspec
import pytest

from phone_bridge.simulator.carrier import Site
from phone_bridge.simulator.script import Press, Say, Wait
from phone_bridge.simulator.simulate import (
    EXIT_NO_CALL,
    EXIT_NOT_OK,
    EXIT_OK,
    TO_NUMBER,
    SimulateOptions,
    add_arguments,
    options_from,
    simulate,
)
from tests.simulator.small_server import TOKEN, BeepVoice, EchoBridge


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def options(*arguments: str, **settings: str) -> SimulateOptions:
    return options_from(parse(*arguments), **{"local_url": "http://127.0.0.1:8080", **settings})


def run(bridge: EchoBridge, **changes: Any) -> tuple[int, list[str]]:
    """Simulate a short call that the bridge ends."""
    lines: list[str] = []

    async def go() -> int:
        async with bridge.running():
            told = SimulateOptions(site=Site(url=bridge.url), auth_token=TOKEN, stay=True)
            return await simulate(msgspec.structs.replace(told, **changes), BeepVoice(), lines.append)

    return asyncio.run(go()), lines


def bridge_that_hangs_up(after: int = 10) -> EchoBridge:
    bridge = EchoBridge()
    bridge.close_after = after
    return bridge


# Arguments


def test_words_keys_and_pauses_keep_their_order() -> None:
    script = options("--say", "one", "--press", "1", "--wait", "1.5", "--say", "two").script
    assert script == (Say("one"), Press("1"), Wait(1500), Say("two"))


def test_nothing_at_all_is_a_call_too() -> None:
    assert options() == SimulateOptions(site=Site(url="http://127.0.0.1:8080"))


@pytest.mark.parametrize("bad", [("--press", "x"), ("--wait", "soon"), ("--wait", "-1"), ("--wait", "inf")])
def test_what_cannot_be_done_is_said_at_once(bad: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(*bad)
    assert bad[0] in capsys.readouterr().err


def test_a_call_may_begin_elsewhere() -> None:
    url = "https://ivr.example.com/begin"
    assert options("--voice-url", url).site == Site(url="http://127.0.0.1:8080", voice_url=url)


def test_the_settings_say_where_the_bridge_is_and_an_argument_wins() -> None:
    settings = {"public_url": "https://calls.example.com", "api_key": "k"}
    assert options(**settings).site == Site(
        url="http://127.0.0.1:8080", public_url="https://calls.example.com", api_key="k"
    )
    assert options("--url", "https://b.test", **settings).site == Site(url="https://b.test", api_key="k")


def test_numbers_come_from_the_arguments_then_the_settings_then_a_default() -> None:
    assert options("--to", "+1", to_number="+2").to_number == "+1"
    assert options(to_number="+2").to_number == "+2"
    assert options().to_number == TO_NUMBER
    assert options("--from", "+3").from_number == "+3"


# The call


def test_a_call_is_shown_as_it_happens_and_summed_up() -> None:
    bridge = bridge_that_hangs_up(60)
    assert bridge.record is not None
    bridge.record["transcript"] = [
        {"at_ms": 100, "speaker": "assistant", "text": "Hello."},
        {"at_ms": 200, "speaker": "caller", "text": "hollow"},
        {"at_ms": 300, "speaker": "bridge", "text": "Goodbye."},
    ]
    status, lines = run(bridge, script=(Say("hello", after_ms=40),))
    assert (status, lines[-1]) == (EXIT_OK, "the call went as a call should")
    assert lines[:3] == [
        "00:00.0  carrier     [ringing]",
        "00:00.0  carrier     [answered]",
        "00:00.0  caller      hello",
    ]
    assert lines.count("00:00.1  assistant   Hello.") == 1
    assert "00:00.3  bridge      Goodbye." in lines
    assert not any("hollow" in line for line in lines)
    assert bridge.unsigned == []


def test_a_call_that_went_wrong_has_another_status_and_says_why() -> None:
    bridge = bridge_that_hangs_up()
    bridge.vanish = True
    status, lines = run(bridge)
    assert status == EXIT_NOT_OK
    assert any(line.startswith("not as it should be: Twilio error 31921") for line in lines)


def test_json_is_one_object_and_nothing_else() -> None:
    status, (line,) = run(bridge_that_hangs_up(), json=True)
    result = json.loads(line)
    assert status == EXIT_OK
    assert (result["ok"], result["status"], result["ended_by"], result["reasons"]) == (True, "completed", "bridge", [])
    assert result["record"]["id"] == "call_1"
    assert "heard" not in result


def test_the_call_can_be_saved(tmp_path: Path) -> None:
    file = tmp_path / "call.wav"
    assert run(bridge_that_hangs_up(), save=file)[0] == EXIT_OK
    with wave.open(str(file)) as reader:
        assert reader.getnchannels() == 2
        assert reader.getnframes() >= 8 * 180


def test_a_recording_that_cannot_be_kept_is_said_before_the_call(tmp_path: Path) -> None:
    bridge = bridge_that_hangs_up()
    status, (line,) = run(bridge, save=tmp_path / "nowhere" / "call.wav")
    assert status == EXIT_NO_CALL
    assert "there is no folder" in line
    assert bridge.forms == []


def test_a_recording_that_cannot_be_written_is_said_after_it(tmp_path: Path) -> None:
    status, lines = run(bridge_that_hangs_up(), save=tmp_path)
    assert status == EXIT_NO_CALL
    assert "could not be written" in lines[-1]


def test_without_a_bridge_there_is_one_clear_sentence() -> None:
    lines: list[str] = []
    nowhere = SimulateOptions(site=Site(url="http://127.0.0.1:1"))
    assert asyncio.run(simulate(nowhere, BeepVoice(), lines.append)) == EXIT_NO_CALL
    assert lines == ["no bridge answers at http://127.0.0.1:1; start one with: phone-bridge serve"]


def test_an_api_that_refuses_is_a_reason() -> None:
    bridge = EchoBridge()
    bridge.list_status = 401
    bridge.twiml = '<Pause length="1"/>'
    status, lines = run(bridge)
    assert status == EXIT_NOT_OK
    assert any("give it the key of its API" in line for line in lines)
