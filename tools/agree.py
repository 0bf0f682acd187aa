#!/usr/bin/env python3
"""Both engines on random programs, in every mode: do they say the same?

    python tools/agree.py [--from SEED] [--count N] [--seconds N]

Each seed is a program of tools/random_programs.py with options drawn from the same seed: threads
with turns of different length, children, signals at regular and at random instructions, wrong
directives, stores into frames of callers. It is run by both engines without stores watched, with
`watch_stores` and with `exhaustive`; everything that they report must be equal, and the last two
modes must come to the same. Prints the seeds that fail, and exits with 1 if there are any.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from random_programs import program

from emu.asm import assemble
from emu.check import CheckError, GuestOptions, Result, run
from emu.machine import Image

MODES: tuple[dict[str, bool], ...] = ({}, {"watch_stores": True}, {"exhaustive": True})
LIMIT = 10_000


@dataclass(frozen=True)
class Situation:
    """A program and how it is run."""

    image: Image
    options: GuestOptions
    strict: bool
    kind: str

    @classmethod
    def of(cls, seed: int) -> Situation:
        """The situation of that number; always the same."""
        draw = random.Random(-seed)
        threads = draw.choice((0, 0, 1, 2))
        mischief = draw.random() < 0.4
        forks = draw.random() < 0.25
        source = program(seed, threads=threads, forks=forks, mischief=mischief)
        every = draw.choice((None, None, 7, 37, 211))
        return cls(
            image=Image.from_bytes(assemble(source).elf, f"random-{seed}"),
            options=GuestOptions(
                quantum=draw.choice((13, 97, 10_000)),
                seed=draw.randrange(4),
                signal_every=every,
                signal_seed=draw.choice((None, seed)) if every else None,
            ),
            strict=draw.random() < 0.2,
            kind=f"threads={threads} forks={forks} mischief={mischief} signal_every={every}",
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
    wrong, watched = [], []
    for mode in MODES:
        name = next(iter(mode), "default")
        try:
            reference, fast = (said(situation.run(each, mode)) for each in ("reference", "fast"))
        except CheckError as error:
            wrong.append(f"{name}: {error}")
            continue
        if fast != reference:
            wrong.append(f"{name}: reference / fast: {differences(reference, fast)}")
        if mode:
            watched.append(reference)
    if len(watched) == 2 and watched[0] != watched[1]:
        wrong.append(f"watch_stores / exhaustive: {differences(*watched)}")
    return [f"{situation.kind}: {line}" for line in wrong]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED")
    parser.add_argument("--count", type=int, default=1000, metavar="N")
    parser.add_argument("--seconds", type=float, default=600, metavar="N", help="at most so long")
    options = parser.parse_args(arguments)
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
