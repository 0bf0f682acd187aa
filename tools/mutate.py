"""Damage tables in every way that one field can be wrong, and see what the check says of each.

    python tools/mutate.py [--limit N] [--seed N] [--jobs N] [--thorough] [--log FILE] [PROGRAM...]

Without a program, all assembled cases and the prebuilt C programs. For each damaged table it is
worked out with tools/plain_kernel.py what a check must report: every step verdict with its number,
each finding with its row, field, count, and where it was seen first. What is equivalent to the
undamaged table must come to the same. With --thorough both engines check each table in all modes,
which must agree too. Lines are added to the --log file as programs are finished, and programs that
it names are not done again. Prints a line per program, and exits with 1 if a check was wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agree import MODES, said
from damage import Damage, damages
from expected import Table, contradictions, predict

from emu.asm import AsmError, assemble
from emu.check import CheckError, Result, run
from emu.machine import Image
from emu.sframe import Section, SFrameError
from emu.toolchain.prebuilt import unpack_programs

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("reference", "fast")
SHOWN = 5
"""Contradictions that are printed of one table."""


@dataclass(frozen=True)
class Choice:
    """Which of a program's damaged tables are checked, and how."""

    limit: int | None
    seed: int
    thorough: bool

    def of(self, everything: list[Damage], name: str) -> list[Damage]:
        """Those of one program, in the order of the format."""
        if self.limit is None or len(everything) <= self.limit:
            return everything
        chosen = random.Random(f"{self.seed} {name}").sample(range(len(everything)), self.limit)
        return [everything[index] for index in sorted(chosen)]


def examine(path: Path, choice: Choice) -> tuple[str, bool]:
    """What is to be said about a program, and whether all of its tables were checked rightly."""
    started = time.monotonic()
    try:
        data = assemble(path).elf if path.suffix == ".s" else path.read_bytes()
        section = Section.from_elf(data)
        everything = list(damages(section))
    except (AsmError, SFrameError) as error:
        return f"{path.name}: left out, {error}", True
    image = Image.from_bytes(data, path.name)
    before = run(image)
    bias = next(module.bias for module in before.modules if module.path == image.path)
    original = Table("undamaged", image, bias)
    tables = [
        Table(one.what, Image.from_bytes(one.apply(data, section.file_offset), image.path), bias)
        for one in choice.of(everything, path.name)
    ]
    predict(original, tables)
    if list(contradictions(original, original, before)):
        return f"{path.name}: left out, its stack is in doubt or moved at times", True
    lines, wrong, different = [], 0, 0
    for table in tables:
        faults = list(_faults(table, original, choice))
        wrong += bool(faults)
        different += table.steps != original.steps or +table.counts != +original.counts
        lines += [f"  {table.name}: {fault}" for fault in faults[:SHOWN]]
    seconds = time.monotonic() - started
    head = (
        f"{path.name}: {len(everything)} damaged tables, {len(tables)} checked, {different} of them"
        f" matter in a run, {wrong} wrong ({seconds:.0f} s)"
    )
    return "\n".join([head, *lines]), not wrong


def _faults(table: Table, original: Table, choice: Choice) -> Iterator[str]:
    try:
        result = run(table.image)
        yield from contradictions(table, original, result)
        if choice.thorough:
            yield from _disagreements(table, result)
    except CheckError as error:
        yield str(error)


def _disagreements(table: Table, result: Result) -> Iterator[str]:
    for mode in MODES:
        name = next(iter(mode), "default")
        one, other = (said(run(table.image, engine=engine, **mode)) for engine in ENGINES)
        if one != other:
            yield f"the engines disagree ({name})"
        if not mode and other != said(result):
            yield "two runs disagree"


def _done(log: Path | None) -> set[str]:
    """Names of the programs that a file from an interrupted run has."""
    if log is None or not log.exists():
        return set()
    lines = log.read_text().splitlines()
    return {line.partition(":")[0] for line in lines if line[:1].strip()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", type=Path)
    parser.add_argument("--limit", type=int, help="check only this many each, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--thorough", action="store_true", help="both engines, all modes")
    parser.add_argument("--log", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    choice = Choice(arguments.limit, arguments.seed, arguments.thorough)
    with (
        tempfile.TemporaryDirectory() as directory,
        ProcessPoolExecutor(arguments.jobs) as pool,
    ):
        programs = arguments.programs or [
            *sorted((ROOT / "asm_cases").glob("*.s")),
            *sorted(unpack_programs(ROOT / "c_cases" / "prebuilt", Path(directory))),
        ]
        done = _done(arguments.log)
        programs = [program for program in programs if program.name not in done]
        passed = True
        for number, (line, good) in enumerate(
            pool.map(partial(examine, choice=choice), programs), 1
        ):
            print(f"[{number}/{len(programs)}] {line}", flush=True)
            if arguments.log is not None:
                with arguments.log.open("a") as file:
                    file.write(line + "\n")
            passed &= good
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
