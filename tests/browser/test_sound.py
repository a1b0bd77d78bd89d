"""The page's sound in the browser that runs it: what the resampler lets through, and how the playing keeps step.

The worklets' classes are run by hand, block by block, so that nothing depends on a device or on a clock.
"""

from typing import Any

import pytest

from tests.browser.chromium import Chromium
from tests.test_cli import Server

MEASURE = """
(async () => {
  const { Resampler } = await import("/static/resampler.js");
  const [from, to, hertz, block] = %s;
  const resampler = new Resampler(from, to);
  const out = [];
  for (let at = 0; at < from; at += block) {
    const sound = Float32Array.from({ length: block }, (_, i) => Math.sin((2 * Math.PI * hertz * (at + i)) / from));
    out.push(...resampler.push(sound));
  }
  const middle = out.slice(to / 10, -to / 10);
  const rms = Math.sqrt(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length);
  return [20 * Math.log10(rms * Math.SQRT2 + 1e-12), out.length];
})()
"""


def measure(browser: Chromium, server: Server, rates: tuple[int, int], hertz: int, block: int) -> tuple[float, int]:
    with browser.page(f"{server.url}/") as page:
        decibels, count = page.evaluate(MEASURE % [*rates, hertz, block])
        return decibels, count


@pytest.mark.parametrize("rates", [(48_000, 16_000), (44_100, 16_000), (16_000, 48_000), (16_000, 44_100)])
def test_what_can_be_heard_goes_through_and_nothing_is_lost(
    browser: Chromium, server: Server, rates: tuple[int, int]
) -> None:
    decibels, count = measure(browser, server, rates, 1_000, 128 if rates[0] > 16_000 else 320)
    assert abs(decibels) < 0.1
    assert rates[1] - 200 < count <= rates[1] + 200


@pytest.mark.parametrize(("rate", "hertz"), [(48_000, 9_000), (48_000, 15_000), (44_100, 10_000)])
def test_what_would_come_back_as_noise_is_kept_out(browser: Chromium, server: Server, rate: int, hertz: int) -> None:
    decibels, _ = measure(browser, server, (rate, 16_000), hertz, 128)
    assert decibels < -60


# Playing

DESK = """
(async () => {
  Object.assign(globalThis, { sampleRate: 48000, currentFrame: 0 });
  globalThis.AudioWorkletProcessor = class {
    constructor() { this.port = { told: [], postMessage(message) { this.told.push([currentFrame, message]); } }; }
  };
  const classes = {};
  globalThis.registerProcessor = (name, made) => { classes[name] = made; };
  await import("/static/%(worklet)s.worklet.js");
  const node = new classes['%(worklet)s']();
  const heard = [];
  const run = (ms, input = []) => {
    for (const until = currentFrame + ms * 48; currentFrame < until; currentFrame += 128) {
      const block = new Float32Array(128);
      node.process([input], [[block]]);
      heard.push(...block);
    }
  };
  const say = (message) => node.port.onmessage({ data: message });
  const tone = (ms, from = 0) => Int16Array.from(
    { length: 16 * ms }, (_, at) => 10000 * Math.sin((2 * Math.PI * 400 * (from * 16 + at)) / 16000)
  ).buffer;
  const of = (name) => node.port.told.filter(([, message]) => message[name] !== undefined);
  %(story)s
})()
"""


def desk(browser: Chromium, server: Server, story: str, worklet: str = "playout") -> Any:
    with browser.page(f"{server.url}/") as page:
        return page.evaluate(DESK % {"worklet": worklet, "story": story})


def test_bursts_from_the_network_are_played_without_a_gap(browser: Chromium, server: Server) -> None:
    quiet, length, underruns = desk(
        browser,
        server,
        """
        for (let at = 0; at < 400; at += 60) { say({ sound: tone(60, at) }); run(60); }
        run(100);
        const first = heard.findIndex((sample) => Math.abs(sample) > 0.01);
        const last = heard.findLastIndex((sample) => Math.abs(sample) > 0.01);
        let quiet = 0, longest = 0;
        for (const sample of heard.slice(first, last)) {
          quiet = Math.abs(sample) < 0.001 ? quiet + 1 : 0;
          longest = Math.max(longest, quiet);
        }
        return [longest, (last - first) / 48, of("underruns").at(-1)[1].underruns];
        """,
    )
    assert quiet <= 2
    assert 410 < length < 430
    assert underruns == 0


def test_a_mark_goes_back_when_the_sound_before_it_has_left_the_device(browser: Chromium, server: Server) -> None:
    names, at = desk(
        browser,
        server,
        """
        say({ latency: 0.05 });
        say({ sound: tone(100) }); say({ mark: "0.1" }); say({ sound: tone(100, 100) }); say({ mark: "0.2" });
        run(400);
        say({ mark: "0.3" });
        run(100);
        return [of("mark").map(([, message]) => message.mark), of("mark").map(([frame]) => frame / 48)];
        """,
    )
    assert names == ["0.1", "0.2", "0.3"]
    assert 145 <= at[0] <= 160, "100 ms of sound and 50 ms of the device"
    assert 245 <= at[1] <= 260
    assert 445 <= at[2] <= 460, "nothing is before it, but the device"


def test_a_flush_is_silence_at_once_and_its_marks_are_never_returned(browser: Chromium, server: Server) -> None:
    sounding, marks = desk(
        browser,
        server,
        """
        say({ sound: tone(400) }); say({ mark: "0.1" });
        run(200);
        const before = heard.length;
        say({ flush: true });
        run(300);
        const last = heard.findLastIndex((sample) => Math.abs(sample) > 0.0001);
        return [(last - before) / 48, of("mark").length];
        """,
    )
    assert sounding <= 6
    assert marks == 0


def test_the_buffer_grows_by_each_underrun_and_not_by_a_pause(browser: Chromium, server: Server) -> None:
    story = """
    say({ sound: tone(60) }); run(60 + %d);
    say({ sound: tone(60) }); run(400);
    const { underruns, targetMs } = of("underruns").at(-1)[1];
    return [underruns, targetMs];
    """
    assert desk(browser, server, story % 80) == [1, 80]
    assert desk(browser, server, story % 1_000) == [0, 60]


def test_a_microphone_is_frames_of_20_ms_also_without_a_device_or_a_voice(browser: Chromium, server: Server) -> None:
    frames, size, loud, muted = desk(
        browser,
        server,
        """
        run(1000);
        const alone = of("frame").length;
        const voice = Float32Array.from({ length: 128 }, (_, at) => Math.sin(at / 4));
        run(200, [voice]);
        const loud = of("frame").at(-1)[1].level;
        say({ muted: true });
        run(200, [voice]);
        return [alone, of("frame")[0][1].frame.byteLength, loud, of("frame").at(-1)[1].level];
        """,
        "capture",
    )
    assert (frames, size) in ((49, 640), (50, 640))
    assert loud > 0.3
    assert muted == 0
