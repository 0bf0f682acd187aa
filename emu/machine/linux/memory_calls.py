"""brk, mmap and what belongs to them."""

from __future__ import annotations

from emu.machine.errors import MachineError
from emu.machine.image import Image
from emu.machine.linux.descriptions import Description, Device, MemoryFile
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.mapping import PAGE, TASK_SIZE, Buffer, Mapping, OutOfMemory, Protection, page_up

MMAP_TOP = 0x7FFF_F7FF_F000
"""Mappings are placed downward from here, as Linux does without address randomisation."""

MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_FIXED, MAP_ANONYMOUS = 1, 2, 3, 0x10, 0x20
MAP_FIXED_NOREPLACE = 0x100000
MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
_ALL = int(Protection.READ | Protection.WRITE | Protection.EXECUTE)
_GROWS = 0x0300_0000  # PROT_GROWSDOWN, PROT_GROWSUP
_KNOWN_ADVICE = {*range(5), 8, 9, *range(10, 26)}
_DONTNEED, _FREE = 4, 8


def brk(kernel: Kernel, address: int) -> int:
    memory = kernel.memory
    if not kernel.break_start <= address < MMAP_TOP:
        return kernel.break_end
    old, new = page_up(kernel.break_end), page_up(address)
    try:
        if new > old:
            _grow_heap(kernel, old, new)
        elif new < old:
            if memory.mapped(new, old):
                # What a later brk gives back must be zero again.
                memory.clear(new, old - new)
            memory.unmap(new, old - new)
    except OutOfMemory:
        return kernel.break_end
    kernel.break_end = address
    return address


def _grow_heap(kernel: Kernel, old: int, new: int) -> None:
    memory = kernel.memory
    if memory.overlaps(old, new):
        raise OutOfMemory("the heap meets another mapping")
    heap = memory.find(old - 1)
    read_write = Protection.READ | Protection.WRITE
    if heap is None or heap.name != "[heap]" or heap.protection != read_write:
        buffer = Buffer(max(memory.limit, new - old))
        memory.map(old, new - old, read_write, "[heap]", buffer=buffer)
    else:
        memory.extend(heap, new)


def mmap(kernel: Kernel, hint: int, length: int, prot: int, flags: int, fd: int, at: int) -> int:
    memory = kernel.memory
    sharing = flags & 3
    if not length or sharing == 0 or prot & ~(_ALL | _GROWS):
        raise SystemCallError(Errno.EINVAL)
    if at % PAGE:
        raise SystemCallError(Errno.EINVAL)
    if length > TASK_SIZE:
        raise SystemCallError(Errno.ENOMEM)
    size = page_up(length)
    protection = Protection(prot & _ALL)
    description: Description | None = None
    if not flags & MAP_ANONYMOUS:
        description = _mappable(kernel, signed_int(fd), sharing, protection)
    start = _choose(kernel, hint, size, flags)
    if description is None or isinstance(description, Device):
        shared = sharing != MAP_PRIVATE
        memory.map(start, size, protection, shared=shared)
        return start
    memory.require_room(size)
    shared = sharing != MAP_PRIVATE
    if shared and isinstance(description, MemoryFile):
        buffer, offset = description.node.data.pages(), at
        if at + size > buffer.size:
            raise SystemCallError(Errno.ENOMEM)
    else:
        buffer, offset = Buffer(size), 0
        _fill(buffer, description, at, length)
    kernel.machine.unmapped(start, start + size)
    memory.map(
        start, size, protection, description.path, buffer=buffer, offset=offset, file_offset=at,
        shared=shared,
    )  # fmt: skip
    kernel.machine.file_mapped(description.path, lambda: _whole(description))
    return start


