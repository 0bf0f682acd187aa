"""Where the time of `emu check` goes.

    python tools/bench_profile.py [--runs N] [--json FILE]

First the compiled hook, in nanoseconds per instruction: the same guests run in several ways, from
the emulator alone to the whole check, with a hook that does a little more from line to line. Then
a program that comes by much code once, `python3 -S -c 'print(1)'` with `--convert all`,
for which Python works most of the time: its functions by subject, as Python's profiler sees them.
Processor time; medians of the runs.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import re
import shutil
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench_engine import bare, checked, source
from bench_parts import variants
from numba import cfunc, types

from emu.asm import assemble
from emu.check import run
from emu.machine import Image, Process
from emu.machine.engine import NativeHook

MILLIONS = 30
NOWHERE = "0x10"
"""An address that is never executed: the true stack is followed, nothing is checked."""

SUBJECTS = (
    ("converting .eh_frame", ("/emu/cfi/", "/emu/check/conversion", "/emu/sframe/")),
    ("reading files and symbols", ("/elftools/", "/emu/machine/image", "/emu/machine/symbols")),
    ("looking up rows", ("/emu/unwind/", "/emu/check/tables", "/emu/check/guest_store")),
    ("names of functions", ("/emu/check/modules", "/emu/check/function_map")),
    ("decoding instructions", ("/capstone/", "/emu/check/fast/facts", "/emu/truth/instruction")),
    ("true stack", ("/emu/truth/", "/emu/check/fast/mirror")),
    (
        "checks in Python",
        ("/emu/check/observe", "/emu/check/judge", "/emu/check/step", "/emu/check/walk"),
    ),
    ("telling the hook", ("/emu/check/fast/",)),
    ("system calls and memory", ("/emu/machine/",)),
    ("emulation and hook", ("/unicorn/",)),
)
REST = "the rest"


@cfunc(types.void(types.voidptr, types.uint64, types.uint32, types.voidptr))
def _nothing(_engine: object, _pc: object, _size: object, _data: object) -> None:
    """A hook that only costs its call."""


def _hooked(image: Image) -> float:
    process = Process(image, args=[image.path], stdout=len, stderr=len)
    started = time.process_time()
    process.run(NativeHook(_nothing.address, 0))
    return time.process_time() - started


def _seconds(image: Image, **options: str) -> float:
    started = time.process_time()
    run(image, **options)  # type: ignore[arg-type]  # options of `run` that are strings
    return time.process_time() - started


def ways(name: str, runs: int) -> list[tuple[str, float]]:
    """Nanoseconds per instruction of several ways to run a guest."""
    text = source(name, MILLIONS)
    image = Image.from_bytes(assemble(text).elf, name)
    tableless = Image.from_bytes(assemble(re.sub(r"\.cfi_.*", "", text)).elf, name)
    instructions, _ = checked(image)
    timed: list[tuple[str, Callable[[], float]]] = [
        ("the emulator alone", lambda: bare(image)),
        ("with a hook that does nothing", lambda: _hooked(image)),
        *((what, lambda run=run: run(image)) for what, run in variants()),  # type: ignore[misc]  # a default binds it
        ("every instruction checked", lambda: _seconds(image)),
        ("nothing checked (--at elsewhere)", lambda: _seconds(image, at=NOWHERE)),
        ("every instruction checked, no tables", lambda: _seconds(tableless)),
    ]
    # All ways in turn, so that a busy machine is as busy for each of them.
    seconds = [[way() for _, way in timed] for _ in range(runs)]
    return [
        (what, 1e9 * statistics.median(each[number] for each in seconds) / instructions)
        for number, (what, _) in enumerate(timed)
    ]


def subjects(program: str) -> dict[str, float]:
    """Seconds by subject; what built-in functions take is their callers'."""
    profile = cProfile.Profile()
    profile.enable()
    run(program, args=["-S", "-c", "print(1)"], convert=["all"])
    profile.disable()
    totals: defaultdict[str, float] = defaultdict(float)
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]  # its documented content
        if file != "~" and not file.startswith("<"):
            totals[_subject(file)] += own
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            totals[_subject(caller)] += part
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _subject(file: str) -> str:
    for name, places in SUBJECTS:
        if any(place in file for place in places):
            return name
    return REST


def main() -> int:
    """Print both tables, and write JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    columns = {name: ways(name, arguments.runs) for name in ("calls", "loops")}
    print(f"{'ns per instruction':48}{'calls':>8}{'loops':>8}")
    for (what, calls), (_, loops) in zip(columns["calls"], columns["loops"], strict=True):
        print(f"{what:48}{calls:8.1f}{loops:8.1f}")
    document: dict[str, object] = {"nanoseconds": columns}
    program = shutil.which("python3", path="/usr/bin:/bin")
    if program is not None:
        shares = subjects(program)
        document["subjects"] = shares
        total = sum(shares.values())
        print(f"\n{program} -S -c 'print(1)' with --convert all, {total:.0f} s under the profiler")
        for name, seconds in shares.items():
            print(f"{name:48}{100 * seconds / total:7.0f} %")
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
