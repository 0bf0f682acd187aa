"""Ways in which a .sframe section can be damaged without changing its size.

`damages(section)` yields bytes to be written over others, one field of the format at a time: all
header fields, each FDE's start, size, attributes, and each row's start, info byte and words; rows
and FDEs exchanged, repeated and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emu.sframe import Section

HEADER_FIELDS = (
    ("magic", 0, 2, (0xE2DE,)),
    ("version", 2, 1, (1, 2, 4)),
    ("flags", 3, 1, (0, 1, 4, 7, 0x85)),
    ("fixed FP offset", 5, 1, (-16, 8)),
    ("fixed RA offset", 6, 1, (0, -16, 8)),
    ("auxiliary length", 7, 1, (1, 4, 255)),
)
"""Name, offset, size in bytes and the values that are tried."""
HEADER_NUMBERS = (
    ("num_fdes", 8, (-1, 1)),
    ("num_fres", 12, (-1, 1)),
    ("fre_len", 16, (-5, -1, 1, 16)),
    ("fdeoff", 20, (1, 8, 16)),
    ("freoff", 24, (-16, -1, 1, 5)),
)
"""Name and offset of numbers of four bytes, and what is added to them."""
CONTROL_BITS = (1, 2, 4, 8, 0x10, 0x30)
PC_TYPE, SIGNAL = 0x10, 0x80


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that replace others at an offset from the start of the section."""

    what: str
    offset: int
    value: bytes

    def apply(self, data: bytes, start: int = 0) -> bytes:
        """`data` with the damage, if the section begins at `start` in it."""
        at = start + self.offset
        return data[:at] + self.value + data[at + len(self.value) :]


def damages(section: Section) -> Iterator[Damage]:
    """Everything that changes a byte, in the order of the format."""
    data = bytes(section.data)
    for damage in (*_header(data), *_index(section, data), *_functions(section, data)):
        if data[damage.offset : damage.offset + len(damage.value)] != damage.value:
            yield damage


def _number(what: str, offset: int, size: int, value: int) -> Damage:
    return Damage(what, offset, (value % (1 << 8 * size)).to_bytes(size, "little"))


def _added(data: bytes, what: str, offset: int, size: int, change: int) -> Damage:
    value = int.from_bytes(data[offset : offset + size], "little")
    return _number(f"{what} {change:+d}", offset, size, value + change)


def _header(data: bytes) -> Iterator[Damage]:
    for name, offset, size, values in HEADER_FIELDS:
        for value in values:
            yield _number(f"header {name} {value:#x}", offset, size, value)
    for name, offset, changes in HEADER_NUMBERS:
        yield _number(f"header {name} 0", offset, 4, 0)
        for change in changes:
            yield _added(data, f"header {name}", offset, 4, change)


def _index(section: Section, data: bytes) -> Iterator[Damage]:
    fdes = list(section.fdes)
    for fde in fdes:
        name, at = f"FDE {fde.index}", fde.offset
        for change in (1, -1, 16, -16, fde.size, 1 << 33):
            yield _added(data, f"{name} start", at, 8, change)
        for change in (1, -1, 16, -fde.size, -(fde.size // 2)):
            yield _added(data, f"{name} size", at + 8, 4, change)
        for change in (1, -1, 5, 1 << 16):
            yield _added(data, f"{name} attributes", at + 12, 4, change)
    entries = [
        (fde.start - section.address, data[fde.offset + 8 : fde.offset + 16]) for fde in fdes
    ]

    def written(first: int, order: list[int]) -> bytes:
        return b"".join(
            (entries[number][0] - fdes[first + place].offset).to_bytes(8, "little", signed=True)
            + entries[number][1]
            for place, number in enumerate(order)
        )

    for number in range(len(fdes) - 1):
        at = fdes[number].offset
        yield Damage(
            f"FDE {number} and the next exchanged", at, written(number, [number + 1, number])
        )
        yield Damage(f"FDE {number} instead of the next", at, written(number, [number, number]))
        yield Damage(f"the FDE after {number} instead of it", at, written(number, [number + 1] * 2))
    if fdes:
        everything = list(range(len(fdes)))
        yield Damage("index backwards", fdes[0].offset, written(0, everything[::-1]))


def _functions(section: Section, data: bytes) -> Iterator[Damage]:
    for fde in section.fdes:
        at, name = fde.attributes, f"FDE {fde.index}"
        for count in (at.num_fres - 1, at.num_fres + 1, 0, 0xFFFF):
            yield _number(f"{name} num_fres {count}", at.offset, 2, count)
        for info in (*((at.info & 0xF0) | kind for kind in (0, 1, 2, 3)), at.info ^ PC_TYPE):
            yield _number(f"{name} info {info:#x}", at.offset + 2, 1, info)
        yield _number(f"{name} signal", at.offset + 2, 1, at.info ^ SIGNAL)
        for info2 in (at.info2 ^ 1, 2, at.info2 | 0x20):
            yield _number(f"{name} info2 {info2:#x}", at.offset + 3, 1, info2)
        for size in (0, 8, 16, at.rep_size + 1, at.rep_size - 1):
            yield _number(f"{name} rep_size {size}", at.offset + 4, 1, size)
        masked = bytes([at.info | PC_TYPE, at.info2, 16])
        yield Damage(f"{name} MASK of 16", at.offset + 2, masked)
        rows = fde.rows
        for number, row in enumerate(rows):
            yield from _row(
                data, f"{name} row {number}", row.offset, row.end, len(row.body.encoded)
            )
            rest = data[row.end : rows[-1].end]
            yield Damage(
                f"{name} row {number} left out",
                at.offset,
                (at.num_fres - 1).to_bytes(2, "little") + data[at.offset + 2 : row.offset] + rest,
            )
            if number:
                before = rows[number - 1]
                yield Damage(
                    f"{name} rows {number - 1} and {number} exchanged",
                    before.offset,
                    data[row.offset : row.end] + data[before.offset : before.end],
                )


def _row(data: bytes, name: str, start: int, end: int, body: int) -> Iterator[Damage]:
    info_at = end - body
    info = data[info_at]
    for change in (1, -1, 4, -4):
        yield _added(data, f"{name} start", start, info_at - start, change)
    count, code = info >> 1 & 15, info >> 5 & 3
    others = [info ^ 1, info ^ 0x80]
    others += [(info & ~0x1E) | other << 1 for other in (count - 1, count + 1, 0) if other >= 0]
    others += [(info & ~0x60) | other << 5 for other in range(4)]
    for other in dict.fromkeys(others):
        yield _number(f"{name} info {other:#x}", info_at, 1, other)
    size = 1 << code
    for number in range(count):
        at = info_at + 1 + number * size
        word = int.from_bytes(data[at : at + size], "little")
        for change in (8, -8, 1, 16):
            yield _added(data, f"{name} word {number + 1}", at, size, change)
        yield _number(f"{name} word {number + 1} negated", at, size, -word)
        for bit in CONTROL_BITS:
            yield _number(f"{name} word {number + 1} ^ {bit:#x}", at, size, word ^ bit)
        if number:
            value = data[at : at + size] + data[at - size : at]
            yield Damage(f"{name} words {number} and {number + 1} exchanged", at - size, value)
