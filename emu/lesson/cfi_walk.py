"""The walk by `.eh_frame`, frame by frame (DWARF 5, section 6.4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from emu.cfi import CfiError, DwarfMatch, FrameTable
from emu.check.modules import ModuleMap
from emu.check.snapshot import Snapshot
from emu.lesson.attempt import Attempt
from emu.lesson.cfi_equations import CfiTrace
from emu.lesson.cfi_instructions import executed
from emu.lesson.equations import Evaluation
from emu.lesson.evaluation import FrameState
from emu.lesson.explanation import CfiRow, EndKind, Method
from emu.lesson.locations import Names
from emu.unwind import DwarfReason, DwarfState, DwarfWalk
from emu.unwind.dwarf import FindTable

_KINDS = {
    DwarfReason.OUTERMOST: EndKind.OUTERMOST,
    DwarfReason.NO_MODULE: EndKind.LOST,
    DwarfReason.NO_FDE: EndKind.LOST,
}


def cfi_attempts(snapshot: Snapshot, names: Names) -> Iterator[Attempt]:
    """The walk that debuggers and exception handling make."""
    modules, memory = snapshot.modules, snapshot.memory
    registers = {number: snapshot.registers[number] for number in range(16)}

    def find(pc: int) -> tuple[FrameTable, int] | None:
        return _table(modules, pc)

    def row_at(pc: int) -> str:
        match, _ = _match(modules, pc)
        return "no row" if match is None else str(match.row)

    walk = DwarfWalk(find, memory, DwarfState(snapshot.pc, registers))
    going = True
    while going:
        state = walk.state
        looked_up = state.pc - state.return_address
        match, bias = _match(modules, looked_up)
        going = walk.step()
        end = walk.end
        evaluation = Evaluation()
        if match is not None and (end is None or end.reason is not DwarfReason.OUTERMOST):
            result = walk.state if end is None else end
            evaluation = CfiTrace(state, memory, bias, names).trace(match, result)
        yield Attempt(
            state=FrameState(state.pc, state.sp, state.fp),
            return_address=state.return_address,
            method=Method.DWARF if match is not None else Method.NONE,
            row_at=row_at,
            evaluation=evaluation,
            following=(FrameState(walk.state.pc, walk.state.sp, walk.state.fp) if going else None),
            rules="" if match is None else str(match.row),
            refusal="" if end is None or match is None else str(end),
            cfi=None if match is None else _row(find, match, looked_up, bias),
            ending=None if end is None else _KINDS.get(end.reason, EndKind.REFUSED),
            end_text="" if end is None else str(end),
            remarks=_remarks(state, match),
        )


def _table(modules: ModuleMap, pc: int) -> tuple[FrameTable, int] | None:
    module = modules.module_at(pc)
    if module is None or module.frame_table is None:
        return None
    return module.frame_table, module.bias


def _match(modules: ModuleMap, pc: int) -> tuple[DwarfMatch | None, int]:
    found = _table(modules, pc)
    if found is None:
        return None, 0
    table, bias = found
    try:
        return table.lookup(pc - bias), bias
    except CfiError:
        return None, bias


def _row(find: FindTable, match: DwarfMatch, looked_up: int, bias: int) -> CfiRow:
    fde, row = match.fde, match.row
    found = find(looked_up)
    return CfiRow(
        fde.table,
        fde.offset,
        fde.start,
        fde.end,
        fde.start + row.start,
        looked_up - bias,
        () if found is None else executed(found[0], match, looked_up - bias),
        str(row),
        fde.cie.signal,
    )


def _remarks(state: DwarfState, match: DwarfMatch | None) -> tuple[str, ...]:
    remarks = []
    if state.return_address:
        remarks.append(
            f"a return address is looked up one byte earlier, where the call is: {state.pc - 1:#x}"
        )
    if match is not None and match.fde.cie.signal:
        remarks.append("augmentation S: below this frame the pc is an interrupted instruction")
    return tuple(remarks)
