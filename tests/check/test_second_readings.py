"""A stack of which it is in doubt whether one word is a call: walks for either reading."""

from typing import Any

import pytest

from emu.asm import assemble
from emu.check import Verdict, run
from emu.machine import Image

SOURCE = """\
#@ title: Calls below a word that was pushed by a call
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call work
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
work:   .cfi_startproc
        call .Lin
        int3
.Lin:   .cfi_adjust_cfa_offset 8
        call first
        add rsp, 8
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
first:  .cfi_startproc
        call second
        ret
        .cfi_endproc
second: .cfi_startproc
        call third
        ret
        .cfi_endproc
third:  .cfi_startproc
        nop
        ret
        .cfi_endproc
"""


@pytest.mark.parametrize("engine", ["reference", "fast"])
@pytest.mark.parametrize("mode", [{}, {"watch_stores": True}, {"exhaustive": True}])
def test_a_walk_is_remembered_for_one_reading_only(engine: str, mode: dict[str, Any]) -> None:
    # As a call of `work` by itself the word makes each walk depart; it is a part of the frame.
    result = run(Image.from_bytes(assemble(SOURCE).elf, "it"), engine=engine, **mode)
    assert result.findings == ()
    assert result.tally.walks[Verdict.OK] == result.tally.checked == result.instructions
    assert result.tally.unsettled == 0
