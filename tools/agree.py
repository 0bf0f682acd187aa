#!/usr/bin/env python3
"""Both engines on random programs, in every mode: do they say the same?

    python tools/agree.py [--from SEED] [--count N] [--seconds N]
    python tools/agree.py --cases

Each seed is a program of tools/random_programs.py with options drawn from the same seed: threads
with turns of different length, children, signals at regular and at random instructions, a table
that comes and goes, wrong directives, stores into frames of callers. It is run by both engines
without stores watched, with `watch_stores` and with `exhaustive`; everything that they report must
be equal, the last two modes must come to the same, and the first too where no frame of a caller is
written into. With --cases the programs are all assembled cases and all prebuilt C
programs; for these all modes must come to the same, and the reference engine stops a C program
early. Prints what fails, and exits with 1 if anything does.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from random_programs import Table, program

from emu.asm import assemble
from emu.check import CheckError, GuestOptions, Result, run
from emu.machine import Image
from emu.toolchain.prebuilt import unpack_programs

ROOT = Path(__file__).resolve().parents[1]
MODES: tuple[dict[str, bool], ...] = ({}, {"watch_stores": True}, {"exhaustive": True})
LIMIT = 10_000


@dataclass(frozen=True)
class Situation:
    """A program and how it is run."""

    image: Image
    options: GuestOptions
    strict: bool
    mischief: bool
    kind: str

    @classmethod
    def of(cls, seed: int) -> Situation:
        """The situation of that number; always the same."""
        draw = random.Random(-seed)
        threads = draw.choice((0, 0, 1, 2))
        mischief = draw.random() < 0.4
        forks = draw.random() < 0.25
        every = draw.choice((None, None, 7, 37, 211))
        shape = {"threads": threads, "forks": forks, "mischief": mischief}
        image = _assembled(seed, **shape)
        tables = random.Random(f"tables {seed}").random() < 0.3  # not of the other draws
        if tables:
            image = _assembled(seed, **shape, table=Table())
            image = _assembled(seed, **shape, table=_table_of(image))
        return cls(
            image=image,
            options=GuestOptions(
                quantum=draw.choice((13, 97, 10_000)),
                seed=draw.randrange(4),
                signal_every=every,
                signal_seed=draw.choice((None, seed)) if every else None,
            ),
            strict=draw.random() < 0.2,
            mischief=mischief,
            kind=f"threads={threads} forks={forks} mischief={mischief} signal_every={every}"
            f" tables={tables}",
        )

    def run(self, engine: str, mode: dict[str, bool]) -> Result:
        return run(
            self.image,
            engine=engine,
            max_instructions=LIMIT,
            options=self.options,
            strict=self.strict,
            **mode,
        )


def _assembled(seed: int, **shape: Any) -> Image:
    return Image.from_bytes(assemble(program(seed, **shape)).elf, f"random-{seed}")


def _table_of(image: Image) -> Table:
    """Where the table lies, and what it describes."""
    (text,) = (segment for segment in image.segments if segment.executable)
    assert image.sframe is not None, "the program has a table"
    return Table(image.sframe.address, image.sframe.memory_size, text.address, text.memory_size)


def said(result: Result) -> dict[str, Any]:
    """All that a result says, but for what may differ; findings and gaps in their order."""
    document = result.json()
    for key in ("engine", "seconds", "instructions_per_second"):
        del document[key]
    document["order"] = [str(key) for key in result.tally.findings]
    document["gaps"] = list(result.tally.gaps.items())
    document["witnesses"] = [str(witness) for witness in result.figures.witnesses]
    document["listings"] = [str(lines) for lines in result.listings.values()]
    document["remarks"] = list(result.remarks)
    return document


def differences(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The parts in which they differ."""
    return ", ".join(f"{key}: {one[key]} / {other[key]}" for key in one if one[key] != other[key])[
        :600
    ]


def disagreements(seed: int) -> list[str]:
    """What is wrong with a seed; nothing if everything agrees."""
    situation = Situation.of(seed)
    wrong: list[str] = []
    said_in: dict[str, dict[str, Any]] = {}
    for mode in MODES:
        name = next(iter(mode), "default")
        try:
            reference, fast = (said(situation.run(each, mode)) for each in ("reference", "fast"))
        except CheckError as error:
            wrong.append(f"{name}: {error}")
            continue
        if fast != reference:
            wrong.append(f"{name}: reference / fast: {differences(reference, fast)}")
        said_in[name] = reference
    if situation.mischief:
        said_in.pop("default", None)
    for (name, one), (other_name, other) in pairwise(said_in.items()):
        if one != other:
            wrong.append(f"{name} / {other_name}: {differences(one, other)}")
    return [f"{situation.kind}: {line}" for line in wrong]


def in_all_modes(image: Image, engine: str, limit: int | None) -> tuple[dict[str, Any], list[str]]:
    """What one engine says, and in which modes it says something else."""
    wrong: list[str] = []
    first: dict[str, Any] = {}
    for mode in MODES:
        name = f"{engine}, {next(iter(mode), 'default')}"
        try:
            document = said(run(image, engine=engine, max_instructions=limit, **mode))
        except CheckError as error:
            wrong.append(f"{name}: {error}")
            continue
        first = first or document
        if document != first:
            wrong.append(f"default / {name}: {differences(first, document)}")
    return first, wrong


def case_disagreements(image: Image, limit: int) -> list[str]:
    """All modes must come to the same; the reference engine runs up to `limit` only."""
    _, whole = in_all_modes(image, "fast", None)
    fast, start = in_all_modes(image, "fast", limit)
    reference, slow = in_all_modes(image, "reference", limit)
    wrong = [*whole, *start, *slow]
    if fast != reference:
        wrong.append(f"reference / fast: {differences(reference, fast)}")
    return wrong


def all_cases() -> int:
    """Every case of the suite; the number of those that fail."""
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        programs = unpack_programs(ROOT / "c_cases" / "prebuilt", Path(directory))
        for path in (*sorted((ROOT / "asm_cases").glob("*.s")), *programs):
            if path.suffix == ".s":
                case = assemble(path)
                lines = case_disagreements(Image.from_bytes(case.elf, case.file), 3_000)
            else:
                lines = case_disagreements(Image.from_file(path), 2_000)
            failed += bool(lines)
            for line in lines:
                print(f"{path.name}: {line}", flush=True)
    return failed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED")
    parser.add_argument("--count", type=int, default=1000, metavar="N")
    parser.add_argument("--seconds", type=float, default=600, metavar="N", help="at most so long")
    parser.add_argument("--cases", action="store_true", help="the cases of the suite instead")
    options = parser.parse_args(arguments)
    if options.cases:
        failed = all_cases()
        print(f"{failed} cases disagree")
        return 1 if failed else 0
    ends = time.monotonic() + options.seconds
    tried = failed = 0
    for seed in range(options.first, options.first + options.count):
        if time.monotonic() > ends:
            break
        lines = disagreements(seed)
        tried += 1
        failed += bool(lines)
        for line in lines:
            print(f"seed {seed}: {line}", flush=True)
    print(f"{tried} programs, {failed} disagree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
