"""Changed tables are noticed, at the changed row."""

from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import run
from emu.check.mutation import Mutant, mutants, mutated, reported, visible
from emu.machine import Image
from emu.sframe import Section

CASES = Path(__file__).parent.parent.parent / "asm_cases"
GOOD = [
    path
    for path in sorted(CASES.glob("*.s"))
    if not any(key in path.read_text() for key in ("#@ sframe:", "#@ findings:", "#@ verdict:"))
]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_every_visible_mutant_is_reported(path: Path) -> None:
    case = assemble(path)
    image = Image.from_bytes(case.elf, case.file)
    section = Section.from_elf(case.elf)
    original = run(image)
    different = visible(image, section, mutants(section))
    missed = [
        mutant
        for mutant in different
        if not reported(original, mutated(image, section, mutant), mutant)
    ]
    assert not missed


def test_an_unchanged_table_is_no_visible_mutant() -> None:
    case = assemble(CASES / "leaf.s")
    image = Image.from_bytes(case.elf, case.file)
    section = Section.from_elf(case.elf)
    same = [
        Mutant(mutant.row_pc, mutant.offset, bytes(section.data)[mutant.offset :][:1], "same")
        for mutant in mutants(section)
    ]
    assert same
    assert visible(image, section, same) == []
    assert visible(image, section, mutants(section))
