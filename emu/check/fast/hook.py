"""What runs before every instruction, compiled by numba.

It does what `emu.truth.Tracker.step` and the observer's check do, for the ordinary case of each
decision: calls and returns that follow the convention, outcomes that were seen before. Anything
else is told to Python as an event, before anything was changed for it, and the reference code does
it on the same state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emu.check.fast.checks import check
from emu.check.fast.guest import place_at, word
from emu.check.fast.layout import ENTRY, PLACE, RANGE, STATE, Event, Fact
from emu.check.fast.native import apart, carray, compiled, pointer, read_registers, separate, tell
from emu.check.fast.ordinary import advance, ordinary
from emu.check.fast.register_file import RBP, RBX, RSP
from emu.check.fast.stores import inherit
from emu.check.fast.unsigned import EIGHT, MANY, NOTHING, ONE, READ, UNSURE, ZERO
from emu.check.fast.walks import FRESH

SETS_RSP = np.uint32(Fact.SETS_RSP)
SELECTED, SYSTEM_CALL = np.uint32(Fact.SELECTED), np.uint32(Fact.SYSTEM_CALL)
RSP_FROM_RBP = np.uint32(Fact.RSP_FROM_RBP)
STEP, CHECK, PROGRESS = np.uint64(Event.STEP), np.uint64(Event.CHECK), np.uint64(Event.PROGRESS)

GENERAL = np.int32(16)


@compiled
def general(s: Any) -> Any:
    """The general registers, in the order of `register_file`."""
    return carray(pointer(s.registers), 16, np.uint64)


@compiled
def called(s: Any, entries: Any, pc: Any) -> Any:
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
    registers = general(s)
    entry = entries[s.depth]
    entry.slot = s.rsp
    entry.return_address = s.following
    entry.rbp = s.rbp
    entry.saved[0] = registers[RBX]
    for number in range(4):
        entry.saved[1 + number] = registers[12 + number]
    entry.call_site = s.previous_pc
    entry.special = ZERO
    entry.rbp_known = ONE
    entry.epoch = FRESH
    if s.watching != ZERO:
        inherit(entries, s.depth)
    s.low = min(s.low, s.depth)
    s.depth += ONE
    s.below = ZERO
    return True


@compiled
def returned(s: Any, entries: Any, pc: Any) -> Any:
    """rsp is above the newest slot: a return as it should be, or False."""
    entry = entries[s.depth - ONE]
    if entry.slot != s.rsp - EIGHT or entry.return_address != pc or entry.special != ZERO:
        return False
    if entry.rbp != s.rbp:
        return False
    registers = general(s)
    if entry.saved[0] != registers[RBX]:
        return False
    for number in range(4):
        if entry.saved[1 + number] != registers[12 + number]:
            return False
    s.returns += ONE
    s.depth -= ONE
    s.low = min(s.low, s.depth)
    s.below = ZERO
    return True


@compiled
def follow(s: Any, entries: Any, pc: Any) -> Any:
    """What the previous instruction did to the true stack; False if that is for Python to say."""
    rsp = s.rsp
    if rsp != s.previous_rsp:
        if pc != s.following and rsp == s.previous_rsp - EIGHT:
            status, top = word(s, rsp)
            if status == UNSURE:
                return False
            if status == READ and top == s.following:
                return called(s, entries, pc)
        if s.previous_place == ZERO:
            return False
        facts = carray(pointer(s.previous_place), 1, PLACE)[0].facts
        if facts & SETS_RSP:
            return False
        if facts & RSP_FROM_RBP and (rsp < s.previous_rsp or s.depth == s.floor):
            return False
    if s.depth > s.floor and rsp > entries[s.depth - ONE].slot:
        return returned(s, entries, pc)
    return True


@separate
def thorough(engine: Any, pc: Any, size: Any, data: Any) -> Any:
    """An instruction that is not `ordinary`."""
    apart()
    s = carray(data, 1, STATE)[0]
    address = place_at(s, pc)
    if s.forced != ZERO or address == ZERO:
        tell(s.event, STEP, pc, size)
        return
    place = carray(pointer(address), 1, PLACE)[0]
    facts = place.facts
    if facts == 0:
        tell(s.event, STEP, pc, size)
        return
    entries = carray(pointer(s.entries), MANY, ENTRY)
    if s.fetch != ZERO:
        read_registers(s.fetch, engine, s.numbers, s.pointers, GENERAL)
    registers = general(s)
    s.rsp, s.rbp = registers[RSP], registers[RBP]
    if not follow(s, entries, pc):
        tell(s.event, STEP, pc, size)
        return
    advance(s, pc, size, s.rsp, address)
    if facts & SELECTED and not check(s, entries, place.top):
        tell(s.event, CHECK, pc, size)
    if facts & SYSTEM_CALL:
        s.forced, s.below = ONE, ZERO


def before_instruction(engine: Any, pc: Any, size: Any, data: Any) -> None:
    """The callback of a code hook; `data` points to the `State`."""
    s = carray(data, 1, STATE)[0]
    if not ordinary(s, pc, np.uint64(size)):
        thorough(engine, pc, np.uint64(size), data)
    if s.instructions >= s.pause:
        tell(s.event, PROGRESS, pc, np.uint64(size))
