"""An ELF file to be mapped, and one that is: Image and Module."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from struct import Struct

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from emu.machine.errors import MachineError
from emu.machine.lines import LineTable, read_lines
from emu.machine.symbols import Symbol, SymbolTable, read_symbols
from emu.sframe import SFrameError
from emu.sframe.header import read_header

PT_LOAD = 1
PT_INTERP = 3
PT_PHDR = 6
PT_GNU_EH_FRAME = 0x6474E550
PT_GNU_STACK = 0x6474E551
PT_GNU_SFRAME = 0x6474E554
PF_X, PF_W, PF_R = 1, 2, 4
MAX_FILE = 1 << 30

_EHDR = Struct("<16sHHIQQQIHHHHHH")
_PHDR = Struct("<IIQQQQQQ")
_EM_X86_64 = 62


class ImageType(Enum):
    """What may be mapped; the values of e_type."""

    EXECUTABLE = 2
    SHARED = 3
    """A shared library, the dynamic loader or a position-independent executable."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header. `address` is the link-time one; sizes in bytes."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    align: int

    @property
    def executable(self) -> bool:
        return bool(self.flags & PF_X)

    @property
    def end(self) -> int:
        return self.address + self.memory_size


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes of a file with their link-time address.

    `memory_size` is the size of the segment that points to them, which may be larger than the
    data (ld keeps an estimate there), or the length of the data if there is no such segment.
    """

    address: int
    data: bytes
    memory_size: int


class Image:
    """One parsed ELF64 file for x86-64. All addresses are link-time addresses."""

    def __init__(self, data: bytes, path: str) -> None:
        """Raises MachineError, one line with `path` in it, for anything that cannot be run."""
        self.data = data
        self.path = path
        if data[:2] == b"#!":
            line = data[2:256].partition(b"\n")[0].decode(errors="replace").strip()
            raise MachineError(f"{path}: a script, not an ELF file; run its interpreter, {line}")
        if data[:4] != b"\x7fELF":
            raise MachineError(f"{path}: not an ELF file")
        if len(data) < 20:
            raise MachineError(f"{path}: truncated ELF header")
        if data[4] != 2:
            raise MachineError(f"{path}: a 32-bit ELF file; only x86-64 programs can be run")
        if data[5] != 1 or int.from_bytes(data[18:20], "little") != _EM_X86_64:
            raise MachineError(f"{path}: not for x86-64 ({_machine(data)})")
        if len(data) < _EHDR.size:
            raise MachineError(f"{path}: truncated ELF header")
        fields = _EHDR.unpack_from(data)
        try:
            self.type = ImageType(fields[1])
        except ValueError:
            kind = {1: "a relocatable object", 4: "a core file"}.get(fields[1], "of no known type")
            raise MachineError(f"{path}: {kind}; only linked programs can be run") from None
        self.entry: int = fields[4]
        self.header_offset: int = fields[5]
        """File offset of the program headers."""
        self.header_count: int = fields[10]
        if fields[9] != _PHDR.size and self.header_count:
            raise MachineError(f"{path}: program headers of {fields[9]} bytes, not {_PHDR.size}")
        self.segments: tuple[Segment, ...] = self._segments()
        """Those of type PT_LOAD, by address."""
        self.headers: tuple[Segment, ...]
        if not self.segments:
            raise MachineError(f"{path}: has no segment to load")

    @classmethod
    def from_bytes(cls, data: bytes, path: str = "<memory>") -> Image:
        """Parse the bytes of a file; `path` is the name used for it."""
        return cls(data, path)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], name: str | None = None) -> Image:
        """Parse a file; `name` is the path the guest knows it by, if another."""
        shown = os.fspath(path)
        try:
            # Opened without blocking: the path may name a FIFO.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise MachineError(f"{shown}: not a regular file")
                if status.st_size > MAX_FILE:
                    raise MachineError(f"{shown}: larger than {MAX_FILE >> 20} MiB")
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    data = file.read(status.st_size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise MachineError(f"{shown}: {error.strerror}") from error
        except ValueError as error:
            raise MachineError(f"{shown!r}: {error}") from error
        return cls(data, name or shown)

    def _segments(self) -> tuple[Segment, ...]:
        end = self.header_offset + self.header_count * _PHDR.size
        if end > len(self.data):
            raise MachineError(f"{self.path}: truncated: program headers end at {end:#x}")
        headers = []
        for index in range(self.header_count):
            kind, flags, offset, address, _, file_size, memory_size, align = _PHDR.unpack_from(
                self.data, self.header_offset + index * _PHDR.size
            )
            headers.append(Segment(kind, flags, offset, address, file_size, memory_size, align))
        self.headers = tuple(headers)
        loads = sorted((h for h in headers if h.type == PT_LOAD), key=lambda h: h.address)
        for segment in loads:
            if segment.offset + segment.file_size > len(self.data):
                raise MachineError(
                    f"{self.path}: truncated: the segment at {segment.address:#x} ends at file "
                    f"offset {segment.offset + segment.file_size:#x} of {len(self.data):#x}"
                )
            if segment.file_size > segment.memory_size or segment.end >= 1 << 47:
                raise MachineError(f"{self.path}: malformed segment at {segment.address:#x}")
            if (segment.offset - segment.address) % 0x1000:
                raise MachineError(f"{self.path}: misaligned segment at {segment.address:#x}")
        return tuple(loads)

    def header(self, kind: int) -> Segment | None:
        """The first program header of type `kind`."""
        return next((header for header in self.headers if header.type == kind), None)

    @property
    def executable_stack(self) -> bool:
        """Whether code may run on the stack, as the trampolines of nested functions do."""
        header = self.header(PT_GNU_STACK)
        return header is not None and header.executable

    @property
    def start(self) -> int:
        """Lowest page that is loaded."""
        return self.segments[0].address & -0x1000

    @property
    def end(self) -> int:
        """End of the highest page that is loaded."""
        return (max(segment.end for segment in self.segments) + 0xFFF) & -0x1000

    @property
    def interpreter(self) -> str | None:
        """The dynamic loader the program asks for."""
        header = self.header(PT_INTERP)
        if header is None:
            return None
        data = self.data[header.offset : header.offset + header.file_size]
        return os.fsdecode(data.partition(b"\0")[0])

    @cached_property
    def sframe(self) -> Blob | None:
        """The SFrame data, whatever their version.

        Found by PT_GNU_SFRAME, then by the section's name. The length is the one the SFrame
        header gives ("SFrame specification, 'SFrame Header'"): the segment may be longer.
        """
        header = self.header(PT_GNU_SFRAME)
        if header is not None:
            # The kernel reads what is mapped there, whatever the header says about the file.
            mapped = self.bytes_at(header.address, header.memory_size)
            data = mapped or self.data[header.offset : header.offset + header.file_size]
            return Blob(header.address, data[: _sframe_length(data)], header.memory_size)
        section = self._section(".sframe")
        if section is None or not section[0]:
            return None
        address, data = section
        return Blob(address, data[: _sframe_length(data)], len(data))

    @cached_property
    def eh_frame(self) -> Blob | None:
        """The bytes of .eh_frame."""
        section = self._section(".eh_frame")
        return Blob(section[0], section[1], len(section[1])) if section and section[1] else None

    def symbol_at(self, address: int) -> Symbol | None:
        """The function that contains `address`."""
        return self._symbols.at(address)

    def address_of(self, name: str) -> int | None:
        """Address of a symbol, global ones first."""
        return self._symbols.addresses.get(name)

    @property
    def functions(self) -> list[Symbol]:
        """All functions by address."""
        return self._symbols.functions

    def source_line(self, address: int) -> str | None:
        """`file:line`, if the file has a line table."""
        return self._lines.at(address)

    def bytes_at(self, address: int, size: int) -> bytes:
        """Bytes of the file at a link-time address; fewer where the segment's file data end."""
        for segment in self.segments:
            if segment.address <= address < segment.address + segment.file_size:
                at = segment.offset + address - segment.address
                return self.data[at : min(at + size, segment.offset + segment.file_size)]
        return b""

    @cached_property
    def _elf(self) -> ELFFile | None:
        # Sections are not needed to run; a file with damaged ones is as good as stripped.
        try:
            elf = ELFFile(io.BytesIO(self.data))
            for _ in elf.iter_sections():
                pass
        except (ELFError, ConstructError, ValueError, KeyError, IndexError, AttributeError):
            return None
        return elf

    def _section(self, name: str) -> tuple[int, bytes] | None:
        section = self._elf.get_section_by_name(name) if self._elf else None
        if section is None or section.header.sh_type == "SHT_NOBITS":
            return None
        return section.header.sh_addr, section.data()

    @cached_property
    def _symbols(self) -> SymbolTable:
        if self._elf is None:
            return SymbolTable([], {})
        try:
            return read_symbols(self._elf)
        except (ELFError, ConstructError, ValueError, KeyError, IndexError, AttributeError):
            return SymbolTable([], {})

    @cached_property
    def _lines(self) -> LineTable:
        return read_lines(self._elf) if self._elf is not None else LineTable([])


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """An image mapped at link-time address + `bias`; `start` and `end` are run-time addresses."""

    image: Image
    bias: int

    @property
    def path(self) -> str:
        return self.image.path

    @property
    def start(self) -> int:
        return self.image.start + self.bias

    @property
    def end(self) -> int:
        return self.image.end + self.bias

    def contains(self, pc: int) -> bool:
        """Whether run-time `pc` lies in the module."""
        return self.start <= pc < self.end

    def place(self, pc: int) -> str:
        """`path: function+0x12` for people."""
        symbol = self.image.symbol_at(pc - self.bias)
        name = f"{symbol.name}+{pc - self.bias - symbol.start:#x}" if symbol else f"{pc:#x}"
        return f"{self.path}: {name}"


def _sframe_length(data: bytes) -> int:
    """Length by the header, or all of it if the header cannot be read."""
    try:
        return read_header(memoryview(data)).length
    except SFrameError:
        return len(data)


def _machine(data: bytes) -> str:
    order = "little" if data[5] == 1 else "big"
    number = int.from_bytes(data[18:20], "little" if data[5] == 1 else "big")
    names = {183: "AArch64", 22: "s390x", 243: "RISC-V", 21: "PowerPC64", 8: "MIPS", 3: "i386"}
    return f"{names.get(number, f'machine {number}')}, {order} endian"
