"""From the rules of a row and the state of a frame to the state of its caller.

Kernel behaviour: 8, with every check that another consumer does not make behind a switch of
the policy.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from emu.unwind.frame import (
    DWARF_NAMES,
    FP_REGISTER,
    SP_REGISTER,
    CfaBase,
    CfaRule,
    Frame,
    ValueBase,
    ValueRule,
)
from emu.unwind.policy import KERNEL_V15, Policy
from emu.unwind.protocols import Memory, MemoryFault, Registers

_MASK = (1 << 64) - 1
_READABLE = 16


class State(NamedTuple):
    """One frame as an unwinder holds it, unsigned 64-bit."""

    ip: int
    sp: int
    fp: int
    topmost: bool = False
    """The registers of the task are this frame's."""
    interrupted: bool = False
    """Below a signal frame: `ip` is an instruction, not a return address."""


class Reason(Enum):
    """Why a row that was found cannot be used."""

    REGISTER_BELOW_TOP = "needs a register below the topmost frame"
    REGISTER_UNREADABLE = "needs a register that cannot be read"
    FP_BELOW_SP = "CFA is based on FP and fp < sp"
    CFA_NOT_ABOVE_SP = "CFA <= sp"
    CFA_MISALIGNED = "CFA is misaligned"
    BASE_DEREF = "CFA dereferences a base this consumer cannot dereference"
    RA_RETAINED = "the return address is not saved and there is no return address register"
    VALUE_IS_CFA = "value is CFA + offset, without a load"
    UNREADABLE = "memory is unreadable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was found but not used; the walk ends here.

    `field` is `CFA`, `RA` or `FP`; `detail` says which register, address or value.
    """

    reason: Reason
    field: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


class _RefusedError(Exception):
    def __init__(self, reason: Reason, field: str, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason, field, detail)


class _Inputs(NamedTuple):
    """What the rules that are not plain stack slots are evaluated on."""

    state: State
    memory: Memory
    registers: Registers
    policy: Policy
    word_size: int

    def word(self, address: int) -> int:
        """A stack word; 4 bytes of a 32-bit task are zero-extended (kernel behaviour: 5)."""
        if self.word_size == 8:
            return self.memory.word(address & _MASK)
        return int.from_bytes(self.memory.read(address & _MASK, self.word_size), "little")

    def register(self, number: int, field: str) -> int:
        """A register, as far as this consumer knows it in this frame."""
        name = DWARF_NAMES[number]
        if not self.state.topmost:
            if self.policy.topmost_registers or number not in {FP_REGISTER, SP_REGISTER}:
                raise _RefusedError(
                    Reason.REGISTER_BELOW_TOP, field, f"register {name} below the topmost frame"
                )
            return self.state.fp if number == FP_REGISTER else self.state.sp
        if number >= _READABLE:
            raise _RefusedError(
                Reason.REGISTER_UNREADABLE, field, f"register {name} cannot be read"
            )
        return self.registers[number]

    def cfa(self, rule: CfaRule) -> int:
        """The CFA by any rule."""
        state = self.state
        if rule.base is CfaBase.SP:
            base = state.sp
        elif rule.base is CfaBase.FP:
            if state.fp < state.sp and self.policy.fp_above_sp:
                raise _RefusedError(
                    Reason.FP_BELOW_SP, "CFA", f"fp {state.fp:#x} is below sp {state.sp:#x}"
                )
            base = state.fp
        else:
            assert rule.reg is not None
            base = self.register(rule.reg, "CFA")
        address = (base + rule.offset) & _MASK
        if not rule.deref:
            return address
        if rule.base is not CfaBase.REG and not self.policy.base_deref:
            raise _RefusedError(Reason.BASE_DEREF, "CFA", f"rule {rule} is not known")
        return self.word(address)

    def value(self, field: str, rule: ValueRule, cfa: int) -> int:
        """RA or FP by any rule; a retained FP is the caller's business."""
        if rule.base is ValueBase.RETAIN:
            raise _RefusedError(
                Reason.RA_RETAINED, field, "retained, and x86 has no register for it"
            )
        if rule.base is ValueBase.REG:
            assert rule.reg is not None
            base = self.register(rule.reg, field)
        else:
            if not rule.deref and not self.policy.value_rules:
                raise _RefusedError(
                    Reason.VALUE_IS_CFA, field, f"CFA{rule.offset:+d} without a load"
                )
            base = cfa
        address = (base + rule.offset) & _MASK
        return self.word(address) if rule.deref else address


def evaluate(
    frame: Frame,
    state: State,
    memory: Memory,
    registers: Registers,
    policy: Policy = KERNEL_V15,
    *,
    word_size: int = 8,
) -> State | Refusal:
    """The caller's state, or why `frame` cannot be used on `state`.

    `frame` is not outermost. `registers` are the task's, read for the topmost frame only
    (below it a policy may allow rbp and rsp, which are then the state's). `word_size` is 8,
    or 4 for a 32-bit task. Never raises.
    """
    plan = frame.plan
    sp = state.sp
    field = "CFA"
    try:
        if plan.cfa_is_sp:
            cfa = (sp + plan.cfa_offset) & _MASK
        elif plan.cfa_is_fp and state.fp >= sp:
            cfa = (state.fp + plan.cfa_offset) & _MASK
        else:
            cfa = _Inputs(state, memory, registers, policy, word_size).cfa(frame.cfa)
        if (policy.cfa_growth and cfa <= (sp - state.topmost) & _MASK) or (
            policy.cfa_alignment and cfa & (word_size - 1)
        ):
            return _refuse_cfa(cfa, state, policy, word_size)
        field = "RA"
        if plan.ra_is_slot and word_size == 8:
            ra = memory.word((cfa + plan.ra_offset) & _MASK)
        else:
            inputs = _Inputs(state, memory, registers, policy, word_size)
            ra = inputs.value(field, frame.ra, cfa)
        field = "FP"
        if plan.fp_is_retained:
            fp = state.fp
        elif plan.fp_is_slot and word_size == 8:
            fp = memory.word((cfa + plan.fp_offset) & _MASK)
        else:
            inputs = _Inputs(state, memory, registers, policy, word_size)
            fp = inputs.value(field, frame.fp, cfa)
    except MemoryFault as fault:
        return Refusal(Reason.UNREADABLE, field, f"address {fault.address:#x} is unreadable")
    except _RefusedError as refused:
        return refused.refusal
    return State(ra, cfa, fp, False, frame.signal)


def _refuse_cfa(cfa: int, state: State, policy: Policy, word_size: int) -> Refusal:
    """Growth first, then alignment (kernel behaviour: 8, steps 3 and 4)."""
    if policy.cfa_growth and cfa <= (state.sp - state.topmost) & _MASK:
        relation = "below" if state.topmost else "not above"
        detail = f"CFA {cfa:#x} is {relation} sp {state.sp:#x}"
        return Refusal(Reason.CFA_NOT_ABOVE_SP, "CFA", detail)
    return Refusal(Reason.CFA_MISALIGNED, "CFA", f"CFA {cfa:#x} is no multiple of {word_size}")
