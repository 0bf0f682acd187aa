"""Preamble and header. SFrame specification, 'SFrame Header'."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from emu.sframe.constants import ENTRY_SIZE, HEADER_SIZE, MAGIC, Abi, ByteOrder, Flag, Version
from emu.sframe.error import SFrameError

STRUCT_PREFIX: Final[dict[ByteOrder, str]] = {"little": "<", "big": ">"}
_FIELDS: Final = "HBBBbbBIIIII"
_HEADER: Final = {order: Struct(prefix + _FIELDS) for order, prefix in STRUCT_PREFIX.items()}
_SMALLEST_FRE: Final = 2


@dataclass(frozen=True, slots=True)
class Header:
    """The 28 bytes in front, as written. Offsets are in bytes from the end of the header.

    `flags` may hold bits the format does not name. `byte_order` is what the magic says.
    """

    version: Version
    flags: int
    abi: Abi
    fixed_fp_offset: int
    fixed_ra_offset: int
    auxiliary_length: int
    num_fdes: int
    num_fres: int
    fre_length: int
    fde_offset: int
    fre_offset: int
    byte_order: ByteOrder

    @property
    def size(self) -> int:
        """Bytes of the header including the auxiliary header."""
        return HEADER_SIZE + self.auxiliary_length

    @property
    def fdes_start(self) -> int:
        """Offset of the FDE index from the start of the section."""
        return self.size + self.fde_offset

    @property
    def fdes_end(self) -> int:
        return self.fdes_start + self.num_fdes * ENTRY_SIZE[self.version]

    @property
    def fres_start(self) -> int:
        """Offset of the FRE sub-section from the start of the section."""
        return self.size + self.fre_offset

    @property
    def fres_end(self) -> int:
        return self.fres_start + self.fre_length

    @property
    def length(self) -> int:
        """Bytes of the whole section according to the header."""
        return max(self.size, self.fdes_end, self.fres_end)

    @property
    def is_sorted(self) -> bool:
        return bool(self.flags & Flag.FDE_SORTED)

    @property
    def is_pcrel(self) -> bool:
        """Whether start offsets count from the field itself, not from the section."""
        return bool(self.flags & Flag.FDE_FUNC_START_PCREL)


def read_header(data: memoryview, *, machine: Abi | None = None) -> Header:
    """Decode and check the header against the bytes that are there.

    With `machine` it is read as an unwinder of that machine does: every section that it is given
    is its own, whatever the ABI byte says, and the number of FREs is of no use to it. Raises
    `SFrameError` for a wrong magic, an unknown version or ABI, counts and offsets that reach
    beyond `data`, and sub-sections that overlap.
    """
    if len(data) < 4:
        raise SFrameError(f"{len(data)} bytes are no SFrame preamble of 4", 0)
    byte_order = _byte_order(data)
    if data[2] not in set(Version):
        raise SFrameError(f"SFrame version {data[2]} is not 1, 2 or 3", 2)
    if len(data) < HEADER_SIZE:
        raise SFrameError(f"section ends after {len(data)} of {HEADER_SIZE} header bytes", 0)
    _magic, version, flags, abi, fp, ra, auxiliary, fdes, fres, fre_length, fde_at, fre_at = (
        _HEADER[byte_order].unpack_from(data)
    )
    if machine is None and abi not in set(Abi):
        raise SFrameError(f"unknown ABI {abi}", 4)
    header = Header(
        Version(version),
        flags,
        Abi(abi) if machine is None else machine,
        fp,
        ra,
        auxiliary,
        fdes,
        fres,
        fre_length,
        fde_at,
        fre_at,
        byte_order,
    )
    _check_extent(header, len(data))
    if machine is None and header.num_fres * _SMALLEST_FRE > header.fre_length:
        raise SFrameError(f"{header.num_fres} FREs in {header.fre_length} bytes", 12)
    return header


def _byte_order(data: memoryview) -> ByteOrder:
    magic = bytes(data[:2])
    if magic == MAGIC.to_bytes(2, "little"):
        return "little"
    if magic == MAGIC.to_bytes(2, "big"):
        return "big"
    raise SFrameError(f"magic is {magic.hex(' ')}, not {MAGIC:#x} in either byte order", 0)


def _check_extent(header: Header, available: int) -> None:
    if header.size > available:
        raise SFrameError(
            f"auxiliary header of {header.auxiliary_length} bytes in a section of {available}", 7
        )
    if header.fdes_end > available:
        raise SFrameError(
            f"{header.num_fdes} FDEs from offset {header.fdes_start:#x} do not fit in"
            f" {available} bytes",
            8,
        )
    if header.fres_end > available:
        raise SFrameError(
            f"{header.fre_length} bytes of FREs from offset {header.fres_start:#x} do not fit in"
            f" {available} bytes",
            16,
        )
    if header.fres_start < header.fdes_end:
        raise SFrameError(
            f"FREs begin at offset {header.fres_start:#x},"
            f" inside the FDE index that ends at {header.fdes_end:#x}",
            24,
        )
