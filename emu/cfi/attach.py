"""An ELF file with a .sframe section it did not have.

Nothing that is there moves or changes but the tables at its ends: a linked file gets a segment
with the section and the program headers, PT_GNU_SFRAME and a section header; a relocatable file
.sframe and .rela.sframe, as GNU as writes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from struct import Struct, error
from typing import Final

from emu.cfi.convert import Conversion
from emu.cfi.errors import CfiError
from emu.cfi.placement import ALIGNMENT, PAGE, PROGRAM_HEADER, Placement, place_section
from emu.sframe import (
    ENTRY_SIZE,
    HEADER_SIZE,
    PT_GNU_SFRAME,
    SHT_GNU_SFRAME,
    Elf,
    SFrameError,
    Version,
    find_section,
)

_FILE_HEADER: Final = Struct("<16xHHIQQQIHHHHHH")
_SECTION_HEADER: Final = Struct("<IIQQQQIIQQ")
_SYMBOL: Final = Struct("<IBBHQQ")
_RELA: Final = Struct("<QQq")
_PHOFF_AT, _SHOFF_AT, _PHNUM_AT, _SHNUM_AT = 32, 40, 56, 60
_PT_LOAD: Final = 1
_PT_PHDR: Final = 6
_PF_R: Final = 4
_SHT_SYMTAB: Final = 2
_SHT_RELA: Final = 4
_SHF_ALLOC: Final = 2
_SHF_INFO_LINK: Final = 0x40
_STT_SECTION: Final = 3
_R_X86_64_PC64: Final = 24
_MOST_SECTIONS: Final = 0xFF00
_MOST_HEADERS: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class _SectionHeader:
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int

    def pack(self) -> bytes:
        return _SECTION_HEADER.pack(
            *(self.name, self.type, self.flags, self.address, self.offset, self.size),
            *(self.link, self.info, self.alignment, self.entry_size),
        )


def attach(elf: Elf, conversion: Conversion) -> bytes:
    """The bytes of a copy of `elf` with the converted section.

    `conversion` was made from `elf` with the default address. Raises `CfiError` for a file that
    has a .sframe section already, and for one whose tables leave no room.
    """
    try:
        if find_section(elf) is not None or any(
            segment.type == PT_GNU_SFRAME for segment in elf.segments
        ):
            raise CfiError("the file has a .sframe section already")
        if elf.relocatable:
            return _attach_relocatable(elf, conversion)
        return _attach_linked(elf, conversion)
    except SFrameError as problem:
        raise CfiError(str(problem)) from problem
    except error as problem:
        raise CfiError(f"an address or offset is out of range: {problem}") from problem


def _attach_linked(elf: Elf, conversion: Conversion) -> bytes:
    place = place_section(elf)
    if conversion.address != place.section_address:
        raise CfiError(f"the section was not made for address {place.section_address:#x}")
    image = bytearray(elf.data)
    image += bytes(place.offset - len(image))
    headers = _program_headers(elf, place, len(conversion.data))
    image += headers
    image += bytes(place.section_offset - len(image))
    image += conversion.data
    image[_PHOFF_AT : _PHOFF_AT + 8] = place.offset.to_bytes(8, "little")
    count = len(headers) // PROGRAM_HEADER.size
    image[_PHNUM_AT : _PHNUM_AT + 2] = count.to_bytes(2, "little")
    if elf.sections:
        tables = _Tables(elf)
        tables.add(
            ".sframe",
            _sframe_header(place.section_address, place.section_offset, len(conversion.data)),
        )
        tables.append_to(image)
    return bytes(image)


def _sframe_header(address: int, offset: int, size: int) -> _SectionHeader:
    return _SectionHeader(0, SHT_GNU_SFRAME, _SHF_ALLOC, address, offset, size, 0, 0, ALIGNMENT, 0)


def _program_headers(elf: Elf, place: Placement, size: int) -> bytes:
    """The file's program headers, with the new segment after the other loaded ones."""
    fields = _FILE_HEADER.unpack_from(elf.data)
    start, entry, count = fields[4], fields[8], fields[9]
    if count + 2 >= _MOST_HEADERS or entry != PROGRAM_HEADER.size:
        raise CfiError("the program headers cannot be extended")
    extent = place.section_offset + size - place.offset
    where = (place.address, place.address)
    load = (_PT_LOAD, _PF_R, place.offset, *where, extent, extent, PAGE)
    headers: list[tuple[int, ...]] = []
    for index in range(count):
        header = PROGRAM_HEADER.unpack_from(elf.data, start + index * entry)
        if header[0] == _PT_PHDR:
            header = (
                *(_PT_PHDR, header[1], place.offset, *where),
                *(place.headers, place.headers, header[7]),
            )
        headers.append(header)
    last = max(index for index, header in enumerate(headers) if header[0] == _PT_LOAD)
    headers.insert(last + 1, load)
    at = (place.section_address, place.section_address)
    headers.append((PT_GNU_SFRAME, _PF_R, place.section_offset, *at, size, size, ALIGNMENT))
    return b"".join(PROGRAM_HEADER.pack(*header) for header in headers)


