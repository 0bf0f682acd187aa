"""LEB128, the variable-length integers of DWARF (DWARF 5, section 7.6)."""

from emu.cfi.errors import CfiError

_MAX_BYTES = 10


def uleb128(value: int) -> bytes:
    """Encode an unsigned integer."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def sleb128(value: int) -> bytes:
    """Encode a signed integer."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if value == -(low >> 6):
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def read_uleb128(data: bytes, at: int) -> tuple[int, int]:
    """Decode at `at`: (value, position after it). Raises `CfiError` at the end of the data."""
    value = 0
    for position, byte in enumerate(data[at : at + _MAX_BYTES]):
        value |= (byte & 0x7F) << (7 * position)
        if not byte & 0x80:
            return value, at + position + 1
    raise CfiError("LEB128 number without an end")


def read_sleb128(data: bytes, at: int) -> tuple[int, int]:
    """Decode a signed number at `at`: (value, position after it)."""
    value, end = read_uleb128(data, at)
    bits = 7 * (end - at)
    return value - (1 << bits) if value >> (bits - 1) else value, end
