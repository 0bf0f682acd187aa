"""What the parts of the compiled hook cost: it is built again without one part after the other.

The guests' tables are right, so that leaving a comparison out changes nothing but the time. Parts
are left out of the way of the ordinary instruction; calls, returns and what follows them directly
go through the whole hook in every variant.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cfunc

from emu.check.fast import FastEngine
from emu.check.fast.compile import HOOK
from emu.check.fast.guest import PLACE_SIZE
from emu.check.fast.hook import thorough
from emu.check.fast.layout import ENTRY, PLACE, SITE, STATE
from emu.check.fast.native import carray, compiled, pointer
from emu.check.fast.ordinary import MOVES, ORDINARY, RELEVANT, advance
from emu.check.fast.register_file import RBP, RSP
from emu.check.fast.unsigned import EIGHT, MANY, ONE, ZERO
from emu.machine import Image, InstructionHook, Process
from emu.machine.engine import NativeHook
from emu.unwind import policy


@compiled
def followed(s: Any, pc: Any, rsp: Any) -> Any:
    """The true stack: whether this instruction leaves it as it was."""
    entry = carray(pointer(s.newest), 1, ENTRY)[0]
    if rsp != s.previous_rsp:
        if pc != s.following or rsp > entry.slot:
            return False
        if carray(pointer(s.previous_place), 1, PLACE)[0].facts & MOVES:
            return False
    return True


@compiled
def truth_alone(s: Any, pc: Any, size: Any) -> Any:
    """`ordinary` without a row and without its check."""
    distance = pc - s.code_start
    if s.below == ZERO or distance >= s.code_size:
        return False
    address = s.code_host + distance * PLACE_SIZE
    if carray(pointer(address), 1, PLACE)[0].facts & RELEVANT != ORDINARY:
        return False
    rsp = carray(pointer(s.registers), 16, np.uint64)[RSP]
    if not followed(s, pc, rsp):
        return False
    advance(s, pc, size, rsp, address)
    s.plain[s.below - ONE] += ONE
    return True


@compiled
def without_memory(s: Any, pc: Any, size: Any) -> Any:
    """`ordinary` with a row and its CFA, but no word of the stack is read."""
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
    if not followed(s, pc, rsp):
        return False
    entry = carray(pointer(s.newest), 1, ENTRY)[0]
    cfa = rsp if site.cfa_is_fp == ZERO else rbp
    if cfa + site.cfa_offset != entry.slot + EIGHT:
        return False
    advance(s, pc, size, rsp, address)
    s.plain[s.below - ONE] += ONE
    return True


def _hook(ordinary: Callable[..., Any]) -> int:
    def before_instruction(engine: Any, pc: Any, size: Any, data: Any) -> None:
        s = carray(data, 1, STATE)[0]
        if not ordinary(s, pc, np.uint64(size)):
            thorough(engine, pc, np.uint64(size), data)

    address = cfunc(HOOK)(before_instruction).address
    assert address is not None, "it is compiled"
    return address


class PartialEngine(FastEngine):
    """The fast engine with a hook of one's own."""

    address = 0

    def hook(self) -> InstructionHook:
        self._state.pause = (1 << 64) - 1
        return NativeHook(self.address, ctypes.addressof(self._state))


def variants() -> list[tuple[str, Callable[[Image], float]]]:
    """Seconds of processor time that a guest takes with a hook that leaves something out."""
    found: list[tuple[str, Callable[[Image], float]]] = []
    for name, ordinary in (
        ("the true stack followed", truth_alone),
        ("rows looked up too, and the CFA compared", without_memory),
    ):
        address = _hook(ordinary)
        found.append((name, lambda image, address=address: _seconds(image, address)))  # type: ignore[misc]  # a default binds it
    return found


def _seconds(image: Image, address: int) -> float:
    process = Process(image, args=[image.path], stdout=len, stderr=len)
    engine = PartialEngine(process, policy("kernel-v15"))
    engine.address = address
    started = time.process_time()
    outcome = engine.run()
    seconds = time.process_time() - started
    assert outcome.exit_code == 0, outcome.message
    assert not engine.tally.findings, "the tables are right"
    return seconds
