"""Unwind rules of one row as the kernel holds them, printing as equations.

Kernel behaviour: 7.4, 7.5 (construction), 8 (meaning).
"""

from dataclasses import dataclass, field
from enum import Enum

DWARF_NAMES = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *(f"r{number}" for number in range(8, 16)),
    "ra",
    *(f"xmm{number}" for number in range(15)),
)
"""Names of the 32 registers that five bits of a control word can say (x86-64 psABI)."""

FP_REGISTER = 6
SP_REGISTER = 7


class CfaBase(Enum):
    """What the CFA is computed from."""

    SP = "SP"
    FP = "FP"
    REG = "REG"


class ValueBase(Enum):
    """What a return address or a frame pointer is computed from."""

    RETAIN = "RETAIN"
    CFA = "CFA"
    REG = "REG"


def _equation(base: str, offset: int, deref: bool) -> str:
    term = f"{base}{offset:+d}"
    return f"*({term})" if deref else term


@dataclass(frozen=True, slots=True)
class CfaRule:
    """CFA = base + offset, or the word stored there."""

    base: CfaBase
    offset: int
    deref: bool = False
    reg: int | None = None
    """DWARF register 0..31, for REG only."""

    def __str__(self) -> str:
        number = {CfaBase.SP: SP_REGISTER, CfaBase.FP: FP_REGISTER}.get(self.base, self.reg)
        assert number is not None
        return _equation(DWARF_NAMES[number], self.offset, self.deref)


@dataclass(frozen=True, slots=True)
class ValueRule:
    """RA or FP = base + offset, or the word stored there; RETAIN has neither."""

    base: ValueBase
    offset: int = 0
    deref: bool = False
    reg: int | None = None
    """DWARF register 0..31, for REG only."""

    def __str__(self) -> str:
        if self.base is ValueBase.RETAIN:
            return "unchanged"
        name = "CFA" if self.reg is None else DWARF_NAMES[self.reg]
        return _equation(name, self.offset, self.deref)


RETAIN = ValueRule(ValueBase.RETAIN)


@dataclass(frozen=True, slots=True)
class Plan:
    """A frame's plain stack slots, found out once: nearly all rows are nothing else."""

    cfa_is_sp: bool
    """CFA = rsp + cfa_offset."""
    cfa_is_fp: bool
    """CFA = rbp + cfa_offset."""
    cfa_offset: int
    ra_is_slot: bool
    """RA = *(CFA + ra_offset)."""
    ra_offset: int
    fp_is_slot: bool
    """FP = *(CFA + fp_offset)."""
    fp_offset: int
    fp_is_retained: bool


def _is_slot(rule: ValueRule) -> bool:
    return rule.base is ValueBase.CFA and rule.deref


@dataclass(frozen=True, slots=True)
class Frame:
    """The three rules of a row, or the mark that nothing called this function.

    `str()` gives `CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)`, without what is retained, or
    `RA undefined` for an outermost frame.
    Equal rules are equal frames, wherever they were found.
    """

    cfa: CfaRule
    ra: ValueRule
    fp: ValueRule
    outermost: bool = False
    signal: bool = field(default=False, compare=False)
    """The function is marked as a signal frame, whose caller was interrupted, not calling.
    The kernel ignores the mark (kernel behaviour: 6.2)."""
    plan: Plan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Flatten the rules for `evaluate`."""
        plan = Plan(
            cfa_is_sp=self.cfa.base is CfaBase.SP and not self.cfa.deref,
            cfa_is_fp=self.cfa.base is CfaBase.FP and not self.cfa.deref,
            cfa_offset=self.cfa.offset,
            ra_is_slot=_is_slot(self.ra),
            ra_offset=self.ra.offset,
            fp_is_slot=_is_slot(self.fp),
            fp_offset=self.fp.offset,
            fp_is_retained=self.fp.base is ValueBase.RETAIN,
        )
        object.__setattr__(self, "plan", plan)

    def __str__(self) -> str:
        if self.outermost:
            return "RA undefined"
        text = f"CFA = {self.cfa}"
        for name, rule in (("RA", self.ra), ("FP", self.fp)):
            if rule.base is not ValueBase.RETAIN:
                text += f", {name} = {rule}"
        return text


def outermost_frame(*, signal: bool = False) -> Frame:
    """A row without data words: CFA = SP+0, RA and FP retained (kernel behaviour: 7.3)."""
    return Frame(CfaRule(CfaBase.SP, 0), RETAIN, RETAIN, outermost=True, signal=signal)
