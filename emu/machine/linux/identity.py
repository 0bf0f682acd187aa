"""Who and where the process is: ids, names, limits, the machine."""

from __future__ import annotations

import os
from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.fixed_facts import HOST_NAME, PARENT_ID, RELEASE, UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.limits import RLIMIT_COUNT, RLIMIT_NOFILE, Limit
from emu.unwind import prctl_sframe

ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS = 0x1001, 0x1002, 0x1003, 0x1004
CAPABILITY_VERSION = 0x2008_0522
ADDR_NO_RANDOMIZE = 0x40000
PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 15, 16, 3, 4


def process_id(kernel: Kernel) -> int:
    return kernel.pid


def thread_id(kernel: Kernel) -> int:
    return kernel.current.tid


def parent_id(kernel: Kernel) -> int:
    return PARENT_ID if kernel.parent is None else kernel.parent.pid


def user_id(_kernel: Kernel) -> int:
    return UID


def getresuid(kernel: Kernel, real: int, effective: int, saved: int) -> int:
    for address in (real, effective, saved):
        kernel.memory.write(address, pack("<I", UID))
    return 0


def getgroups(kernel: Kernel, size: int, buffer: int) -> int:
    if signed_int(size) < 0:
        raise SystemCallError(Errno.EINVAL)
    if size:
        kernel.memory.write(buffer, pack("<I", UID))
    return 1


def set_ids(_kernel: Kernel, one: int) -> int:
    # To the id it has already; the guest has no privilege for another.
    if signed_int(one) not in (-1, UID):
        raise SystemCallError(Errno.EPERM)
    return 0


def set_several_ids(_kernel: Kernel, one: int, two: int) -> int:
    return set_ids(_kernel, one) or set_ids(_kernel, two)


def set_three_ids(_kernel: Kernel, one: int, two: int, three: int) -> int:
    return set_several_ids(_kernel, one, two) or set_ids(_kernel, three)


def capget(kernel: Kernel, header: int, data: int) -> int:
    version, pid = unpack("<Ii", kernel.memory.read(header, 8))
    if version != CAPABILITY_VERSION:
        kernel.memory.write(header, pack("<I", CAPABILITY_VERSION))
        if data:
            raise SystemCallError(Errno.EINVAL)
        return 0
    if pid and pid not in kernel.system.processes:
        raise SystemCallError(Errno.ESRCH)
    if data:
        kernel.memory.write(data, bytes(24))
    return 0


def personality(_kernel: Kernel, wanted: int) -> int:
    if wanted & 0xFFFF_FFFF not in (0, 0xFFFF_FFFF, ADDR_NO_RANDOMIZE):
        raise SystemCallError(Errno.EINVAL)
    return ADDR_NO_RANDOMIZE


def uname(kernel: Kernel, buffer: int) -> int:
    fields = ("Linux", HOST_NAME, RELEASE, "#1 SMP PREEMPT_DYNAMIC emu", "x86_64", "(none)")
    kernel.memory.write(buffer, b"".join(field.encode().ljust(65, b"\0") for field in fields))
    return 0


def arch_prctl(kernel: Kernel, code: int, address: int) -> int:
    if code == ARCH_SET_FS:
        if address >= 1 << 47:
            raise SystemCallError(Errno.EPERM)
        kernel.machine.set_fs_base(address)
        return 0
    if code == ARCH_GET_FS:
        kernel.memory.write(address, pack("<Q", kernel.machine.fs_base()))
        return 0
    raise SystemCallError(Errno.EINVAL)


def prctl(kernel: Kernel, option: int, argument: int, two: int, three: int, four: int) -> int:
    store = kernel.machine.section_store
    if store is not None:
        arguments = (argument, two, three, four)
        result = prctl_sframe(store, option, arguments, numbers=kernel.section_calls.prctl)
        if result is not None:
            return result
    if option == PR_SET_NAME:
        name = kernel.memory.read(argument, 16).partition(b"\0")[0][:15]
        kernel.current.name = os.fsdecode(name)
        return 0
    if option == PR_GET_NAME:
        name = os.fsencode(kernel.current.name)
        kernel.memory.write(argument, name.ljust(16, b"\0"))
        return 0
    if option == PR_GET_DUMPABLE:
        return 1
    if option == PR_SET_DUMPABLE:
        return 0
    raise SystemCallError(Errno.EINVAL)


