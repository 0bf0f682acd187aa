"""The rules of one row of call frame information as values that print as equations.

DWARF 5, section 6.4.1, 'Structure of Call Frame Information'.
"""

from dataclasses import dataclass
from enum import Enum

from emu.cfi.expression import expression_text
from emu.cfi.instructions import RIP
from emu.sframe import register_name


class RuleKind(Enum):
    """How a register's value in the caller is found, in DWARF's words."""

    UNDEFINED = "undefined"
    SAME_VALUE = "same value"
    OFFSET = "offset"
    """The word at CFA + value."""
    VAL_OFFSET = "val_offset"
    """CFA + value itself."""
    REGISTER = "register"
    """What the register `value` holds in this frame."""
    EXPRESSION = "expression"
    """The word at the address that the expression computes."""
    VAL_EXPRESSION = "val_expression"
    """What the expression computes."""


@dataclass(frozen=True, slots=True)
class DwarfRule:
    """One register rule; `value` is an offset in bytes or a register, see `RuleKind`."""

    kind: RuleKind
    value: int = 0
    expression: bytes = b""

    def __str__(self) -> str:
        match self.kind:
            case RuleKind.OFFSET:
                return f"*(CFA{self.value:+d})"
            case RuleKind.VAL_OFFSET:
                return f"CFA{self.value:+d}"
            case RuleKind.REGISTER:
                return register_name(self.value)
            case RuleKind.EXPRESSION:
                return f"*[{expression_text(self.expression)}]"
            case RuleKind.VAL_EXPRESSION:
                return f"[{expression_text(self.expression)}]"
            case RuleKind.UNDEFINED | RuleKind.SAME_VALUE:
                return str(self.kind.value)


@dataclass(frozen=True, slots=True)
class DwarfCfa:
    """CFA = register + offset, or what `expression` computes if there is one."""

    register: int = 0
    offset: int = 0
    expression: bytes | None = None

    def __str__(self) -> str:
        if self.expression is not None:
            return f"[{expression_text(self.expression)}]"
        return f"{register_name(self.register)}{self.offset:+d}"


@dataclass(frozen=True, slots=True)
class DwarfRow:
    """The rules in force from `start` bytes after the start of the function.

    `cfa` None: nothing has been said about it. `registers` are pairs (DWARF number, rule) by
    number; registers that are not among them have no rule.
    """

    start: int
    cfa: DwarfCfa | None
    registers: tuple[tuple[int, DwarfRule], ...] = ()

    def rule(self, register: int) -> DwarfRule | None:
        """The rule of a register, None without one."""
        for number, rule in self.registers:
            if number == register:
                return rule
        return None

    @property
    def outermost(self) -> bool:
        """Whether the return address is undefined: nothing called this function."""
        rule = self.rule(RIP)
        return rule is not None and rule.kind is RuleKind.UNDEFINED

    def __str__(self) -> str:
        parts = [f"CFA = {self.cfa or 'undefined'}"]
        parts += [f"{register_name(number)} = {rule}" for number, rule in self.registers]
        return ", ".join(parts)