def _mappable(kernel: Kernel, fd: int, sharing: int, protection: Protection) -> Description:
    description = kernel.descriptors[fd]
    if isinstance(description, Device) and description.name == "zero":
        return description
    if not description.status.is_regular:
        raise SystemCallError(Errno.ENODEV)
    if not description.readable:
        raise SystemCallError(Errno.EACCES)
    if sharing != MAP_PRIVATE and protection & Protection.WRITE and not description.writable:
        raise SystemCallError(Errno.EACCES)
    if (
        sharing != MAP_PRIVATE
        and protection & Protection.EXECUTE
        and isinstance(description, MemoryFile)
    ):
        raise SystemCallError(Errno.EPERM)
    return description


def _choose(kernel: Kernel, hint: int, size: int, flags: int) -> int:
    memory = kernel.memory
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        if hint % PAGE:
            raise SystemCallError(Errno.EINVAL)
        if hint + size > TASK_SIZE:
            raise SystemCallError(Errno.ENOMEM)
        if hint < 0x10000:
            raise SystemCallError(Errno.EPERM)
        if flags & MAP_FIXED_NOREPLACE and memory.overlaps(hint, hint + size):
            raise SystemCallError(Errno.EEXIST)
        return hint
    hint &= -PAGE
    if hint >= 0x10000 and hint + size <= MMAP_TOP and not memory.overlaps(hint, hint + size):
        return hint
    return memory.gap(size, MMAP_TOP)


def _fill(buffer: Buffer, description: Description, at: int, length: int) -> None:
    done = 0
    # The last page is filled from the file to its end, as far as the file goes.
    wanted = min(page_up(length), max(0, description.status.size - at))
    while done < wanted:
        part = description.read_at(min(wanted - done, 1 << 20), at + done)
        if not part:
            break
        buffer.view[done : done + len(part)] = part
        done += len(part)


def file_bytes(description: Description) -> bytes:
    """All of a regular file."""
    size = description.status.size
    parts = []
    done = 0
    while done < size and (part := description.read_at(min(1 << 20, size - done), done)):
        parts.append(part)
        done += len(part)
    return b"".join(parts)


def _whole(description: Description) -> Image:
    return Image(file_bytes(description), description.path)


def _range(start: int, length: int) -> int:
    """The size in whole pages of a range argument; EINVAL if it is no range of user pages."""
    if start % PAGE or start > TASK_SIZE or length > TASK_SIZE - start:
        raise SystemCallError(Errno.EINVAL)
    return page_up(length)


def munmap(kernel: Kernel, start: int, length: int) -> int:
    size = _range(start, length)
    if not size:
        raise SystemCallError(Errno.EINVAL)
    kernel.machine.unmapped(start, start + size)
    kernel.memory.unmap(start, size)
    return 0


def mprotect(kernel: Kernel, start: int, length: int, prot: int) -> int:
    if start % PAGE or prot & ~(_ALL | _GROWS):
        raise SystemCallError(Errno.EINVAL)
    if not length:
        return 0
    size = page_up(length)
    if start + size > TASK_SIZE or not kernel.memory.mapped(start, start + size):
        raise SystemCallError(Errno.ENOMEM)
    if prot & Protection.EXECUTE and _aliased(kernel, start, start + size):
        raise SystemCallError(Errno.EACCES)
    kernel.memory.protect(start, size, Protection(prot & _ALL))
    mapping = kernel.memory.find(start)
    if mapping is not None and mapping.name.startswith("/"):
        kernel.machine.file_mapped(mapping.name, lambda: _again(kernel, mapping.name))
    return 0


def _aliased(kernel: Kernel, start: int, end: int) -> bool:
    """Whether shared pages of a file are among those of a range.

    They may be written through another mapping, which does not invalidate code translated from
    this one. So they are never executable, as on a file system mounted so.
    """
    return any(
        mapping.shared and mapping.name.startswith("/")
        for mapping in kernel.memory
        if mapping.start < end and start < mapping.end
    )


def _again(kernel: Kernel, path: str) -> Image:
    # The protection of a segment may be set after it was mapped; the file need not be open then.
    from emu.machine.linux.files import open_description

    try:
        description = open_description(kernel, path, 0, 0)
    except SystemCallError as error:
        raise MachineError(f"{path} has lost its name") from error
    try:
        return _whole(description)
    finally:
        description.unused()


