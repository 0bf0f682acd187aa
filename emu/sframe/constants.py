"""Numbers of the format. SFrame specification, 'SFrame Section'."""

from enum import IntEnum, IntFlag
from typing import Final, Literal

MAGIC: Final = 0xDEE2

HEADER_SIZE: Final = 28
"""Bytes of preamble and header, without the auxiliary header."""

ATTRIBUTES_SIZE: Final = 5
"""Bytes of the attribute block in front of a function's FREs (V3)."""

SHT_GNU_SFRAME: Final = 0x6FFFFFF4
PT_GNU_SFRAME: Final = 0x6474E554

ByteOrder = Literal["little", "big"]


class Version(IntEnum):
    """Format versions. Only V3 has flexible FDEs; V1 and V2 are read for dumps."""

    V1 = 1
    V2 = 2
    V3 = 3


ENTRY_SIZE: Final = {Version.V1: 17, Version.V2: 20, Version.V3: 16}
"""Bytes of one entry of the FDE index."""


class Flag(IntFlag):
    """Header flags. SFrame specification, 'SFrame Flags'."""

    FDE_SORTED = 0x1
    FRAME_POINTER = 0x2
    FDE_FUNC_START_PCREL = 0x4


class Abi(IntEnum):
    """ABI and byte order. SFrame specification, 'SFrame ABI/arch Identifier'."""

    AARCH64_BE = 1
    AARCH64_LE = 2
    AMD64 = 3
    S390X = 4

    @property
    def byte_order(self) -> ByteOrder:
        return "big" if self in {Abi.AARCH64_BE, Abi.S390X} else "little"

    @property
    def is_aarch64(self) -> bool:
        return self in {Abi.AARCH64_BE, Abi.AARCH64_LE}

    @property
    def sp(self) -> int:
        """DWARF number of the stack pointer."""
        return _SP_FP_RA[self][0]

    @property
    def fp(self) -> int:
        """DWARF number of the frame pointer."""
        return _SP_FP_RA[self][1]

    @property
    def ra(self) -> int:
        """DWARF number of the return address (a real register except on AMD64)."""
        return _SP_FP_RA[self][2]

    @property
    def fixed_ra_offset(self) -> int:
        """What the header's `cfa_fixed_ra_offset` holds: -8 on AMD64, else 0 for none."""
        return -8 if self is Abi.AMD64 else 0


_SP_FP_RA: Final = {
    Abi.AARCH64_BE: (31, 29, 30),
    Abi.AARCH64_LE: (31, 29, 30),
    Abi.AMD64: (7, 6, 16),
    Abi.S390X: (15, 11, 14),
}


class FreType(IntEnum):
    """Width of an FRE's start offset; `1 << FreType` is the number of bytes.

    SFrame specification, 'The SFrame FRE Types'.
    """

    ADDR1 = 0
    ADDR2 = 1
    ADDR4 = 2


class PcType(IntEnum):
    """How a pc selects a row: by its distance from the start, or that modulo a block size.

    SFrame specification, 'The SFrame FDE PC Types'.
    """

    INC = 0
    MASK = 1


class FdeType(IntEnum):
    """What the data words of the rows mean. SFrame specification, 'The SFrame FDE Types'."""

    DEFAULT = 0
    FLEXIBLE = 1
