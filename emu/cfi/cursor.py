"""Reading numbers and pointers one after the other out of a call frame section.

DWARF 5, section 7.6 (LEB128); Linux Standard Base, 'DWARF Exception Header Encoding'.
"""

from struct import Struct
from typing import Final

from emu.cfi.errors import CfiError

OMIT: Final = 0xFF
_ABSOLUTE: Final = 0x00
_PC_RELATIVE: Final = 0x10
_DATA_RELATIVE: Final = 0x30
_ALIGNED: Final = 0x50
_INDIRECT: Final = 0x80
_MASK64: Final = (1 << 64) - 1
_LONGEST_LEB: Final = 16
"""Bytes of the longest LEB128 number taken for one; no value of 64 bits needs more than 10."""

_FIXED: Final = {
    0x00: Struct("<Q"),
    0x02: Struct("<H"),
    0x03: Struct("<I"),
    0x04: Struct("<Q"),
    0x0A: Struct("<h"),
    0x0B: Struct("<i"),
    0x0C: Struct("<q"),
}
_ULEB128: Final = 0x01
_SLEB128: Final = 0x09


class Cursor:
    """A place in `data` that moves on with every read; all numbers are little endian.

    `address` is that of the first byte of `data`, `name` the section's, for messages. Raises
    `CfiError` at the end of the data.
    """

    __slots__ = ("address", "data", "end", "name", "position")

    def __init__(
        self, data: bytes, position: int = 0, end: int | None = None, *, address: int = 0, name: str
    ) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end
        self.address = address
        self.name = name

    def error(self, reason: str) -> CfiError:
        """The exception for a fault at this place."""
        return CfiError(reason, place=f"{self.name}+{self.position:#x}")

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        start, after = self.position, self.position + size
        if after > self.end:
            raise self.error(f"{size} bytes are wanted, {self.end - start} are left")
        self.position = after
        return self.data[start:after]

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def byte(self) -> int:
        """The next byte."""
        position = self.position
        if position >= self.end:
            raise self.error("the entry ends in the middle of a number")
        self.position = position + 1
        return self.data[position]

    def unsigned(self) -> int:
        """An unsigned LEB128 number."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 7 * _LONGEST_LEB:
                raise self.error("LEB128 number without an end")

    def signed(self) -> int:
        """A signed LEB128 number."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - (1 << shift) if byte & 0x40 else value
            if shift > 7 * _LONGEST_LEB:
                raise self.error("LEB128 number without an end")

    def text(self) -> str:
        """A string that ends with a zero byte."""
        end = self.data.find(b"\0", self.position, self.end)
        if end < 0:
            raise self.error("string without an end")
        value = self.data[self.position : end].decode("latin-1")
        self.position = end + 1
        return value

    def value(self, encoding: int) -> int:
        """A number in the format of a DW_EH_PE encoding, relative to nothing."""
        form = encoding & 0x0F
        if form == _ULEB128:
            return self.unsigned()
        if form == _SLEB128:
            return self.signed()
        fixed = _FIXED.get(form)
        if fixed is None:
            raise self.error(f"pointer encoding {encoding:#x} is not known")
        number: int = fixed.unpack(self.take(fixed.size))[0]
        return number

    def pointer(self, encoding: int, data_base: int | None = None) -> int:
        """A pointer by its DW_EH_PE encoding, modulo 2^64.

        `data_base` is what data-relative ones count from. An indirect pointer cannot be followed
        in a file: `CfiError`.
        """
        relative = encoding & 0x70
        if encoding & _INDIRECT:
            raise self.error(f"pointer encoding {encoding:#x} is indirect")
        if relative == _ALIGNED:
            self.position += -(self.address + self.position) % 8
            return self.number(8)
        here = self.address + self.position
        value = self.value(encoding)
        if relative == _PC_RELATIVE:
            value += here
        elif relative == _DATA_RELATIVE and data_base is not None:
            value += data_base
        elif relative != _ABSOLUTE:
            raise self.error(f"pointer encoding {encoding:#x} has no base here")
        return value & _MASK64

    def skip_pointer(self, encoding: int) -> None:
        """Pass over a pointer whose value is not wanted."""
        if encoding == OMIT:
            return
        if encoding & 0x70 == _ALIGNED:
            self.position += -(self.address + self.position) % 8
            self.take(8)
        else:
            self.value(encoding)
