"""What the check says of damaged tables, and what tools/expected.py says that it must."""

import importlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from emu.asm import assemble
from emu.check import run
from emu.machine import Image
from emu.sframe import Section

ROOT = Path(__file__).parents[2]
CASES = (
    "cfa_in_saved_register",
    "drap_deeper",
    "frame_pointer",
    "signal_handler",
    "split_function",
)
CHECKED = 30
"""Of each case's damaged tables."""


class Tools:
    """The modules of tools/, imported as the scripts there import each other."""

    damage: ModuleType
    expected: ModuleType


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    kept = sys.path.copy()
    sys.path.insert(0, str(ROOT / "tools"))
    found = Tools()
    found.damage = importlib.import_module("damage")
    found.expected = importlib.import_module("expected")
    yield found
    sys.path[:] = kept


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_a_damaged_table_is_reported_exactly(tools: Tools, name: str, engine: str) -> None:
    data = assemble(ROOT / "asm_cases" / f"{name}.s").elf
    section = Section.from_elf(data)
    everything = list(tools.damage.damages(section))
    original = tools.expected.Table("undamaged", Image.from_bytes(data, name))
    tables = [
        tools.expected.Table(one.what, Image.from_bytes(one.apply(data, section.file_offset), name))
        for one in random.Random(name).sample(everything, CHECKED)
    ]
    tools.expected.predict(original, tables)
    assert any(table.counts != original.counts for table in tables)
    assert any(table.steps == original.steps for table in tables)
    for table in (original, *tables):
        result = run(table.image, engine=engine)
        assert list(tools.expected.contradictions(table, original, result)) == [], table.name


def test_a_check_of_another_table_is_a_contradiction(tools: Tools) -> None:
    data = assemble(ROOT / "asm_cases" / "frame_pointer.s").elf
    section = Section.from_elf(data)
    original = tools.expected.Table("undamaged", Image.from_bytes(data, "it"))
    row = section.fdes[1].rows[0]
    one = tools.damage.Damage("CFA + 8", row.end - 1, bytes([row.words[0] + 8]))
    image = Image.from_bytes(one.apply(data, section.file_offset), "it")
    table = tools.expected.Table(one.what, image)
    tools.expected.predict(original, [table])
    assert list(tools.expected.contradictions(table, original, run(original.image)))
    assert list(tools.expected.contradictions(original, original, run(table.image)))
    assert not list(tools.expected.contradictions(table, original, run(table.image)))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(12, bytes([1, 0, 0, 0])), (12, bytes([0, 0, 0, 0x80])), (4, b"\1"), (4, b"\4"), (4, b"\xff")],
    ids=["1 row", "2 G rows", "AArch64", "s390x", "no ABI"],
)
@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_header_fields_that_no_consumer_uses(
    tools: Tools, engine: str, offset: int, value: bytes
) -> None:
    data = assemble(ROOT / "asm_cases" / "frame_pointer.s").elf
    section = Section.from_elf(data)
    before = run(Image.from_bytes(data, "it"), engine=engine)
    one = tools.damage.Damage("header", offset, value)
    result = run(Image.from_bytes(one.apply(data, section.file_offset), "it"), engine=engine)
    assert result.modules[0].sframe == "present"
    assert result.tally.steps == before.tally.steps
    assert result.coverage.rows_hit == before.coverage.rows_hit


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [(3, b"\4", "bad/unsupported sframe header"), (12, bytes(4), "no FDE/FRE entries")],
)
def test_a_section_that_is_refused_says_why(
    tools: Tools, offset: int, value: bytes, reason: str
) -> None:
    data = assemble(ROOT / "asm_cases" / "frame_pointer.s").elf
    one = tools.damage.Damage("header", offset, value)
    start = Section.from_elf(data).file_offset
    result = run(Image.from_bytes(one.apply(data, start), "it"))
    assert result.modules[0].sframe.startswith("rejected: ")
    assert result.modules[0].sframe.endswith(reason)
