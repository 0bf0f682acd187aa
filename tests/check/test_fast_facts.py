"""What the fast engine reads out of a disassembly, against capstone's own account of it."""

from pathlib import Path
from typing import Any

import capstone
import pytest

from emu.check.fast.facts import FactReader, is_plain, touches_frame
from emu.check.fast.layout import Fact
from emu.machine import Image
from emu.toolchain.prebuilt import unpack_programs
from emu.truth import Decoder
from emu.unwind import RegionMemory

PREBUILT = Path(__file__).parent.parent.parent / "c_cases" / "prebuilt"
FRAME = {"rsp", "esp", "sp", "spl", "rbp", "ebp", "bp", "bpl"}


class Code(RegionMemory):
    """Bytes that nobody writes."""

    def writable(self, _address: int) -> bool:
        return False


def engine() -> Any:
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.detail = True
    return decoder


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("55", True),  # push rbp
        ("5c", True),  # pop rsp
        ("c3", True),  # ret
        ("c9", True),  # leave
        ("f3c3", True),  # repz ret
        ("4889e5", True),  # mov rbp, rsp
        ("4887e0", True),  # xchg rax, rsp
        ("66bd0100", True),  # mov bp, 1
        ("40b501", True),  # mov bpl, 1
        ("488b45f8", False),  # mov rax, [rbp-8]
        ("48894424f8", False),  # mov [rsp-8], rax
        ("488d442410", False),  # lea rax, [rsp+16]
        ("4801d8", False),  # add rax, rbx
        ("f348ab", False),  # rep stosq
    ],
)
def test_instructions_that_touch_rsp_or_rbp(code: str, expected: bool) -> None:
    (insn,) = engine().disasm(bytes.fromhex(code), 0x1000)
    assert touches_frame(insn.mnemonic.split()[-1], insn.op_str) is expected


def test_nothing_that_writes_rsp_or_rbp_is_missed_in_a_whole_program(tmp_path: Path) -> None:
    programs = {path.name: path for path in unpack_programs(PREBUILT, tmp_path)}
    image = Image.from_file(programs["varargs_printf-O2"])
    segment = next(segment for segment in image.segments if segment.executable)
    text = image.data[segment.offset : segment.offset + segment.file_size]
    decoder = engine()
    decoder.skipdata = True
    seen = missed = 0
    # Every third kilobyte is a cross-section of libc, and takes a second.
    for start in range(0, len(text), 3072):
        for insn in decoder.disasm(text[start : start + 1024], segment.address + start):
            if insn.id == 0:
                continue
            seen += 1
            _, written = insn.regs_access()
            if {insn.reg_name(register) for register in written} & FRAME:
                missed += not touches_frame(insn.mnemonic.split()[-1], insn.op_str)
    assert seen > 10_000
    assert missed == 0


def test_a_run_ends_where_control_must_go_elsewhere() -> None:
    # mov rsp, rax; je +0; syscall; jmp +0; nop
    code = Code([(0x1000, bytes.fromhex("4889c4 7400 0f05 eb00 90").ljust(4096, b"\x90"))])
    run = list(FactReader(code, Decoder(code)).run(0x1000))
    assert [(at, size) for at, size, _ in run] == [
        (0x1000, 3),
        (0x1003, 2),
        (0x1005, 2),
        (0x1007, 2),
    ]
    facts = [facts for _, _, facts in run]
    assert facts[0] == Fact.KNOWN | Fact.SETS_RSP
    assert facts[1] == Fact.KNOWN
    assert Fact.SYSTEM_CALL in facts[2]


def test_bytes_that_are_no_instruction_have_facts_too() -> None:
    code = Code([(0x1000, b"\x06".ljust(4096))])
    ((at, size, facts),) = FactReader(code, Decoder(code)).run(0x1000)
    assert (at, size) == (0x1000, 0)
    assert Fact.KNOWN in facts
    assert Fact.SYSTEM_CALL in facts


def test_what_is_plain_needs_no_look_at_its_operands(tmp_path: Path) -> None:
    programs = {path.name: path for path in unpack_programs(PREBUILT, tmp_path)}
    image = Image.from_file(programs["varargs_printf-O2"])
    segment = next(segment for segment in image.segments if segment.executable)
    text = image.data[segment.offset : segment.offset + segment.file_size]
    decoder = Decoder(Code([(segment.address, text)]))
    seen = 0
    for at, _, mnemonic, operands in engine().disasm_lite(text[:20_000], segment.address):
        name = mnemonic.split()[-1]
        if touches_frame(name, operands) and is_plain(name, operands):
            instruction = decoder.at(at)
            assert not instruction.sets_rsp, (mnemonic, operands)
            assert not instruction.rsp_from_rbp, (mnemonic, operands)
            seen += 1
    assert seen > 500


@pytest.mark.parametrize(
    ("name", "operands", "expected"),
    [
        ("pop", "rsp", False),
        ("pop", "rbp", True),
        ("leave", "", False),
        ("mov", "rsp, rax", False),
        ("sub", "rsp, 8", True),
        ("lea", "rsp, [rbp - 8]", False),
    ],
)
def test_what_moves_rsp_in_a_way_of_its_own_is_not_plain(
    name: str, operands: str, expected: bool
) -> None:
    assert is_plain(name, operands) is expected
