"""The call frame instructions that a row of `.eh_frame` comes from, in DWARF's own words.

DWARF 5, section 6.4.2, 'Call Frame Instructions'.
"""

from __future__ import annotations

from emu.cfi import CfiError, DwarfMatch, FrameTable, Instruction, Op, expression_text
from emu.cfi.cursor import Cursor
from emu.lesson.explanation import CfiInstruction
from emu.unwind import DWARF_NAMES

KEPT = 64
"""Instructions of a function that are shown: the last ones that take effect."""

_EXPRESSIONS = {
    0x0F: ("DW_CFA_def_cfa_expression", False),
    0x10: ("DW_CFA_expression", True),
    0x16: ("DW_CFA_val_expression", True),
}
"""Name, and whether a register stands in front of the expression."""
_GNU_ARGS_SIZE = 0x2E


def executed(table: FrameTable, match: DwarfMatch, looked_up: int) -> tuple[CfiInstruction, ...]:
    """What the CIE says, then the function's instructions up to link-time address `looked_up`.

    The first that is beyond it comes last, as not in effect.
    """
    fde = match.fde
    distance = looked_up - fde.start
    try:
        initial, own = table.initial_instructions(fde.cie), table.instructions(fde)
    except CfiError:
        return ()
    found = [CfiInstruction(None, instruction_text(one), True) for one in initial]
    count = sum(one.offset <= distance for one in own)
    found += [
        CfiInstruction(fde.start + one.offset, instruction_text(one), one.offset <= distance)
        for one in own[max(count - KEPT, 0) : count + 1]
    ]
    return tuple(found)


def instruction_text(one: Instruction) -> str:
    """One instruction with its operands."""
    name = f"DW_CFA_{one.op.name.lower()}"
    register = _name(one.register)
    match one.op:
        case Op.DEF_CFA:
            return f"{name}: {register}{one.value:+d}"
        case Op.DEF_CFA_REGISTER | Op.RESTORE | Op.UNDEFINED | Op.SAME_VALUE:
            return f"{name}: {register}"
        case Op.DEF_CFA_OFFSET:
            return f"{name}: {one.value:+d}"
        case Op.OFFSET:
            return f"{name}: {register} at CFA{one.value:+d}"
        case Op.VAL_OFFSET:
            return f"{name}: {register} is CFA{one.value:+d}"
        case Op.REGISTER:
            return f"{name}: {register} in {_name(one.source)}"
        case Op.REMEMBER_STATE | Op.RESTORE_STATE:
            return name
        case Op.ESCAPE:
            return _escape_text(one.data)


def _escape_text(data: bytes) -> str:
    known = _EXPRESSIONS.get(data[0]) if data else None
    cursor = Cursor(data, name="escape")
    cursor.position = 1
    try:
        if known is not None:
            name, with_register = known
            register = f"{_name(cursor.unsigned())} " if with_register else ""
            return f"{name}: {register}[{expression_text(cursor.take(cursor.unsigned()))}]"
        if data[:1] == bytes((_GNU_ARGS_SIZE,)):
            return f"DW_CFA_GNU_args_size: {cursor.unsigned()}"
    except CfiError:
        pass
    return "DW_CFA_nop" if data == b"\0" else f"bytes {data.hex(' ')}"


def _name(register: int) -> str:
    return (
        "rip"
        if register == 16
        else (DWARF_NAMES[register] if register < len(DWARF_NAMES) else f"register {register}")
    )
