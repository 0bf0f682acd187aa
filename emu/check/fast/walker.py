"""The kernel's walk, compiled: from registers and memory in the host to every frame of a stack.

It gives what `emu.unwind.unwind_user` gives. Rows are looked up by the store once for each address
and kept in dense tables, as in `codemap`; what a lookup drops is dropped by the store itself.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from emu.check.error import CheckError
from emu.check.fast.guest import place_at
from emu.check.fast.layout import PLACE, SITE, STATE, Range, State
from emu.check.fast.native import carray, compiled, pointer
from emu.check.fast.sites import Sites
from emu.check.fast.steps import apply, follow_pointer
from emu.check.fast.switches import set_switches, supports
from emu.check.fast.unsigned import (
    FAULT,
    GAP,
    IS_OUTERMOST,
    IS_ROW,
    IS_SLOW,
    LIMIT,
    MANY,
    NOTHING,
    ONE,
    OUTERMOST,
    READ,
    REFUSED,
    SLOW,
    UNSURE,
    ZERO,
)
from emu.check.repeat import NOWHERE
from emu.check.walk import KERNEL_LIMIT
from emu.unwind import Ending, Errno, Method, Registers, Row, SectionStore, Walk
from emu.unwind import State as FrameState

WORDS = 3
"""Of a frame: ip, sp, fp."""
_WALK = ctypes.CFUNCTYPE(
    ctypes.c_uint64,
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.c_uint64,
)
UNKNOWN = np.uint64(15)
"""Nothing is known about an address: the walk is to be made again when it is."""

_ENDINGS = {
    int(OUTERMOST): Ending.OUTERMOST,
    int(REFUSED): Ending.REFUSED,
    int(GAP): Ending.LOST,
    int(LIMIT): Ending.LIMIT,
}


class Walked(NamedTuple):
    """The frames of one walk, and how it ended."""

    frames: np.ndarray[tuple[int, int], np.dtype[np.uint64]]
    """A line of ip, sp and fp for each recorded frame, innermost first."""
    ending: Ending


@compiled
def step_from(s: Any, ip: Any, sp: Any, fp: Any, topmost: Any) -> Any:
    """One step; READ if there is a caller, in `got_ip`, `_sp` and `_fp`, else a way to end."""
    row = NOTHING
    if s.records != ZERO:
        address = place_at(s, ip)
        if address != ZERO:
            row = carray(pointer(address), 1, PLACE)[0].row
            if row == NOTHING:
                s.wanted = ip
                return UNKNOWN
        elif s.uncovered != ZERO:
            return SLOW
    site = carray(pointer(s.sites), MANY, SITE)[row]
    if site.kind == IS_ROW:
        status = apply(s, site, sp, fp, topmost)
        failed = REFUSED
    elif site.kind == IS_OUTERMOST:
        return OUTERMOST
    elif site.kind == IS_SLOW:
        return SLOW
    else:
        status, failed = FAULT, GAP
        if s.frame_pointers != ZERO:
            status = follow_pointer(s, sp, fp, topmost)
    if status == UNSURE:
        return SLOW
    return READ if status == READ else failed


def walk_frames(data: Any, ip: Any, frames: Any, limit: Any, times: Any) -> Any:
    """The walk, `times` times; returns how it ended, and leaves the number of frames in `depth`.

    It starts from `ip` and from rsp and rbp in the `State` that `data` points to.
    """
    s = carray(data, 1, STATE)[0]
    out = carray(frames, MANY, np.uint64)
    ending = SLOW
    while times != ZERO:
        times -= ONE
        at, sp, fp, topmost = ip, s.rsp, s.rbp, ONE
        count = ZERO
        while True:
            line = count + count + count
            out[line], out[line + ONE], out[line + ONE + ONE] = at, sp, fp
            count += ONE
            if count == limit:
                ending = LIMIT
                break
            ending = step_from(s, at, sp, fp, topmost)
            if ending != READ:
                break
            at, sp, fp, topmost = s.got_ip, s.got_sp, s.got_fp, ZERO
        s.depth = count
    return ending


class CompiledWalk:
    """Walks with one store, by a policy for which `supports` holds.

    `texts` are the extents of code for which lookups are remembered, `readable` those of memory
    with the host addresses of their bytes, which must stay. A stack word that no extent contains
    whole is read through the store. After a change of the memory's layout, of a section or of the
    records, other than by a walk itself, make another one.
    """

    def __init__(
        self,
        store: SectionStore,
        texts: Iterable[tuple[int, int]],
        readable: Iterable[tuple[int, int, int]],
    ) -> None:
        from emu.check.fast.compile import walk_address

        if not supports(store.policy):
            raise CheckError(f"a compiled walk does not know policy {store.policy}")
        self._store = store
        self._state = state = State()
        self._sites = Sites(strict=False)
        self._registers = (ctypes.c_uint64 * 16)()
        self._frames = np.zeros((512, WORDS), np.uint64)
        self._walk = _WALK(walk_address())
        self._texts = sorted(texts)
        self._places = [np.zeros(end - start, PLACE) for start, end in self._texts]
        self._code = _ranges(
            (start, end, places.ctypes.data)
            for (start, end), places in zip(self._texts, self._places, strict=True)
        )
        self._readable = _ranges(sorted(readable))
        state.code, state.code_count = ctypes.addressof(self._code), len(self._code)
        state.memory, state.memory_count = ctypes.addressof(self._readable), len(self._readable)
        state.memory_start = 1
        state.registers = ctypes.addressof(self._registers)
        state.order[:] = range(16)
        set_switches(state, store.policy)
        self._refresh()

    def walk(self, registers: Registers, limit: int = KERNEL_LIMIT, *, times: int = 1) -> Walked:
        """All frames from `registers` on, at most `limit`; `times` times, for who measures.

        The frames are overwritten by the next walk.
        """
        if limit < 1:
            return Walked(self._frames[:0], Ending.LIMIT)
        state = self._state
        if limit > len(self._frames):
            self._frames = np.zeros((limit, WORDS), np.uint64)
        self._registers[:] = [registers[number] for number in range(16)]
        state.rsp, state.rbp = registers[7], registers[6]
        arguments = (
            ctypes.addressof(state), registers.ip, self._frames.ctypes.data, limit, times
        )  # fmt: skip
        ending = self._walk(*arguments)
        while ending == UNKNOWN and self._learn(state.wanted):
            ending = self._walk(*arguments)
        if ending in (UNKNOWN, SLOW):
            return self._go_on(registers, limit)
        return Walked(self._frames[: state.depth], _ENDINGS[ending])

    def _learn(self, pc: int) -> bool:
        """Look up what the walk has asked for. False if that has dropped a section."""
        index = bisect_right(self._texts, (pc, NOWHERE)) - 1
        store = self._store
        found = store.lookup(pc)
        if isinstance(found, Row):
            row = self._sites.of_walk(found.frame, gap=False)
        elif found.errno is Errno.ENOENT:
            row = self._sites.of_walk(found, gap=True)
        else:
            return False
        self._places[index]["row"][pc - self._texts[index][0]] = row
        self._state.sites = self._sites.address
        return True

    def _go_on(self, registers: Registers, limit: int) -> Walked:
        """The rest of a walk whose newest frame needs the store itself, or unknown memory."""
        store, state = self._store, self._state
        walk = Walk(store, store.memory, registers)
        walk.available = (Method.SFRAME if state.records else Method.NONE) | (
            Method.FRAME_POINTER if store.policy.frame_pointers else Method.NONE
        )
        frames = [tuple(line) for line in self._frames[: state.depth].tolist()]
        ip, sp, fp = frames.pop()
        walk.resume(FrameState(ip, sp, fp, topmost=not frames))
        ending = Ending.LIMIT
        while not walk.done:
            frames.append(walk.state[:WORDS])
            if len(frames) == limit:
                break
            walk.step()
        if walk.end is not None:
            ending = walk.end.ending
        if len(store) != state.records:
            self._refresh()
        return Walked(np.array(frames, np.uint64), ending)

    def _refresh(self) -> None:
        """The store has other records than before: nothing is known any more."""
        state = self._state
        records = self._store.records
        for places in self._places:
            places["row"] = 0
        state.records = len(records)
        state.uncovered = sum(not self._covers(each.text_start, each.text_end) for each in records)
        state.sites = self._sites.address

    def _covers(self, start: int, end: int) -> bool:
        for low, high in self._texts:
            if low <= start < high:
                start = high
        return start >= end


def _ranges(extents: Iterable[tuple[int, int, int]]) -> ctypes.Array[Range]:
    ranges = [Range(*extent) for extent in extents]
    return (Range * len(ranges))(*ranges)
