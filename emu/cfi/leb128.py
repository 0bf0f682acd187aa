"""LEB128, the variable-length integers of DWARF (DWARF 5, section 7.6)."""


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
