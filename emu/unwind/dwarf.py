"""Unwinding by call frame information, as debuggers and exception handling do.

DWARF 5, section 6.4.4, on the rows of `emu.cfi.FrameTable`. Independent of SFrame and of any
policy: a second witness for what the caller's state is. Return addresses are looked up one byte
earlier, as they belong to the call; below a signal frame (augmentation `S`) the pc is that of an
interrupted instruction and is looked up as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from emu.cfi import (
    RBP,
    RIP,
    RSP,
    CfiError,
    DwarfCfa,
    DwarfMatch,
    DwarfRule,
    FrameTable,
    RuleKind,
)
from emu.unwind.expression import ExpressionError, evaluate_expression
from emu.unwind.frame import DWARF_NAMES
from emu.unwind.protocols import Memory, MemoryFault

CALLEE_SAVED: Final = (3, RBP, 12, 13, 14, 15)
"""rbx, rbp, r12 to r15: a function that says nothing about one of them has not changed it."""
_GENERAL: Final = 16
_MASK: Final = (1 << 64) - 1


class DwarfReason(Enum):
    """Why there is no caller."""

    OUTERMOST = "the return address is undefined"
    """Not a failure: nothing called this function."""
    NO_MODULE = "no module contains the pc"
    NO_FDE = "no FDE contains the pc"
    BAD_CFI = "the call frame information cannot be decoded"
    NO_CFA = "nothing is said about the CFA"
    NO_RETURN_ADDRESS = "nothing is said about the return address"
    UNKNOWN_REGISTER = "needs a register whose value is not known in this frame"
    UNREADABLE = "memory is unreadable"
    BAD_EXPRESSION = "an expression has no value"


@dataclass(frozen=True, slots=True)
class DwarfRefusal:
    """There is no caller's state, with the reason and what it is about."""

    reason: DwarfReason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}" if self.detail else self.reason.value


@dataclass(frozen=True, slots=True)
class DwarfState:
    """One frame. `registers` are those whose value is known, by DWARF number 0 to 15.

    rsp (7) is always known. `return_address`: the pc is the address behind a call, so that the
    row is that of the byte before. For a recovered frame `cfa` is the CFA of the frame it called.
    """

    pc: int
    registers: Mapping[int, int]
    return_address: bool = False
    cfa: int | None = None

    @property
    def sp(self) -> int:
        """The stack pointer."""
        return self.registers[RSP]

    @property
    def fp(self) -> int | None:
        """rbp, None if it is not known."""
        return self.registers.get(RBP)


class _RefusedError(Exception):
    def __init__(self, reason: DwarfReason, detail: str) -> None:
        super().__init__(detail)
        self.refusal = DwarfRefusal(reason, detail)


class _Frame(NamedTuple):
    """What rules are evaluated on."""

    state: DwarfState
    memory: Memory
    bias: int

    def register(self, number: int) -> int:
        if number == RIP:
            return self.state.pc
        value = self.state.registers.get(number)
        if value is None:
            name = DWARF_NAMES[number] if number < len(DWARF_NAMES) else f"register {number}"
            raise _RefusedError(DwarfReason.UNKNOWN_REGISTER, name)
        return value

    def read(self, address: int, size: int) -> int:
        return int.from_bytes(self.memory.read(address & _MASK, size), "little")

    def expression(self, data: bytes, start: int | None = None) -> int:
        return evaluate_expression(data, self.register, self.read, start=start, bias=self.bias)

    def cfa(self, rule: DwarfCfa) -> int:
        if rule.expression is not None:
            return self.expression(rule.expression)
        return (self.register(rule.register) + rule.offset) & _MASK

    def value(self, rule: DwarfRule, register: int, cfa: int) -> int:
        """What `register` holds in the caller."""
        match rule.kind:
            case RuleKind.OFFSET:
                return self.memory.word((cfa + rule.value) & _MASK)
            case RuleKind.VAL_OFFSET:
                return (cfa + rule.value) & _MASK
            case RuleKind.REGISTER:
                return self.register(rule.value)
            case RuleKind.EXPRESSION:
                return self.memory.word(self.expression(rule.expression, cfa))
            case RuleKind.VAL_EXPRESSION:
                return self.expression(rule.expression, cfa)
            case RuleKind.SAME_VALUE:
                return self.register(register)
            case RuleKind.UNDEFINED:
                raise _RefusedError(DwarfReason.UNKNOWN_REGISTER, DWARF_NAMES[register])


