"""What of a row of call frame information SFrame can say.

SFrame specification, 'Flexible Frame Row Entries': CFA, RA and FP are each a register or the CFA
plus an offset of 32 bits, or the word there; but RA and FP cannot be the CFA plus an offset itself,
whose control word means padding. Whether GNU as writes it is another question, which
`emu.cfi.translate` answers.
"""

from functools import lru_cache

from emu.cfi.dwarf_rules import DwarfCfa, DwarfRow, DwarfRule, RuleKind
from emu.cfi.errors import CfiError
from emu.cfi.expression import BREG0, BREGX, parse_expression
from emu.cfi.instructions import RBP, RIP, RSP
from emu.sframe import UNDEFINED, Rule, Rules, register_name

_DEREF = 0x06
_LARGEST = 1 << 31
_RSP_IS_CFA = DwarfRule(RuleKind.VAL_OFFSET, 0)


class NotRepresentableError(Exception):
    """A rule has no SFrame form; the message says which and why."""


def representable(row: DwarfRow) -> str | None:
    """Why SFrame cannot say what `row` says of CFA, RA and FP; None if it can."""
    try:
        sframe_rules(row)
    except NotRepresentableError as reason:
        return str(reason)
    return None


def sframe_rules(row: DwarfRow) -> Rules:
    """The same rules in SFrame's terms. Raises `NotRepresentableError`."""
    ra = fp = sp = None
    for number, rule in row.registers:
        if number == RIP:
            ra = rule
        elif number == RBP:
            fp = rule
        elif number == RSP:
            sp = rule
    return _rules(row.cfa, ra, fp, sp)


@lru_cache(maxsize=1 << 14)
def _rules(
    cfa: DwarfCfa | None, ra: DwarfRule | None, fp: DwarfRule | None, sp: DwarfRule | None
) -> Rules:
    """The rows of a file are many, the rules in them few."""
    if ra is not None and ra.kind is RuleKind.UNDEFINED:
        return UNDEFINED
    if cfa is None:
        raise NotRepresentableError("nothing is said about the CFA")
    if sp is not None and sp != _RSP_IS_CFA:
        raise NotRepresentableError(f"rsp = {sp}, and SFrame takes the CFA for it")
    if ra is None or ra.kind is RuleKind.SAME_VALUE:
        raise NotRepresentableError("the return address is not saved, and rip is not kept")
    if fp is not None and fp.kind is RuleKind.SAME_VALUE:
        fp = None
    return Rules(_cfa(cfa), _value(RIP, ra), None if fp is None else _value(RBP, fp))


def _cfa(cfa: DwarfCfa) -> Rule:
    if cfa.expression is None:
        return Rule(cfa.register, _offset("CFA", cfa.offset))
    rule = _address("CFA", cfa.expression)
    if rule is None:
        raise NotRepresentableError(f"CFA = {cfa}")
    return rule


def _value(register: int, rule: DwarfRule) -> Rule:
    name = register_name(register)
    match rule.kind:
        case RuleKind.OFFSET:
            return Rule(None, _offset(name, rule.value), deref=True)
        case RuleKind.REGISTER:
            return Rule(rule.value, 0)
        case RuleKind.EXPRESSION:
            found = _address(name, rule.expression)
            if found is not None and not found.deref:
                return Rule(found.base, found.offset, deref=True)
        case RuleKind.VAL_EXPRESSION:
            found = _address(name, rule.expression)
            if found is not None:
                return found
        case _:
            pass
    raise NotRepresentableError(f"{name} = {rule}")


def _offset(name: str, value: int) -> int:
    if not -_LARGEST <= value < _LARGEST:
        raise NotRepresentableError(f"{name} has an offset of more than 32 bits")
    return value


def _address(name: str, expression: bytes) -> Rule | None:
    """A register plus offset, or the word there; None for any other expression."""
    try:
        operations = parse_expression(expression)
    except CfiError:
        return None
    if not operations or len(operations) > 2:
        return None
    base = operations[0]
    if base.code != BREGX and not BREG0 <= base.code < BREG0 + 32:
        return None
    if len(operations) == 2 and operations[1].code != _DEREF:
        return None
    return Rule(base.register, _offset(name, base.value), deref=len(operations) == 2)
