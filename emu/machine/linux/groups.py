"""Process groups and sessions: which processes belong together. There is no terminal."""

from __future__ import annotations

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int


def _process(kernel: Kernel, pid: int) -> Kernel:
    """The process of a number, 0 for the caller; ESRCH."""
    number = signed_int(pid) or kernel.pid
    found = kernel.system.processes.get(number)
    if found is None:
        raise SystemCallError(Errno.ESRCH)
    return found


def setpgid(kernel: Kernel, pid: int, group: int) -> int:
    wanted = signed_int(group)
    if wanted < 0:
        raise SystemCallError(Errno.EINVAL)
    process = _process(kernel, pid)
    if process is not kernel:
        if process not in kernel.children:
            raise SystemCallError(Errno.ESRCH)
        if process.executed:
            raise SystemCallError(Errno.EACCES)
    wanted = wanted or process.pid
    members = [one for one in kernel.system.processes.values() if one.group == wanted]
    if process.session == process.pid or process.session != kernel.session:
        # A leader stays, and so does who has another session.
        raise SystemCallError(Errno.EPERM)
    if wanted != process.pid and all(one.session != kernel.session for one in members):
        raise SystemCallError(Errno.EPERM)
    process.group = wanted
    return 0


def getpgid(kernel: Kernel, pid: int) -> int:
    return _process(kernel, pid).group


def getpgrp(kernel: Kernel) -> int:
    return kernel.group


def getsid(kernel: Kernel, pid: int) -> int:
    return _process(kernel, pid).session


def setsid(kernel: Kernel) -> int:
    if any(one.group == kernel.pid for one in kernel.system.processes.values()):
        raise SystemCallError(Errno.EPERM)
    kernel.session = kernel.group = kernel.pid
    return kernel.pid


CALLS: dict[int, Handler] = {
    109: setpgid,
    111: getpgrp,
    112: setsid,
    121: getpgid,
    124: getsid,
}
