"""Faults of a row's data words. Kernel behaviour: 7.3 to 7.5, 8."""

from collections.abc import Iterator
from dataclasses import dataclass

from emu.sframe.constants import Abi
from emu.sframe.fre import Row
from emu.sframe.lint.finding import Effect
from emu.sframe.registers import register_name
from emu.sframe.rules import Rule
from emu.sframe.words import Convention, controlled_rule, signed

_DROPPED = "a lookup that finds the row fails with EINVAL and the kernel removes the section"
_WORD = 8
_LAST_READABLE = 15
_CONTROL_REGISTERS = 32
_RESERVED_BIT = 0x4
_REGISTER_BASE = 0x1


@dataclass(frozen=True, slots=True)
class WordFault:
    """What is wrong with the words, and what happens."""

    effect: Effect
    what: str
    consequence: str


def word_faults(convention: Convention, flexible: bool, row: Row) -> Iterator[WordFault]:
    """What consumers make of the words of a row that its author cannot have meant."""
    if not row.words:
        return
    if flexible:
        yield from _flexible_faults(convention, row)
    else:
        yield from _default_faults(convention, row)


def _default_faults(convention: Convention, row: Row) -> Iterator[WordFault]:
    most = 1 + (not convention.fixed_ra_offset) + (not convention.fixed_fp_offset)
    words = row.words
    if len(words) > most:
        yield WordFault(
            Effect.DROPPED, f"{len(words)} data words, a default row has at most {most}", _DROPPED
        )
        return
    if convention.abi is not Abi.AMD64:
        return
    # A header with fixed offsets for both leaves no word for FP.
    if not convention.fixed_fp_offset and len(words) == most and words[-1] == 0 and most > 1:
        yield WordFault(
            Effect.WRONG,
            "FP slot at CFA+0",
            "the kernel takes offset 0 for an unchanged frame pointer",
        )
    offset = signed(words[0], row.word_size)
    base = convention.abi.sp if row.body.sp_based else convention.abi.fp
    yield from _cfa_faults(Rule(base, offset))


def _flexible_faults(convention: Convention, row: Row) -> Iterator[WordFault]:
    groups = _groups(row)
    if groups is None:
        yield WordFault(
            Effect.DROPPED,
            f"{len(row.words)} data words that form no groups of CFA, RA and FP",
            _DROPPED,
        )
        return
    for name, (control, offset) in zip(("CFA", "RA", "FP"), groups, strict=False):
        if control & _RESERVED_BIT:
            yield WordFault(Effect.DROPPED, f"reserved bit in the control word of {name}", _DROPPED)
            return
        if name == "CFA" and not control & _REGISTER_BASE:
            yield WordFault(Effect.DROPPED, "CFA not based on a register", _DROPPED)
            return
        if control and convention.abi is Abi.AMD64:
            rule = controlled_rule(control, offset)
            yield from _rule_faults(name, rule)


def _groups(row: Row) -> list[tuple[int, int]] | None:
    """Control word and offset of CFA, RA and FP; None unless the kernel finds them so."""
    words = row.words
    if len(words) < 2:
        return None
    groups = [(words[0], signed(words[1], row.word_size))]
    at = 2
    while len(groups) < 3 and len(words) - at >= 2:
        # A group is looked for where two words are left, and padding takes one of them.
        offset = signed(words[at + 1], row.word_size) if words[at] else 0
        groups.append((words[at], offset))
        at += 2 if words[at] else 1
    return groups if at == len(words) else None


def _rule_faults(name: str, rule: Rule) -> Iterator[WordFault]:
    """What the kernel on AMD64 makes of one rule of a flexible row."""
    text = f"{name} = {rule}"
    if rule.base is None:
        if not rule.deref:
            yield WordFault(
                Effect.UNUSABLE, text, "the kernel never takes the address itself for a value"
            )
        return
    if rule.base >= _CONTROL_REGISTERS:
        yield WordFault(
            Effect.WRONG,
            text,
            f"the kernel reads five bits of the number: {register_name(rule.base & 31)}",
        )
    elif rule.base > _LAST_READABLE:
        yield WordFault(Effect.UNUSABLE, text, f"the kernel cannot read {register_name(rule.base)}")
    elif name != "CFA" or rule.base not in {Abi.AMD64.sp, Abi.AMD64.fp}:
        yield WordFault(
            Effect.UNUSABLE, text, "the kernel reads registers in the topmost frame only"
        )
    else:
        yield from _cfa_faults(rule)


def _cfa_faults(rule: Rule) -> Iterator[WordFault]:
    if rule.deref:
        return
    if rule.base == Abi.AMD64.sp and rule.offset <= 0:
        only = " except in the topmost frame" if rule.offset == 0 else ""
        yield WordFault(Effect.UNUSABLE, f"CFA = {rule}", f"the kernel wants CFA above rsp{only}")
    if rule.offset % _WORD:
        yield WordFault(
            Effect.UNUSABLE,
            f"CFA = {rule}",
            "with the register aligned the CFA is not, and the kernel ends the walk",
        )
