"""signalfd: pending signals as something to read."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.counters import O_CLOEXEC, O_NONBLOCK, Anonymous
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.signal_delivery import UNBLOCKABLE, pending_in, take_any
from emu.machine.linux.signal_frame import SignalInfo
from emu.machine.linux.system import System
from emu.machine.linux.thread import Thread
from emu.machine.linux.timers import SI_TIMER
from emu.machine.linux.wait import Wait, WouldWait

_RECORD = 128
"""Bytes of `struct signalfd_siginfo`."""


class SignalDescriptor(Anonymous):
    """The signals of a set that are pending for whoever reads."""

    def __init__(self, system: System, mask: int, flags: int) -> None:
        super().__init__("signalfd", flags)
        self.mask = mask
        self._system = system

    def readable_by(self, thread: Thread) -> bool:
        return any(self.mask >> number - 1 & 1 for number in pending_in(thread))

    def read(self, size: int, /) -> bytes:
        thread = self._system.schedule.current
        assert thread is not None, "the reader has its turn"
        if size < _RECORD:
            raise SystemCallError(Errno.EINVAL)
        taken = b""
        while len(taken) + _RECORD <= size:
            info = take_any(thread, self.mask)
            if info is None:
                break
            taken += _record(info)
        if not taken:
            if self.flags & O_NONBLOCK:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(Wait("a signal", lambda: self.readable_by(thread), restarts=True))
        return taken


def _record(info: SignalInfo) -> bytes:
    """`struct signalfd_siginfo`."""
    value = info.value or 0
    timer = info.code == SI_TIMER
    number = value & 0xFFFF_FFFF
    return pack(
        "<IiiIIiIIIIiIQQQQ48x",
        info.number, 0, info.code, 0 if timer else info.sender, 0 if timer else info.user, 0,
        info.sender if timer else 0, 0, 0, 0, info.status, number, value, 0, 0, info.address or 0,
    )  # fmt: skip


def signalfd4(kernel: Kernel, fd: int, mask: int, size: int, flags: int) -> int:
    if flags & ~(O_NONBLOCK | O_CLOEXEC) or size != 8:
        raise SystemCallError(Errno.EINVAL)
    (wanted,) = unpack("<Q", kernel.memory.read(mask, 8))
    wanted &= ~UNBLOCKABLE
    if signed_int(fd) == -1:
        description = SignalDescriptor(kernel.system, wanted, flags & O_NONBLOCK)
        return kernel.descriptors.add(description, close_on_exec=bool(flags & O_CLOEXEC))
    known = kernel.descriptors[signed_int(fd)]
    if not isinstance(known, SignalDescriptor):
        raise SystemCallError(Errno.EINVAL)
    known.mask = wanted
    return signed_int(fd)


def signalfd(kernel: Kernel, fd: int, mask: int, size: int) -> int:
    return signalfd4(kernel, fd, mask, size, 0)


CALLS: dict[int, Handler] = {
    282: signalfd,
    289: signalfd4,
}
