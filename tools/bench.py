"""Every figure of the fast engine beside its target, in one table.

    python tools/bench.py [--runs N] [--millions N] [--only PART]... [--json FILE]

The parts are `speed` (instructions checked per second, beside the emulator alone, gdb, and ptrace
with libunwind), `unwinding`, `loading`, `memory`, `start` and `programs`. A figure is the median of
several runs; a ratio compares figures of the same run, and the figure is the median of the ratios.
Times are processor time. What is not installed is named and left out. Exit status 0 whatever the
table says: a busy machine misses targets too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bench_loading
import bench_stepping
import bench_unwind
from bench_engine import bare, checked, command, guest, peak_memory
from bench_figure import Figure, table
from bench_memory import text
from bench_stepping import MissingError

GUESTS = ("calls", "loops")
FASTEST = {"calls": 20e6, "loops": 25e6}
SLOWDOWN = {"calls": 4, "loops": 7}
WATCHED = 15e6
GDB, PTRACE = 6000, 1000
NANOSECONDS = 15
ROWS, LOADING = 60_000, 150
MEMORY, MEMORY_MILLIONS = 300, 100
START = 1.5
PYTHON, XZ = 15, 180


@dataclass
class Bench:
    """Figures as they are measured, and what could not be."""

    runs: int
    millions: float
    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        values: list[float],
        unit: str,
        target: float | None = None,
        *,
        at_least: bool = True,
    ) -> None:
        """One more line."""
        if values:
            self.figures.append(Figure(name, tuple(values), unit, target, at_least))

    def speed(self) -> None:
        """Instructions per second, all ways to look at every one of them in turn."""
        images = {name: guest(name, self.millions) for name in GUESTS}
        short = guest("calls", self.millions / 500)
        rates: dict[str, list[float]] = {}
        for image in images.values():
            checked(image)  # compiles; not counted
        with tempfile.TemporaryDirectory() as directory:
            steppers = self._steppers(Path(directory))
            for _ in range(self.runs):
                for name, image in images.items():
                    instructions, seconds = checked(image)
                    rates.setdefault(name, []).append(instructions / seconds)
                    rates.setdefault(f"{name} bare", []).append(instructions / bare(image))
                    instructions, seconds = checked(image, watch_stores=True)
                    rates.setdefault(f"{name} watched", []).append(instructions / seconds)
                instructions, seconds = checked(short, engine="reference")
                rates.setdefault("reference", []).append(instructions / seconds)
                for name, step in steppers.items():
                    rates.setdefault(name, []).append(step())
        for name in GUESTS:
            self.add(f"{name}, every instruction checked", rates[name], "/s", FASTEST[name])
        for name in GUESTS:
            self.add(f"{name}, with --watch-stores", rates[f"{name} watched"], "/s", WATCHED)
        for name in GUESTS:
            slowdown = _ratios(rates[f"{name} bare"], rates[name])
            target = SLOWDOWN[name]
            self.add(f"{name}, emulator alone is faster by", slowdown, "x", target, at_least=False)
        for name, target in (("gdb stepi + bt", GDB), ("ptrace step + libunwind", PTRACE)):
            if name in rates:
                ratios = _ratios(rates["calls"], rates[name])
                self.add(f"calls, faster than {name} by", ratios, "x", target)
        for name in GUESTS:
            self.add(f"{name}, emulator alone", rates[f"{name} bare"], "/s")
        self.add("calls, reference engine", rates["reference"], "/s")
        for name in steppers:
            self.add(f"calls, {name}", rates[name], "/s")

    def _steppers(self, directory: Path) -> dict[str, Callable[[], float]]:
        """What steps through programs on this machine."""
        found: dict[str, Callable[[], float]] = {}
        try:
            program = bench_stepping.build(directory)
        except MissingError as missing:
            self.missing.append(str(missing))
            return found
        for name, step in (
            ("gdb stepi + bt", bench_stepping.gdb),
            ("ptrace step + libunwind", bench_stepping.ptrace),
        ):
            try:
                step(program)
            except MissingError as missing:
                self.missing.append(str(missing))
            else:
                found[name] = lambda step=step: step(program)[0]  # type: ignore[misc]  # a default binds it
        return found

    def unwinding(self) -> None:
        """Nanoseconds per frame of walks over one stack."""
        try:
            measured = bench_unwind.figures(self.runs)
        except bench_unwind.BenchError as error:
            self.missing.append(str(error))
            return
        for figure in measured:
            target = NANOSECONDS if figure.name == bench_unwind.COMPILED else None
            name = f"one frame, {figure.name}"
            self.add(name, list(figure.per_frame), "ns", target, at_least=False)
        self.missing += bench_unwind.native_walks()[1]

    def loading(self) -> None:
        """Milliseconds for a module of many rows."""
        large, small = bench_loading.module(ROWS).data, bench_loading.module(1).data
        bench_loading.loading(large, small)
        values = [bench_loading.loading(large, small) for _ in range(self.runs)]
        self.add(f"loading a module of {ROWS:,} rows", values, "ms", LOADING, at_least=False)
        seconds = [bench_loading.every_row(large, ROWS) / 1000]
        self.add(f"checking all {ROWS:,} rows for the first time", seconds, "s")

    def memory(self) -> None:
        """MiB of a process that checks, above one that only emulates."""
        above = [
            peak_memory("checked", "calls", MEMORY_MILLIONS)
            - peak_memory("bare", "calls", MEMORY_MILLIONS)
            for _ in range(min(self.runs, 3))
        ]
        name = f"memory above the emulator's, {MEMORY_MILLIONS} M instructions"
        self.add(name, above, "MiB", MEMORY, at_least=False)

    def start(self) -> None:
        """Seconds of `emu check` as a whole process, for a program that is soon done."""
        with tempfile.TemporaryDirectory() as directory:
            program = Path(directory) / "short"
            program.write_bytes(guest("calls", 0.0).data)
            program.chmod(0o755)
            values = [command(str(program))[1] for _ in range(self.runs + 1)][1:]
        self.add("emu check of a short program, whole process", values, "s", START, at_least=False)

    def programs(self) -> None:
        """Seconds of `emu check` as a whole process, for programs of this machine."""
        for name, target, options in (
            ("python3", PYTHON, ["--", "-S", "-c", "print(1)"]),
            ("xz", XZ, ["--stdin", "-", "--", "-9", "-c"]),
        ):
            program = shutil.which(name, path="/usr/bin:/bin")
            if program is None:
                self.missing.append(f"{name} is not installed")
                continue
            arguments = [program, *options]
            instructions, seconds = command(*arguments, stdin=text())
            label = f"{name}, {instructions / 1e6:,.0f} M instructions, whole process"
            self.add(label, [seconds], "s", target, at_least=False)
            if name == "python3":
                _, seconds = command("--convert", "all", *arguments)
                label = f"{name} --convert all, whole process"
                self.add(label, [seconds], "s", target, at_least=False)


def _ratios(above: list[float], below: list[float]) -> list[float]:
    return [one / other for one, other in zip(above, below, strict=True)]


PARTS: dict[str, Callable[[Bench], None]] = {
    "speed": Bench.speed,
    "unwinding": Bench.unwinding,
    "loading": Bench.loading,
    "memory": Bench.memory,
    "start": Bench.start,
    "programs": Bench.programs,
}


def machine() -> Iterator[str]:
    """Where the figures were measured, in words."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    yield f"{platform.python_implementation()} {platform.python_version()}"
    yield f"{os.cpu_count()} cores ({model})"
    yield f"load {os.getloadavg()[0]:.2f}"


def main() -> int:
    """Measure, print the table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--millions", type=float, default=50, help="instructions of each guest")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be repeated")
    parser.add_argument("--json", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    if arguments.runs < 1 or arguments.millions <= 0:
        parser.error("--runs is at least 1, --millions above 0")
    bench = Bench(arguments.runs, arguments.millions)
    where = ", ".join(machine())
    for name in arguments.only or PARTS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        PARTS[name](bench)
    print(where)
    for line in [*table(bench.figures), *bench.missing]:
        print(line)
    if arguments.json:
        document = {
            "machine": where,
            "load_at_the_end": os.getloadavg()[0],
            "figures": [figure.json() for figure in bench.figures],
            "missing": bench.missing,
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
