"""One step of a walk: by the kernel model, with tables or without, and by .eh_frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from emu.check.live import LiveRegisters
from emu.unwind import (
    DwarfReason,
    DwarfRefusal,
    DwarfState,
    Ending,
    Memory,
    Method,
    SectionStore,
    State,
    Walk,
    dwarf_step,
)
from emu.unwind.dwarf import FindTable


class HopKind(StrEnum):
    """How a step of a walk was made, or how the walk ended."""

    SFRAME = "sframe"
    FRAME_POINTER = "frame-pointer"
    SIGNAL = "signal-frame"
    DWARF = "dwarf"
    OUTERMOST = "outermost"
    """The end: a row says that nothing called."""
    REFUSED = "refused"
    """The end: a row that may not be used."""
    LOST = "lost"
    """The end: nothing says where the caller is."""
    LIMIT = "limit"
    """The end: more frames than a consumer records."""

    @property
    def ends(self) -> bool:
        """Whether there is no caller's state."""
        return self in _ENDS


_ENDS = frozenset({HopKind.OUTERMOST, HopKind.REFUSED, HopKind.LOST, HopKind.LIMIT})


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a walk: the state it came to, or why it ended."""

    kind: HopKind
    state: State | None
    cfa: int | None = None
    """The CFA, where it is not the rsp of `state` (rules for rsp of DWARF)."""
    reason: str = ""


class LoggedMemory:
    """Memory that remembers which words were read."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.words: set[int] = set()

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes; MemoryFault."""
        self.words.update(range(address & -8, address + size, 8))
        return self._memory.read(address, size)

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`; MemoryFault."""
        self.words.add(address & -8)
        if address & 7:
            self.words.add((address & -8) + 8)
        return self._memory.word(address)


class Stepper(Protocol):
    """One way to walk; positions are whatever it needs to go on."""

    def top(self, registers: LiveRegisters) -> tuple[Hop, object]:
        """The step from the topmost frame."""

    def step(self, position: object) -> tuple[Hop, object]:
        """The step from a frame that an earlier step came to."""


_ENDINGS = {
    Ending.OUTERMOST: HopKind.OUTERMOST,
    Ending.ZERO_FP: HopKind.OUTERMOST,
    Ending.REFUSED: HopKind.REFUSED,
    Ending.LOST: HopKind.LOST,
    Ending.LIMIT: HopKind.LIMIT,
    Ending.NO_USER: HopKind.LOST,
}
_METHODS = {
    Method.SFRAME: HopKind.SFRAME,
    Method.FRAME_POINTER: HopKind.FRAME_POINTER,
    Method.SIGNAL: HopKind.SIGNAL,
}


class KernelStepper:
    """The kernel model with a store; without sections it follows frame pointers alone."""

    def __init__(self, store: SectionStore, memory: Memory) -> None:
        self._store = store
        self._registers = LiveRegisters()
        self._walk = Walk(store, memory, self._registers)
        self.forget()

    def forget(self) -> None:
        """What a walk may use is decided when it starts: the store may have changed."""
        methods = Method.SFRAME if len(self._store) else Method.NONE
        if self._store.policy.frame_pointers:
            methods |= Method.FRAME_POINTER
        self._walk.available = methods

    def top(self, registers: LiveRegisters) -> tuple[Hop, object]:
        self._registers.values = registers.values
        return self.step(State(registers.ip, registers[7], registers[6], topmost=True))

    def step(self, position: object) -> tuple[Hop, object]:
        assert isinstance(position, State)
        walk = self._walk
        walk.resume(position)
        walk.step()
        end = walk.end
        if end is None:
            return Hop(_METHODS[walk.current_type], walk.state), walk.state
        reasons = [str(part) for part in (end.lookup, end.refusal) if part is not None]
        return Hop(_ENDINGS[end.ending], None, reason="; ".join(reasons)), None


_NO_ROW = frozenset({DwarfReason.NO_MODULE, DwarfReason.NO_FDE})


class DwarfStepper:
    """Call frame information of whichever module a pc lies in."""

    def __init__(self, find: FindTable, memory: Memory) -> None:
        self._find = find
        self._memory = memory

    def top(self, registers: LiveRegisters) -> tuple[Hop, object]:
        known = tuple((number, registers[number]) for number in range(16))
        return self.step((registers.ip, known, False))

    def step(self, position: object) -> tuple[Hop, object]:
        assert isinstance(position, tuple)
        pc, known, return_address = position
        state = DwarfState(pc, dict(known), return_address)
        found = self._find(pc - return_address)
        if found is None:
            return Hop(HopKind.LOST, None, reason=DwarfReason.NO_MODULE.value), None
        got = dwarf_step(found[0], state, self._memory, bias=found[1])
        if isinstance(got, DwarfRefusal):
            if got.reason is DwarfReason.OUTERMOST:
                return Hop(HopKind.OUTERMOST, None), None
            kind = HopKind.LOST if got.reason in _NO_ROW else HopKind.REFUSED
            return Hop(kind, None, reason=str(got)), None
        # An unknown rbp counts as 0, as in `emu check`.
        hop = Hop(
            HopKind.DWARF,
            State(got.pc, got.sp, got.fp or 0, interrupted=not got.return_address),
            None if got.cfa == got.sp else got.cfa,
            "" if got.fp is not None else "rbp is not known",
        )
        return hop, (got.pc, tuple(got.registers.items()), got.return_address)
