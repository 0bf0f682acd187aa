"""One step by call frame information: a row, a frame, and the caller it must give."""

import re
from collections.abc import Mapping

import pytest

from emu.cfi import (
    Cie,
    DwarfCfa,
    DwarfFde,
    DwarfMatch,
    DwarfRow,
    DwarfRule,
    FrameTable,
    RuleKind,
)
from emu.unwind import (
    DwarfReason,
    DwarfRefusal,
    DwarfState,
    RegionMemory,
    apply_row,
    dwarf_step,
    dwarf_unwind,
)

STACK = 0x7000
MEMORY = RegionMemory([(STACK, b"".join(n.to_bytes(8, "little") for n in range(100, 132)))])
"""Word n of the stack is 100 + n."""
RA = (16, DwarfRule(RuleKind.OFFSET, -8))
TOP = DwarfState(0x401005, {number: 0x1000 + number for number in range(16)} | {7: STACK})


def match(
    *registers: tuple[int, DwarfRule],
    cfa: DwarfCfa | None = DwarfCfa(7, 16),  # noqa: B008 -- a frozen value
    signal: bool = False,
) -> DwarfMatch:
    cie = Cie(0, 1, -8, signal=signal)
    fde = DwarfFde(cie, 0x401000, 0x10, b"", 0)
    return DwarfMatch(fde, DwarfRow(0, cfa, tuple(sorted(registers, key=lambda pair: pair[0]))))


def caller(found: DwarfMatch, state: DwarfState = TOP) -> DwarfState:
    result = apply_row(found, state, MEMORY)
    assert isinstance(result, DwarfState), result
    return result


def refusal(found: DwarfMatch, state: DwarfState = TOP) -> str:
    result = apply_row(found, state, MEMORY)
    assert isinstance(result, DwarfRefusal), result
    return str(result)


def test_a_plain_frame() -> None:
    found = caller(match(RA, (6, DwarfRule(RuleKind.OFFSET, -16))))
    assert (found.pc, found.sp, found.fp, found.cfa) == (101, STACK + 16, 100, STACK + 16)
    assert found.return_address


def test_callee_saved_registers_without_a_rule_are_kept_others_are_lost() -> None:
    found = caller(match(RA))
    kept = {3, 6, 12, 13, 14, 15}
    assert set(found.registers) == kept | {7}
    assert all(found.registers[number] == 0x1000 + number for number in kept)


def test_below_a_signal_frame_all_registers_are_kept() -> None:
    found = caller(match(RA, signal=True))
    assert set(found.registers) == set(range(16))
    assert not found.return_address


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (DwarfRule(RuleKind.OFFSET, -16), 100),
        (DwarfRule(RuleKind.VAL_OFFSET, -16), STACK),
        (DwarfRule(RuleKind.REGISTER, 0), 0x1000),
        (DwarfRule(RuleKind.SAME_VALUE), 0x1006),
        (DwarfRule(RuleKind.EXPRESSION, expression=bytes.fromhex("23 08")), 103),
        (DwarfRule(RuleKind.VAL_EXPRESSION, expression=bytes.fromhex("77 08 06")), 101),
        (DwarfRule(RuleKind.UNDEFINED), None),
        (DwarfRule(RuleKind.OFFSET, 0x1000), None),
        (DwarfRule(RuleKind.REGISTER, 17), None),
        (DwarfRule(RuleKind.EXPRESSION, expression=b"\x22"), None),
    ],
)
def test_every_rule(rule: DwarfRule, value: int | None) -> None:
    """`None`: the register is left out, and the step is made all the same."""
    assert caller(match(RA, (6, rule))).fp == value


def test_the_return_address_in_a_register() -> None:
    assert caller(match((16, DwarfRule(RuleKind.REGISTER, 5)))).pc == 0x1005


def test_a_stack_pointer_with_a_rule_of_its_own() -> None:
    found = caller(match(RA, (7, DwarfRule(RuleKind.REGISTER, 8))))
    assert (found.sp, found.cfa) == (0x1008, STACK + 16)


