"""Change every executed row of a program by one word and see whether the check notices.

    python tools/mutate.py PROGRAM [--limit N]

A mutant is a copy of the program with one data word or the base register of one row changed.
One instrumented run finds out for which mutants CFA, RA or FP come out differently at some
instruction; each of those must be reported, at that row. Exit status 1 if one is not.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emu.check import run, snapshots
from emu.sframe import Section
from emu.unwind import LookupFailure, Refusal, RegionMemory, evaluate, find_row
from emu.unwind.record import read_header


@dataclass(frozen=True)
class Mutant:
    """One changed byte string at an offset of the section, and the row it belongs to."""

    row_pc: int
    offset: int
    value: bytes
    what: str


def mutants(section: Section) -> Iterator[Mutant]:
    """Every row's CFA offset +-8, other words +-8, and the other base register."""
    for fde in section.fdes:
        flexible = fde.attributes.flexible
        for row in fde.rows:
            body = row.body
            if not body.words:
                continue
            row_pc = fde.start + row.start
            info_offset = row.end - len(body.encoded)
            if not flexible:
                info = bytes([body.info ^ 1])
                yield Mutant(row_pc, info_offset, info, "base register")
            for number, word in enumerate(body.words):
                control = flexible and number % 2 == 0
                for change in (16,) if control else (8, -8):
                    # A control word's register number is changed by two (rsp to rcx..).
                    value = (word + change) % (1 << 8 * body.word_size)
                    offset = info_offset + 1 + number * body.word_size
                    yield Mutant(
                        row_pc,
                        offset,
                        value.to_bytes(body.word_size, "little"),
                        f"word {number + 1} {change:+d}",
                    )


def patched(data: bytes, mutant: Mutant) -> bytes:
    end = mutant.offset + len(mutant.value)
    return data[: mutant.offset] + mutant.value + data[end:]


def visible(program: Path, section: Section, found: list[Mutant]) -> set[Mutant]:
    """The mutants whose row gives something else at an instruction of a real run."""
    data = bytes(section.data)
    by_row: dict[int, list[Mutant]] = {}
    for mutant in found:
        by_row.setdefault(mutant.row_pc, []).append(mutant)
    intact = RegionMemory([(section.address, data)])
    sframe = (section.address, section.address + len(data))
    text = (min(f.start for f in section.fdes), max(f.end for f in section.fdes))
    record = read_header(intact, sframe, text)
    memories = {
        mutant: RegionMemory([(section.address, patched(data, mutant))]) for mutant in found
    }
    different: set[Mutant] = set()
    for snapshot in snapshots(program):
        bias = 0
        for frame, state in enumerate(snapshot.frames):
            if not text[0] <= state.ip - bias < text[1]:
                continue
            if frame > 1:
                break  # older frames were newest once
            row = find_row(record, intact, state.ip)
            if isinstance(row, LookupFailure):
                continue
            true = evaluate(row.frame, state, snapshot.memory, snapshot.registers)
            for mutant in by_row.get(row.start, []):
                if mutant in different:
                    continue
                other = find_row(record, memories[mutant], state.ip)
                if isinstance(other, LookupFailure) or _differs(
                    true, evaluate(other.frame, state, snapshot.memory, snapshot.registers)
                ):
                    different.add(mutant)
    return different


def _differs(one: object, other: object) -> bool:
    if isinstance(one, Refusal) and isinstance(other, Refusal):
        return False
    return one != other


def missed(program: Path, mutant: Mutant, file_offset: int, scratch: Path) -> bool:
    """Whether the check of the mutated program does not report its row."""
    scratch.write_bytes(_mutated(program, mutant, file_offset))
    scratch.chmod(0o755)
    result = run(scratch)
    return not any(finding.key.row_pc == mutant.row_pc for finding in result.findings)


def _mutated(program: Path, mutant: Mutant, file_offset: int) -> bytes:
    data = program.read_bytes()
    start = file_offset + mutant.offset
    return data[:start] + mutant.value + data[start + len(mutant.value) :]


def main() -> int:
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--limit", type=int, help="try only this many, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    section = Section.from_elf(arguments.program)
    every = list(mutants(section))
    chosen = sorted(
        visible(arguments.program, section, every), key=lambda mutant: (mutant.offset, mutant.what)
    )
    total = len(chosen)
    if arguments.limit and arguments.limit < total:
        chosen = random.Random(arguments.seed).sample(chosen, arguments.limit)
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory) / arguments.program.name
        for number, mutant in enumerate(chosen, 1):
            if sys.stderr.isatty():
                print(f"\r{number}/{len(chosen)}", end="", file=sys.stderr)
            if missed(arguments.program, mutant, section.file_offset, scratch):
                failures += 1
                print(f"missed: row {mutant.row_pc:#x}, {mutant.what}")
    print(
        f"{arguments.program.name}: {len(every)} mutants, {total} differ in a run,"
        f" {len(chosen)} checked, {failures} missed"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