class _Tables:
    """The section headers of a file and their names, to be extended and written behind it."""

    def __init__(self, elf: Elf) -> None:
        fields = _FILE_HEADER.unpack_from(elf.data)
        start, entry, count, names = fields[5], fields[10], fields[11], fields[12]
        if not 0 < count < _MOST_SECTIONS or not 0 < names < count:
            raise CfiError("the section headers cannot be extended")
        self._names_index = names
        self._headers = [
            _SectionHeader(*_SECTION_HEADER.unpack_from(elf.data, start + index * entry))
            for index in range(count)
        ]
        self._names = bytearray(elf.contents(elf.sections[names]))

    @property
    def count(self) -> int:
        """Number of sections so far; the index of the next one."""
        return len(self._headers)

    def add(self, name: str, header: _SectionHeader) -> None:
        """One more section, whose contents are in the file."""
        self._headers.append(replace(header, name=len(self._names)))
        self._names += name.encode() + b"\0"

    def append_to(self, image: bytearray) -> None:
        """Write names and headers behind `image` and tell the file header."""
        old = self._headers[self._names_index]
        self._headers[self._names_index] = replace(old, offset=len(image), size=len(self._names))
        image += self._names
        image += bytes(-len(image) % 8)
        image[_SHOFF_AT : _SHOFF_AT + 8] = len(image).to_bytes(8, "little")
        image[_SHNUM_AT : _SHNUM_AT + 2] = self.count.to_bytes(2, "little")
        image += b"".join(header.pack() for header in self._headers)


def _attach_relocatable(elf: Elf, conversion: Conversion) -> bytes:
    table = next((s for s in elf.sections if s.type == _SHT_SYMTAB), None)
    if table is None:
        raise CfiError("the file has no symbol table to relocate by")
    symbols = _section_symbols(bytes(elf.contents(table)))
    image = bytearray(elf.data)
    image += bytes(-len(image) % 8)
    tables = _Tables(elf)
    here = tables.count
    tables.add(".sframe", _sframe_header(0, len(image), len(conversion.data)))
    image += conversion.data
    image += bytes(-len(image) % 8)
    rela = _relocations(conversion, symbols)
    tables.add(
        ".rela.sframe",
        _SectionHeader(
            *(0, _SHT_RELA, _SHF_INFO_LINK, 0, len(image), len(rela)),
            *(table.index, here, 8, _RELA.size),
        ),
    )
    image += rela
    tables.append_to(image)
    return bytes(image)


def _section_symbols(table: bytes) -> dict[int, tuple[int, int]]:
    """Section index -> number and value of a symbol in it, its section symbol if there is one."""
    found: dict[int, tuple[int, int]] = {}
    for number in range(len(table) // _SYMBOL.size):
        _, info, _, section, value, _ = _SYMBOL.unpack_from(table, number * _SYMBOL.size)
        if section and (info & 0xF == _STT_SECTION or section not in found):
            found[section] = (number, value)
    return found


def _relocations(conversion: Conversion, symbols: dict[int, tuple[int, int]]) -> bytes:
    parts: list[bytes] = []
    stride = ENTRY_SIZE[Version.V3]
    targets: Sequence[tuple[int, int]] = [(t.section, t.offset) for t in conversion.targets]
    for index, (section, offset) in enumerate(targets):
        if section not in symbols:
            raise CfiError(f"no symbol to relocate functions of section {section} by")
        number, value = symbols[section]
        # The start field is the first of an entry, and relative to itself.
        at = HEADER_SIZE + stride * index
        parts.append(_RELA.pack(at, number << 32 | _R_X86_64_PC64, offset - value))
    return b"".join(parts)
