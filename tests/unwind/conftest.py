"""Sections, memory and stores built in a few keyword-only lines."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from emu.unwind import (
    KERNEL_V15,
    DebugLog,
    Policy,
    RegionMemory,
    RegisterFile,
    SectionStore,
    Vma,
    VmaList,
)

SFRAME = 0x10000
TEXT = (0x20000, 0x21000)
STACK = 0x7FFF0000


@dataclass(frozen=True)
class Fde:
    start: int
    size: int
    rows: Sequence[bytes]
    fre_type: int = 0
    mask: bool = False
    signal: bool = False
    fde_type: int = 0
    repetition: int = 0
    count: int | None = None
    attribute: int | None = None


class Kit:
    """Everything is at SFRAME, TEXT and STACK unless said otherwise."""

    SFRAME = SFRAME
    TEXT = TEXT
    STACK = STACK

    def fre(
        self,
        start: int,
        *words: int,
        base: str = "sp",
        code: int = 0,
        start_size: int = 1,
        count: int | None = None,
    ) -> bytes:
        """One FRE; `code` is the data word size code, `count` overrides the number of words."""
        info = (base == "sp") | (len(words) if count is None else count) << 1 | code << 5
        size = 1 << code
        body = b"".join((word & ((1 << 8 * size) - 1)).to_bytes(size, "little") for word in words)
        return start.to_bytes(start_size, "little") + bytes([info]) + body

    def fde(self, start: int, size: int, *rows: bytes, **more: int | bool | None) -> Fde:
        return Fde(start, size, rows, **more)  # type: ignore[arg-type]  # as Fde says

    def section(
        self,
        *fdes: Fde,
        at: int = SFRAME,
        magic: int = 0xDEE2,
        version: int = 3,
        flags: int = 5,
        abi: int = 3,
        ra: int = -8,
        fp: int = 0,
        auxiliary: int = 0,
        num_fdes: int | None = None,
        num_fres: int | None = None,
        fre_len: int | None = None,
        fdeoff: int = 0,
        freoff: int | None = None,
        gap: int = 0,
    ) -> bytes:
        """A section that is right but for what is overridden; `gap` bytes before the FREs."""
        index, body = b"", b""
        for number, fde in enumerate(fdes):
            entry = at + 28 + fdeoff + 16 * number
            attribute = len(body) if fde.attribute is None else fde.attribute
            offset = (fde.start - entry + (1 << 63)) % (1 << 64) - (1 << 63)
            index += struct.pack("<qII", offset, fde.size, attribute)
            info = fde.fre_type | fde.mask << 4 | fde.signal << 7
            count = len(fde.rows) if fde.count is None else fde.count
            body += struct.pack("<HBBB", count, info, fde.fde_type, fde.repetition)
            body += b"".join(fde.rows)
        header = struct.pack(
            "<HBBBbbBIIIII",
            magic,
            version,
            flags,
            abi,
            fp,
            ra,
            auxiliary,
            len(fdes) if num_fdes is None else num_fdes,
            sum(len(fde.rows) for fde in fdes) if num_fres is None else num_fres,
            len(body) if fre_len is None else fre_len,
            fdeoff,
            fdeoff + len(index) + gap if freoff is None else freoff,
        )
        return header + bytes(fdeoff) + index + bytes(gap) + body

    def store(
        self,
        section: bytes,
        *,
        text: tuple[int, int] = TEXT,
        policy: Policy = KERNEL_V15,
        validation: bool = False,
        add: bool = True,
    ) -> SectionStore:
        """A store for `prog` (42) with the section mapped, and registered if `add`."""
        vmas = [
            Vma(SFRAME, SFRAME + 0x8000, executable=False, path="/bin/prog"),
            Vma(0x20000, 0x30000, executable=True, path="/bin/prog"),
        ]
        store = SectionStore(
            RegionMemory([(SFRAME, section)]),
            VmaList(vmas),
            DebugLog("prog", 42),
            policy=policy,
            validation=validation,
        )
        if add:
            assert store.add(SFRAME, SFRAME + len(section), *text) == 0
        return store

    def stack(self, *words: int, at: int = STACK) -> RegionMemory:
        return RegionMemory([(at, struct.pack(f"<{len(words)}Q", *words))])

    def registers(self, ip: int, sp: int = STACK, fp: int = 0, **others: int) -> RegisterFile:
        names = ("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp")
        values = [others.get(name, 0) for name in names]
        values += [others.get(f"r{number}", 0) for number in range(8, 16)]
        values[6], values[7] = fp, sp
        return RegisterFile(ip, values)


@pytest.fixture
def kit() -> Kit:
    return Kit()
