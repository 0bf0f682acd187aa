"""Just enough ELF64: headers, sections, segments, symbols, relocations.

Nothing is copied: a file given by path is mapped, and only what is asked for is read.
"""

import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

from emu.sframe.constants import Abi, ByteOrder
from emu.sframe.error import SFrameError
from emu.sframe.header import STRUCT_PREFIX

BytesLike = bytes | bytearray | memoryview | mmap.mmap

ET_REL: Final = 1
PT_LOAD: Final = 1
PF_X: Final = 1
SHT_SYMTAB: Final = 2
SHT_RELA: Final = 4
SHT_NOBITS: Final = 8
SHT_DYNSYM: Final = 11
SHF_EXECINSTR: Final = 4
STT_NOTYPE: Final = 0
STT_FUNC: Final = 2
STT_GNU_IFUNC: Final = 10

_MAGIC: Final = b"\x7fELF"
STREAM_LIMIT: Final = 1 << 30

_SHN_XINDEX: Final = 0xFFFF
_CLASSES: Final = {1: 32, 2: 64}
_BYTE_ORDERS: Final[dict[int, ByteOrder]] = {1: "little", 2: "big"}
_MACHINES: Final = {62: "x86-64", 183: "AArch64", 22: "s390x"}
_ABIS: Final = {
    (62, "little"): Abi.AMD64,
    (183, "little"): Abi.AARCH64_LE,
    (183, "big"): Abi.AARCH64_BE,
    (22, "big"): Abi.S390X,
}

_EHDR: Final = "16xHHIQQQIHHHHHH"
_SHDR: Final = "IIQQQQIIQQ"
_PHDR: Final = "IIQQQQQQ"
_SYM: Final = "IBBHQQ"
_RELA: Final = "QQq"


@dataclass(frozen=True, slots=True)
class ElfSection:
    """A section header; offsets and sizes in bytes of the file."""

    index: int
    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol table entry; `section` is its section's index."""

    name: str
    address: int
    size: int
    type: int
    section: int


@dataclass(frozen=True, slots=True)
class Relocation:
    """A RELA entry; `offset` counts from the start of the section it applies to."""

    offset: int
    type: int
    symbol: Symbol
    addend: int


