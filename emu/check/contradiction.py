"""One sentence that says how a row and the truth contradict each other."""

from __future__ import annotations

from emu.check.step import Outcome
from emu.check.verdict import Field
from emu.truth import Entry, EntryKind
from emu.unwind import DWARF_NAMES, Frame, Memory, MemoryFault, Registers, State

SEARCHED_WORDS = 64


def contradiction(
    frame: Frame,
    outcome: Outcome,
    field: Field,
    state: State,
    caller: Entry,
    memory: Memory,
    registers: Registers,
) -> str:
    """Why `field` is wrong: what the row says, and where the true value is."""
    assert outcome.got is not None, "only a recovered state can be wrong"
    true_cfa = caller.slot + 8
    if outcome.got.sp != true_cfa and field is not Field.FP:
        return (
            f"row says CFA = {frame.cfa}, but {_return_address(state, caller, memory, registers)}"
        )
    if field is Field.PC:
        return f"row says RA = {frame.ra}, but {_return_address(state, caller, memory, registers)}"
    if field is Field.SP:
        return f"row says CFA = {frame.cfa}, but the caller's rsp is rsp{true_cfa - state.sp:+d}"
    said = "FP is unchanged" if str(frame.fp) == "unchanged" else f"FP = {frame.fp}"
    return f"row says {said}, but {_frame_pointer(state, caller, memory)}"


def _return_address(state: State, caller: Entry, memory: Memory, registers: Registers) -> str:
    if caller.pending and state.topmost:
        for number in range(16):
            if registers[number] == caller.return_address:
                return f"the return address is in {DWARF_NAMES[number]}"
    place = f"rsp{caller.slot - state.sp:+d}"
    if _overwritten(caller, memory):
        return f"the return address that was at {place} has been overwritten"
    return f"the return address is at {place}"


def _overwritten(caller: Entry, memory: Memory) -> bool:
    """Whether the program has put something else where the call left its return address."""
    if caller.kind is EntryKind.SIGNAL:
        return False  # the slot only stands for the interrupted rsp
    try:
        return memory.word(caller.slot) != caller.return_address
    except MemoryFault:
        return False


def _frame_pointer(state: State, caller: Entry, memory: Memory) -> str:
    if state.fp == caller.rbp:
        return "rbp already holds the caller's"
    address = caller.slot - 8
    for _ in range(SEARCHED_WORDS):
        if address < state.sp - 128:
            break
        try:
            if memory.word(address) == caller.rbp:
                return f"the caller's rbp is at rsp{address - state.sp:+d}"
        except MemoryFault:
            break
        address -= 8
    return f"the caller's rbp is {caller.rbp:#x}"
