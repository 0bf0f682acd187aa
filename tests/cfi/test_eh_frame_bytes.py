"""`.eh_frame`: bytes beside their meaning, and pyelftools' reading of them."""

import io

import pytest
from elftools.dwarf.callframe import FDE, CallFrameInfo
from elftools.dwarf.structs import DWARFStructs

from emu.cfi import CfiError, Instruction, Op, Procedure, write_eh_frame
from emu.cfi.eh_frame import encode_instruction
from emu.cfi.leb128 import sleb128, uleb128

ADDRESS = 0x402000
RSP, RBP, RBX, RIP = 7, 6, 3, 16


def test_one_procedure_byte_by_byte() -> None:
    push = Procedure(
        0x401000,
        6,
        (Instruction(1, Op.DEF_CFA_OFFSET, value=16), Instruction(1, Op.OFFSET, RBP, -16)),
    )
    assert write_eh_frame([push], ADDRESS) == b"".join(
        (
            bytes.fromhex("14000000 00000000"),  # length, this is a CIE
            bytes.fromhex("01 7a5200"),  # version, "zR"
            bytes.fromhex("01 78 10"),  # code and data alignment, return address column
            bytes.fromhex("01 1b"),  # augmentation: pcrel sdata4
            bytes.fromhex("0c 07 08  90 01  0000"),  # CFA = rsp+8, RA at CFA-8
            bytes.fromhex("14000000 1c000000"),  # length, distance to the CIE
            (0x401000 - (ADDRESS + 0x20)).to_bytes(4, "little", signed=True),
            bytes.fromhex("06000000 00"),  # size, no augmentation data
            bytes.fromhex("41 0e 10 86 02 0000"),  # advance 1, CFA offset 16, rbp at CFA-16
            bytes(4),
        )
    )


def decoded(procedure: Procedure) -> list[dict[object, object]]:
    data = write_eh_frame([procedure], ADDRESS)
    structs = DWARFStructs(little_endian=True, dwarf_format=32, address_size=8)
    info = CallFrameInfo(io.BytesIO(data), len(data), ADDRESS, structs, for_eh_frame=True)
    (fde,) = [entry for entry in info.get_entries() if isinstance(entry, FDE)]
    assert fde["initial_location"] == procedure.start
    assert fde["address_range"] == procedure.size
    return list(fde.get_decoded().table)


def test_long_advances_and_offsets_that_need_the_signed_forms() -> None:
    table = decoded(
        Procedure(
            0x401000,
            0x20000,
            (
                Instruction(0x3F, Op.DEF_CFA_OFFSET, value=16),
                Instruction(0x100, Op.DEF_CFA, RBX, 24),
                Instruction(0x10001, Op.OFFSET, RIP, 16),
                Instruction(0x1FFFF, Op.DEF_CFA_OFFSET, value=-8),
            ),
        )
    )
    assert [row["pc"] - 0x401000 for row in table] == [0, 0x3F, 0x100, 0x10001, 0x1FFFF]
    assert [(row["cfa"].reg, row["cfa"].offset) for row in table] == [
        (RSP, 8),
        (RSP, 16),
        (RBX, 24),
        (RBX, 24),
        (RBX, -8),
    ]
    assert [row[RIP].arg for row in table] == [-8, -8, -8, 16, 16]


def test_a_negative_cfa_offset_is_factored() -> None:
    """By its bytes: pyelftools reads DW_CFA_def_cfa_sf without the factor."""
    assert encode_instruction(Instruction(0, Op.DEF_CFA, RBX, -24)) == bytes.fromhex("12 03 03")


def test_every_instruction_is_read_back() -> None:
    table = decoded(
        Procedure(
            0x401000,
            9,
            (
                Instruction(1, Op.REMEMBER_STATE),
                Instruction(2, Op.DEF_CFA_REGISTER, RBP),
                Instruction(2, Op.REGISTER, RIP, source=2),
                Instruction(3, Op.UNDEFINED, RBX),
                Instruction(4, Op.SAME_VALUE, RBP),
                Instruction(5, Op.RESTORE, RIP),
                Instruction(6, Op.RESTORE_STATE),
                Instruction(7, Op.VAL_OFFSET, RBX, -32),
                Instruction(8, Op.ESCAPE, data=bytes.fromhex("0e18")),
            ),
        )
    )
    by_offset = {row["pc"] - 0x401000: row for row in table}
    assert (by_offset[2]["cfa"].reg, by_offset[2][RIP].arg) == (RBP, 2)
    assert by_offset[3][RBX].type == "UNDEFINED"
    assert by_offset[4][RBP].type == "SAME_VALUE"
    assert by_offset[5][RIP].arg == -8
    assert by_offset[6]["cfa"].reg == RSP
    assert (by_offset[7][RBX].type, by_offset[7][RBX].arg) == ("VAL_OFFSET", -32)
    assert by_offset[8]["cfa"].offset == 24


def test_signal_and_simple_procedures_have_their_own_cie() -> None:
    data = write_eh_frame(
        [
            Procedure(0x401000, 1),
            Procedure(0x401001, 1, signal=True),
            Procedure(0x401002, 1, simple=True),
            Procedure(0x401003, 1),
        ],
        ADDRESS,
    )
    assert data.count(b"zRS\0") == 1
    assert data.count(b"zR\0") == 2


def test_offsets_must_factor() -> None:
    odd = Procedure(0x401000, 1, (Instruction(0, Op.OFFSET, RBP, -12, line=5),))
    with pytest.raises(CfiError, match="line 5: offset -12 is not a multiple of 8"):
        write_eh_frame([odd], ADDRESS)


def test_no_procedures_no_section() -> None:
    assert write_eh_frame([], ADDRESS) == b""


@pytest.mark.parametrize("value", [0, 1, 63, 64, 127, 128, 0x4000, 1 << 40])
def test_leb128(value: int) -> None:
    from elftools.common.construct_utils import SLEB128, ULEB128

    assert ULEB128("").parse(uleb128(value)) == value
    for signed in (value, -value):
        assert SLEB128("").parse(sleb128(signed)) == signed
