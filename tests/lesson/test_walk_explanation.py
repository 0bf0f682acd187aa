"""Explanations say what the consumers do, and what the true stack is."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.cfi import FrameTable
from emu.check import Snapshot, Verdict, snapshots
from emu.lesson import Explanation, Unwinder, explain
from emu.lesson.explanation import EndKind, Relation
from emu.lesson.headings import frame_title
from emu.lesson.search import WatchedStore
from emu.lesson.spans import line_text
from emu.machine import Image
from emu.unwind import DWARF_NAMES, DwarfState, dwarf_unwind, unwind_user

CASES = Path(__file__).parent.parent.parent / "asm_cases"
EVERYWHERE = (
    "aligned_frame",
    "coroutine",
    "disordered_section",
    "drap_deeper",
    "drap_topmost",
    "expression_for_return_address",
    "frame_pointer",
    "gaps_in_section",
    "hole",
    "lazy_binding",
    "misaligned_cfa",
    "noreturn_call_at_end",
    "outermost",
    "ra_in_register",
    "rbp_in_xmm",
    "signal_handler",
    "startproc_simple",
    "undefined_in_the_middle",
    "unsorted_section",
)


def snapshots_of(name: str, **options: object) -> Iterator[Snapshot]:
    assembled = assemble(CASES / f"{name}.s")
    image = Image.from_bytes(assembled.elf, f"{name}.s")
    return iter(snapshots(image, **options))  # type: ignore[arg-type]  # options of snapshots()


def at(
    name: str, place: str, unwinder: Unwinder = Unwinder.SFRAME, **options: object
) -> Explanation:
    return explain(next(snapshots_of(name, at=place, **options)), unwinder)


def frame_table(snapshot: Snapshot, pc: int) -> tuple[FrameTable, int] | None:
    module = snapshot.modules.module_at(pc)
    if module is None or module.frame_table is None:
        return None
    return module.frame_table, module.bias


@pytest.mark.parametrize("name", EVERYWHERE)
@pytest.mark.parametrize("policy", ["kernel-v15", "glibc"])
def test_the_walk_is_the_consumers(name: str, policy: str) -> None:
    for snapshot in islice(snapshots_of(name, policy=policy), 80):
        explanation = explain(snapshot)
        records = snapshot.store.records
        trace = unwind_user(WatchedStore(snapshot.store), snapshot.memory, snapshot.registers, 510)
        walked = [(step.state.ip, step.state.sp, step.state.fp) for step in explanation.frames]
        assert walked == [state[:3] for state in trace.frames]
        assert explanation.end.kind.value == trace.end.ending.value
        assert snapshot.store.records == records
        assert explanation.right == (
            trace.frames == snapshot.frames and len(walked) == len(snapshot.frames)
        )
        check_numbers(explanation, snapshot)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_walk_by_call_frame_information_is_the_debuggers(name: str) -> None:
    for snapshot in islice(snapshots_of(name), 80):
        explanation = explain(snapshot, Unwinder.DWARF)
        registers = {number: snapshot.registers[number] for number in range(16)}
        find = partial(frame_table, snapshot)
        trace = dwarf_unwind(find, snapshot.memory, DwarfState(snapshot.pc, registers), 510)
        walked = [(step.state.ip, step.state.sp, step.state.fp) for step in explanation.frames]
        assert walked == [(state.pc, state.sp, state.fp) for state in trace.frames]
        check_numbers(explanation, snapshot)


def check_numbers(explanation: Explanation, snapshot: Snapshot) -> None:
    """What the equations say is what memory and registers hold, and what is handed on."""
    for step in explanation.frames:
        values = {equation.name: equation.value for equation in step.equations}
        for equation in step.equations:
            if equation.base is not None and equation.address is not None:
                assert equation.address == (equation.base + equation.offset) % 2**64
            if equation.loads and equation.value is not None:
                assert equation.address is not None
                assert snapshot.memory.word(equation.address) == equation.value
                assert any(word.address == equation.address for word in step.stack)
        if step.following is not None and step.equations:
            following = step.following
            assert (values["RA"], values["CFA"]) == (following.ip, following.sp)
            assert values["FP"] == following.fp
            assert all(check.passed for check in step.checks)
        for field in step.compared:
            assert field.same == (field.got == field.expected) or step.number == 0
    assert [frame.state.ip for frame in explanation.true_frames] == [
        state.ip for state in snapshot.frames
    ]


def test_every_byte_of_a_row_is_named() -> None:
    step = at("drap_topmost", "realign+0x1c").frames[0]
    lookup = step.lookup
    assert lookup is not None
    assert lookup.fde is not None
    assert lookup.row is not None
    fields = lookup.row.fields
    # Rows of the specification's own example of stack realignment.
    assert b"".join(field.raw for field in fields) == bytes.fromhex("1b0a5100003300")
    assert [field.offset for field in fields] == list(range(0x5E, 0x65))
    assert [(field.name, field.meaning) for field in fields[2:]] == [
        ("CFA control", "base is register 10 (r10), no load"),
        ("CFA offset", "CFA = r10+0"),
        ("RA control", "padding: RA = *(CFA-8), the fixed offset of the header"),
        ("FP control", "base is register 6 (rbp), load the word there"),
        ("FP offset", "FP = *(rbp+0)"),
    ]
    assert (lookup.row.index, lookup.row.start, lookup.row.end) == (4, 27, 32)
    assert sum(len(field.raw) for field in lookup.fde.entry) == 16
    assert sum(len(field.raw) for field in lookup.fde.attributes) == 5


def test_realignment_loses_the_frame_pointer() -> None:
    explanation = at("drap_topmost", "realign+0x1c")
    departure = explanation.departure
    assert departure is not None
    assert (departure.number, departure.verdict) == (0, Verdict.WRONG)
    assert [(str(one.field), one.same) for one in departure.compared] == [
        ("pc", True),
        ("sp", True),
        ("fp", False),
    ]
    assert (
        departure.contradiction == "the row says FP = *(rbp+0), but rbp already holds the caller's"
    )
    assert not explanation.right
    assert not explanation.end.right
    # The CFA came from a register other than rsp and rbp.
    cfa = departure.equations[0]
    assert (cfa.rule, cfa.base) == ("r10+0", explanation.registers[DWARF_NAMES.index("r10")])


def test_call_frame_instructions_up_to_the_pc() -> None:
    step = at("drap_topmost", "realign+0x1c", Unwinder.DWARF).frames[0]
    assert step.cfi is not None
    start = step.cfi.start
    assert [
        (None if one.address is None else one.address - start, one.text, one.in_effect)
        for one in step.cfi.instructions
    ] == [
        (None, "DW_CFA_def_cfa: rsp+8", True),
        (None, "DW_CFA_offset: rip at CFA-8", True),
        (5, "DW_CFA_def_cfa: r10+0", True),
        (17, "DW_CFA_expression: rbp [rbp+0]", True),
        (19, "DW_CFA_def_cfa_expression: [rbp-8, deref]", True),
        (27, "DW_CFA_def_cfa: r10+0", True),
        (32, "DW_CFA_def_cfa: rsp+8", False),
    ]


@pytest.mark.parametrize("name", ["nested_remember", "rbp_in_xmm", "expression_for_return_address"])
def test_every_call_frame_instruction_has_a_text(name: str) -> None:
    texts = {
        one.text
        for snapshot in snapshots_of(name)
        for step in explain(snapshot, Unwinder.DWARF).frames
        if step.cfi is not None
        for one in step.cfi.instructions
    }
    assert texts
    assert all(text.startswith("DW_CFA_") for text in texts)


def test_the_search_is_a_binary_search() -> None:
    explanation = at("coroutine_stack_reused", "_start")
    lookup = explanation.frames[0].lookup
    assert lookup is not None
    assert lookup.section is not None
    count = lookup.section.num_fdes
    assert count > 2
    low, high = 0, count - 1
    for probe in lookup.probes:
        assert (probe.low, probe.high) == (low, high)
        assert probe.index == low + (high - low) // 2
        assert probe.at_or_below == (lookup.address >= probe.start)
        low, high = (probe.index + 1, high) if probe.at_or_below else (low, probe.index - 1)
    assert low > high


def test_a_row_refused_below_the_top() -> None:
    for snapshot in snapshots_of("drap_deeper"):
        explanation = explain(snapshot)
        if explanation.end.kind is EndKind.REFUSED:
            break
    departure = explanation.departure
    assert departure is not None
    assert departure.number > 0
    assert departure.verdict is Verdict.REFUSED
    failed = [check for check in departure.checks if not check.passed]
    assert [check.text for check in failed] == [
        "rbp in a register rule: registers are known in the topmost frame only"
    ]
    assert failed[0] is departure.checks[-1]
    assert explanation.end.text.startswith("there is a row, but it is refused: FP: register rbp")


def test_a_hole_is_crossed_by_frame_pointers_and_the_walk_goes_astray() -> None:
    found = [explain(snapshot) for snapshot in snapshots_of("hole")]
    gaps = [one for one in found if one.departure and one.departure.verdict is Verdict.GAP]
    assert gaps
    step = gaps[0].departure
    assert step is not None
    assert step.lookup is not None
    assert step.lookup.errno == "ENOENT"
    assert step.lookup.row is None
    behind = [one for one in gaps[0].frames if one.number > step.number]
    assert all(one.relation is Relation.ASTRAY for one in behind)


def test_a_dropped_section_is_told() -> None:
    found = [explain(snapshot) for snapshot in snapshots_of("startproc_simple")]
    dropped = [step for one in found for step in one.frames if step.lookup and step.lookup.dropped]
    assert dropped
    assert dropped[0].lookup is not None
    assert dropped[0].lookup.errno == "EINVAL"
    assert any("drops the section" in remark for remark in dropped[0].remarks)


def test_a_signal_frame_is_no_row() -> None:
    """The restorer has no row; rbp is 0 there, so nothing leads on."""
    found = [
        explain(snapshot)
        for snapshot in snapshots_of("signal_handler")
        if any(entry.kind.value == "signal" for entry in snapshot.entries)
    ]
    assert found
    for explanation in found:
        departure = explanation.departure
        assert departure is not None
        assert departure.location.function == "restorer"
        assert departure.verdict is Verdict.GAP
        assert explanation.end.kind is EndKind.LOST
        assert "a signal interrupted a frame" in departure.contradiction


def test_frame_pointers_fail_in_a_prologue() -> None:
    found = [
        explain(snapshot, Unwinder.FRAME_POINTERS) for snapshot in snapshots_of("frame_pointer")
    ]
    verdicts = {one.departure.verdict if one.departure else None for one in found}
    assert None in verdicts
    assert len(verdicts) > 1
    assert all(step.lookup is None for one in found for step in one.frames)


def test_frame_pointers_miss_a_frame() -> None:
    """At a function's first instruction rbp is still the caller's: the caller is missing."""
    explanation = at("frame_pointer", "inner", Unwinder.FRAME_POINTERS)
    departure = explanation.departure
    assert departure is not None
    assert (departure.number, departure.true_number) == (0, 0)
    behind = explanation.frames[1]
    assert (behind.relation, behind.true_number) == (Relation.ASTRAY, 2)
    title = line_text(frame_title(behind))
    assert title.endswith("astray: pc is that of the true frame 2, 1 frame is missing")
    assert not any("true" in mark for word in behind.stack for mark in word.marks)