class Elf:
    """An ELF64 file of a machine that has SFrame. Raises `SFrameError` for anything else."""

    def __init__(self, file: str | Path | BytesLike) -> None:
        self.data: memoryview = _view(file)
        if bytes(self.data[:4]) != _MAGIC:
            raise SFrameError("not an ELF file")
        if len(self.data) < 64:
            raise SFrameError(f"ELF file ends after {len(self.data)} of 64 header bytes", 0)
        bits = _CLASSES.get(self.data[4])
        order = _BYTE_ORDERS.get(self.data[5])
        if bits is None or order is None:
            raise SFrameError("neither 32-bit nor 64-bit ELF, or of no byte order")
        if bits == 32:
            raise SFrameError("32-bit ELF; SFrame is for 64-bit ABIs")
        self.byte_order: ByteOrder = order
        (
            self.type,
            self.machine,
            _version,
            self.entry,
            self._phoff,
            self._shoff,
            _flags,
            _ehsize,
            self._phentsize,
            self._phnum,
            self._shentsize,
            self._shnum,
            self._shstrndx,
        ) = self._struct(_EHDR).unpack_from(self.data)
        if (self.machine, order) not in _ABIS:
            name = _MACHINES.get(self.machine, f"machine {self.machine}")
            raise SFrameError(f"{order}-endian ELF for {name}, for which there is no SFrame")
        self.abi: Abi = _ABIS[self.machine, order]

    @property
    def relocatable(self) -> bool:
        return bool(self.type == ET_REL)

    @cached_property
    def sections(self) -> tuple[ElfSection, ...]:
        """All section headers; none if the file was stripped of them."""
        if not self._shoff:
            return ()
        entry = self._struct(_SHDR)
        count, names = self._shnum, self._shstrndx
        if not count or names == _SHN_XINDEX:
            self._need(self._shoff, entry.size, "section headers")
            first = entry.unpack_from(self.data, self._shoff)
            count = count or first[5]
            names = first[6] if names == _SHN_XINDEX else names
        raw = self._table(entry, self._shoff, self._shentsize, count, "section headers")
        strings = b""
        if names < len(raw) and raw[names][1] != SHT_NOBITS:
            strings = self._bytes(raw[names][4], raw[names][5], "section names")
        return tuple(
            ElfSection(i, _string(strings, r[0]), r[1], r[2], r[3], r[4], r[5], r[6], r[7])
            for i, r in enumerate(raw)
        )

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All program headers."""
        if not self._phoff:
            return ()
        raw = self._table(
            self._struct(_PHDR), self._phoff, self._phentsize, self._phnum, "program headers"
        )
        return tuple(Segment(r[0], r[1], r[2], r[3], r[5], r[6]) for r in raw)

    def symbols(self) -> Iterator[Symbol]:
        """Symbols of .symtab, or of .dynsym in a stripped file."""
        tables = [s for s in self.sections if s.type == SHT_SYMTAB] or [
            s for s in self.sections if s.type == SHT_DYNSYM
        ]
        for table in tables:
            yield from self.symbol_table(table)

    def symbol_table(self, table: ElfSection) -> Iterator[Symbol]:
        """The entries of one symbol table section."""
        entry = self._struct(_SYM)
        data = self.contents(table)
        strings = b""
        if table.link < len(self.sections):
            strings = bytes(self.contents(self.sections[table.link]))
        for offset in range(0, len(data) - entry.size + 1, entry.size):
            name, info, _other, section, value, size = entry.unpack_from(data, offset)
            yield Symbol(_string(strings, name), value, size, info & 0xF, section)

    def contents(self, section: ElfSection) -> memoryview:
        """The bytes of a section in the file."""
        if section.type == SHT_NOBITS:
            raise SFrameError(f"{section.name} has no contents in this file", section.offset)
        self._need(section.offset, section.size, section.name or "section")
        return self.data[section.offset : section.offset + section.size]

    def relocations(self, target: ElfSection) -> Iterator[Relocation]:
        """The RELA entries that apply to `target`."""
        entry = self._struct(_RELA)
        for section in self.sections:
            if section.type != SHT_RELA or section.info != target.index:
                continue
            if section.link >= len(self.sections):
                raise SFrameError(f"{section.name} names no symbol table", section.offset)
            symbols = list(self.symbol_table(self.sections[section.link]))
            data = self.contents(section)
            for at in range(0, len(data) - entry.size + 1, entry.size):
                offset, info, addend = entry.unpack_from(data, at)
                if info >> 32 >= len(symbols):
                    raise SFrameError(f"{section.name} names no symbol", section.offset + at)
                yield Relocation(offset, info & 0xFFFFFFFF, symbols[info >> 32], addend)

    def _struct(self, fields: str) -> Struct:
        return Struct(STRUCT_PREFIX[self.byte_order] + fields)

    def _table(
        self, entry: Struct, offset: int, stride: int, count: int, what: str
    ) -> list[tuple[int, ...]]:
        if count and stride < entry.size:
            raise SFrameError(f"{what} of {stride} bytes each, not {entry.size}", offset)
        self._need(offset, stride * count, what)
        return [entry.unpack_from(self.data, offset + stride * i) for i in range(count)]

    def _need(self, offset: int, size: int, what: str) -> None:
        if offset + size > len(self.data):
            raise SFrameError(
                f"truncated file: {what} need {size} bytes, the file has {len(self.data)}", offset
            )

    def _bytes(self, offset: int, size: int, what: str) -> bytes:
        self._need(offset, size, what)
        return bytes(self.data[offset : offset + size])


def _view(file: str | Path | BytesLike) -> memoryview:
    if not isinstance(file, str | Path):
        return memoryview(file).cast("B").toreadonly()
    with Path(file).open("rb") as stream:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            try:
                return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
            except ValueError:
                return memoryview(b"")  # an empty file has nothing to map
        return read_stream(stream)


def read_stream(stream: BinaryIO) -> memoryview:
    """The ELF file that a pipe or device delivers, which may go on for ever.

    Of what does not begin as ELF only the first bytes are read. Raises `SFrameError` beyond 1 GiB.
    """
    start = stream.read(len(_MAGIC))
    if start != _MAGIC:
        return memoryview(start)
    data = start + stream.read(STREAM_LIMIT)
    if len(data) > STREAM_LIMIT:
        raise SFrameError(f"stream of more than {STREAM_LIMIT} bytes", STREAM_LIMIT)
    return memoryview(data)


def _string(strings: bytes, offset: int) -> str:
    end = strings.find(b"\0", offset)
    return strings[offset : max(end, offset)].decode(errors="replace")
