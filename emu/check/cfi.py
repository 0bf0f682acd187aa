"""Call frame information as a consumer of its own: the policy `dwarf`, and the second witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emu.check.guest_store import GuestStore
from emu.check.modules import LoadedModule, ModuleMap
from emu.check.step import GAP, OK, OUTERMOST, Outcome, wrong_fields
from emu.check.tables import Place
from emu.check.verdict import Verdict
from emu.check.walk import Departure, WalkCheck
from emu.truth import Entry, EntryKind
from emu.truth.entry import CALLEE_SAVED
from emu.unwind import Errno, LookupFailure, Memory, Policy, Registers, State
from emu.unwind.dwarf import DwarfReason, DwarfRefusal, DwarfState, dwarf_step

NAME = "dwarf"
"""The policy that walks by .eh_frame."""

NO_ROW = frozenset({DwarfReason.NO_FDE, DwarfReason.NO_MODULE})


class CfiWitness:
    """What `.eh_frame` says of a true frame. `registers` are the topmost frame's."""

    def __init__(self, modules: ModuleMap, memory: Memory, registers: Registers) -> None:
        self._modules = modules
        self._memory = memory
        self._registers = registers
        self._places: dict[tuple[int, int], Place] = {}

    def forget(self) -> None:
        """Other modules are loaded now."""
        self._places.clear()

    def step(self, state: State, entry: Entry | None) -> DwarfState | DwarfRefusal:
        """The caller's state; `entry` is the call that the frame made, None at the top."""
        inside = state.ip if entry is None else entry.caller_pc
        module = self._modules.module_at(inside)
        table = module.frame_table if module is not None else None
        if module is None or table is None:
            return DwarfRefusal(DwarfReason.NO_FDE)
        frame = DwarfState(state.ip, self.known(entry), return_address=_returns(state))
        return dwarf_step(table, frame, self._memory, bias=module.bias)

    def known(self, entry: Entry | None) -> Mapping[int, int]:
        """The registers of the frame that made the call `entry`, None at the top."""
        return known_registers(entry, self._registers)

    def place(self, state: State, inside: int) -> Place:
        """The row in force, as a place of the policy `dwarf`."""
        key = (state.ip, inside)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._look_up(state, inside)
        return place

    def outcome(self, state: State, entry: Entry | None, caller: Entry | None) -> Outcome:
        """The step check of a frame by this witness alone."""
        found = self.step(state, entry)
        if isinstance(found, DwarfRefusal):
            if found.reason in NO_ROW:
                return GAP
            if found.reason is not DwarfReason.OUTERMOST:
                return Outcome(Verdict.REFUSED, reason=f".eh_frame has no caller: {found}")
            if caller is None:
                return OUTERMOST
            return Outcome(Verdict.TRUNCATED, reason=f".eh_frame says {found}, but there is one")
        if caller is None:
            return Outcome(Verdict.OVERRUN, reason=".eh_frame has a caller where the stack began")
        got = State(found.pc, found.sp, found.fp or 0)
        if caller.is_caller(got.ip, got.sp, got.fp):
            return OK
        return Outcome(Verdict.WRONG, wrong_fields(got, caller), got)

    def _look_up(self, state: State, inside: int) -> Place:
        module = self._modules.module_at(inside)
        missing = LookupFailure(Errno.ENOENT, "no FDE of .eh_frame covers this address")
        row = None if module is None else _row(module, state.ip - _returns(state))
        return Place(state.ip, missing, module, self._modules.name_at(inside), cfi_row=row)


class CfiWalkCheck(WalkCheck):
    """Walks by `.eh_frame`; the store only tells that nothing is remembered too long."""

    def __init__(
        self,
        store: GuestStore,
        memory: Memory,
        registers: Registers,
        policy: Policy,
        witness: CfiWitness,
    ) -> None:
        super().__init__(store, memory, registers, policy)
        self._witness = witness
        self._entries: Sequence[Entry] = ()

    def check(
        self, entries: Sequence[Entry], state: State, *, anew: bool = False
    ) -> Departure | None:
        """Like a walk of a consumer of SFrame."""
        self._entries = entries
        return super().check(entries, state, anew=anew)

    def _step(
        self, state: State, inside: int, height: int, caller: Entry | None
    ) -> Departure | None:
        entry = self._entries[height] if height < len(self._entries) else None
        verdict = self._witness.outcome(state, entry, caller).verdict
        if verdict.right or (caller is None and verdict is not Verdict.OVERRUN):
            return None
        return Departure(verdict, height, state, inside, caller)


def known_registers(entry: Entry | None, registers: Registers) -> Mapping[int, int]:
    """The registers of a frame by DWARF number: all at the top, what calls preserve below.

    `entry` is the call that the frame made, None at the top, where it has `registers`.
    """
    if entry is None:
        return {number: registers[number] for number in range(16)}
    if entry.kind is EntryKind.SIGNAL:
        return dict(enumerate(entry.callee_saved))
    known = dict(zip(CALLEE_SAVED, entry.callee_saved, strict=True))
    return {**known, 6: entry.rbp, 7: entry.slot + 8}


def _returns(state: State) -> bool:
    """Whether the frame's pc is a return address, which belongs to the call before it."""
    return not (state.topmost or state.interrupted)


def _row(module: LoadedModule, pc: int) -> tuple[int, str] | None:
    table = module.frame_table
    match = table.lookup(pc - module.bias) if table is not None else None
    if match is None:
        return None
    return match.fde.start + match.row.start, str(match.row)
