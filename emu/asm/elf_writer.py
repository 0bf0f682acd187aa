"""A small writer of ELF64 executables for x86-64: sections, segments, symbols.

System V ABI, ELF-64 object file format. Little endian, ET_EXEC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import pack

from emu.sframe import PT_GNU_SFRAME, SHT_GNU_SFRAME

PAGE = 0x1000
_HEADER_SIZE = 64
_SEGMENT_SIZE = 56
_SECTION_SIZE = 64
_PT_LOAD = 1
_PT_GNU_STACK = 0x6474E551
_SHT_SYMTAB = 2
_SHT_STRTAB = 3


class SectionType(IntEnum):
    """Types of loaded sections."""

    PROGBITS = 1
    NOBITS = 8
    UNWIND = 0x70000001
    SFRAME = SHT_GNU_SFRAME


class Protection(IntEnum):
    """What a section's memory allows: the flags of its segment."""

    READ = 4
    READ_EXECUTE = 5
    READ_WRITE = 6

    @property
    def section_flags(self) -> int:
        """SHF_ALLOC with SHF_EXECINSTR or SHF_WRITE."""
        return 2 | (4 if self is Protection.READ_EXECUTE else 0) | (self is Protection.READ_WRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSection:
    """A section in memory; `size` of NOBITS sections, whose `data` is empty."""

    name: str
    address: int
    data: bytes
    protection: Protection
    type: SectionType = SectionType.PROGBITS
    alignment: int = 1
    size: int = 0

    @property
    def end(self) -> int:
        """The address after its last byte."""
        return self.address + (self.size if self.type is SectionType.NOBITS else len(self.data))


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """A symbol table entry; `kind` is the STT number, `section` a name, None for absolute."""

    name: str
    value: int
    size: int
    kind: int
    is_global: bool
    section: str | None


class _Strings:
    """A string table."""

    def __init__(self) -> None:
        self.data = bytearray(1)

    def add(self, text: str) -> int:
        offset = len(self.data)
        self.data += text.encode() + b"\0"
        return offset if text else 0


def write_executable(
    sections: Sequence[LoadedSection],
    symbols: Sequence[ElfSymbol],
    *,
    entry: int,
    base: int,
) -> bytes:
    """The bytes of an executable whose ELF header is mapped at `base`.

    `sections` in address order; neighbours with the same protection share a segment, others
    must lie on different pages.
    """
    groups = _groups(sections)
    sframe = next((one for one in sections if one.type is SectionType.SFRAME), None)
    count = 1 + len(groups) + 1 + (sframe is not None)
    headers_end = _HEADER_SIZE + count * _SEGMENT_SIZE
    image = bytearray(headers_end)
    segments = [pack("<IIQQQQQQ", _PT_LOAD, 4, 0, base, base, headers_end, headers_end, PAGE)]
    offsets: dict[str, int] = {}
    segments += [_place(group, image, offsets) for group in groups]
    segments.append(pack("<IIQQQQQQ", _PT_GNU_STACK, 6, 0, 0, 0, 0, 0, 16))
    if sframe is not None:
        where = (offsets[sframe.name], sframe.address, sframe.address)
        size = len(sframe.data)
        segments.append(pack("<IIQQQQQQ", PT_GNU_SFRAME, 4, *where, size, size, 8))
    table, section_count = _section_table(sections, symbols, image, offsets)
    image[:_HEADER_SIZE] = pack(
        "<4sBBBBQHHIQQQIHHHHHH",
        *(b"\x7fELF", 2, 1, 1, 0, 0, 2, 62, 1),
        *(entry, _HEADER_SIZE, len(image), 0, _HEADER_SIZE),
        *(_SEGMENT_SIZE, count, _SECTION_SIZE, section_count, section_count - 1),
    )
    image[_HEADER_SIZE:headers_end] = b"".join(segments)
    return bytes(image) + table


def _groups(sections: Sequence[LoadedSection]) -> list[list[LoadedSection]]:
    groups: list[list[LoadedSection]] = []
    for section in sections:
        if groups and groups[-1][-1].protection is section.protection:
            groups[-1].append(section)
        else:
            groups.append([section])
    return groups


def _place(group: Sequence[LoadedSection], image: bytearray, offsets: dict[str, int]) -> bytes:
    """Append the contents of a segment and return its program header.

    File offset and address agree in a page. NOBITS sections stand at the end of the segment.
    """
    start = group[0].address
    image += bytes((start - len(image)) % PAGE)
    begin = len(image)
    for section in group:
        if section.type is not SectionType.NOBITS:
            image += bytes(section.address - start - (len(image) - begin))
        offsets[section.name] = begin + min(section.address - start, len(image) - begin)
        image += section.data
    in_file, in_memory = len(image) - begin, group[-1].end - start
    flags = group[0].protection
    return pack("<IIQQQQQQ", _PT_LOAD, flags, begin, start, start, in_file, in_memory, PAGE)


def _section_table(
    sections: Sequence[LoadedSection],
    symbols: Sequence[ElfSymbol],
    image: bytearray,
    offsets: dict[str, int],
) -> tuple[bytes, int]:
    """Append symbol and string tables; the section headers and their number."""
    names, strings = _Strings(), _Strings()
    numbers = {section.name: number for number, section in enumerate(sections, start=1)}
    ordered = sorted(symbols, key=lambda symbol: symbol.is_global)
    table = bytes(24) + b"".join(_symbol(one, strings, numbers) for one in ordered)
    first_global = 1 + sum(not symbol.is_global for symbol in symbols)
    headers = [bytes(_SECTION_SIZE)]
    for section in sections:
        flags = section.protection.section_flags
        where = (section.address, offsets[section.name], section.end - section.address)
        name = names.add(section.name)
        headers.append(
            pack("<IIQQQQIIQQ", name, section.type, flags, *where, 0, 0, section.alignment, 0)
        )
    image += bytes(-len(image) % 8)
    link = len(sections) + 2
    where = (0, len(image), len(table))
    image += table
    headers.append(
        pack("<IIQQQQIIQQ", names.add(".symtab"), _SHT_SYMTAB, 0, *where, link, first_global, 8, 24)
    )
    where = (0, len(image), len(strings.data))
    image += strings.data
    headers.append(pack("<IIQQQQIIQQ", names.add(".strtab"), _SHT_STRTAB, 0, *where, 0, 0, 1, 0))
    name = names.add(".shstrtab")
    where = (0, len(image), len(names.data))
    image += names.data
    headers.append(pack("<IIQQQQIIQQ", name, _SHT_STRTAB, 0, *where, 0, 0, 1, 0))
    image += bytes(-len(image) % 8)
    return b"".join(headers), len(headers)


def _symbol(symbol: ElfSymbol, strings: _Strings, numbers: dict[str, int]) -> bytes:
    absolute = 0xFFF1
    section = absolute if symbol.section is None else numbers[symbol.section]
    info = (symbol.is_global << 4) | symbol.kind
    name = strings.add(symbol.name)
    return pack("<IBBHQQ", name, info, 0, section, symbol.value % (1 << 64), symbol.size)
