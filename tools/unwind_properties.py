"""What must hold for any section, registers and memory, checked on one string of bytes.

`check(data)` draws a section, an address space and a task from `data`, registers the section,
looks addresses up, forks and walks. It raises AssertionError where

* a result is neither 0 nor an errno the kernel documents for it;
* a read leaves the header (at registration) or the FDE and FRE tables (at lookup);
* a walk records more than its limit or reads more words than rules can name;
* emu.unwind, as `kernel-v15`, differs from the plain kernel in anything.

The bytes: flags, limit, number of stack words; then u16 selectors of the address, of four
registers and of the stack words (see `value`); the rest is the section.
"""

import struct
from dataclasses import dataclass

from plain_kernel import PlainKernel
from replay_vectors import frame_json, result, state_json

from emu.unwind import (
    POLICIES,
    DebugLog,
    Ending,
    Errno,
    LookupFailure,
    MemoryFault,
    Policy,
    RegisterFile,
    Row,
    SectionStore,
    Vma,
    VmaList,
    Walk,
    unwind_user,
)

SFRAME, TEXT, TEXT_END, STACK = 0x10000, 0x20000, 0x21000, 0x7FFD0000
SECTION_LIMIT = 0x1000
HEADER_SIZE = 28
U64 = (1 << 64) - 1

LOOKUP_ERRNOS = {Errno.ENOENT, Errno.EINVAL, Errno.EFAULT}
ADD_RESULTS = {0, -Errno.EINVAL, -Errno.EFAULT}
READS_PER_STEP = 3
"""CFA, RA and FP."""
READS_OF_A_SIGNAL = 4
"""The restorer's code and three registers (policy `glibc`)."""

VALIDATION, NARROW, STABLE, MENDED = 0x04, 0x08, 0x10, 0x20


def value(selector: int) -> int:
    """A 64-bit number from 16 bits: code, a stack slot, a stack address or anything."""
    low = selector & 0x3FFF
    match selector >> 14:
        case 0:
            return TEXT + (low & 0x1FF)
        case 1:
            return STACK + 8 * (low & 0x3F)
        case 2:
            return STACK - 8 + (low & 0x3FF)
        case _:
            return low * 0x0001_0004_0010_0041 & U64


