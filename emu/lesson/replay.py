"""Snapshots of a recorded run, so that any of its walks can be explained afterwards.

Stacks come from the recording, code and tables from the modules' files. What else a walk may read
(a frame pointer that points into data, say) is as the file has it; `Replay.explain` holds the
result against the walk that was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emu.check.live import LiveRegisters
from emu.check.modules import LoadedModule, ModuleMap
from emu.check.snapshot import Snapshot
from emu.check.tables import Tables
from emu.lesson.explain import explain
from emu.lesson.explanation import Explanation, Unwinder
from emu.lesson.locations import Names
from emu.lesson.recording import RecordedMemory, Recording, TrueCall
from emu.truth import Entry
from emu.unwind import MemoryFault, State, Vma, policy

PAGE = 4096


class ReplayMemory:
    """Memory as it was before step `step`, as far as it is known."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._tables = [
            (module.sframe_extent, module.section.data)
            for module in recording.modules
            if module.converted and module.sframe_extent and module.section
        ]
        self.step = 0

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes; MemoryFault."""
        try:
            return RecordedMemory(self._recording.stack, self.step).read(address, size)
        except MemoryFault:
            pass
        for (start, end), data in self._tables:
            if start <= address and address + size <= end:
                return bytes(data[address - start : address - start + size])
        for module in self._recording.modules:
            if module.module.contains(address):
                found = module.module.image.bytes_at(address - module.bias, size)
                # A file's last page is filled up with zeros.
                mapped = -(address + len(found)) % PAGE if found else 0
                if len(found) + mapped >= size:
                    return found.ljust(size, b"\0")
        raise MemoryFault(address)

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`; MemoryFault."""
        return int.from_bytes(self.read(address, 8), "little")


class RecordedModules(ModuleMap):
    """The modules of a recording, with the tables they had."""

    def __init__(self, modules: Iterable[LoadedModule]) -> None:
        super().__init__()
        for module in modules:
            self.modules[self.modules.index(self.add(module.module))] = module


@dataclass(frozen=True, slots=True)
class RecordedMappings:
    """The mappings of code and tables, as registration looks at them."""

    modules: tuple[LoadedModule, ...]

    def vma_at(self, address: int, /) -> Vma | None:
        """The table or the code that contains `address`."""
        for module in self.modules:
            extent = module.sframe_extent
            if extent is not None and extent[0] <= address < extent[1]:
                return Vma(*extent, executable=False, path=module.path)
            for start, end in module.executable_extents:
                if start <= address < end:
                    return Vma(start, end, executable=True, path=module.path)
        return None

    def writable(self, _address: int) -> bool:
        """Tables stay as they are."""
        return False


class Replay:
    """Makes explanations for the steps of one recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._memory = ReplayMemory(recording)
        self._modules = RecordedModules(recording.modules)
        self._policy = policy(recording.policy)
        self._registered = self._tables()
        for module in self._modules.modules:
            self._registered.register(module)
        self._dropped = self._tables()
        self.names = Names(self._modules, self._memory)

    def explain(
        self, number: int, unwinder: Unwinder = Unwinder.SFRAME, *, limit: int
    ) -> Explanation | None:
        """The walk at a step, at most `limit` frames of it.

        None if it needs memory that the recording does not have, or tables that the guest has
        registered by itself.
        """
        hops = self.recording.walk(unwinder, number).hops
        walked = [hop.state for hop in hops[: limit - 1] if hop.state is not None]
        # A lookup before may have dropped the section.
        for tables in (self._registered, self._dropped):
            snapshot = self._snapshot(number, tables)
            explanation = explain(snapshot, unwinder, limit=limit, names=self.names)
            if _same(explanation, walked, whole=len(hops) <= limit):
                return explanation
        return None

    def snapshot(self, number: int) -> Snapshot:
        """The thread before a step, with all sections registered."""
        return self._snapshot(number, self._registered)

    def _snapshot(self, number: int, tables: Tables) -> Snapshot:
        recording = self.recording
        self._memory.step = number
        registers = LiveRegisters([int(value) for value in recording.registers[number]])
        return Snapshot(
            pc=registers.ip,
            instruction=recording.first + number,
            registers=registers,
            memory=self._memory,
            entries=tuple(self._entries(number)),
            functions=tuple(frame.function for frame in recording.frames(number)),
            tables=tables,
            modules=self._modules,
            policy=self._policy,
        )

    def _entries(self, number: int) -> list[Entry]:
        calls = self.recording.calls
        entries = []
        call = int(self.recording.call_at[number])
        while call >= 0:
            entries.append(_entry(calls[call]))
            call = calls[call].older
        return entries[::-1]

    def _tables(self) -> Tables:
        mappings = RecordedMappings(self.recording.modules)
        return Tables(self._modules, self._memory, mappings, self._policy)


def _entry(call: TrueCall) -> Entry:
    return Entry(
        call.slot,
        call.return_address,
        call.rbp,
        (),
        call.caller_pc,
        call.kind,
        rbp_known=call.rbp_known,
    )


def _same(explanation: Explanation, walked: list[State], *, whole: bool) -> bool:
    """Whether the explanation came to the states that were recorded, and ended where they did."""
    states = [(step.state.ip, step.state.sp, step.state.fp or 0) for step in explanation.frames[1:]]
    recorded = [(state.ip, state.sp, state.fp) for state in walked]
    if whole:
        return states == recorded
    return states == recorded[: len(states)]
