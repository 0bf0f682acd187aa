"""What runs before every instruction, compiled by numba.

It does what `emu.truth.Tracker.step` and the observer's check do, for the ordinary case of each
decision: calls and returns that follow the convention, outcomes that were seen before. Anything
else is told to Python as an event, before anything was changed for it, and the reference code does
it on the same state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from unicorn import x86_const as x86

from emu.check.fast.checks import check
from emu.check.fast.guest import place_at, word
from emu.check.fast.layout import ENTRY, HISTORY, PLACE, RANGE, STATE, Event, Fact, State
from emu.check.fast.native import (
    address_of,
    carray,
    compiled,
    pointer,
    read_register,
    read_registers,
    tell,
)
from emu.check.fast.unsigned import EIGHT, MANY, NOTHING, ONE, READ, UNSURE, ZERO
from emu.check.fast.walks import FRESH

SETS_RSP, SYSTEM_CALL = np.uint32(Fact.SETS_RSP), np.uint32(Fact.SYSTEM_CALL)
RSP_FROM_RBP = np.uint32(Fact.RSP_FROM_RBP)
SELECTED, TOUCHES_FRAME = np.uint32(Fact.SELECTED), np.uint32(Fact.TOUCHES_FRAME)
STEP, CHECK, PROGRESS = np.uint64(Event.STEP), np.uint64(Event.CHECK), np.uint64(Event.PROGRESS)
PROGRESS_MASK = np.uint64((1 << 20) - 1)
HISTORY_MASK = np.uint64(HISTORY - 1)

RSP_AT, RBP_AT = np.uint64(State.rsp.offset), np.uint64(State.rbp.offset)  # type: ignore[attr-defined]  # annotated as what an instance has
RSP, RBP = np.int32(x86.UC_X86_REG_RSP), np.int32(x86.UC_X86_REG_RBP)
FIVE = np.int32(5)


@compiled
def called(s: Any, engine: Any, entries: Any, pc: Any) -> Any:
    """The new top word is the address after the previous instruction: a new entry.

    False for a call within one function, and if the function is not known.
    """
    if s.previous_place == ZERO or s.depth == s.capacity:
        return False
    function = carray(pointer(s.previous_place), 1, PLACE)[0].function
    if function == NOTHING:
        return False
    extent = carray(pointer(s.functions), MANY, RANGE)[function]
    if extent.start < pc < extent.end:
        return False
    read_registers(s.read_registers, engine, s.saved_numbers, s.saved_pointers, FIVE)
    entry = entries[s.depth]
    entry.slot = s.rsp
    entry.return_address = s.following
    entry.rbp = s.rbp
    for number in range(5):
        entry.saved[number] = s.saved[number]
    entry.call_site = s.previous_pc
    entry.special = ZERO
    entry.rbp_known = ONE
    entry.epoch = FRESH
    s.low = min(s.low, s.depth)
    s.depth += ONE
    return True


@compiled
def returned(s: Any, engine: Any, entries: Any, pc: Any) -> Any:
    """rsp is above the newest slot: a return as it should be, or False."""
    entry = entries[s.depth - ONE]
    if entry.slot != s.rsp - EIGHT or entry.return_address != pc or entry.special != ZERO:
        return False
    if entry.rbp != s.rbp:
        return False
    read_registers(s.read_registers, engine, s.saved_numbers, s.saved_pointers, FIVE)
    for number in range(5):
        if entry.saved[number] != s.saved[number]:
            return False
    s.returns += ONE
    s.depth -= ONE
    s.low = min(s.low, s.depth)
    return True


@compiled
def follow(s: Any, engine: Any, entries: Any, pc: Any) -> Any:
    """What the previous instruction did to the true stack; False if that is for Python to say."""
    rsp = s.rsp
    if rsp != s.previous_rsp:
        if pc != s.following and rsp == s.previous_rsp - EIGHT:
            status, top = word(s, rsp)
            if status == UNSURE:
                return False
            if status == READ and top == s.following:
                return called(s, engine, entries, pc)
        if s.previous_place == ZERO:
            return False
        facts = carray(pointer(s.previous_place), 1, PLACE)[0].facts
        if facts & SETS_RSP:
            return False
        if facts & RSP_FROM_RBP and (rsp < s.previous_rsp or s.depth == s.floor):
            return False
    if s.depth > s.floor and rsp > entries[s.depth - ONE].slot:
        return returned(s, engine, entries, pc)
    return True


def before_instruction(engine: Any, pc: Any, size: Any, data: Any) -> None:
    """The callback of a code hook; `data` points to the `State`."""
    s = carray(data, 1, STATE)[0]
    address = place_at(s, pc)
    if s.forced != ZERO or address == ZERO:
        tell(s.event, STEP, pc, np.uint64(size))
        return
    place = carray(pointer(address), 1, PLACE)[0]
    facts = place.facts
    if facts == 0:
        tell(s.event, STEP, pc, np.uint64(size))
        return
    entries = carray(pointer(s.entries), MANY, ENTRY)
    if s.touched != ZERO:
        state = address_of(data)
        read_register(s.read_register, engine, RSP, state + RSP_AT)
        read_register(s.read_register, engine, RBP, state + RBP_AT)
        if not follow(s, engine, entries, pc):
            tell(s.event, STEP, pc, np.uint64(size))
            return
    s.previous_pc = pc
    s.following = pc + np.uint64(size)
    s.previous_rsp = s.rsp
    s.previous_place = address
    s.history[s.position & HISTORY_MASK] = pc
    s.position += ONE
    s.instructions += ONE
    s.touched = np.uint64(facts & TOUCHES_FRAME)
    if facts & SYSTEM_CALL:
        s.forced = ONE
    if facts & SELECTED and not check(s, entries, place.top):
        tell(s.event, CHECK, pc, np.uint64(size))
    elif s.progress != ZERO and s.instructions & PROGRESS_MASK == ZERO:
        tell(s.event, PROGRESS, pc, np.uint64(size))
