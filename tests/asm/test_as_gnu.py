"""The assembler's known defect, avoided by default and reproduced on request."""

from emu.asm import assemble
from emu.sframe import Section

SOURCE = """\
#@ title: A return address far below the CFA
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        nop
        .cfi_offset rip, -200
        nop
        .cfi_endproc
"""


def last_row(*, as_gnu: bool) -> str:
    section = Section.from_elf(assemble(SOURCE, as_gnu=as_gnu).elf)
    return str(section.fdes[0].rows[-1].rules)


def test_return_address_offset() -> None:
    assert last_row(as_gnu=False) == "CFA = rsp+8, RA = *(CFA-200)"
    # -200 in one signed byte.
    assert last_row(as_gnu=True) == "CFA = rsp+8, RA = *(CFA+56)"
