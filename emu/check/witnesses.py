"""What a report says about the first frame at which a finding was seen."""

from __future__ import annotations

from emu.check.blame import Blamer
from emu.check.contradiction import contradiction
from emu.check.finding import Witness
from emu.check.live import LiveRegisters
from emu.check.modules import ModuleMap
from emu.check.sighting import Sighting
from emu.check.verdict import Blame, Field, Verdict
from emu.unwind import LookupFailure, Memory


class Witnesses:
    """Describes sightings. Without a `blamer` the walk is by .eh_frame, which has no second one."""

    def __init__(
        self,
        modules: ModuleMap,
        memory: Memory,
        registers: LiveRegisters,
        blamer: Blamer | None,
    ) -> None:
        self._modules = modules
        self._memory = memory
        self._registers = registers
        self._blamer = blamer

    def of(self, sighting: Sighting, field: Field | None) -> Witness:
        """One wrong field of a sighting, or the whole of it."""
        place, outcome, state, caller = (
            sighting.place,
            sighting.outcome,
            sighting.state,
            sighting.caller,
        )
        row = None if isinstance(place.found, LookupFailure) else place.found.frame
        reason = outcome.reason
        if field is not None and caller is not None and row is not None:
            reason = contradiction(
                row, outcome, field, state, caller, self._memory, self._registers
            )
        elif outcome.verdict is Verdict.GAP:
            reason = str(place.found)
        elif field is not None:
            reason = f"row says {place.row}, but {field} is not the caller's"
        if place.foreign and row is not None:
            reason += "; the call ends its function, so the row is that of the next one"
        expected, got = sighting.values(field)
        return Witness(
            pc=state.ip,
            snapshot_pc=self._registers.ip,
            frame=sighting.frame,
            row=place.row,
            expected=expected,
            got=got,
            blame=self._blame(sighting, field),
            reason=reason,
            source=self._modules.source_at(sighting.inside),
            row_address=place.row_address,
        )

    def _blame(self, sighting: Sighting, field: Field | None) -> Blame:
        if self._blamer is not None:
            return self._blamer.blame(sighting, field)
        return Blame.NO_CFI if sighting.outcome.verdict is Verdict.GAP else Blame.COMPILER
