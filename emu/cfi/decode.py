"""The bytes of call frame instructions to `Instruction`s.

DWARF 5, section 6.4.2 and 7.24. What no directive of its own stands for (expressions,
DW_CFA_GNU_args_size) comes as ESCAPE with the bytes of the one instruction, as it was written.
"""

from typing import Final

from emu.cfi.cursor import Cursor
from emu.cfi.entries import Cie
from emu.cfi.instructions import Instruction, Op

_ADVANCES: Final = {0x02: 1, 0x03: 2, 0x04: 4, 0x1D: 8}
"""Width of the distance; 0x1d is DW_CFA_MIPS_advance_loc8."""
_SET_LOC: Final = 0x01
_ONE_REGISTER: Final = {op.value: op for op in (Op.RESTORE, Op.UNDEFINED, Op.SAME_VALUE)}
_OFFSETS: Final = {
    0x05: (Op.OFFSET, False),
    0x11: (Op.OFFSET, True),
    0x14: (Op.VAL_OFFSET, False),
    0x15: (Op.VAL_OFFSET, True),
}
"""Rules with a factored offset: unsigned or signed."""
_GNU_NEGATIVE_OFFSET_EXTENDED: Final = 0x2F
_BLOCKS: Final = {0x0F: False, 0x10: True, 0x16: True}
"""Expressions, and whether a register stands in front of them."""
_GNU_WINDOW_SAVE: Final = 0x2D
_GNU_ARGS_SIZE: Final = 0x2E


def decode_instructions(
    data: bytes, cie: Cie, *, start: int = 0, place: str = ""
) -> tuple[Instruction, ...]:
    """The instructions in `data`, each with the code offset it applies from.

    `start` is the function's address, for DW_CFA_set_loc. An advance that nothing follows but
    padding is kept as one nop there: it begins a row. Raises `CfiError`.
    """
    cursor = Cursor(data, name=place)
    out: list[Instruction] = []
    location, bare = 0, False
    end = len(data)
    while cursor.position < end:
        opcode = data[cursor.position]
        cursor.position += 1
        high = opcode & 0xC0
        if high == 0x40:
            location += (opcode & 0x3F) * cie.code_alignment
            bare = True
        elif opcode in _ADVANCES:
            location += cursor.number(_ADVANCES[opcode]) * cie.code_alignment
            bare = True
        elif opcode == _SET_LOC:
            location = cursor.pointer(cie.pointer_encoding) - start
            bare = True
        elif opcode:
            out.append(_instruction(opcode, cursor, location, cie))
            bare = False
    if bare:
        out.append(Instruction(location, Op.ESCAPE, data=b"\0"))
    return tuple(out)


def _instruction(opcode: int, cursor: Cursor, location: int, cie: Cie) -> Instruction:
    high, low = opcode & 0xC0, opcode & 0x3F
    if high == 0x80:
        return Instruction(location, Op.OFFSET, low, cursor.unsigned() * cie.data_alignment)
    if high == 0xC0:
        return Instruction(location, Op.RESTORE, low)
    match opcode:
        case 0x06 | 0x07 | 0x08:
            return Instruction(location, _ONE_REGISTER[opcode], cursor.unsigned())
        case 0x05 | 0x11 | 0x14 | 0x15:
            op, signed = _OFFSETS[opcode]
            register = cursor.unsigned()
            factored = cursor.signed() if signed else cursor.unsigned()
            return Instruction(location, op, register, factored * cie.data_alignment)
        case 0x09:
            return Instruction(location, Op.REGISTER, cursor.unsigned(), source=cursor.unsigned())
        case 0x0A | 0x0B:
            return Instruction(location, Op(opcode))
        case 0x0C:
            return Instruction(location, Op.DEF_CFA, cursor.unsigned(), cursor.unsigned())
        case 0x0D:
            return Instruction(location, Op.DEF_CFA_REGISTER, cursor.unsigned())
        case 0x0E:
            return Instruction(location, Op.DEF_CFA_OFFSET, value=cursor.unsigned())
        case 0x12:
            register = cursor.unsigned()
            offset = cursor.signed() * cie.data_alignment
            return Instruction(location, Op.DEF_CFA, register, offset)
        case 0x13:
            offset = cursor.signed() * cie.data_alignment
            return Instruction(location, Op.DEF_CFA_OFFSET, value=offset)
        case _:
            return _escape(opcode, cursor, location, cie)


def _escape(opcode: int, cursor: Cursor, location: int, cie: Cie) -> Instruction:
    begin = cursor.position - 1
    if opcode in _BLOCKS:
        if _BLOCKS[opcode]:
            cursor.unsigned()
        cursor.take(cursor.unsigned())
    elif opcode == _GNU_ARGS_SIZE:
        cursor.unsigned()
    elif opcode == _GNU_NEGATIVE_OFFSET_EXTENDED:
        register = cursor.unsigned()
        offset = -cursor.unsigned() * cie.data_alignment
        return Instruction(location, Op.OFFSET, register, offset)
    elif opcode != _GNU_WINDOW_SAVE:
        raise cursor.error(f"call frame instruction {opcode:#x} is not known")
    return Instruction(location, Op.ESCAPE, data=cursor.data[begin : cursor.position])
