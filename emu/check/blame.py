"""Whose fault a finding is: the call frame information is asked for the same frame.

`.eh_frame` is made from the same directives as `.sframe` and read by debuggers and exception
handling. Where it is right and the row is not, the assembler (or for its own stubs the linker)
made the row wrong; where both are wrong alike, the compiler said so.
"""

from __future__ import annotations

from collections.abc import Mapping

from emu.cfi import representable
from emu.check.cfi import CfiWitness
from emu.check.modules import LoadedModule
from emu.check.sighting import Sighting
from emu.check.verdict import Blame, Field, Verdict
from emu.check.well_formed import is_covered, is_well_formed
from emu.truth import Entry
from emu.unwind import (
    Errno,
    LookupFailure,
    Memory,
    SectionStore,
    State,
    evaluate,
    find_row,
)
from emu.unwind import policy as policy_named
from emu.unwind.dwarf import DwarfReason, DwarfRefusal, DwarfState

UNRESTRICTED = policy_named("format")
"""What a row says, whatever the consumer at hand may do with it."""


class Blamer:
    """Asks the second witness."""

    def __init__(self, tables: SectionStore, memory: Memory, witness: CfiWitness) -> None:
        self._tables = tables
        self._memory = memory
        self._cfi = witness

    def blame(self, sighting: Sighting, field: Field | None) -> Blame:
        """Whose fault it is that `field` (or the step as a whole) came out wrong."""
        module = sighting.place.module
        if module is None:
            return Blame.UNKNOWN
        if self._consumer(sighting, field, module):
            return Blame.CONSUMER
        witness = self._cfi.step(sighting.state, sighting.entry)
        if sighting.outcome.verdict is Verdict.GAP:
            return _blame_gap(witness, sighting, module)
        if isinstance(witness, DwarfRefusal) and witness.reason is DwarfReason.NO_FDE:
            return Blame.UNKNOWN
        if _agrees(witness, sighting.caller, field):
            return Blame.LINKER if module.is_stub(sighting.inside) else Blame.ASSEMBLER
        return Blame.COMPILER if self._alike(witness, sighting, field) else Blame.UNKNOWN

    def _consumer(self, sighting: Sighting, field: Field | None, module: LoadedModule) -> bool:
        """Whether the table is right, if only it is read as its document says.

        That is: a return address belongs to the call before it, a row may use every register
        that is known, and nothing of a well-formed section is a reason to drop it.
        """
        state = sighting.state
        if sighting.outcome.verdict is Verdict.CORRUPT and not self._well_formed(state.ip, module):
            return False
        if self._is_right(state.ip, sighting, field):
            return True
        if state.topmost or state.interrupted or self._knows_there(sighting, field):
            return False
        return self._is_right(state.ip - 1, sighting, field)

    def _is_right(self, address: int, sighting: Sighting, field: Field | None) -> bool:
        """Whether the row for `address`, by the document, leads to the true caller."""
        caller, here = sighting.caller, address == sighting.state.ip
        corrupt = here and sighting.outcome.verdict is Verdict.CORRUPT
        record = self._tables.record_for(address)
        if record is None:
            return False
        row = find_row(record, self._memory, address, UNRESTRICTED)
        if isinstance(row, LookupFailure):
            if not corrupt or row.errno is not Errno.ENOENT:
                return False
            # A signal frame's FDE may lack rows; where no FDE is, .eh_frame must not know more.
            return is_covered(record, self._memory, address) or not self._knows(sighting)
        if row.frame.outermost:
            # What is left of directives that say nothing about a frame is an FDE without rows.
            return here and (caller is None or (corrupt and not self._knows(sighting)))
        got = evaluate(
            row.frame,
            State(*sighting.state[:3], topmost=True),
            self._memory,
            KnownRegisters(self._cfi.known(sighting.entry)),
            UNRESTRICTED,
        )
        return caller is not None and isinstance(got, State) and _state_agrees(got, caller, field)

    def _well_formed(self, ip: int, module: LoadedModule) -> bool:
        record = self._tables.record_for(ip)
        return record is not None and is_well_formed(
            record, self._memory, ip, module.executable_extents
        )

    def _knows(self, sighting: Sighting) -> bool:
        """Whether .eh_frame leads to the true caller."""
        return _agrees(self._cfi.step(sighting.state, sighting.entry), sighting.caller, None)

    def _knows_there(self, sighting: Sighting, field: Field | None) -> bool:
        """Whether .eh_frame is right at the return address itself, where the row is not.

        If so, it is not because of the address that was looked up.
        """
        there = self._cfi.step(sighting.state._replace(interrupted=True), sighting.entry)
        return _agrees(there, sighting.caller, field)

    def _alike(
        self, witness: DwarfState | DwarfRefusal, sighting: Sighting, field: Field | None
    ) -> bool:
        """Whether .eh_frame is wrong in the same way as the row."""
        verdict = sighting.outcome.verdict
        if verdict is Verdict.TRUNCATED:
            return isinstance(witness, DwarfRefusal) and witness.reason is DwarfReason.OUTERMOST
        if verdict is Verdict.OVERRUN:
            return not isinstance(witness, DwarfRefusal) or (
                witness.reason is not DwarfReason.OUTERMOST
            )
        if isinstance(witness, DwarfRefusal):
            return verdict is Verdict.REFUSED and witness.reason is not DwarfReason.BAD_EXPRESSION
        if verdict is Verdict.CORRUPT:
            return False
        _, got = sighting.values(field)
        match field:
            case Field.SP:
                return witness.sp == got
            case Field.FP:
                return witness.fp == got
            case _:
                return got is None or witness.pc == got


class KnownRegisters:
    """Registers that are known; the others read as a value that no stack has."""

    def __init__(self, values: Mapping[int, int]) -> None:
        self._values = values
        self.ip = 0

    def __getitem__(self, number: int, /) -> int:
        return self._values.get(number, 0)


def _blame_gap(
    witness: DwarfState | DwarfRefusal, sighting: Sighting, module: LoadedModule
) -> Blame:
    if isinstance(witness, DwarfRefusal) and witness.reason is DwarfReason.NO_FDE:
        return Blame.NO_CFI
    table = module.frame_table
    fde = table.find(sighting.inside - module.bias) if table is not None else None
    if table is None or fde is None:
        return Blame.NO_CFI
    if any(representable(row) is not None for row in table.rows(fde)):
        return Blame.NOT_REPRESENTABLE
    return Blame.NOT_GENERATED


def _agrees(witness: DwarfState | DwarfRefusal, caller: Entry | None, field: Field | None) -> bool:
    """Whether .eh_frame gives the true value of `field`, or all of them without one."""
    if isinstance(witness, DwarfRefusal):
        return caller is None and witness.reason is DwarfReason.OUTERMOST
    if caller is None:
        return False
    right = {
        Field.PC: witness.pc == caller.return_address,
        Field.SP: witness.sp == caller.slot + 8,
        Field.FP: witness.fp == caller.rbp or not caller.rbp_known,
    }
    return right[field] if field is not None else all(right.values())


def _state_agrees(got: State, caller: Entry, field: Field | None) -> bool:
    match field:
        case Field.PC:
            return got.ip == caller.return_address
        case Field.SP:
            return got.sp == caller.slot + 8
        case Field.FP:
            return got.fp == caller.rbp or not caller.rbp_known
        case None:
            return caller.is_caller(got.ip, got.sp, got.fp)
