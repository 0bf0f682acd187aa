"""Call frame information of a file, looked up by address.

DWARF 5, section 6.4: from an address to its FDE and row. Rows are decoded when they are asked for,
once for all functions with the same instructions.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from emu.cfi.decode import decode_instructions
from emu.cfi.dwarf_rows import dwarf_rows
from emu.cfi.dwarf_rules import DwarfRow
from emu.cfi.entries import Cie, DwarfFde
from emu.cfi.errors import CfiError
from emu.cfi.frame_sections import read_fdes
from emu.cfi.instructions import Instruction, Procedure
from emu.sframe import Elf, SFrameError
from emu.sframe.elf import BytesLike

_SET_LOC = 0x01

Likeness = tuple[Cie, bytes, int]


def likeness(fde: DwarfFde) -> Likeness:
    """A key that functions with the same rows share.

    DW_CFA_set_loc says an address, which means something else in every function.
    """
    return fde.cie, fde.instructions, fde.start if _SET_LOC in fde.instructions else 0


@dataclass(frozen=True, slots=True)
class DwarfMatch:
    """What applies at a pc; `row.start` counts from `fde.start`."""

    fde: DwarfFde
    row: DwarfRow


class _Addresses:
    """FDEs of one address space by address."""

    def __init__(self, fdes: Sequence[DwarfFde]) -> None:
        self.fdes = sorted(fdes, key=lambda fde: fde.start)
        self.starts = [fde.start for fde in self.fdes]
        self.ends = list(accumulate((fde.end for fde in self.fdes), max))
        """The greatest end so far: how far back a function that contains an address may begin."""

    def find(self, pc: int) -> DwarfFde | None:
        index = bisect_right(self.starts, pc) - 1
        while index >= 0 and pc < self.ends[index]:
            fde = self.fdes[index]
            if pc < fde.start + fde.size:
                return fde
            index -= 1
        return None


class FrameTable:
    """The FDEs of one file.

    Addresses are link-time addresses; in a relocatable file offsets in the section whose index is
    given with them. Opening reads CIEs and FDEs, not their instructions.
    """

    def __init__(self, fdes: Sequence[DwarfFde]) -> None:
        self.fdes = tuple(fdes)
        """In the order of the section."""
        groups: dict[int | None, list[DwarfFde]] = {}
        for fde in self.fdes:
            groups.setdefault(fde.section, []).append(fde)
        self._spaces = {section: _Addresses(group) for section, group in groups.items()}
        self._initial: dict[Cie, tuple[Instruction, ...]] = {}
        self._own: dict[Likeness, tuple[Instruction, ...]] = {}
        self._rows: dict[Likeness, tuple[DwarfRow, ...]] = {}
        self._row_starts: dict[Likeness, list[int]] = {}

    @classmethod
    def from_elf(cls, file: str | Path | BytesLike | Elf) -> "FrameTable":
        """The FDEs of .eh_frame, and of .debug_frame for functions that have none there.

        `file` is an x86-64 ELF file by path, as its bytes or opened, linked or relocatable. A file
        without call frame information gives an empty table. Raises `CfiError`, and `OSError` for a
        path that cannot be read.
        """
        try:
            elf = file if isinstance(file, Elf) else Elf(file)
        except SFrameError as problem:
            raise CfiError(str(problem)) from problem
        return cls(read_fdes(elf))

    def find(self, pc: int, section: int | None = None) -> DwarfFde | None:
        """The FDE of the function that contains `pc`."""
        space = self._spaces.get(section)
        return None if space is None else space.find(pc)

    def lookup(self, pc: int, section: int | None = None) -> DwarfMatch | None:
        """The function and row that apply at `pc`; None if no FDE contains it.

        Raises `CfiError` for instructions that cannot be decoded.
        """
        fde = self.find(pc, section)
        if fde is None:
            return None
        rows = self.rows(fde)
        starts = self._row_starts[likeness(fde)]
        return DwarfMatch(fde, rows[bisect_right(starts, pc - fde.start) - 1])

    def initial_instructions(self, cie: Cie) -> tuple[Instruction, ...]:
        """What stands in a CIE. Raises `CfiError`."""
        known = self._initial.get(cie)
        if known is None:
            place = f"CIE at {cie.offset:#x}, instructions"
            known = decode_instructions(cie.instructions, cie, place=place)
            self._initial[cie] = known
        return known

    def instructions(self, fde: DwarfFde) -> tuple[Instruction, ...]:
        """What stands in an FDE, without its CIE's. Raises `CfiError`."""
        key = likeness(fde)
        known = self._own.get(key)
        if known is None:
            place = f"FDE at {fde.table}+{fde.offset:#x}, instructions"
            known = decode_instructions(fde.instructions, fde.cie, start=fde.start, place=place)
            self._own[key] = known
        return known

    def rows(self, fde: DwarfFde) -> tuple[DwarfRow, ...]:
        """All rows of a function, from its start on. Raises `CfiError`."""
        key = likeness(fde)
        known = self._rows.get(key)
        if known is None:
            try:
                known = dwarf_rows(self.initial_instructions(fde.cie), self.instructions(fde))
            except CfiError as problem:
                place = problem.place or f"FDE at {fde.table}+{fde.offset:#x}"
                raise CfiError(problem.reason, place=place) from problem
            self._rows[key] = known
            self._row_starts[key] = [row.start for row in known]
        return known

    def procedure(self, fde: DwarfFde) -> Procedure:
        """The function as GNU as had it before it moved its first directives into a CIE.

        Raises `CfiError`.
        """
        return Procedure(
            fde.start,
            fde.size,
            self.initial_instructions(fde.cie) + self.instructions(fde),
            simple=True,
            signal=fde.cie.signal,
            return_column=fde.cie.return_column,
        )
