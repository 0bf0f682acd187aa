"""What following the true stack costs: memory by the live depth, time not even by that."""

import gc
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from emu.asm import assemble
from emu.check import Result, Verdict, run
from emu.machine import Image

DEEP_GUEST = (Path(__file__).resolve().parents[2] / "tools" / "guests" / "deep.s").read_text()

DEEP = 100_000
NOISE = 200_000
"""Bytes by which the peaks of two equal runs may differ."""


def image_of(depth: int, rounds: int) -> Image:
    source = DEEP_GUEST.replace("edi, 10", f"edi, {depth}").replace("esi, 1", f"esi, {rounds}")
    case = assemble(source)
    return Image.from_bytes(case.elf, case.file)


def peak_of(image: Image, engine: str) -> tuple[Result, int]:
    """The result of a run, and the most bytes that Python objects held meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        result = run(image, engine=engine)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("engine", "few", "many"), [("fast", 10_000, 10_000_000), ("reference", 1_000, 10_000)]
)
def test_memory_does_not_grow_with_the_calls(engine: str, few: int, many: int) -> None:
    peaks = []
    for rounds in (few, few, many):  # the first one pays for what is loaded once
        result, peak = peak_of(image_of(5, rounds), engine)
        assert result.ended == "exit"
        assert result.figures.returns == rounds + 5
        assert result.figures.violations == 0
        assert result.tally.checked == result.instructions > 4 * rounds
        assert result.findings == ()
        peaks.append(peak)
    assert peaks[2] < peaks[1] + NOISE


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_recursion_100_000_deep(engine: str) -> None:
    clock: list[tuple[int, float]] = []
    result = run(
        image_of(DEEP, 1),
        engine=engine,
        progress=lambda instructions, _: clock.append((instructions, time.process_time())),
    )
    assert result.ended == "exit"
    assert result.figures.returns == result.figures.returns_verified == DEEP + 1
    assert result.figures.violations == 0
    assert result.tally.steps[Verdict.WRONG] == 0
    # One walk of the kernel sees 510 entries; that the rest is missing is the only finding.
    assert [finding.key.verdict for finding in result.findings] == [Verdict.LIMIT]
    assert result.tally.walks[Verdict.OK] + result.tally.walks[Verdict.LIMIT] == result.instructions
    if engine == "reference":
        # Processor time for equal numbers of instructions, at the beginning and around the
        # bottom: were it proportional to the depth, the factor would be about ten.
        spent = [after[1] - before[1] for before, after in pairwise(clock)]
        assert len(spent) >= 20
        deepest = len(spent) * 3 // 4
        assert median(spent[deepest - 2 : deepest + 3]) < 4 * median(spent[:3])
