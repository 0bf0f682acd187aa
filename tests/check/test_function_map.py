"""Functions by address are remembered by stretches; that must not show."""

from pathlib import Path

import pytest

from emu.check.function_map import FunctionMap
from emu.check.mutation import mutants, mutated
from emu.machine import Image
from emu.sframe import Function, Rule, Rules, Section, write_section
from emu.toolchain.prebuilt import unpack_programs

PREBUILT = Path(__file__).parent.parent.parent / "c_cases" / "prebuilt"
RULES = Rules(Rule(7, 8), Rule(None, -8, deref=True))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    directory = tmp_path_factory.mktemp("programs")
    unpack_programs(PREBUILT, directory)
    return Image.from_file(directory / "qsort_callback-O2")


def agree(image: Image, section: Section | None, extent: range) -> None:
    """Every address, and every one asked first, gives what looking alone at it gives."""
    together = FunctionMap(image, section)
    for address in extent:
        assert together.at(address) == FunctionMap(image, section)._find(address)


def text_around(image: Image, name: str) -> range:
    start = image.address_of(name)
    assert start is not None
    return range(start - 600, start + 600)


def test_with_the_table_of_the_program(image: Image) -> None:
    section = Section.from_elf(image.data)
    agree(image, section, text_around(image, "main"))
    agree(image, None, text_around(image, "main"))
    names = {found and found.name for found in map(FunctionMap(image, section).at, range(99))}
    assert names == {None}


def test_with_changed_tables(image: Image) -> None:
    section = Section.from_elf(image.data)
    for mutant in list(mutants(section))[::5]:
        changed = mutated(image, section, mutant)
        agree(changed, Section.from_elf(changed.data), text_around(image, "main"))


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("flagged", [True, False])
def test_with_functions_that_overlap_and_are_out_of_order(
    image: Image, sort: bool, flagged: bool
) -> None:
    main = image.address_of("main")
    assert main is not None
    extents = [(40, 200), (-80, 60), (60, 8), (44, 1), (300, 0), (220, 1 << 31), (-500, 100)]
    functions = [Function(start=main + at, size=size, rows=[(0, RULES)]) for at, size in extents]
    section = Section(write_section(functions, sort=sort, flags=5 if flagged else 4), 0)
    agree(image, section, range(main - 600, main + 600))
