"""Benchmarks of emu.sframe on a section of 400,000 functions, beside what it must reach.

    python tools/bench_sframe.py [--functions N] [--json FILE]

Exit status 1 if a figure misses its goal (goals hold for the default number of functions).
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from emu.sframe import Function, Rule, Rules, Section, write_section
from emu.sframe.elf import BytesLike

ADDRESS = 0x8000000
TEXT = 0x401000
STRIDE = 112
RUNS = 3

FIRST_LOOKUP = """
import mmap, re, sys, time
from emu.sframe import Section

def peak():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])

before = peak()
started = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
found = Section(data, int(sys.argv[2])).lookup(int(sys.argv[3]))
assert found is not None and found.rules is not None
print(1000 * (time.perf_counter() - started))
print((peak() - before) / 1024)
"""
"""Run in a process of its own: milliseconds, then MiB of memory it took."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; `at_least` says on which side of the goal is good."""

    name: str
    value: float
    goal: float
    at_least: bool

    @property
    def reached(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value < self.goal

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<"
        verdict = "" if self.reached else "  MISSED"
        return f"{self.name:<32} {self.value:>14,.1f}   goal {sign} {self.goal:,.0f}{verdict}"


def functions(count: int) -> list[Function]:
    """Functions of 12 rows that differ in their offsets, as pushes make them."""
    rng = random.Random(1)
    ra, fp = Rule(None, -8, deref=True), Rule(None, -16, deref=True)
    entry = Rules(Rule(7, 8), ra)
    pushed = Rules(Rule(7, 16), ra, fp)
    framed = Rules(Rule(6, 16), ra, fp)
    found = []
    for i in range(count):
        middle = [(5 + k, Rules(Rule(7, 16 + 8 * k + rng.randrange(32)), ra, fp)) for k in range(8)]
        rows = [(0, entry), (1, pushed), (4, framed), *middle, (99, entry)]
        found.append(Function(start=TEXT + STRIDE * i, size=100, rows=rows))
    return found


def best(work: Callable[[], int]) -> float:
    """Units per second of the fastest of a few runs."""
    rates = []
    for _ in range(RUNS):
        started = time.process_time()
        units = work()
        rates.append(units / (time.process_time() - started))
    return max(rates)


def measure(count: int) -> list[Figure]:
    made = functions(count)
    rows = sum(len(function.rows) for function in made)
    started = time.process_time()
    data = write_section(made, address=ADDRESS)
    write_rate = rows / (time.process_time() - started)
    print(f"{count:,} functions, {rows:,} rows, {len(data):,} bytes")
    del made
    milliseconds, mebibytes = first_lookup(data, TEXT + STRIDE * (count * 3 // 4) + 50)
    section = Section(data, ADDRESS)
    rng = random.Random(2)
    pcs = [TEXT + rng.randrange(STRIDE * count) for _ in range(100_000)]
    part = section.fdes[: min(count, 25_000)]
    return [
        Figure("open and first lookup, ms", milliseconds, 20, at_least=False),
        Figure("memory for it, MiB", mebibytes, 40, at_least=False),
        Figure("random lookups per second", best(lambda: lookups(section, pcs)), 100_000, True),
        Figure("rows decoded per second", best(lambda: sum(len(f.rows) for f in part)), 3e5, True),
        Figure("rows written per second", write_rate, 150_000, at_least=True),
    ]


def lookups(section: Section, pcs: list[int]) -> int:
    for pc in pcs:
        section.lookup(pc)
    return len(pcs)


def first_lookup(data: BytesLike, pc: int) -> tuple[float, float]:
    """Milliseconds and MiB in a fresh process."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "big.sframe"
        file.write_bytes(data)
        result = subprocess.run(
            [sys.executable, "-c", FIRST_LOOKUP, str(file), str(ADDRESS), str(pc)],
            check=True,
            capture_output=True,
            text=True,
        )
    milliseconds, mebibytes = map(float, result.stdout.split())
    return milliseconds, mebibytes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--functions", type=int, default=400_000, metavar="N")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    figures = measure(arguments.functions)
    for figure in figures:
        print(figure)
    if arguments.json:
        records = [asdict(figure) for figure in figures]
        Path(arguments.json).write_text(json.dumps(records, indent=2) + "\n")
    return int(not all(figure.reached for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
