"""A row of `.eh_frame` evaluated step by step (DWARF 5, section 6.4.3)."""

from __future__ import annotations

from emu.cfi import RBP, RIP, DwarfMatch, DwarfRule, RuleKind
from emu.lesson.equations import Evaluation
from emu.lesson.evaluation import MASK64, Equation
from emu.lesson.locations import Names
from emu.unwind import DWARF_NAMES, DwarfRefusal, DwarfState, Memory, MemoryFault
from emu.unwind.expression import ExpressionError, evaluate_expression

_NAMED = {RIP: "RA", RBP: "FP"}


class CfiTrace:
    """Evaluates one row on one state, for a module at `bias`."""

    def __init__(self, state: DwarfState, memory: Memory, bias: int, names: Names) -> None:
        self._state = state
        self._memory = memory
        self._bias = bias
        self._names = names
        self._result = Evaluation()

    def trace(self, match: DwarfMatch, following: DwarfState | DwarfRefusal) -> Evaluation:
        """The CFA, the return address, rbp, then the other registers that the row speaks of.

        `following` is what `apply_row` made of the row.
        """
        row = match.row
        if row.cfa is None:
            return self._result
        refusal = following if isinstance(following, DwarfRefusal) else None
        cfa = self._cfa(match, refusal)
        if cfa is None:
            return self._result
        rules = dict(row.registers)
        column = match.fde.cie.return_column
        ra_rule = rules.pop(column, None)
        if ra_rule is not None:
            self._value(column, ra_rule, cfa, refusal)
        fp_rule = rules.pop(RBP, None)
        if refusal is not None:
            return self._result
        if fp_rule is None:
            value = self._state.fp
            failure = "" if value is not None else "not known in this frame"
            self._add(Equation("FP", "unchanged", None, 0, False, None, value, None, failure))
        else:
            self._value(RBP, fp_rule, cfa, None)
        for number, rule in rules.items():
            if number < 16:
                self._value(number, rule, cfa, None)
        return self._result

    def _cfa(self, match: DwarfMatch, refusal: DwarfRefusal | None) -> int | None:
        rule = match.row.cfa
        assert rule is not None, "the caller has looked"
        if rule.expression is not None:
            value, failure = self._expression(rule.expression)
            self._add(Equation("CFA", str(rule), None, 0, False, value, value, None, failure))
            return value
        base = self._state.registers.get(rule.register)
        if base is None:
            failure = str(refusal) if refusal is not None else "not known in this frame"
            self._add(
                Equation("CFA", str(rule), None, rule.offset, False, None, None, None, failure)
            )
            return None
        value = (base + rule.offset) & MASK64
        self._add(Equation("CFA", str(rule), base, rule.offset, False, value, value))
        return value

    def _value(
        self, register: int, rule: DwarfRule, cfa: int, refusal: DwarfRefusal | None
    ) -> None:
        name = _NAMED.get(register) or DWARF_NAMES[register]
        base: int | None = None
        address: int | None = None
        offset = 0
        failure = ""
        match rule.kind:
            case RuleKind.OFFSET | RuleKind.VAL_OFFSET:
                base, offset = cfa, rule.value
                address = (cfa + rule.value) & MASK64
            case RuleKind.EXPRESSION | RuleKind.VAL_EXPRESSION:
                address, failure = self._expression(rule.expression, cfa)
            case RuleKind.REGISTER:
                address = self._register(rule.value)
            case RuleKind.SAME_VALUE:
                address = self._register(register)
            case RuleKind.UNDEFINED:
                failure = "not kept"
        loads = rule.kind in {RuleKind.OFFSET, RuleKind.EXPRESSION}
        value = address
        if loads and address is not None:
            value, failure = self._word(address, name)
        if value is None and not failure:
            failure = "not known in this frame"
        if refusal is not None and value is None:
            failure = str(refusal)
        location = self._names.location(value) if name == "RA" and value is not None else None
        self._add(Equation(name, str(rule), base, offset, loads, address, value, location, failure))

    def _word(self, address: int, name: str) -> tuple[int | None, str]:
        self._result.reads.append((address, name))
        try:
            return self._memory.word(address), ""
        except MemoryFault:
            return None, "unreadable"

    def _register(self, number: int) -> int | None:
        return self._state.pc if number == RIP else self._state.registers.get(number)

    def _expression(self, data: bytes, start: int | None = None) -> tuple[int | None, str]:
        unknown: list[int] = []

        def register(number: int) -> int:
            value = self._register(number)
            if value is None:
                unknown.append(number)
                return 0
            return value

        def read(address: int, size: int) -> int:
            return int.from_bytes(self._memory.read(address & MASK64, size), "little")

        try:
            value = evaluate_expression(data, register, read, start=start, bias=self._bias)
        except (ExpressionError, MemoryFault) as problem:
            return None, str(problem)
        if unknown:
            return None, f"needs {DWARF_NAMES[unknown[0]]}, which is not known in this frame"
        return value, ""

    def _add(self, equation: Equation) -> None:
        self._result.equations.append(equation)
