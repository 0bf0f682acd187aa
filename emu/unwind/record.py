"""The section record and the header it is made from (kernel behaviour: 1.1, 2)."""

import struct
from dataclasses import dataclass

from emu.unwind.errors import Errno, RejectedError
from emu.unwind.protocols import Memory, MemoryFault

HEADER = struct.Struct("<HBBBbbBIIIII")
"""magic, version, flags, ABI, fixed FP, fixed RA, auxiliary length, FDEs, FREs, FRE bytes,
FDE offset, FRE offset (SFrame specification, "SFrame Header")."""
FDE_SIZE = 16
ATTRIBUTE_SIZE = 5

_MAGIC = 0xDEE2
_VERSION = 3
_SORTED = 0x1
_PC_RELATIVE = 0x4


@dataclass(frozen=True, slots=True)
class SectionRecord:
    """One registered pair of an sframe range and a text range; all ends are exclusive."""

    sframe_start: int
    sframe_end: int
    text_start: int
    text_end: int
    fdes_start: int = 0
    fres_start: int = 0
    fres_end: int = 0
    num_fdes: int = 0
    ra_off: int = 0
    """Fixed offset of the return address from the CFA, 0 if there is none."""
    fp_off: int = 0
    """Fixed offset of the caller's frame pointer from the CFA, 0 if there is none."""
    filename: str = ""
    """What debug lines call the section (kernel behaviour: 4.1)."""

    def describe(self) -> str:
        """The header dump that follows a header failure (kernel behaviour: 4.2)."""
        return (
            f"SEC: sframe:{self.sframe_start:#x}-{self.sframe_end:#x}"
            f" text:{self.text_start:#x}-{self.text_end:#x}"
            f" fdes:{self.fdes_start:#x}-{self.fdes_start + FDE_SIZE * self.num_fdes:#x}"
            f" fres:{self.fres_start:#x}-{self.fres_end:#x}"
            f" ra_off:{self.ra_off} fp_off:{self.fp_off}"
        )


def read_header(
    memory: Memory,
    sframe: tuple[int, int],
    text: tuple[int, int],
    filename: str = "",
) -> SectionRecord:
    """The record of the section at `sframe` for the code at `text` (both start, end).

    Makes the header checks of v15 in their order; RejectedError carries the errno and, as
    its reason, the kernel's debug text (kernel behaviour: 2).
    """
    start, end = sframe
    try:
        raw = memory.read(start, HEADER.size)
    except MemoryFault as fault:
        raise RejectedError(Errno.EFAULT, "header usercopy failed") from fault
    (
        magic,
        version,
        flags,
        _abi,
        fp_off,
        ra_off,
        auxiliary,
        num_fdes,
        num_fres,
        fre_len,
        fdeoff,
        freoff,
    ) = HEADER.unpack(raw)
    wanted = _SORTED | _PC_RELATIVE
    if magic != _MAGIC or version != _VERSION or flags & wanted != wanted or auxiliary:
        raise RejectedError(Errno.EINVAL, "bad/unsupported sframe header")
    if not num_fdes or not num_fres:
        raise RejectedError(Errno.EINVAL, "no FDE/FRE entries")
    header_end = start + HEADER.size
    if header_end >= end:
        raise RejectedError(Errno.EINVAL, "header doesn't fit in section")
    fdes_start = header_end + fdeoff
    fres_start = header_end + freoff
    fres_end = fres_start + fre_len
    if fres_start < fdes_start + FDE_SIZE * num_fdes or fres_end > end:
        raise RejectedError(Errno.EINVAL, "inconsistent FDE/FRE offsets")
    return SectionRecord(
        start, end, *text, fdes_start, fres_start, fres_end, num_fdes, ra_off, fp_off, filename
    )
