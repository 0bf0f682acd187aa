"""A case whose tables are made as the linker makes them for its own code."""

from __future__ import annotations

import struct

from emu.cfi import attach, convert
from emu.sframe import PT_GNU_SFRAME, SHT_GNU_SFRAME, Elf

_PHOFF, _SHOFF = 32, 40
_PHENTSIZE, _SHENTSIZE = 54, 58


def linked(elf: bytes) -> bytes:
    """The executable of a case with all its rows made anew from .eh_frame.

    The assembler has no rows for a procedure linkage table, whose CFI is an expression on the pc;
    conversion makes those that ld would.
    """
    bare = Elf(without_sframe(elf))
    return attach(bare, convert(bare))


def without_sframe(elf: bytes) -> bytes:
    """The same file with the headers of its .sframe section and segment made null."""
    image = bytearray(elf)
    for offset, entry, type_at, unwanted in (
        (_PHOFF, _PHENTSIZE, 0, PT_GNU_SFRAME),
        (_SHOFF, _SHENTSIZE, 4, SHT_GNU_SFRAME),
    ):
        (table,) = struct.unpack_from("<Q", image, offset)
        size, count = struct.unpack_from("<HH", image, entry)
        for number in range(count):
            at = table + number * size
            (kind,) = struct.unpack_from("<I", image, at + type_at)
            if kind == unwanted:
                image[at : at + size] = bytes(size)
    return bytes(image)
