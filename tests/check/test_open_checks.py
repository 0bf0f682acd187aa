"""No instruction is lost while it is open what the true stack is, wherever the run ends."""

import pytest

from emu.asm import assemble
from emu.check import GuestOptions, Verdict, run
from emu.machine import Image

# Both threads take their return address off the stack and jump back by a register later on.
SOURCE = """\
#@ title: Two threads whose return addresses are in a register for a while
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 0x50f00
        lea rsi, [rip+stack_top]
        mov eax, 56
        syscall
again:  call hold
        jmp again
        .cfi_endproc
hold:   .cfi_startproc
        pop rcx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rcx
        nop
        nop
        nop
        nop
        nop
        jmp rcx
        .cfi_endproc
        .bss
        .balign 16
stack:  .skip 4096
stack_top:
        .skip 8
"""


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_the_limit_comes_while_another_thread_is_open(engine: str) -> None:
    case = assemble(SOURCE)
    image = Image.from_bytes(case.elf, case.file)
    most = 0
    for limit in range(10, 40):
        options = GuestOptions(quantum=5)
        result = run(image, engine=engine, max_instructions=limit, options=options)
        assert result.ended == "limit"
        assert result.tally.checked == result.instructions == limit
        assert result.tally.unsettled == result.tally.steps[Verdict.UNSETTLED]
        assert result.findings == ()
        most = max(most, result.tally.unsettled)
    # More than one thread's turn in `hold`: checks of both were open at once.
    assert most > 6
