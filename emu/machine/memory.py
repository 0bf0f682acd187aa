"""The guest's address space: mappings over host buffers that Unicorn, Python and numpy share."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from struct import Struct

from emu.machine.engine import Engine
from emu.machine.mapping import (
    PAGE,
    TASK_SIZE,
    Buffer,
    Mapping,
    OutOfMemory,
    Protection,
)
from emu.unwind import MemoryFault, Vma

MAX_MAPPINGS = 16384
"""Each may be a mapping of the host, of which a process has some 65,000."""

_WORD = Struct("<Q")


class AddressSpace:
    """All mappings of a process. Implements the `Memory` and `Mappings` protocols of emu.unwind.

    Addresses and sizes of `map`, `unmap` and `protect` are multiples of the page size.
    `limit` bounds the bytes that are accessible at once, by all processes of a run together;
    `OutOfMemory` beyond it.
    """

    def __init__(self, uc: Engine, limit: int = 1 << 30) -> None:
        self._uc = uc
        self.limit = limit
        self.taken_elsewhere: Callable[[], int] = _nothing
        """Bytes of the limit that other processes have."""
        self.borrowed = False
        """All memory is the parent's, as in a vfork child."""
        self.generation = 0
        """Grows with every map, unmap and protect."""
        self._mappings: list[Mapping] = []
        self._starts: list[int] = []
        self._forget()

    def __iter__(self) -> Iterator[Mapping]:
        """Mappings by ascending address."""
        return iter(self._mappings)

    # Reading and writing

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`, little endian, unsigned; MemoryFault."""
        if self._low <= address <= self._last_word:
            word: int = _WORD.unpack_from(self._view, address - self._base)[0]
            return word
        return _WORD.unpack(self.read(address, 8))[0]  # type: ignore[no-any-return] # struct has no types

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes; MemoryFault at the first unreadable address."""
        if size <= 0:
            return b""
        end = address + size
        mapping = self._readable(address)
        if end <= mapping.end:
            at = address - self._base
            return bytes(self._view[at : at + size])
        parts = []
        while True:
            at = address - self._base
            stop = min(end, mapping.end)
            parts.append(self._view[at : at + stop - address])
            if stop == end:
                return b"".join(parts)
            address = stop
            mapping = self._readable(address)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store bytes as the kernel does for a system call; MemoryFault if not writable."""
        end = address + len(data)
        self._require(address, end, Protection.WRITE)
        self._store(address, data)

    def load(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store bytes whatever the protection, as when a segment is loaded."""
        self._require(address, address + len(data), Protection.NONE)
        self._store(address, data)

    def writable_prefix(self, address: int, size: int) -> int:
        """How many of `size` bytes from `address` on may be written; MemoryFault for none of them.

        A read into a buffer whose end is unmapped is short, as in the kernel.
        """
        end = address + size
        at = address
        while at < end:
            mapping = self.find(at)
            if mapping is None or not mapping.protection & Protection.WRITE:
                break
            at = mapping.end
        if size and at == address:
            raise MemoryFault(address)
        return min(at, end) - address

    def string(self, address: int, limit: int = 4096) -> bytes:
        """The zero-terminated bytes at `address`, without the zero; MemoryFault.

        At most `limit` bytes are looked at; ValueError if there is no zero among them.
        """
        parts = bytearray()
        while len(parts) < limit:
            stop = min((address & -PAGE) + PAGE, address + limit - len(parts))
            part = self.read(address, stop - address)
            zero = part.find(0)
            if zero >= 0:
                return bytes(parts + part[:zero])
            parts += part
            address = stop
        raise ValueError("string too long")

    def clear(self, start: int, size: int) -> None:
        """Zero whole pages, all of them mapped, whatever their protection."""
        end = start + size
        while start < end:
            mapping = self.find(start)
            assert mapping is not None, "the range is mapped"
            stop = min(end, mapping.end)
            mapping.buffer.clear(mapping.offset + start - mapping.start, stop - start)
            if mapping.ran:
                self._uc.ctl_remove_cache(start, stop)
            start = stop

    # Mappings

    def find(self, address: int) -> Mapping | None:
        """The mapping that contains `address`."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0 and address < self._mappings[index].end:
            return self._mappings[index]
        return None

    def vma_at(self, address: int, /) -> Vma | None:
        """The mapping that contains `address`, as section registration looks at it."""
        mapping = self.find(address)
        if mapping is None:
            return None
        path, name = (mapping.name, None) if mapping.name[:1] == "/" else (None, mapping.name)
        executable = bool(mapping.protection & Protection.EXECUTE)
        return Vma(mapping.start, mapping.end, executable, path, name or None)

    def executable(self, address: int) -> bool:
        """Whether instructions may be fetched at `address`."""
        mapping = self.find(address)
        return mapping is not None and bool(mapping.protection & Protection.EXECUTE)

    def writable(self, address: int) -> bool:
        """Whether the guest may store at `address`."""
        mapping = self.find(address)
        return mapping is not None and bool(mapping.protection & Protection.WRITE)

    def mapped(self, start: int, end: int) -> bool:
        """Whether every byte of [start, end) is mapped, with any protection."""
        while start < end:
            mapping = self.find(start)
            if mapping is None:
                return False
            start = mapping.end
        return True

    def map(
        self,
        start: int,
        size: int,
        protection: Protection,
        name: str = "",
        *,
        buffer: Buffer | None = None,
        offset: int = 0,
        file_offset: int = 0,
        shared: bool = False,
    ) -> Mapping:
        """Map zeroed pages, or part of `buffer`; what was there before is unmapped."""
        end = start + size
        if start % PAGE or size % PAGE or size <= 0 or not 0 <= start < end <= TASK_SIZE:
            raise OutOfMemory(f"no user address range {start:#x}+{size:#x}")
        self.require_room(size if protection else 0)
        if buffer is None:
            buffer = Buffer(size)
        self.unmap(start, size)
        mapping = Mapping(
            start, end, protection, name, buffer, offset, file_offset, shared,
            bool(protection & Protection.EXECUTE),
        )  # fmt: skip
        self._attach(mapping)
        index = bisect_left(self._starts, start)
        self._mappings.insert(index, mapping)
        self._starts.insert(index, start)
        self._changed()
        return mapping

    def extend(self, mapping: Mapping, end: int) -> None:
        """Grow a mapping upward within its buffer; the range must be free."""
        size = end - mapping.end
        if mapping.offset + end - mapping.start > mapping.buffer.size or self.overlaps(
            mapping.end, end
        ):
            raise OutOfMemory(f"no room to grow {mapping.name} to {end:#x}")
        self.require_room(size)
        added = mapping.buffer.address + mapping.offset + mapping.size
        self._uc.mem_map_ptr(mapping.end, size, _permissions(mapping.protection), added)
        mapping.end = end
        self._changed()

    def unmap(self, start: int, size: int) -> None:
        """Remove all pages in the range; pages that are not mapped are skipped."""
        inside = self._cut(start, start + size)
        if not inside:
            return
        for mapping in inside:
            self._uc.mem_unmap(mapping.start, mapping.size)
        if len(inside) == len(self._mappings):
            self.borrowed = False
        first = bisect_left(self._starts, start)
        del self._mappings[first : first + len(inside)]
        del self._starts[first : first + len(inside)]
        self._changed()

    def protect(self, start: int, size: int, protection: Protection) -> None:
        """Change the protection of all pages in the range, splitting mappings at its ends."""
        inside = self._cut(start, start + size)
        if protection:
            self.require_room(sum(mapping.size for mapping in inside if not mapping.protection))
        for mapping in inside:
            if mapping.protection == protection:
                continue
            self._uc.mem_protect(mapping.start, mapping.size, _permissions(protection))
            if mapping.ran:
                # Stores made while the pages are not executable leave translated code as it is.
                self._uc.ctl_remove_cache(mapping.start, mapping.end)
            mapping.protection = protection
            mapping.ran = mapping.ran or bool(protection & Protection.EXECUTE)
        self._changed()

    def copy_to(self, child: AddressSpace, *, share: bool) -> None:
        """Give an empty address space all mappings of this one, as fork does.

        Private memory is copied unless `share` is set, as for vfork. OutOfMemory.
        """
        copies: dict[int, Buffer] = {}
        child.borrowed = share
        for mapping in self._mappings:
            buffer = mapping.buffer
            if not (share or mapping.shared):
                if id(buffer) not in copies:
                    copies[id(buffer)] = Buffer(buffer.size)
                buffer = copies[id(buffer)]
                mapping.buffer.copy_to(buffer, mapping.offset, mapping.size)
            child.map(
                mapping.start, mapping.size, mapping.protection, mapping.name, buffer=buffer,
                offset=mapping.offset, file_offset=mapping.file_offset, shared=mapping.shared,
            ).ran = mapping.ran  # fmt: skip

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any page of [start, end) is mapped."""
        index = bisect_left(self._starts, end) - 1
        return index >= 0 and self._mappings[index].end > start

    def gap(self, size: int, top: int, bottom: int = 0x10000) -> int:
        """The highest free address below `top` with room for `size` bytes; OutOfMemory."""
        for mapping in reversed(self._mappings):
            if mapping.start >= top:
                continue
            if top - mapping.end >= size:
                break
            top = mapping.start
        if top - size < bottom:
            raise OutOfMemory(f"no address range of {size:#x} bytes is free")
        return top - size

    @property
    def accessible(self) -> int:
        """Bytes in mappings that may be accessed at all, without borrowed ones."""
        if self.borrowed:
            return 0
        return sum(mapping.size for mapping in self._mappings if mapping.protection)

    def total(self) -> int:
        """Accessible bytes of all processes."""
        return self.accessible + self.taken_elsewhere()

    def require_room(self, size: int) -> None:
        """OutOfMemory if there may not be `size` more accessible bytes or one more mapping."""
        if len(self._mappings) >= MAX_MAPPINGS:
            raise OutOfMemory(f"the guest has {MAX_MAPPINGS} mappings already")
        if self.total() + size > self.limit:
            raise OutOfMemory(f"the guest's memory limit is {self.limit:#x} bytes")

    # Inside

    def _attach(self, mapping: Mapping) -> None:
        host = mapping.buffer.address + mapping.offset
        self._uc.mem_map_ptr(mapping.start, mapping.size, _permissions(mapping.protection), host)

    def _cut(self, start: int, end: int) -> list[Mapping]:
        """The mappings in [start, end), after those that reach over its ends were split."""
        for address in (start, end):
            index = bisect_left(self._starts, address) - 1
            if index >= 0 and self._mappings[index].end > address:
                upper = self._mappings[index].split(address)
                self._mappings.insert(index + 1, upper)
                self._starts.insert(index + 1, address)
        self._forget()
        return self._mappings[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def _readable(self, address: int) -> Mapping:
        """The mapping at `address`, now the cached one."""
        mapping = self.find(address)
        # As on the processor, whatever may be written or executed may be read.
        if mapping is None or not mapping.protection:
            raise MemoryFault(address)
        self._low = mapping.start
        self._last_word = mapping.end - 8
        self._base = mapping.start - mapping.offset
        self._view = mapping.buffer.view
        return mapping

    def _require(self, address: int, end: int, protection: Protection) -> None:
        while address < end:
            mapping = self.find(address)
            if mapping is None or protection & ~mapping.protection:
                raise MemoryFault(address)
            address = mapping.end

    def _store(self, address: int, data: bytes | bytearray | memoryview) -> None:
        done = 0
        while done < len(data):
            mapping = self.find(address)
            assert mapping is not None, "the range was checked"
            size = min(len(data) - done, mapping.end - address)
            at = mapping.offset + address - mapping.start
            mapping.buffer.view[at : at + size] = data[done : done + size]
            if mapping.ran:
                # Unicorn sees the guest's stores into translated code, but not ours.
                self._uc.ctl_remove_cache(address, address + size)
            address += size
            done += size

    def _changed(self) -> None:
        self.generation += 1
        self._forget()

    def _forget(self) -> None:
        """Nothing is cached: no address lies in the empty range."""
        self._low, self._last_word, self._base = 1, 0, 0
        self._view = memoryview(b"")


def _nothing() -> int:
    return 0


def _permissions(protection: Protection) -> int:
    """Unicorn's permissions: on x86 every accessible page is readable."""
    return int(protection | Protection.READ) if protection else 0
