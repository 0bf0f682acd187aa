"""Sections made wrong (or unusual) on purpose: the names `#@ sframe:` understands."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from emu.sframe import MAGIC, Function, Version, write_section


class Defect(Enum):
    """What is different from the section GNU as and ld would make."""

    UNSORTED = "unsorted"
    """Sorted flag missing, index in source order, as in an object file."""
    DISORDERED = "disordered"
    """Index in reverse order although the flag says it is sorted."""
    NOT_PCREL = "not-pcrel"
    """Function starts count from the start of the section."""
    VERSION_2 = "version-2"
    """Version byte 2."""
    BAD_MAGIC = "bad-magic"
    """Magic of the other byte order."""
    AUXILIARY_HEADER = "auxiliary-header"
    """8 bytes of auxiliary header."""
    LONG_FRES = "long-fres"
    """The length of the FRE sub-section reaches one byte beyond the section."""
    GAP_BEFORE_FDES = "gap-before-fdes"
    """16 unused bytes between header and index."""
    GAP_BEFORE_FRES = "gap-before-fres"
    """16 unused bytes between index and FREs."""
    TRAILING = "trailing"
    """16 bytes after the last FRE."""
    NARROW_RA = "narrow-ra"
    """Return address offsets cut to the width of the others, as GNU as 2.47 does."""


_SWAPPED_MAGIC = int.from_bytes(MAGIC.to_bytes(2, "big"), "little")

NAMES = tuple(defect.value for defect in Defect)


@dataclass(frozen=True, slots=True)
class SectionWriter:
    """Writes a section with the defects asked for."""

    defects: frozenset[Defect]

    @classmethod
    def named(cls, names: Sequence[str]) -> "SectionWriter":
        """The writer for names of the header key `sframe:`."""
        return cls(frozenset(map(Defect, names)))

    def write(self, functions: Sequence[Function], address: int) -> bytes:
        """The bytes of the section loaded at `address`."""
        return self._write(functions, address, fre_length=None)

    def _write(
        self, functions: Sequence[Function], address: int, *, fre_length: int | None
    ) -> bytes:
        asked = self.defects
        data = write_section(
            functions,
            address=address,
            sort=Defect.UNSORTED not in asked,
            index_order=self._order(functions),
            pcrel=Defect.NOT_PCREL not in asked,
            auxiliary=bytes(8 * (Defect.AUXILIARY_HEADER in asked)),
            narrow_ra_offsets=Defect.NARROW_RA in asked,
            magic=_SWAPPED_MAGIC if Defect.BAD_MAGIC in asked else MAGIC,
            version=Version.V2 if Defect.VERSION_2 in asked else Version.V3,
            fre_length=fre_length,
            gap_before_fdes=16 * (Defect.GAP_BEFORE_FDES in asked),
            gap_before_fres=16 * (Defect.GAP_BEFORE_FRES in asked),
            trailing=bytes(16 * (Defect.TRAILING in asked)),
        )
        if Defect.LONG_FRES in asked and fre_length is None:
            length = int.from_bytes(data[16:20], "little")
            return self._write(functions, address, fre_length=length + 1)
        return data

    def _order(self, functions: Sequence[Function]) -> Sequence[int] | None:
        if Defect.DISORDERED not in self.defects:
            return None
        by_address = sorted(range(len(functions)), key=lambda n: functions[n].start)
        return by_address[::-1]
