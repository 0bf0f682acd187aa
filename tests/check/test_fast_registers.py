"""Where the processor's registers lie: found, verified, the same as by the engine's own calls."""

import random

import pytest
from unicorn import UC_HOOK_CODE, UC_PROT_ALL

from emu.asm import assemble
from emu.check import CheckError, run
from emu.check.fast import engine as fast_engine
from emu.check.fast import register_file
from emu.check.fast.layout import Word
from emu.check.fast.register_file import ORDER, PLACES, RBP, RBX, RSP, find_registers
from emu.machine import Image
from emu.machine.engine import make_engine
from emu.machine.registers import DWARF_ORDER, RegisterBatch

SOURCE = """\
#@ title: A few calls
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebx, 50
again:  call leaf
        dec ebx
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
leaf:   .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
"""


def test_what_is_written_is_found_and_the_registers_are_left_alone() -> None:
    engine = make_engine()
    batch = RegisterBatch(engine, ORDER)
    batch.write(list(range(100, 116)))
    place = find_registers(engine)
    assert place is not None
    memory = (Word * 16).from_address(place)
    assert memory[:] == batch.read() == list(range(100, 116))
    draw = random.Random(3)
    for _ in range(20):
        values = [draw.getrandbits(64) for _ in ORDER]
        batch.write(values)
        assert memory[:] == values


def test_a_hook_reads_there_what_the_engine_tells() -> None:
    # mov ebx, 5; 1: push rbp; mov rbp, rsp; lea r12, [rbx+rax]; pop rbp; dec ebx; jnz 1b
    code = bytes.fromhex("bb05000000 55 4889e5 4c8d2403 5d ffcb 75f3".replace(" ", ""))
    engine = make_engine()
    place = find_registers(engine)
    assert place is not None
    memory = (Word * 16).from_address(place)
    batch = RegisterBatch(engine, ORDER)
    engine.mem_map(0x1000, 0x2000, UC_PROT_ALL)  # type: ignore[attr-defined]  # of the binding, not of what is used
    engine.mem_write(0x1000, code)  # type: ignore[attr-defined]  # likewise
    batch.write([7, *[0] * 3, 0x3000, *[0] * 11])
    seen = []

    def compare(*_arguments: object) -> None:
        seen.append(memory[:] == batch.read())

    engine.hook_add(UC_HOOK_CODE, compare)  # type: ignore[attr-defined]  # likewise
    engine.emu_start(0x1000, 0x1000 + len(code))
    assert len(seen) > 20
    assert all(seen)


def test_the_order_is_the_one_of_instructions() -> None:
    assert (PLACES[3], PLACES[7], PLACES[6]) == (RBX, RSP, RBP)
    assert sorted(PLACES) == list(range(16))
    assert [ORDER[place] for place in PLACES] == list(DWARF_ORDER[:16])


@pytest.mark.parametrize("place", [None, 0])
def test_without_the_place_the_engine_is_asked(
    monkeypatch: pytest.MonkeyPatch, place: int | None
) -> None:
    image = Image.from_bytes(assemble(SOURCE).elf, "calls")
    expected = run(image, engine="fast")
    if place is None:
        monkeypatch.setattr(fast_engine, "find_registers", lambda _engine: None)
    else:
        monkeypatch.setattr(register_file, "_HANDLE", 8)
    result = run(image, engine="fast")
    assert result.tally.steps == expected.tally.steps
    assert result.tally.walks == expected.tally.walks
    assert result.figures == expected.figures


def test_a_place_that_is_not_the_registers_any_more_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = (Word * 16)()
    monkeypatch.setattr(
        fast_engine, "find_registers", lambda _engine: fast_engine.ctypes.addressof(elsewhere)
    )
    image = Image.from_bytes(assemble(SOURCE).elf, "calls")
    with pytest.raises(CheckError, match="no longer where they were found"):
        run(image, engine="fast")