def _resource(resource: int) -> int:
    if resource >= RLIMIT_COUNT:
        raise SystemCallError(Errno.EINVAL)
    return resource


def getrlimit(kernel: Kernel, resource: int, buffer: int) -> int:
    limit = kernel.limits[_resource(resource)]
    kernel.memory.write(buffer, pack("<QQ", limit.soft, limit.hard))
    return 0


def setrlimit(kernel: Kernel, resource: int, buffer: int) -> int:
    _change_limit(kernel, _resource(resource), buffer)
    return 0


def _change_limit(kernel: Kernel, resource: int, buffer: int) -> None:
    soft, hard = unpack("<QQ", kernel.memory.read(buffer, 16))
    if soft > hard:
        raise SystemCallError(Errno.EINVAL)
    if hard > kernel.limits[resource].hard:
        raise SystemCallError(Errno.EPERM)
    kernel.limits[resource] = Limit(soft, hard)
    if resource == RLIMIT_NOFILE:
        kernel.descriptors.limit = soft


def prlimit64(kernel: Kernel, pid: int, resource: int, new: int, old: int) -> int:
    process = kernel.system.processes.get(signed_int(pid) or kernel.pid)
    if process is None:
        raise SystemCallError(Errno.ESRCH)
    limit = process.limits[_resource(resource)]
    if new:
        kernel.memory.read(new, 16)
    if old:
        kernel.memory.write(old, pack("<QQ", limit.soft, limit.hard))
    if new:
        if process is not kernel:
            raise SystemCallError(Errno.EPERM)
        _change_limit(kernel, resource, new)
    return 0


def getrusage(kernel: Kernel, who: int, buffer: int) -> int:
    if signed_int(who) not in (-1, 0, 1):
        raise SystemCallError(Errno.EINVAL)
    seconds, rest = divmod(kernel.clock.elapsed, 1_000_000_000)
    kernel.memory.write(buffer, pack("<qqqq", seconds, rest // 1000, 0, 0) + bytes(112))
    return 0


def sysinfo(kernel: Kernel, buffer: int) -> int:
    total = kernel.memory.limit
    free = max(0, total - kernel.memory.accessible)
    uptime = kernel.clock.uptime() // 1_000_000_000
    kernel.memory.write(
        buffer, pack("<q3Q6QHxxxxxxQQI4x", uptime, 0, 0, 0, total, free, 0, 0, 0, 0, 1, 0, 0, 1)
    )
    return 0


def getrandom(kernel: Kernel, buffer: int, size: int, flags: int) -> int:
    if flags & ~7:
        raise SystemCallError(Errno.EINVAL)
    size = kernel.memory.writable_prefix(buffer, min(size, 1 << 20))
    kernel.memory.write(buffer, kernel.random.randbytes(size))
    return size


def getcpu(kernel: Kernel, cpu: int, node: int) -> int:
    for address in (cpu, node):
        if address:
            kernel.memory.write(address, bytes(4))
    return 0


CALLS: dict[int, Handler] = {
    39: process_id,
    63: uname,
    97: getrlimit,
    98: getrusage,
    99: sysinfo,
    102: user_id,
    104: user_id,
    105: set_ids,
    106: set_ids,
    107: user_id,
    108: user_id,
    110: parent_id,
    113: set_several_ids,
    114: set_several_ids,
    115: getgroups,
    117: set_three_ids,
    118: getresuid,
    119: set_three_ids,
    120: getresuid,
    122: user_id,
    123: user_id,
    125: capget,
    135: personality,
    157: prctl,
    158: arch_prctl,
    160: setrlimit,
    186: thread_id,
    302: prlimit64,
    309: getcpu,
    318: getrandom,
}
