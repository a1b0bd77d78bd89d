import struct
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, pairwise

import pytest

from phone_bridge.audio.g711 import alaw_to_linear, linear_to_alaw, linear_to_ulaw, ulaw_to_linear

# ITU-T G.711, tables 1a and 2a: the steps between decision values, from zero up, in units of the standard
# (13 bits and a sign for mu-law, 12 bits and a sign for A-law); a value decodes to the middle of its interval.
ULAW_STEPS = [1] + [2] * 15 + [size for size in (4, 8, 16, 32, 64, 128, 256) for _ in range(16)]
ALAW_STEPS = [2] * 32 + [size for size in (4, 8, 16, 32, 64, 128) for _ in range(16)]
ULAW_DECISIONS = list(accumulate(ULAW_STEPS, initial=0))
ALAW_DECISIONS = list(accumulate(ALAW_STEPS, initial=0))
ULAW_UNIT = 4  # of 16-bit linear
ALAW_UNIT = 8

ALL_CODES = bytes(range(256))
ALL_LINEAR = struct.pack("<65536h", *range(-32768, 32768))


def linear(pcm16: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(pcm16) // 2}h", pcm16))


def ulaw_value(interval: int) -> int:
    low, high = ULAW_DECISIONS[interval], ULAW_DECISIONS[interval + 1]
    return 0 if interval == 0 else (low + high) // 2 * ULAW_UNIT


def alaw_value(interval: int) -> int:
    return (ALAW_DECISIONS[interval] + ALAW_DECISIONS[interval + 1]) // 2 * ALAW_UNIT


def ulaw_code(sample: int) -> int:
    fine = sample // ULAW_UNIT
    interval = min(127, bisect_right(ULAW_DECISIONS, abs(fine)) - 1)
    return (0xFF if fine >= 0 else 0x7F) - interval  # all bits inverted


def alaw_code(sample: int) -> int:
    fine = sample // ALAW_UNIT
    interval = min(127, bisect_right(ALAW_DECISIONS, fine if fine >= 0 else -fine - 1) - 1)
    return (interval | (0x80 if fine >= 0 else 0)) ^ 0x55  # even bits inverted


def test_the_standard_s_tables_were_written_down_rightly() -> None:
    assert (len(ULAW_STEPS), ULAW_DECISIONS[-1]) == (128, 8159)
    assert [ULAW_DECISIONS[at] for at in (16, 32, 48, 64, 80, 96, 112)] == [31, 95, 223, 479, 991, 2015, 4063]
    assert (len(ALAW_STEPS), ALAW_DECISIONS[-1]) == (128, 4096)
    assert [ALAW_DECISIONS[at] for at in (32, 48, 64, 80, 96, 112)] == [64, 128, 256, 512, 1024, 2048]
    assert ulaw_value(127) == 8031 * ULAW_UNIT
    assert alaw_value(127) == 4032 * ALAW_UNIT


def test_every_mu_law_code_decodes_to_the_middle_of_its_interval() -> None:
    by_code = {0xFF - interval: ulaw_value(interval) for interval in range(128)}
    by_code |= {0x7F - interval: -ulaw_value(interval) for interval in range(128)}
    assert linear(ulaw_to_linear(ALL_CODES)) == [by_code[code] for code in range(256)]


def test_every_a_law_code_decodes_to_the_middle_of_its_interval() -> None:
    by_code = {(0x80 | interval) ^ 0x55: alaw_value(interval) for interval in range(128)}
    by_code |= {interval ^ 0x55: -alaw_value(interval) for interval in range(128)}
    assert linear(alaw_to_linear(ALL_CODES)) == [by_code[code] for code in range(256)]


def test_every_linear_value_takes_the_mu_law_code_of_its_interval() -> None:
    assert list(linear_to_ulaw(ALL_LINEAR)) == [ulaw_code(sample) for sample in range(-32768, 32768)]


def test_every_linear_value_takes_the_a_law_code_of_its_interval() -> None:
    assert list(linear_to_alaw(ALL_LINEAR)) == [alaw_code(sample) for sample in range(-32768, 32768)]


LAWS = [
    pytest.param(linear_to_ulaw, ulaw_to_linear, ULAW_STEPS, ULAW_UNIT, ulaw_value, id="mu-law"),
    pytest.param(linear_to_alaw, alaw_to_linear, ALAW_STEPS, ALAW_UNIT, alaw_value, id="A-law"),
]
Codec = Callable[[bytes], bytes]


@pytest.mark.parametrize(("encode", "decode", "steps", "unit", "value"), LAWS)
def test_no_sample_moves_by_more_than_half_a_step(
    encode: Codec, decode: Codec, steps: list[int], unit: int, value: Callable[[int], int]
) -> None:
    loudest = value(127)
    step = {value(interval): steps[interval] * unit for interval in range(128)}
    for before, after in zip(range(-32768, 32768), linear(decode(encode(ALL_LINEAR))), strict=True):
        if abs(before) <= loudest:
            assert abs(after - before) <= step[abs(after)] / 2 + unit, before
        else:
            assert after == (loudest if before > 0 else -loudest)


@pytest.mark.parametrize(("encode", "decode", "steps", "unit", "value"), LAWS)
def test_louder_never_decodes_to_softer(
    encode: Codec, decode: Codec, steps: list[int], unit: int, value: Callable[[int], int]
) -> None:
    decoded = linear(decode(encode(ALL_LINEAR)))
    assert all(before <= after for before, after in pairwise(decoded))
    assert len(set(decoded)) == 2 * len(steps) - (value(0) == 0)


def test_every_a_law_code_survives_the_way_there_and_back() -> None:
    assert linear_to_alaw(alaw_to_linear(ALL_CODES)) == ALL_CODES


def test_every_mu_law_code_but_the_negative_zero_survives_the_way_there_and_back() -> None:
    assert linear_to_ulaw(ulaw_to_linear(ALL_CODES)) == ALL_CODES.replace(b"\x7f", b"\xff")


def test_importing_it_warns_of_nothing() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import phone_bridge.audio.g711"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