def dwarf_step(
    table: FrameTable, state: DwarfState, memory: Memory, *, bias: int = 0
) -> DwarfState | DwarfRefusal:
    """The caller's state by the call frame information of the module at `bias`, or why not.

    pc and rsp of the caller are always known; a callee-saved register is left out if its rule
    needs something unknown or unreadable, another register if no rule speaks of it (calls do not
    keep it; below a signal frame it is kept). Never raises.
    """
    try:
        match = table.lookup(state.pc - state.return_address - bias)
    except CfiError as problem:
        return DwarfRefusal(DwarfReason.BAD_CFI, str(problem))
    if match is None:
        return DwarfRefusal(DwarfReason.NO_FDE, f"{state.pc:#x}")
    return apply_row(match, state, memory, bias=bias)


def apply_row(
    match: DwarfMatch, state: DwarfState, memory: Memory, *, bias: int = 0
) -> DwarfState | DwarfRefusal:
    """`dwarf_step` with a row that has been looked up already."""
    row, cie = match.row, match.fde.cie
    rules = dict(row.registers)
    ra_rule = rules.get(cie.return_column)
    if ra_rule is not None and ra_rule.kind is RuleKind.UNDEFINED:
        return DwarfRefusal(DwarfReason.OUTERMOST)
    if row.cfa is None:
        return DwarfRefusal(DwarfReason.NO_CFA)
    if ra_rule is None or ra_rule.kind is RuleKind.SAME_VALUE:
        return DwarfRefusal(DwarfReason.NO_RETURN_ADDRESS)
    frame = _Frame(state, memory, bias)
    try:
        cfa = frame.cfa(row.cfa)
        pc = frame.value(ra_rule, RIP, cfa)
        sp_rule = rules.get(RSP)
        sp = cfa if sp_rule is None else frame.value(sp_rule, RSP, cfa)
    except _RefusedError as refused:
        return refused.refusal
    except MemoryFault as fault:
        return DwarfRefusal(DwarfReason.UNREADABLE, f"{fault.address:#x}")
    except ExpressionError as problem:
        return DwarfRefusal(DwarfReason.BAD_EXPRESSION, str(problem))
    registers = {RSP: sp}
    for number in range(_GENERAL):
        if number != RSP:
            value = _kept(frame, number, rules.get(number), cfa, cie.signal)
            if value is not None:
                registers[number] = value
    return DwarfState(pc, registers, not cie.signal, cfa)


def _kept(frame: _Frame, number: int, rule: DwarfRule | None, cfa: int, signal: bool) -> int | None:
    if rule is None:
        return frame.state.registers.get(number) if signal or number in CALLEE_SAVED else None
    try:
        return frame.value(rule, number, cfa)
    except (_RefusedError, MemoryFault, ExpressionError):
        return None


FindTable = Callable[[int], tuple[FrameTable, int] | None]
"""The table and the bias of the module that contains a run-time address."""


@dataclass(frozen=True, slots=True)
class DwarfTrace:
    """What a walk recorded, innermost first. `end` None: the caller's limit was reached."""

    frames: tuple[DwarfState, ...]
    end: DwarfRefusal | None

    @property
    def complete(self) -> bool:
        """Whether the walk came to where the call frame information says the stack began."""
        return self.end is not None and self.end.reason is DwarfReason.OUTERMOST


class DwarfWalk:
    """A walk of one stack by call frame information, step by step.

    `end` is None until the walk has ended; it says why.
    """

    __slots__ = ("_find", "_memory", "end", "state")

    def __init__(self, find: FindTable, memory: Memory, state: DwarfState) -> None:
        self._find = find
        self._memory = memory
        self.state = state
        self.end: DwarfRefusal | None = None

    def resume(self, state: DwarfState) -> None:
        """Go on from `state`, as if the walk had come there."""
        self.state = state
        self.end = None

    def step(self) -> bool:
        """One step towards the caller; False if there is none."""
        state = self.state
        found = self._find(state.pc - state.return_address)
        if found is None:
            self.end = DwarfRefusal(DwarfReason.NO_MODULE, f"{state.pc:#x}")
            return False
        table, bias = found
        following = dwarf_step(table, state, self._memory, bias=bias)
        if isinstance(following, DwarfRefusal):
            self.end = following
            return False
        self.state = following
        return True


def dwarf_unwind(find: FindTable, memory: Memory, state: DwarfState, limit: int) -> DwarfTrace:
    """Walk from `state` until the end, or until `limit` frames are recorded."""
    walk = DwarfWalk(find, memory, state)
    frames = [state]
    while len(frames) < limit:
        if not walk.step():
            return DwarfTrace(tuple(frames), walk.end)
        frames.append(walk.state)
    return DwarfTrace(tuple(frames), None)
