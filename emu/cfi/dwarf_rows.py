"""Call frame instructions to the rows DWARF gives them.

DWARF 5, section 6.4.3. Unlike SFrame rows these have a rule for every register, states nest in
remember/restore pairs, and DW_CFA_restore returns to the rule of the CIE.
"""

from collections.abc import Sequence
from typing import Final

from emu.cfi.cursor import Cursor
from emu.cfi.dwarf_rules import DwarfCfa, DwarfRow, DwarfRule, RuleKind
from emu.cfi.errors import CfiError
from emu.cfi.instructions import Instruction, Op

_DEF_CFA_EXPRESSION: Final = 0x0F
_EXPRESSIONS: Final = {0x10: RuleKind.EXPRESSION, 0x16: RuleKind.VAL_EXPRESSION}
_UNDEFINED: Final = DwarfRule(RuleKind.UNDEFINED)
_SAME_VALUE: Final = DwarfRule(RuleKind.SAME_VALUE)
_ABOUT_THE_CFA: Final = frozenset(
    {Op.DEF_CFA, Op.DEF_CFA_REGISTER, Op.DEF_CFA_OFFSET, Op.REMEMBER_STATE}
)
_MOST_REMEMBERED: Final = 1 << 10

_Registers = dict[int, DwarfRule]


class _Machine:
    def __init__(self) -> None:
        self.cfa: DwarfCfa | None = None
        self.registers: _Registers = {}
        self.initial: _Registers = {}
        self.remembered: list[tuple[DwarfCfa | None, _Registers]] = []
        self.sorted: tuple[tuple[int, DwarfRule], ...] | None = None
        """The register rules as a row has them, until one changes."""

    def row(self, start: int) -> DwarfRow:
        if self.sorted is None:
            self.sorted = tuple(sorted(self.registers.items(), key=_number))
        return DwarfRow(start, self.cfa, self.sorted)

    def execute(self, one: Instruction) -> None:
        if one.op not in _ABOUT_THE_CFA:
            self.sorted = None
        match one.op:
            case Op.DEF_CFA:
                self.cfa = DwarfCfa(one.register, one.value)
            case Op.DEF_CFA_REGISTER:
                self.cfa = DwarfCfa(one.register, self._plain_cfa().offset)
            case Op.DEF_CFA_OFFSET:
                self.cfa = DwarfCfa(self._plain_cfa().register, one.value)
            case Op.OFFSET:
                self.registers[one.register] = DwarfRule(RuleKind.OFFSET, one.value)
            case Op.VAL_OFFSET:
                self.registers[one.register] = DwarfRule(RuleKind.VAL_OFFSET, one.value)
            case Op.REGISTER:
                self.registers[one.register] = DwarfRule(RuleKind.REGISTER, one.source)
            case Op.UNDEFINED:
                self.registers[one.register] = _UNDEFINED
            case Op.SAME_VALUE:
                self.registers[one.register] = _SAME_VALUE
            case Op.RESTORE:
                self._restore(one.register)
            case Op.REMEMBER_STATE | Op.RESTORE_STATE:
                self._remember_or_restore(one.op)
            case Op.ESCAPE:
                self._escape(one.data)

    def _plain_cfa(self) -> DwarfCfa:
        if self.cfa is None or self.cfa.expression is not None:
            raise CfiError("a part of the CFA rule is changed, but it is not register + offset")
        return self.cfa

    def _restore(self, register: int) -> None:
        rule = self.initial.get(register)
        if rule is None:
            self.registers.pop(register, None)
        else:
            self.registers[register] = rule

    def _remember_or_restore(self, op: Op) -> None:
        if op is Op.REMEMBER_STATE:
            if len(self.remembered) >= _MOST_REMEMBERED:
                raise CfiError("too many remembered states")
            self.remembered.append((self.cfa, dict(self.registers)))
            return
        if not self.remembered:
            raise CfiError("DW_CFA_restore_state without DW_CFA_remember_state")
        self.cfa, self.registers = self.remembered.pop()

    def _escape(self, data: bytes) -> None:
        """Expressions; the other instructions that come as bytes say nothing about a rule."""
        cursor = Cursor(data, 1, name="escape")
        if data[0] == _DEF_CFA_EXPRESSION:
            self.cfa = DwarfCfa(expression=cursor.take(cursor.unsigned()))
        elif data[0] in _EXPRESSIONS:
            register = cursor.unsigned()
            block = cursor.take(cursor.unsigned())
            self.registers[register] = DwarfRule(_EXPRESSIONS[data[0]], expression=block)


def _number(item: tuple[int, DwarfRule]) -> int:
    return item[0]


def dwarf_rows(
    initial: Sequence[Instruction], instructions: Sequence[Instruction]
) -> tuple[DwarfRow, ...]:
    """The rows of a function from the instructions of its CIE and its own.

    Rows begin where instructions stand; their starts rise. Raises `CfiError` for instructions
    that have no meaning or go back in the code.
    """
    machine = _Machine()
    for one in initial:
        machine.execute(one)
    machine.initial = dict(machine.registers)
    rows: list[DwarfRow] = []
    location = 0
    for one in instructions:
        if one.offset != location:
            if one.offset < location:
                raise CfiError(f"instructions go back from +{location:#x} to +{one.offset:#x}")
            rows.append(machine.row(location))
            location = one.offset
        machine.execute(one)
    rows.append(machine.row(location))
    return tuple(rows)
