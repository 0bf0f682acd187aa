"""Is the check sharp? Tables changed by one word, and whether the change is noticed.

A mutant is a table with one data word or the base register of one row changed. An instrumented
run finds out for which mutants CFA, RA or FP come out differently at some instruction; a check
of each of those must report something new, at that row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emu.check.result import Result
from emu.check.run import run, snapshots
from emu.check.verdict import Verdict
from emu.machine import Image
from emu.sframe import Section
from emu.unwind import LookupFailure, Refusal, RegionMemory, SectionStore, Vma, VmaList, evaluate

BASE_REGISTER = 1
"""Bit 0 of a default row's info byte."""
OTHER_REGISTER = 16
"""Added to a control word, it changes the register number by two."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """Bytes that replace others at an offset of the section, and the row they belong to."""

    row_pc: int
    """Link-time address of the row's first byte."""
    offset: int
    value: bytes
    what: str

    def apply(self, data: bytes, start: int = 0) -> bytes:
        """`data` with the change, if the section begins at `start` in it."""
        at = start + self.offset
        return data[:at] + self.value + data[at + len(self.value) :]


def mutants(section: Section) -> Iterator[Mutant]:
    """Every row's words +-8, control words' registers, and default rows' base registers."""
    for fde in section.fdes:
        flexible = fde.attributes.flexible
        for row in fde.rows:
            body = row.body
            info = row.end - len(body.encoded)
            row_pc = fde.start + row.start
            if body.words and not flexible:
                changed = bytes([body.info ^ BASE_REGISTER])
                yield Mutant(row_pc, info, changed, "base register")
            controls = control_words(body.words) if flexible else frozenset[int]()
            for number, word in enumerate(body.words):
                for change in (OTHER_REGISTER,) if number in controls else (8, -8):
                    value = (word + change) % (1 << 8 * body.word_size)
                    yield Mutant(
                        row_pc,
                        info + 1 + number * body.word_size,
                        value.to_bytes(body.word_size, "little"),
                        f"word {number + 1} {change:+d}",
                    )


def control_words(words: tuple[int, ...]) -> frozenset[int]:
    """Positions of the control words of a flexible row; padding is one without an offset."""
    controls = set()
    position = 0
    while position < len(words):
        controls.add(position)
        position += 2 if words[position] else 1
    return frozenset(controls)


def visible(image: Image, section: Section, candidates: Iterable[Mutant]) -> list[Mutant]:
    """The mutants that give another result at some instruction of a run of `image`.

    For programs that are linked to fixed addresses and have one executable segment.
    """
    remaining: dict[int, list[Mutant]] = {}
    for mutant in candidates:
        remaining.setdefault(mutant.row_pc, []).append(mutant)
    data = bytes(section.data)
    stores = {
        mutant: _store(image, section, mutant.apply(data))
        for group in remaining.values()
        for mutant in group
    }
    found = []
    for snapshot in snapshots(image):
        # An older frame was the second one right after its call.
        for frame in range(min(len(snapshot.entries) + 1, 2)):
            place = snapshot.place(frame)
            group = remaining.get(place.row_pc or 0)
            if not group or isinstance(place.found, LookupFailure):
                continue
            state = snapshot.state(frame)
            true = evaluate(place.found.frame, state, snapshot.memory, snapshot.registers)
            for mutant in tuple(group):
                row = stores[mutant].lookup(state.ip)
                if not isinstance(row, LookupFailure):
                    other = evaluate(row.frame, state, snapshot.memory, snapshot.registers)
                    if other == true or (isinstance(true, Refusal) and isinstance(other, Refusal)):
                        continue
                group.remove(mutant)
                found.append(mutant)
    return sorted(found, key=lambda mutant: (mutant.offset, mutant.what))


def mutated(image: Image, section: Section, mutant: Mutant) -> Image:
    """A copy of `image` with the changed table."""
    return Image.from_bytes(mutant.apply(image.data, section.file_offset), image.path)


def reported(original: Result, image: Image, mutant: Mutant) -> bool:
    """Whether a check of the mutated `image` says something new about the mutant's row.

    A change after which the kernel cannot decode the row any more has no row to name.
    """
    return _said(run(image), mutant) != _said(original, mutant)


def _said(result: Result, mutant: Mutant) -> dict[object, object]:
    return {
        finding.key: (finding.count, finding.witness.got)
        for finding in result.findings
        if finding.key.row_pc == mutant.row_pc or finding.key.verdict is Verdict.CORRUPT
    }


def _store(image: Image, section: Section, data: bytes) -> SectionStore:
    start, end = section.address, section.address + len(data)
    code = next(segment for segment in image.segments if segment.executable)
    mappings = VmaList([Vma(start, end, False), Vma(code.address, code.end, True)])
    store = SectionStore(RegionMemory([(start, data)]), mappings, stable=True)
    store.add(start, end, code.address, code.end)
    return store
