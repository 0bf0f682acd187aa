"""Right directives, and a table that was damaged after they were written: never the consumer's."""

from collections.abc import Callable

import pytest

from emu.asm import assemble
from emu.check import Blame, Result, Verdict, run
from emu.machine import Image
from emu.sframe import Section

SOURCE = """\
#@ title: Directives that are right
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call saves
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
saves:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        call leaf
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
leaf:   .cfi_startproc
        ret
        .cfi_endproc
"""
SAVES = 1
"""Number of its FDE; the rows of the function are those of `push`, `call` and `ret`."""


def checked(change: Callable[[Section], tuple[int, bytes]]) -> Result:
    """A run with other bytes at an offset of the section."""
    elf = assemble(SOURCE).elf
    section = Section.from_elf(elf)
    offset, value = change(section)
    at = section.file_offset + offset
    assert elf[at : at + len(value)] != value
    return run(Image.from_bytes(elf[:at] + value + elf[at + len(value) :], "damaged"))


def blames(result: Result, verdict: Verdict) -> set[Blame]:
    return {f.witness.blame for f in result.findings if f.key.verdict is verdict}


def attributes(section: Section) -> int:
    return section.fdes[SAVES].attributes.offset


def row(section: Section, number: int) -> int:
    return section.fdes[SAVES].rows[number].offset


def moved_function(section: Section) -> tuple[int, bytes]:
    """The first function of the index begins behind the second one."""
    offset = section.fdes[0].offset
    start = int.from_bytes(section.data[offset : offset + 8], "little", signed=True)
    return offset, (start + 20).to_bytes(8, "little", signed=True)


DAMAGE: dict[str, Callable[[Section], tuple[int, bytes]]] = {
    "two rows at one start": lambda section: (row(section, 1), b"\0"),
    "a row behind the function's end": lambda section: (row(section, 2), b"\x40"),
    "a first row that is not at the start": lambda section: (row(section, 0), b"\1"),
    "an unknown FRE type": lambda section: (attributes(section) + 2, b"\3"),
    "an unknown FDE type": lambda section: (attributes(section) + 3, b"\2"),
    "a block without a size": lambda section: (attributes(section) + 2, b"\x10"),
    "more rows than bytes": lambda section: (attributes(section), b"\xff"),
    "no rows, though there are directives": lambda section: (attributes(section), b"\0"),
    "four data words": lambda section: (row(section, 1) + 1, b"\x09"),
    "a word size that does not exist": lambda section: (row(section, 1) + 1, b"\x65"),
    "an index out of order": moved_function,
    "a function of no bytes": lambda section: (section.fdes[SAVES].offset + 8, b"\0\0\0\0"),
    "a function outside of all code": lambda section: (
        section.fdes[SAVES].offset + 8,
        b"\0\0\1\0",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_lookup_that_fails_on_malformed_bytes(
    damage: Callable[[Section], tuple[int, bytes]],
) -> None:
    assert blames(checked(damage), Verdict.CORRUPT) == {Blame.ASSEMBLER}


def test_a_row_that_is_wrong_from_the_return_address_on() -> None:
    # The row of `ret` begins at `pop rbp`, to which `leaf` returns; .eh_frame is right at both.
    result = checked(lambda section: (row(section, 2), b"\6"))
    assert {f.witness.frame for f in result.findings} == {1}
    assert blames(result, Verdict.WRONG) == {Blame.ASSEMBLER}
    assert {f.key.row_pc for f in result.findings} == {
        Section.from_elf(assemble(SOURCE).elf).fdes[SAVES].start + 6
    }


def test_an_fde_without_rows_that_says_what_the_document_says_of_it() -> None:
    # _start: nothing called it, and an FDE without rows is an outermost frame.
    result = checked(lambda section: (section.fdes[0].attributes.offset, b"\0"))
    assert blames(result, Verdict.CORRUPT) == {Blame.CONSUMER}
