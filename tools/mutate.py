"""Change every executed row of a program by one word and see whether the check notices.

    python tools/mutate.py [--limit N] [--jobs N] [PROGRAM...]

Without a program, the prebuilt C cases. Each mutant that gives another CFA, RA or FP at some
instruction must be reported, at its row. Exit status 1 if one is not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from emu.check import run
from emu.check.mutation import mutants, mutated, reported, visible
from emu.machine import Image
from emu.sframe import Section
from emu.toolchain.prebuilt import unpack_programs

PREBUILT = Path(__file__).resolve().parent.parent / "c_cases" / "prebuilt"


def examine(program: Path, limit: int | None, seed: int) -> tuple[str, bool]:
    """One line about a program, and whether all of its mutants were reported."""
    image = Image.from_file(program)
    section = Section.from_elf(program)
    every = list(mutants(section))
    different = visible(image, section, every)
    chosen = different
    if limit is not None and limit < len(different):
        chosen = random.Random(seed).sample(different, limit)
    original = run(image)
    missed = [
        mutant
        for mutant in chosen
        if not reported(original, mutated(image, section, mutant), mutant)
    ]
    counts = f"{len(every)} mutants, {len(different)} differ in a run, {len(chosen)} checked"
    lines = [f"{program.name}: {counts}, {len(missed)} missed"]
    lines += [f"  missed: row {mutant.row_pc:#x}, {mutant.what}" for mutant in missed]
    return "\n".join(lines), not missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", type=Path)
    parser.add_argument("--limit", type=int, help="try only this many each, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        ProcessPoolExecutor(arguments.jobs) as pool,
    ):
        programs = arguments.programs or sorted(unpack_programs(PREBUILT, Path(directory)))
        work = partial(examine, limit=arguments.limit, seed=arguments.seed)
        passed = True
        for line, good in pool.map(work, programs):
            print(line, flush=True)
            passed &= good
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
