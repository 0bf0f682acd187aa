"""Damaged files: a conversion or one line, nothing else."""

import random
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.cfi import CfiError, FrameTable, attach, convert
from emu.sframe import Elf, SFrameError

CASE = Path(__file__).parents[2] / "asm_cases" / "drap_deeper.s"
SECTION_HEADERS_AT = 40
ROUNDS = 1500


@pytest.fixture(scope="module")
def whole() -> bytes:
    return assemble(CASE).elf


def damaged(whole: bytes, numbers: random.Random) -> bytes:
    """A few bytes changed, in the headers or in .eh_frame."""
    data = bytearray(whole)
    elf = Elf(whole)
    eh_frame = next(section for section in elf.sections if section.name == ".eh_frame")
    headers = int.from_bytes(whole[SECTION_HEADERS_AT : SECTION_HEADERS_AT + 8], "little")
    places = (
        range(64),
        range(headers, headers + 64 * len(elf.sections)),
        range(eh_frame.offset, eh_frame.offset + eh_frame.size),
    )
    for _ in range(numbers.randint(1, 4)):
        at = numbers.choice(numbers.choice(places))
        data[at] = numbers.choice((0, 1, 2, 7, 0x10, 0x7F, 0x80, 0xFF, numbers.randrange(256)))
    return bytes(data)


def test_every_failure_is_one_line(whole: bytes) -> None:
    numbers = random.Random(5)
    converted, said = 0, set()
    for _ in range(ROUNDS):
        data = damaged(whole, numbers)
        try:
            table = FrameTable.from_elf(data)
            made = convert(data, table=table)
            converted += 1
            attach(Elf(data), made)
        except (CfiError, SFrameError) as error:
            said.add(str(error))
    assert converted > ROUNDS / 4
    assert len(said) > 50
    assert not any("\n" in message for message in said)


def test_a_row_beyond_the_reach_of_its_function_refuses_that_function_only(whole: bytes) -> None:
    """The function is told to be of 3 bytes, and its rows stay; one of them is far behind."""
    table = FrameTable.from_elf(whole)
    fde = max(table.fdes, key=lambda one: len(one.instructions))
    section = next(one for one in Elf(whole).sections if one.name == ".eh_frame")
    data = bytearray(whole)
    place = section.offset + fde.offset
    first = data.index(fde.instructions, place)
    data[first : first + 5] = bytes.fromhex("04 00100000")  # DW_CFA_advance_loc4 4096
    made = convert(bytes(data))
    assert [one.start for one in made.refused] == [fde.start]
    assert not made.refused[0].as_refuses
    assert made.converted == made.fdes - 1
