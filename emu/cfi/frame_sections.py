"""The FDEs of an ELF file: where its call frame sections are, relocated, and what they hold.

x86-64 only. In a relocatable file every code section begins at address 0; the sections are laid
out one behind the other while reading, and each FDE is then told its section again.
"""

import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from struct import Struct, error
from typing import Final

from emu.cfi.cursor import Cursor
from emu.cfi.entries import DEBUG_FRAME, EH_FRAME, DwarfFde, EntryReader
from emu.cfi.errors import CfiError
from emu.sframe import Elf, ElfSection, SFrameError

_X86_64: Final = 62
_ET_REL: Final = 1
_PT_LOAD: Final = 1
_PT_GNU_EH_FRAME: Final = 0x6474E550
_SHT_NOBITS: Final = 8
_SHF_ALLOC: Final = 2
_SHF_EXECINSTR: Final = 4
_SHF_COMPRESSED: Final = 0x800
_ZLIB: Final = 1
_ABSOLUTE: Final = {1: 8, 10: 4, 11: 4}
_PC_RELATIVE: Final = {2: 4, 4: 4, 24: 8}
"""Relocation types and the bytes they fill in."""
_SPACING: Final = 16
_compression: Final = Struct("<IIQQ")
_MOST_BYTES: Final = 1 << 30


def read_fdes(elf: Elf) -> list[DwarfFde]:
    """All FDEs of .eh_frame in its order, then those of .debug_frame for other functions.

    Raises `CfiError` for a file that is not for x86-64 and for sections that cannot be read.
    """
    if elf.machine != _X86_64:
        raise CfiError("call frame information is read for x86-64 only")
    try:
        return _read(elf)
    except SFrameError as problem:
        raise CfiError(str(problem)) from problem


def frame_bytes(elf: Elf) -> int:
    """Bytes of the .eh_frame sections."""
    return sum(section.size for section in elf.sections if section.name == EH_FRAME)


def _read(elf: Elf) -> list[DwarfFde]:
    if not elf.sections:
        return list(_by_header(elf))
    place = _Layout(elf) if elf.type == _ET_REL else None
    fdes = [fde for section in _named(elf, EH_FRAME) for fde in _section_fdes(elf, section, place)]
    known = {(fde.section, fde.start) for fde in fdes}
    executable = _executable(elf)
    for section in _named(elf, DEBUG_FRAME):
        # Of discarded functions the linker leaves FDEs here, whose addresses mean nothing.
        fdes += [
            fde
            for fde in _section_fdes(elf, section, place)
            if (fde.section, fde.start) not in known and (place or executable(fde.start))
        ]
    return fdes


def _named(elf: Elf, name: str) -> Iterator[ElfSection]:
    for section in elf.sections:
        if section.name == name and section.type != _SHT_NOBITS and section.size:
            yield section


def _executable(elf: Elf) -> Callable[[int], bool]:
    extents = [
        (section.address, section.address + section.size)
        for section in elf.sections
        if section.flags & _SHF_EXECINSTR
    ]
    return lambda address: any(start <= address < end for start, end in extents)


def _contents(elf: Elf, section: ElfSection) -> bytes:
    data = bytes(elf.contents(section))
    if not section.flags & _SHF_COMPRESSED:
        return data
    try:
        kind, _, size, _ = _compression.unpack_from(data)
        if kind != _ZLIB or size > _MOST_BYTES:
            raise CfiError(f"{section.name} is compressed in a way that is not read here")
        return zlib.decompressobj().decompress(data[_compression.size :], size)
    except (error, zlib.error) as problem:
        raise CfiError(f"{section.name} cannot be decompressed: {problem}") from problem


def _section_fdes(elf: Elf, section: ElfSection, place: "_Layout | None") -> Iterator[DwarfFde]:
    data = _contents(elf, section)
    if place is None:
        yield from EntryReader(data, section.address, section.name).fdes()
        return
    address = place.base(section.index)
    for fde in EntryReader(place.relocated(section, data), address, section.name).fdes():
        index = place.section_at(fde.start)
        yield replace(fde, start=fde.start - place.base(index), section=index)


class _Layout:
    """Addresses for the sections of a relocatable file."""

    def __init__(self, elf: Elf) -> None:
        self._elf = elf
        self._bases: list[int] = []
        address = 0
        for section in elf.sections:
            self._bases.append(address)
            address += (section.size + 2 * _SPACING - 1) // _SPACING * _SPACING

    def base(self, index: int) -> int:
        return self._bases[index]

    def section_at(self, address: int) -> int:
        return bisect_right(self._bases, address) - 1

    def relocated(self, section: ElfSection, data: bytes) -> bytes:
        """A copy with what refers to sections of the file filled in.

        References to other files (personality routines) stay as they are: nothing here reads
        them.
        """
        image = bytearray(data)
        here = self.base(section.index)
        for one in self._elf.relocations(section):
            if not 0 < one.symbol.section < len(self._bases):
                continue
            value = one.symbol.address + one.addend
            if self._elf.sections[one.symbol.section].flags & _SHF_ALLOC:
                # Others (.debug_frame itself) are not loaded: what counts is the offset in them.
                value += self.base(one.symbol.section)
            width = _ABSOLUTE.get(one.type)
            if width is None:
                width = _PC_RELATIVE.get(one.type)
                value -= here + one.offset
            if width is None:
                raise CfiError(f"relocation type {one.type} in {section.name}")
            if one.offset + width > len(image):
                raise CfiError(f"relocation outside {section.name}")
            image[one.offset : one.offset + width] = (value % (1 << 8 * width)).to_bytes(
                width, "little"
            )
        return bytes(image)


def _by_header(elf: Elf) -> Iterator[DwarfFde]:
    """The FDEs of a file without section headers, found through PT_GNU_EH_FRAME."""
    for header in elf.segments:
        if header.type != _PT_GNU_EH_FRAME:
            continue
        raw = bytes(elf.data[header.offset : header.offset + header.file_size])
        cursor = Cursor(raw, address=header.address, name=".eh_frame_hdr")
        version, encoding = cursor.byte(), cursor.byte()
        cursor.take(2)
        if version != 1:
            raise cursor.error(f"version {version}")
        address = cursor.pointer(encoding, header.address)
        for load in elf.segments:
            end = load.address + load.file_size
            if load.type == _PT_LOAD and load.address <= address < end:
                start = load.offset + address - load.address
                data = bytes(elf.data[start : load.offset + load.file_size])
                yield from EntryReader(data, address, to_terminator=True).fdes()