def test_cfa_by_expression() -> None:
    cfa = DwarfCfa(expression=bytes.fromhex("77 18"))
    assert caller(match(RA, cfa=cfa)).sp == STACK + 0x18


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (match((16, DwarfRule(RuleKind.UNDEFINED))), "the return address is undefined"),
        (match(RA, cfa=None), "nothing is said about the CFA"),
        (match(), "nothing is said about the return address"),
        (match((16, DwarfRule(RuleKind.SAME_VALUE))), "nothing is said about the return address"),
        (match(RA, cfa=DwarfCfa(10, 0)), "needs a register whose value is not known"),
        (match(RA, cfa=DwarfCfa(99, 0)), "not known in this frame: register 99"),
        (match(RA, cfa=DwarfCfa(6, 8)), "memory is unreadable: 0x8"),
        (match(RA, cfa=DwarfCfa(expression=b"\x22")), "an expression has no value: .*empty"),
        (match(RA, cfa=DwarfCfa(expression=b"\x50")), "no value: .*operation 0x50"),
        (
            match(RA, (7, DwarfRule(RuleKind.UNDEFINED))),
            "needs a register whose value is not known in this frame: rsp",
        ),
    ],
)
def test_refusals(found: DwarfMatch, reason: str) -> None:
    known = {number: value for number, value in TOP.registers.items() if number != 10}
    assert re.search(reason, refusal(found, DwarfState(TOP.pc, known | {6: 8})))


PLAIN = bytes.fromhex("0c 07 08 90 01")
"""DW_CFA_def_cfa rsp+8; DW_CFA_offset rip at CFA-8."""


def table(*functions: tuple[int, int, str]) -> FrameTable:
    """`(start, size, instructions)`, all with the usual CIE."""
    cie = Cie(0, 1, -8, instructions=PLAIN)
    return FrameTable(
        [
            DwarfFde(cie, start, size, bytes.fromhex(code), index)
            for index, (start, size, code) in enumerate(functions)
        ]
    )


def test_return_addresses_are_looked_up_before_the_address() -> None:
    """A call that ends its function: behind it another function begins."""
    both = table((0x100, 0x10, "0e 10"), (0x110, 0x10, ""))
    top = DwarfState(0x110, {7: STACK})
    deeper = DwarfState(0x110, {7: STACK}, return_address=True)
    found = dwarf_step(both, top, MEMORY)
    assert isinstance(found, DwarfState)
    assert found.sp == STACK + 8
    found = dwarf_step(both, deeper, MEMORY)
    assert isinstance(found, DwarfState)
    assert found.sp == STACK + 16


def test_gaps_and_bad_instructions() -> None:
    one = table((0x100, 0x10, "3f"))
    gap = dwarf_step(one, DwarfState(0x5110, {7: STACK}), MEMORY, bias=0x5000)
    assert gap == DwarfRefusal(DwarfReason.NO_FDE, "0x5110"), "where it is in memory"
    bad = dwarf_step(one, DwarfState(0x105, {7: STACK}), MEMORY, bias=0)
    assert isinstance(bad, DwarfRefusal)
    assert bad.reason is DwarfReason.BAD_CFI
    assert "0x3f is not known" in bad.detail


def words(values: Mapping[int, int]) -> RegionMemory:
    return RegionMemory([(at, value.to_bytes(8, "little")) for at, value in values.items()])


def test_a_walk_ends_where_the_return_address_is_undefined() -> None:
    leaf_and_start = table((0x100, 0x10, ""), (0x200, 0x10, "07 10"))
    memory = words({STACK: 0x5205})
    state = DwarfState(0x5103, {7: STACK})
    trace = dwarf_unwind(lambda _pc: (leaf_and_start, 0x5000), memory, state, 10)
    assert [frame.pc for frame in trace.frames] == [0x5103, 0x5205]
    assert trace.complete
    assert str(trace.end) == "the return address is undefined"


def test_a_walk_ends_at_its_limit_and_without_a_module() -> None:
    leaf = table((0x100, 0x10, ""))
    memory = words({STACK: 0x105, STACK + 8: 0x105, STACK + 16: 0x105})
    state = DwarfState(0x103, {7: STACK})
    limited = dwarf_unwind(lambda _pc: (leaf, 0), memory, state, 3)
    assert len(limited.frames) == 3
    assert limited.end is None
    nowhere = dwarf_unwind(lambda _pc: None, memory, state, 3)
    assert nowhere.end == DwarfRefusal(DwarfReason.NO_MODULE, "0x103")
    assert not nowhere.complete
