"""How loud both sides are, looked at in passing."""

import numpy as np

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import Rules
from phone_bridge.runtime.sight import Sight
from tests.runtime.pumping import Stage, virtual


def tone(ms: int, peak: int = 32_000) -> bytes:
    wave = peak * np.sin(np.arange(8 * ms) * 2 * np.pi * 440 / 8_000)
    return linear_to_ulaw(wave.astype("<i2").tobytes())


def levels(letters: str) -> list[int]:
    return [int(letter, 36) for letter in letters]


def test_a_caller_is_looked_at_once_a_step() -> None:
    call = Call(PCMU_8K, Rules(), 1_000)
    sight = Sight(call, PCMU_8K)
    for now in range(1_020, 1_200, 20):
        if now >= sight.look_at:
            sight.caller(tone(20, 32_000 if now < 1_100 else 1_000), now)
    loud, quiet = levels(call.trace.timeline.levels()[0])
    assert loud >= 34
    assert 0 < quiet < 20


def spoken(frame_ms: int) -> list[int]:
    """Have an assistant reply with a second of sound, in frames of a length, and give what was heard of it."""
    found: list[int] = []

    @virtual
    async def story() -> None:
        stage = await Stage().opened()
        began = len(stage.call.trace.timeline.levels()[1])
        stage.assistant.reply("r1", *[tone(frame_ms)] * (1_000 // frame_ms))
        stage.carrier.hang_up()
        await stage.over()
        found.extend(levels(stage.call.trace.timeline.levels()[1])[began:])

    story()
    return found


def test_an_assistant_s_sound_is_seen_whatever_its_frames_are() -> None:
    for frame_ms in (20, 50, 100, 250):
        seen = spoken(frame_ms)
        assert len([level for level in seen if level > 30]) in (9, 10, 11), frame_ms


def test_what_was_flushed_is_not_seen() -> None:
    call = Call(PCMU_8K, Rules(), 0)
    sight = Sight(call, PCMU_8K)
    call.trace.timeline.heard(2_000, 20)
    sight.flushed(900)
    assert call.trace.timeline.levels()[1] == "0" * 10
