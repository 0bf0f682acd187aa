"""Benchmarks: instructions checked per second, beside a debugger doing the same by hand.

    python tools/bench.py [--runs N] [--json FILE] [PROGRAM]

Each figure is the median of several runs in this process; ratios compare figures of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emu.check import run
from emu.machine import Image, Process
from emu.toolchain.prebuilt import unpack_programs

PREBUILT = Path(__file__).resolve().parent.parent / "c_cases" / "prebuilt"
DEFAULT = "qsort_callback-O2"
GDB_STEPS = 2_000


@dataclass(frozen=True)
class Figure:
    """Instructions per second of one way to look at every instruction."""

    name: str
    per_second: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.per_second)


def bare(program: Path) -> float:
    """The emulator alone, no hook: how fast the guest could be."""
    instructions = run(program, at="main").instructions
    process = Process(Image.from_file(program), args=[str(program)], stdout=len)
    started = time.perf_counter()
    process.run()
    return instructions / (time.perf_counter() - started)


def checked(program: Path) -> float:
    """Truth, step checks and a walk at every instruction, in the reference engine."""
    return run(program, engine="reference").instructions_per_second


def debugger(program: Path) -> float:
    """gdb: stepi and bt, which is what one would do by hand."""
    script = [
        "set pagination off",
        "set confirm off",
        "set debuginfod enabled off",
        "break main",
        "run > /dev/null",
        "python import time; begin = time.perf_counter()",
        (
            f"python for i in range({GDB_STEPS}): gdb.execute('stepi', to_string=True);"
            " gdb.execute('bt', to_string=True)"
        ),
        f"python print('PER SECOND', {GDB_STEPS} / (time.perf_counter() - begin))",
        "kill",
    ]
    command = ["gdb", "-nx", "-q", "-batch"]
    for line in script:
        command += ["-ex", line]
    output = subprocess.run(
        [*command, str(program)], capture_output=True, text=True, check=False
    ).stdout
    for line in output.splitlines():
        if line.startswith("PER SECOND"):
            return float(line.split()[2])
    raise RuntimeError(f"gdb did not finish: {output[-400:]}")


def measure(name: str, once: Callable[[Path], float], program: Path, runs: int) -> Figure:
    once(program)  # fills caches and compiles; not counted
    return Figure(name, tuple(once(program) for _ in range(runs)))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", type=Path, help="a static program with a main")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", type=Path)
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    with tempfile.TemporaryDirectory() as directory:
        program = arguments.program
        if program is None:
            unpack_programs(PREBUILT, Path(directory))
            program = Path(directory) / DEFAULT
        return report(program, arguments)


def report(program: Path, arguments: argparse.Namespace) -> int:
    """Measure, print the table and write the JSON."""
    figures = [
        measure("emulator alone", bare, program, arguments.runs),
        measure("emu check, reference engine", checked, program, arguments.runs),
    ]
    if shutil.which("gdb"):
        figures.append(measure("gdb stepi + bt", debugger, program, max(arguments.runs // 2, 1)))
    base = figures[1].median
    load = os.getloadavg()[0]
    print(f"{program.name}; {platform.python_version()}, {os.cpu_count()} cores, load {load:.2f}")
    print(f"{'':32}{'instructions/s':>16}{'min':>14}{'max':>14}{'emu check is':>16}")
    for figure in figures:
        ratio = base / figure.median
        shown = "" if figure is figures[1] else f"{ratio:,.3g} x"
        print(
            f"{figure.name:32}{figure.median:16,.0f}{min(figure.per_second):14,.0f}"
            f"{max(figure.per_second):14,.0f}{shown:>16}"
        )
    if len(figures) == 2:
        print("gdb is not installed: nothing to compare with")
    if arguments.json:
        document = {
            figure.name: {"median": figure.median, "runs": figure.per_second} for figure in figures
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
