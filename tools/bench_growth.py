"""How the cost of an instruction grows: with the depth of the stack, with modules, with rows.

    python tools/bench_growth.py [--runs N] [--json FILE]

Each line compares the emulator alone with a check of every instruction; what matters is the last
column, from line to line. Rates are of the difference between a run and a longer one, so that
what is learned once does not count. Processor time; medians. The lines of libraries need gcc.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench_engine import bare, checked
from bench_loading import module

from emu.asm import assemble
from emu.machine import Image

DEPTHS, ROWS, LIBRARIES = (1, 10, 100, 500), (13, 1_300, 13_000, 60_000), (1, 10, 50)
MILLIONS = 20
"""Of the instructions that count."""
MILLIONS_OF_ROWS = 80
"""Likewise; meeting thousands of rows for the first time takes seconds, which vary."""

DEEP = """\
#@ title: A loop with a call at the bottom of a deep stack
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, {depth}
        mov esi, {rounds}
        call down
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
down:   .cfi_startproc
        dec edi
        jz loop
        call down
        ret
loop:   call leaf
        dec esi
        jnz loop
        ret
        .cfi_endproc
leaf:   .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        xor eax, eax
        pop rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc
"""


LIBRARY = "int function_{0}(int x) {{ return x + {0}; }}\n"
CALLER = """\
{declarations}
int main(void)
{{
    int sum = 0;
    for (int round = 0; round < {rounds}; round++)
        sum = {calls};
    return sum & 1;
}}
"""


@dataclass(frozen=True)
class Growth:
    """One line: what grows, to how much, and instructions per second."""

    what: str
    number: int
    bare: float
    checked: float

    @property
    def slowdown(self) -> float:
        """How many times longer a check takes than the emulator alone."""
        return self.bare / self.checked


def measure(
    what: str,
    number: int,
    make: Callable[[int], Image],
    round_size: int,
    runs: int,
    millions: int = MILLIONS,
) -> Growth:
    """`make(rounds)` is a guest that executes so many rounds of `round_size` instructions."""
    rounds = max(millions * 1_000_000 // round_size, 1)
    short, long = make(1), make(1 + rounds)
    alone, fast = [], []
    for _ in range(runs):
        few, before = checked(short)
        many, after = checked(long)
        fast.append((many - few) / (after - before))
        alone.append((many - few) / (bare(long) - bare(short)))
    return Growth(what, number, statistics.median(alone), statistics.median(fast))


def deep(depth: int, rounds: int) -> Image:
    """A loop at the bottom of so many frames."""
    return Image.from_bytes(assemble(DEEP.format(depth=depth, rounds=rounds)).elf, "deep")


def linked(directory: Path, count: int, rounds: int) -> Image:
    """A program that calls a function in each of so many shared libraries, again and again."""
    names = []
    for number in range(count):
        name = directory / f"lib{number}.so"
        if not name.exists():
            _gcc(name, LIBRARY.format(number), "-shared", "-fPIC")
        names.append(str(name))
    calls = "sum"
    for number in range(count):
        calls = f"function_{number}({calls})"
    declarations = "\n".join(f"int function_{number}(int);" for number in range(count))
    text = CALLER.format(declarations=declarations, calls=calls, rounds=rounds)
    program = directory / f"program-{count}-{rounds}"
    _gcc(program, text, *names, "-Wl,-z,now")
    return Image.from_file(program)


def _gcc(output: Path, text: str, *words: str) -> None:
    command = ["gcc", "-O1", "-march=x86-64", "-o", str(output), "-x", "c", "-", "-x", "none"]
    subprocess.run([*command, *words], input=text, text=True, check=True)


def lines(runs: int) -> Iterator[Growth]:
    """All lines of the table, as they are measured."""
    checked(module(13))  # compiles; not counted
    for depth in DEPTHS:
        yield measure("frames on the stack", depth, partial(deep, depth), 9, runs)
    for rows in ROWS:
        size = 14 * -(-rows // 13)
        make = partial(module, rows)
        yield measure("rows executed in turn", rows, make, size, runs, MILLIONS_OF_ROWS)
    if not shutil.which("gcc"):
        print("gcc is not installed: libraries are not measured", file=sys.stderr)
        return
    for count in LIBRARIES:
        with tempfile.TemporaryDirectory() as directory:
            make = partial(linked, Path(directory), count)
            yield measure("libraries called in turn", count, make, 5 * count + 3, runs, 40)


def main() -> int:
    """Print a table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    print(f"{'':26}{'':>8}{'bare/s':>15}{'checked/s':>15}{'slowdown':>10}")
    measured = []
    for line in lines(arguments.runs):
        measured.append(line)
        print(
            f"{line.what:26}{line.number:>8,}{line.bare:>15,.0f}{line.checked:>15,.0f}"
            f"{line.slowdown:>9.2f}x",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(line) for line in measured], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