def madvise(kernel: Kernel, start: int, length: int, advice: int) -> int:
    size = _range(start, length)
    if advice not in _KNOWN_ADVICE:
        raise SystemCallError(Errno.EINVAL)
    if not kernel.memory.mapped(start, start + size):
        raise SystemCallError(Errno.ENOMEM)
    if advice == _DONTNEED:
        end = start + size
        while start < end:
            mapping = kernel.memory.find(start)
            assert mapping is not None, "the range is mapped"
            stop = min(end, mapping.end)
            if not mapping.name.startswith("/") and not mapping.shared:
                kernel.memory.clear(start, stop - start)
            start = stop
    return 0


def mremap(kernel: Kernel, old: int, old_length: int, new_length: int, flags: int, to: int) -> int:
    memory = kernel.memory
    if old % PAGE or not new_length or not old_length or flags & ~3:
        raise SystemCallError(Errno.EINVAL)
    if new_length > TASK_SIZE or old_length > TASK_SIZE:
        raise SystemCallError(Errno.ENOMEM)
    if flags & MREMAP_FIXED and (to % PAGE or not flags & MREMAP_MAYMOVE or to < 0x10000):
        raise SystemCallError(Errno.EINVAL)
    old_size, new_size = page_up(old_length), page_up(new_length)
    mapping = memory.find(old)
    if mapping is None or old + old_size > mapping.end:
        raise SystemCallError(Errno.EFAULT)
    if not flags & MREMAP_FIXED:
        if new_size <= old_size:
            if new_size < old_size:
                munmap(kernel, old + new_size, old_size - new_size)
            return old
        if not flags & MREMAP_MAYMOVE:
            raise SystemCallError(Errno.ENOMEM)
        to = memory.gap(new_size, MMAP_TOP)
    elif to < old + old_size and old < to + new_size:
        raise SystemCallError(Errno.EINVAL)
    if to + new_size > TASK_SIZE:
        raise SystemCallError(Errno.ENOMEM)
    buffer, offset = _moved(mapping, mapping.offset + old - mapping.start, old_size, new_size)
    if flags & MREMAP_FIXED:
        kernel.machine.unmapped(to, to + new_size)
    memory.map(
        to, new_size, mapping.protection, mapping.name, buffer=buffer, offset=offset,
        file_offset=mapping.file_offset + old - mapping.start, shared=mapping.shared,
    )  # fmt: skip
    munmap(kernel, old, old_size)
    return to


def _moved(mapping: Mapping, at: int, old_size: int, new_size: int) -> tuple[Buffer, int]:
    """The memory of a moved range, and where in it: shared pages stay the same ones."""
    if mapping.shared and at + new_size <= mapping.buffer.size:
        return mapping.buffer, at
    kept = min(old_size, new_size)
    buffer = Buffer(new_size)
    buffer.view[:kept] = mapping.buffer.view[at : at + kept]
    return buffer, 0


def msync(kernel: Kernel, start: int, length: int) -> int:
    size = _range(start, length)
    return 0 if kernel.memory.mapped(start, start + size) else -Errno.ENOMEM


def mlock(kernel: Kernel, start: int, length: int) -> int:
    start, end = start & -PAGE, start + length
    if end > TASK_SIZE:
        raise SystemCallError(Errno.EINVAL)
    return 0 if kernel.memory.mapped(start, end) else -Errno.ENOMEM


def mlockall(_kernel: Kernel) -> int:
    return 0


def mincore(kernel: Kernel, start: int, length: int, vector: int) -> int:
    size = _range(start, length)
    if not kernel.memory.mapped(start, start + size):
        raise SystemCallError(Errno.ENOMEM)
    kernel.memory.write(vector, b"\x01" * (size // PAGE))
    return 0


CALLS: dict[int, Handler] = {
    9: mmap,
    10: mprotect,
    11: munmap,
    12: brk,
    25: mremap,
    26: msync,
    27: mincore,
    28: madvise,
    149: mlock,
    150: mlock,
    151: mlockall,
    152: mlockall,
    325: mlock,
}