def mended(section: bytes) -> bytes:
    """The section with a header that registers, and entries that may cover some code.

    Without it a mutation would hardly ever get past the checks of registration.
    """
    if len(section) < HEADER_SIZE + 16:
        return section
    changed = bytearray(section)
    count = 1 + changed[8] % min(8, (len(section) - HEADER_SIZE) // 16)
    struct.pack_into("<HBB", changed, 0, 0xDEE2, 3, 5)
    changed[7] = 0
    fres = len(section) - HEADER_SIZE - 16 * count
    struct.pack_into("<5I", changed, 8, count, 1, fres, 0, 16 * count)
    start = TEXT
    for number in range(count):
        entry = HEADER_SIZE + 16 * number
        distance, size, attributes = struct.unpack_from("<qII", changed, entry)
        start += distance % 64 if distance % 8 else 0
        offset = start - SFRAME - entry
        struct.pack_into("<qII", changed, entry, offset, size % 256, attributes % (fres + 2))
        start += size % 256
    return bytes(changed)


@dataclass
class Input:
    """What one string of bytes stands for."""

    section: bytes
    policy: Policy
    validation: bool
    stable: bool
    word_size: int
    limit: int
    ip: int
    registers: list[int]
    stack: bytes

    @classmethod
    def of(cls, data: bytes) -> "Input":
        """Any bytes are an input; missing ones are zero."""
        flags, limit, words = (*data[:3], 0, 0, 0)[:3]
        words %= 65
        raw = data[3 : 3 + 2 * (5 + words)].ljust(2 * (5 + words), b"\0")
        values = [value(selector) for (selector,) in struct.iter_unpack("<H", raw)]
        registers = (values[1:5] * 4)[:16]
        section = data[3 + len(raw) :][:SECTION_LIMIT]
        return cls(
            section=mended(section) if flags & MENDED else section,
            policy=POLICIES[flags % 4],
            validation=bool(flags & VALIDATION),
            stable=bool(flags & STABLE),
            word_size=4 if flags & NARROW else 8,
            limit=1 + limit % 64,
            ip=values[0],
            registers=registers,
            stack=struct.pack(f"<{words}Q", *values[5:]),
        )


class SectionMemory:
    """The section, and which parts of it may be read at this moment."""

    def __init__(self, section: bytes) -> None:
        self.section = section
        self.allowed = [(SFRAME, SFRAME + HEADER_SIZE)]

    def read(self, address: int, size: int) -> bytes:
        """The bytes; AssertionError if they are not for reading now."""
        assert any(start <= address and address + size <= end for start, end in self.allowed), (
            f"read of {size} bytes at {address:#x}, outside {self.allowed}"
        )
        found = self.plain(address, size)
        if found is None:
            raise MemoryFault(address)
        return found

    def plain(self, address: int, size: int) -> bytes | None:
        """The same for the plain kernel, which is not watched."""
        offset = address - SFRAME
        if offset < 0 or offset + size > len(self.section):
            return None
        return self.section[offset : offset + size]

    def word(self, address: int) -> int:
        """No stack word is ever read from a section."""
        raise AssertionError(f"stack word at {address:#x} read from section memory")


class StackMemory:
    """The stack, counting what is read."""

    def __init__(self, content: bytes, word_size: int) -> None:
        self.content = content
        self.sizes = {word_size, 8, 9}
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        """The bytes, or MemoryFault."""
        assert 0 <= address <= U64
        assert size in self.sizes
        self.reads += 1
        found = self.plain(address, size)
        if found is None:
            raise MemoryFault(address)
        return found

    def plain(self, address: int, size: int) -> bytes | None:
        """The same for the plain kernel."""
        offset = address - STACK
        if offset < 0 or offset + size > len(self.content):
            return None
        return self.content[offset : offset + size]

    def word(self, address: int) -> int:
        """Eight bytes as a number."""
        return int.from_bytes(self.read(address, 8), "little")


class Spaces:
    """The section registered with emu.unwind and, for `kernel-v15`, with the plain kernel."""

    def __init__(self, drawn: Input) -> None:
        self.drawn = drawn
        self.memory = SectionMemory(drawn.section)
        ends = (SFRAME, SFRAME + 2 * SECTION_LIMIT), (TEXT, TEXT_END)
        self.store = SectionStore(
            self.memory,
            VmaList([Vma(*ends[0], False, "/bin/prog"), Vma(*ends[1], True, "/bin/prog")]),
            DebugLog("prog", 42),
            policy=drawn.policy,
            validation=drawn.validation,
            stable=drawn.stable,
        )
        self.plain: PlainKernel | None = None
        if drawn.policy.name == "kernel-v15":
            self.plain = PlainKernel(
                self.memory.plain,
                [(*ends[0], False), (*ends[1], True)],
                validation=drawn.validation,
            )

    def same(self) -> None:
        """Both have as many records and have said the same."""
        lines = self.store.log.drain()
        if self.plain is not None:
            assert lines == self.plain.drain()
            assert len(self.store) == len(self.plain.records)

    def register(self) -> bool:
        """Register for all of the code; whether that worked."""
        ranges = SFRAME, SFRAME + len(self.drawn.section), TEXT, TEXT_END
        self.memory.allowed = [(SFRAME, SFRAME + max(HEADER_SIZE, len(self.drawn.section)))]
        if not self.drawn.validation:
            self.memory.allowed = [(SFRAME, SFRAME + HEADER_SIZE)]
        added = self.store.add(*ranges)
        assert added in ADD_RESULTS, added
        if self.plain is not None:
            assert added == self.plain.add(*ranges)
        self.same()
        for record in self.store.records:
            assert record.sframe_start + HEADER_SIZE <= record.fdes_start
            assert record.fdes_start + 16 * record.num_fdes <= record.fres_start
            assert record.fres_start <= record.fres_end <= record.sframe_end
            self.memory.allowed = [
                (record.fdes_start, record.fdes_start + 16 * record.num_fdes),
                (record.fres_start, record.fres_end),
            ]
        return added == 0

    def register_again(self) -> None:
        """What is registered already cannot be again."""
        allowed = self.memory.allowed
        self.memory.allowed = [(SFRAME, SFRAME + len(self.drawn.section))]
        ranges = SFRAME, SFRAME + len(self.drawn.section), TEXT + 16, TEXT + 17
        added = self.store.add(*ranges)
        expected = {-Errno.EEXIST}
        if self.drawn.validation:
            expected |= {-Errno.EFAULT, -Errno.EINVAL}  # a function outside this text range
        assert added in expected, added
        if self.plain is not None:
            assert added == self.plain.add(*ranges)
        self.same()
        self.memory.allowed = allowed

    def find(self, ip: int) -> None:
        """One lookup without and one with its effect."""
        pure = self.store.lookup(ip)
        before = len(self.store)
        found = self.store.find(ip)
        if isinstance(found, LookupFailure):
            assert found == pure
            assert found.errno in LOOKUP_ERRNOS
            assert found.reason
        else:
            assert isinstance(pure, Row)
            assert found == pure.frame
            assert str(found)
            assert len(self.store) == before
        if self.plain is not None:
            assert (result(found), frame_json(found)) == self.plain.find(ip)
        self.same()

    def fork(self) -> None:
        """A child has the parent's records, or none before version 15."""
        child = self.store.duplicate(self.memory, self.store.mappings)
        assert isinstance(child, SectionStore)
        inherited = self.store.records if self.drawn.policy.duplicate_on_fork else ()
        assert child.records == inherited


def check_walk(drawn: Input) -> None:
    """The walk with its limit, and without, step by step."""
    registers = RegisterFile(drawn.ip, drawn.registers)
    spaces = Spaces(drawn)
    spaces.register()
    stack = StackMemory(drawn.stack, drawn.word_size)
    trace = unwind_user(spaces.store, stack, registers, drawn.limit, word_size=drawn.word_size)
    assert trace.ret == 0
    assert 1 <= len(trace.frames) <= drawn.limit
    assert trace.ips[0] == drawn.ip
    assert (trace.end.ending is Ending.LIMIT) == (len(trace.frames) == drawn.limit)
    steps = READS_PER_STEP + (READS_OF_A_SIGNAL if drawn.policy.signal_frames else 0)
    assert stack.reads <= steps * len(trace.frames)
    assert str(trace.end)
    if spaces.plain is not None:
        assert spaces.plain.walk(
            drawn.ip, drawn.registers, stack.plain, drawn.limit, drawn.word_size
        ) == (0, list(trace.ips))
    spaces.same()

    spaces = Spaces(drawn)
    spaces.register()
    walk = Walk(spaces.store, stack, registers, word_size=drawn.word_size)
    state = spaces.plain and spaces.plain.start(drawn.ip, drawn.registers)
    for _ in range(drawn.limit):
        if spaces.plain is not None:
            assert state_json(walk, walk.ret) == state
        if walk.done:
            assert walk.step() == -Errno.EINVAL
            break
        ret = walk.step()
        assert ret in {0, -Errno.EINVAL}
        if spaces.plain is not None:
            state = spaces.plain.step(state, drawn.registers, stack.plain, drawn.word_size)
        spaces.same()


def check(data: bytes) -> None:
    """All properties on one input; AssertionError if one does not hold."""
    drawn = Input.of(data)
    spaces = Spaces(drawn)
    if spaces.register():
        spaces.register_again()
        spaces.fork()
        for ip in dict.fromkeys([drawn.ip, *drawn.registers[:4], TEXT, TEXT_END - 1]):
            spaces.find(ip)
            spaces.find(ip)
            if not len(spaces.store):
                spaces.register()
    check_walk(drawn)
