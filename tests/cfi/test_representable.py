"""Rows of call frame information that SFrame can say, and those it cannot."""

import re

import pytest

from emu.cfi import DwarfCfa, DwarfRow, DwarfRule, RuleKind, representable, sframe_rules
from emu.sframe import UNDEFINED

RA = DwarfRule(RuleKind.OFFSET, -8)
CFA = DwarfCfa(7, 16)


def row(
    *,
    cfa: DwarfCfa | None = CFA,
    ra: DwarfRule | None = RA,
    fp: DwarfRule | None = None,
    sp: DwarfRule | None = None,
) -> DwarfRow:
    rules = [(number, rule) for number, rule in ((6, fp), (7, sp), (16, ra)) if rule is not None]
    return DwarfRow(0, cfa, tuple(rules))


def expression(code: str) -> DwarfRule:
    return DwarfRule(RuleKind.EXPRESSION, expression=bytes.fromhex(code))


def computed(code: str) -> DwarfRule:
    return DwarfRule(RuleKind.VAL_EXPRESSION, expression=bytes.fromhex(code))


@pytest.mark.parametrize(
    ("given", "equations"),
    [
        (row(), "CFA = rsp+16, RA = *(CFA-8)"),
        (row(fp=DwarfRule(RuleKind.SAME_VALUE)), "CFA = rsp+16, RA = *(CFA-8)"),
        (row(fp=DwarfRule(RuleKind.OFFSET, -16)), "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)"),
        (row(fp=DwarfRule(RuleKind.REGISTER, 2)), "CFA = rsp+16, RA = *(CFA-8), FP = rcx+0"),
        (row(fp=expression("76 00")), "CFA = rsp+16, RA = *(CFA-8), FP = *(rbp+0)"),
        (row(fp=computed("73 08 06")), "CFA = rsp+16, RA = *(CFA-8), FP = *(rbx+8)"),
        (row(fp=computed("73 08")), "CFA = rsp+16, RA = *(CFA-8), FP = rbx+8"),
        (row(fp=expression("92 0a 7c")), "CFA = rsp+16, RA = *(CFA-8), FP = *(r10-4)"),
        (row(ra=DwarfRule(RuleKind.REGISTER, 2)), "CFA = rsp+16, RA = rcx+0"),
        (row(cfa=DwarfCfa(10, 0)), "CFA = r10+0, RA = *(CFA-8)"),
        (row(cfa=DwarfCfa(expression=bytes.fromhex("76 78 06"))), "CFA = *(rbp-8), RA = *(CFA-8)"),
        (row(cfa=DwarfCfa(expression=bytes.fromhex("77 80 01"))), "CFA = rsp+128, RA = *(CFA-8)"),
        (row(sp=DwarfRule(RuleKind.VAL_OFFSET, 0)), "CFA = rsp+16, RA = *(CFA-8)"),
    ],
)
def test_representable(given: DwarfRow, equations: str) -> None:
    assert representable(given) is None
    assert str(sframe_rules(given)) == equations


def test_outermost() -> None:
    assert sframe_rules(row(ra=DwarfRule(RuleKind.UNDEFINED), cfa=None)) is UNDEFINED


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (row(cfa=None), "nothing is said about the CFA"),
        (row(ra=None), "the return address is not saved, and rip is not kept"),
        (row(ra=DwarfRule(RuleKind.SAME_VALUE)), "not saved"),
        (row(ra=DwarfRule(RuleKind.VAL_OFFSET, -8)), "rip = CFA-8"),
        (row(fp=DwarfRule(RuleKind.UNDEFINED)), "rbp = undefined"),
        (row(fp=DwarfRule(RuleKind.VAL_OFFSET, -16)), "rbp = CFA-16"),
        (row(fp=expression("76 00 06")), r"rbp = \*\[rbp\+0, deref\]"),
        (row(fp=expression("30")), r"rbp = \*\[lit0\]"),
        (row(fp=computed("76 00 1f")), r"rbp = \[rbp\+0, neg\]"),
        (row(fp=computed("")), r"rbp = \[\]"),
        (row(fp=computed("ff")), r"rbp = \[bytes ff\]"),
        (row(sp=DwarfRule(RuleKind.OFFSET, 160)), "SFrame takes the CFA"),
        (row(cfa=DwarfCfa(expression=bytes.fromhex("77 08 06 06"))), r"CFA = \[rsp\+8, deref, d"),
        (row(cfa=DwarfCfa(7, 1 << 31)), "CFA has an offset of more than 32 bits"),
        (row(ra=DwarfRule(RuleKind.OFFSET, -(1 << 31) - 1)), "rip has an offset of more than 32"),
    ],
)
def test_not_representable(given: DwarfRow, reason: str) -> None:
    said = representable(given)
    assert said is not None
    assert re.search(reason, said), said
