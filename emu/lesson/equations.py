"""The rules of a row evaluated step by step, with every demand the consumer makes on the way.

Kernel behaviour: 8. Whether the rules can be used at all is `emu.unwind`'s result; this shows how
it came to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from emu.lesson.evaluation import MASK64, Check, Equation
from emu.lesson.locations import Names
from emu.unwind import (
    DWARF_NAMES,
    CfaBase,
    Frame,
    Memory,
    MemoryFault,
    Policy,
    Reason,
    Refusal,
    Registers,
    State,
    ValueBase,
    ValueRule,
)
from emu.unwind.frame import FP_REGISTER, SP_REGISTER

WORD = 8


@dataclass(slots=True)
class Evaluation:
    """What has been evaluated so far."""

    equations: list[Equation] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    reads: list[tuple[int, str]] = field(default_factory=list)
    """Addresses of the words that were loaded, and for which equation."""


class FrameTrace:
    """Evaluates one row on one state. `registers` are the thread's, for the topmost frame."""

    def __init__(
        self,
        state: State,
        memory: Memory,
        registers: Registers,
        policy: Policy,
        names: Names,
    ) -> None:
        self._state = state
        self._memory = memory
        self._registers = registers
        self._policy = policy
        self._names = names
        self._result = Evaluation()

    def trace(self, frame: Frame, refusal: Refusal | None) -> Evaluation:
        """All equations, or those up to the one at which the consumer refused with `refusal`."""
        cfa = self._cfa(frame, refusal)
        if cfa is None or (refusal is not None and refusal.field == "CFA"):
            return self._result
        self._value("RA", frame.ra, cfa, refusal)
        if refusal is None or refusal.field != "RA":
            self._value("FP", frame.fp, cfa, refusal)
        return self._result

    def _cfa(self, frame: Frame, refusal: Refusal | None) -> int | None:
        rule, state = frame.cfa, self._state
        refused = refusal if refusal is not None and refusal.field == "CFA" else None
        base: int | None
        if rule.base is CfaBase.SP:
            base = state.sp
        elif rule.base is CfaBase.FP:
            base = state.fp
            if self._policy.fp_above_sp:
                self._check(f"rbp {state.fp:#x} >= rsp {state.sp:#x}", state.fp >= state.sp)
        else:
            assert rule.reg is not None, "a register rule names its register"
            base = self._register(rule.reg)
        equation = Equation("CFA", str(rule), base, rule.offset, rule.deref, None, None)
        usable = refused is None or refused.reason in {
            Reason.CFA_NOT_ABOVE_SP,
            Reason.CFA_MISALIGNED,
            Reason.UNREADABLE,
        }
        if base is None or not usable:
            assert refused is not None, "without a base there is no CFA"
            self._add(replace(equation, failure=refused.detail))
            return None
        cfa = self._loaded(equation, base)
        if cfa is not None:
            self._growth_and_alignment(cfa)
        return cfa

    def _growth_and_alignment(self, cfa: int) -> None:
        """In this order; the second is not made if the first fails."""
        policy, state = self._policy, self._state
        if policy.cfa_growth:
            relation = ">=" if state.topmost else ">"
            passed = cfa > (state.sp - state.topmost) & MASK64
            self._check(f"CFA {cfa:#x} {relation} rsp {state.sp:#x}", passed)
            if not passed:
                return
        if policy.cfa_alignment:
            self._check(f"CFA {cfa:#x} is a multiple of {WORD}", cfa % WORD == 0)

    def _value(self, name: str, rule: ValueRule, cfa: int, refusal: Refusal | None) -> None:
        refused = refusal if refusal is not None and refusal.field == name else None
        equation = Equation(name, str(rule), None, rule.offset, rule.deref, None, None)
        if rule.base is ValueBase.RETAIN:
            if refused is None:
                self._add(replace(equation, value=self._state.fp))
            else:
                self._check(f"{name} is saved somewhere", passed=False)
                self._add(replace(equation, failure=refused.detail))
            return
        base = cfa if rule.base is ValueBase.CFA else self._register(rule.reg or 0)
        if base is None or (refused is not None and refused.reason is not Reason.UNREADABLE):
            if refused is not None and refused.reason is Reason.VALUE_IS_CFA:
                self._check(f"{name} is loaded from memory", passed=False)
            self._add(replace(equation, base=base, failure=refused.detail if refused else ""))
            return
        self._loaded(replace(equation, base=base), base)

    def _loaded(self, equation: Equation, base: int) -> int | None:
        """The value of base + offset, or of the word there."""
        address = (base + equation.offset) & MASK64
        value: int | None = address
        if equation.loads:
            try:
                value = self._memory.word(address)
            except MemoryFault:
                value = None
                self._check(f"the word at {address:#x} is readable", passed=False)
            self._result.reads.append((address, equation.name))
        found = replace(equation, address=address, value=value)
        if value is None:
            found = replace(found, failure="unreadable")
        elif equation.name == "RA":
            found = replace(found, location=self._names.location(value))
        self._add(found)
        return value

    def _register(self, number: int) -> int | None:
        """A register's value as far as the consumer may know it in this frame."""
        name = DWARF_NAMES[number]
        if self._state.topmost:
            if number < 16:
                if number not in {FP_REGISTER, SP_REGISTER}:
                    self._check(f"{name} is known: the frame is the topmost", passed=True)
                return self._registers[number]
            self._check(f"{name} is a register that can be read", passed=False)
            return None
        if not self._policy.topmost_registers and number in {FP_REGISTER, SP_REGISTER}:
            return self._state.fp if number == FP_REGISTER else self._state.sp
        self._check(
            f"{name} in a register rule: registers are known in the topmost frame only",
            passed=False,
        )
        return None

    def _check(self, text: str, passed: bool) -> None:
        self._result.checks.append(Check(text, passed))

    def _add(self, equation: Equation) -> None:
        self._result.equations.append(equation)
