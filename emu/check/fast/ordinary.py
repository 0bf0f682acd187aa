"""The shortest way through an instruction: nothing moves on the true stack, everything is right.

All that follows from the state of the stack is decided once, when `checks` has made every check
of an instruction: that no frame is fresh, that the walk's departure below the topmost frame is
known and needs no explanation. `State.below` says so until a call, a return or Python changes it.
What is left is the topmost frame: a row of plain stack slots that finds the true caller.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emu.check.fast.guest import PLACE_SIZE
from emu.check.fast.layout import ENTRY, HISTORY, PLACE, SITE, Fact
from emu.check.fast.native import carray, compiled, load_word, pointer
from emu.check.fast.register_file import RBP, RSP
from emu.check.fast.unsigned import EIGHT, MANY, ONE, SEVEN, ZERO

RELEVANT = np.uint32(Fact.KNOWN | Fact.SELECTED | Fact.SYSTEM_CALL)
ORDINARY = np.uint32(Fact.KNOWN | Fact.SELECTED)
MOVES = np.uint32(Fact.SETS_RSP | Fact.RSP_FROM_RBP)
HISTORY_MASK = np.uint64(HISTORY - 1)


@compiled
def finds_caller(s: Any, site: Any, entry: Any, rsp: Any, rbp: Any) -> Any:
    """Whether a row of plain slots leads from the topmost frame to the true caller.

    False, too, if it would take more than a look to tell.
    """
    cfa = rsp
    if site.cfa_is_fp != ZERO:
        if rbp < rsp:
            return False
        cfa = rbp
    cfa += site.cfa_offset
    if cfa != entry.slot + EIGHT or cfa < rsp or cfa & SEVEN != ZERO:
        return False
    address = cfa + site.ra_offset
    if address < s.memory_start or address > s.memory_last:
        return False
    if load_word(address + s.memory_offset) != entry.return_address:
        return False
    if site.fp_is_slot == ZERO:
        return rbp == entry.rbp
    address = cfa + site.fp_offset
    if address < s.memory_start or address > s.memory_last:
        return False
    return load_word(address + s.memory_offset) == entry.rbp


@compiled
def advance(s: Any, pc: Any, size: Any, rsp: Any, place: Any) -> Any:
    """The instruction is the one before from now on; `place` is the address of its place."""
    s.previous_pc = pc
    s.following = pc + size
    s.previous_rsp = rsp
    s.previous_place = place
    s.history[s.position & HISTORY_MASK] = pc
    s.position += ONE
    s.instructions += ONE


@compiled
def ordinary(s: Any, pc: Any, size: Any) -> Any:
    """Do the whole instruction; or nothing, and return False."""
    distance = pc - s.code_start
    if s.below == ZERO or distance >= s.code_size:
        return False
    address = s.code_host + distance * PLACE_SIZE
    place = carray(pointer(address), 1, PLACE)[0]
    if place.facts & RELEVANT != ORDINARY:
        return False
    site = carray(pointer(s.sites), MANY, SITE)[place.top]
    if site.plain == ZERO:
        return False
    registers = carray(pointer(s.registers), 16, np.uint64)
    rsp, rbp = registers[RSP], registers[RBP]
    entry = carray(pointer(s.newest), 1, ENTRY)[0]
    if rsp != s.previous_rsp:
        if pc != s.following or rsp > entry.slot:
            return False
        if carray(pointer(s.previous_place), 1, PLACE)[0].facts & MOVES:
            return False
    if not finds_caller(s, site, entry, rsp, rbp):
        return False
    advance(s, pc, size, rsp, address)
    s.plain[s.below - ONE] += ONE
    return True
