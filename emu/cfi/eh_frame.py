"""`.eh_frame` from procedures: one CIE per kind of frame, one FDE per procedure.

DWARF 5, section 6.4.1, with the `zR` augmentation of the Linux Standard Base: addresses are
PC-relative and 4 bytes wide. Code alignment 1, data alignment -8, little endian, as GNU as.
"""

from collections.abc import Sequence

from emu.cfi.errors import CfiError
from emu.cfi.instructions import RIP, RSP, Instruction, Op, Procedure
from emu.cfi.leb128 import sleb128, uleb128

_DATA_ALIGNMENT = -8
_PCREL_SDATA4 = 0x1B
_ADVANCE_LOC = 0x40
_OFFSET = 0x80
_RESTORE = 0xC0
_DEF_CFA_SF = 0x12
_DEF_CFA_OFFSET_SF = 0x13
_OFFSET_EXTENDED_SF = 0x11
_VAL_OFFSET_SF = 0x15
_INITIAL = (
    Instruction(0, Op.DEF_CFA, RSP, 8),
    Instruction(0, Op.OFFSET, RIP, -8),
)


def _advance(delta: int) -> bytes:
    if delta < 0x40:
        return bytes([_ADVANCE_LOC | delta])
    for opcode, width in ((0x02, 1), (0x03, 2), (0x04, 4)):
        if delta < 1 << (8 * width):
            return bytes([opcode]) + delta.to_bytes(width, "little")
    raise CfiError(f"a procedure of {delta:#x} bytes is too large for .eh_frame")


def _factored(value: int, line: int) -> int:
    if value % _DATA_ALIGNMENT:
        raise CfiError(f"offset {value} is not a multiple of {-_DATA_ALIGNMENT}", line)
    return value // _DATA_ALIGNMENT


def encode_instruction(one: Instruction) -> bytes:
    """The bytes of one instruction. Raises `CfiError` for an offset that does not factor."""
    opcode = bytes([one.op.value]) if one.op is not Op.ESCAPE else b""
    register = uleb128(one.register)
    match one.op:
        case Op.DEF_CFA if one.value >= 0:
            return opcode + register + uleb128(one.value)
        case Op.DEF_CFA:
            return bytes([_DEF_CFA_SF]) + register + sleb128(_factored(one.value, one.line))
        case Op.DEF_CFA_OFFSET if one.value >= 0:
            return opcode + uleb128(one.value)
        case Op.DEF_CFA_OFFSET:
            return bytes([_DEF_CFA_OFFSET_SF]) + sleb128(_factored(one.value, one.line))
        case Op.OFFSET | Op.VAL_OFFSET:
            return _saved(one, opcode, register)
        case Op.RESTORE if one.register < 0x40:
            return bytes([_RESTORE | one.register])
        case Op.DEF_CFA_REGISTER | Op.RESTORE | Op.UNDEFINED | Op.SAME_VALUE:
            return opcode + register
        case Op.REGISTER:
            return opcode + register + uleb128(one.source)
        case Op.REMEMBER_STATE | Op.RESTORE_STATE:
            return opcode
        case Op.ESCAPE:
            return one.data


def _saved(one: Instruction, opcode: bytes, register: bytes) -> bytes:
    offset = _factored(one.value, one.line)
    if offset < 0:
        signed = _OFFSET_EXTENDED_SF if one.op is Op.OFFSET else _VAL_OFFSET_SF
        return bytes([signed]) + register + sleb128(offset)
    if one.op is Op.OFFSET and one.register < 0x40:
        return bytes([_OFFSET | one.register]) + uleb128(offset)
    return opcode + register + uleb128(offset)


def _entry(body: bytes) -> bytes:
    """Length word and body, padded with DW_CFA_nop to 8 bytes."""
    body += bytes(-(len(body) + 4) % 8)
    return len(body).to_bytes(4, "little") + body


def _cie(signal: bool, simple: bool, return_column: int) -> bytes:
    initial = b"" if simple else b"".join(map(encode_instruction, _INITIAL))
    return _entry(
        b"".join(
            (
                bytes(4),
                b"\x01",
                b"zRS\0" if signal else b"zR\0",
                uleb128(1),
                sleb128(_DATA_ALIGNMENT),
                bytes([return_column]),
                uleb128(1),
                bytes([_PCREL_SDATA4]),
                initial,
            )
        )
    )


def _instructions(procedure: Procedure) -> bytes:
    parts: list[bytes] = []
    location = 0
    for one in procedure.instructions:
        if one.offset != location:
            parts.append(_advance(one.offset - location))
            location = one.offset
        parts.append(encode_instruction(one))
    return b"".join(parts)


def write_eh_frame(procedures: Sequence[Procedure], address: int) -> bytes:
    """The section's bytes, loaded at `address`, with the terminating zero word.

    Empty without procedures. Raises `CfiError` for what the encoding cannot hold.
    """
    if not procedures:
        return b""
    section = bytearray()
    cies: dict[tuple[bool, bool, int], int] = {}
    for procedure in procedures:
        key = (procedure.signal, procedure.simple, procedure.return_column)
        if key not in cies:
            cies[key] = len(section)
            section += _cie(*key)
        here = len(section)
        distance = procedure.start - (address + here + 8)
        if not -(1 << 31) <= distance < 1 << 31:
            raise CfiError("code is out of reach of .eh_frame", procedure.line)
        section += _entry(
            b"".join(
                (
                    (here + 4 - cies[key]).to_bytes(4, "little"),
                    distance.to_bytes(4, "little", signed=True),
                    procedure.size.to_bytes(4, "little"),
                    uleb128(0),
                    _instructions(procedure),
                )
            )
        )
    return bytes(section + bytes(4))
