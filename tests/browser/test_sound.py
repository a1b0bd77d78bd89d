"""The resampler in the browser that runs it: what it lets through, what it keeps out, and that nothing is lost."""

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
