"""Waiting for children, and executing another program."""

from __future__ import annotations

import os
import posixpath
from struct import pack

from emu.machine.errors import MachineError
from emu.machine.image import Image
from emu.machine.initial_stack import MAX_STRINGS
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.files import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    O_NOFOLLOW,
    open_description,
)
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.memory_calls import file_bytes
from emu.machine.linux.signal_frame import SignalInfo
from emu.machine.linux.signal_numbers import Signal
from emu.machine.linux.wait import Wait, WouldWait

WNOHANG, WEXITED, WNOWAIT = 1, 4, 0x1000000
P_ALL, P_PID, P_PGID = 0, 1, 2
_MAX_SCRIPTS = 4
_LINE = 256
_CLD_EXITED, _CLD_KILLED = 1, 2


def _is_meant(kernel: Kernel, child: Kernel, pid: int) -> bool:
    """Whether a wait for `pid` is for this child: one, a group, the own group, or any."""
    if pid == -1:
        return True
    return child.pid == pid if pid > 0 else child.group == (-pid or kernel.group)


def _ended(kernel: Kernel, pid: int, options: int) -> Kernel | None:
    """A child that has ended; None with WNOHANG. Otherwise the thread waits. ECHILD."""

    def meant() -> list[Kernel]:
        return [child for child in kernel.children if _is_meant(kernel, child, pid)]

    if not meant():
        raise SystemCallError(Errno.ECHILD)
    for child in meant():
        if child.status is not None:
            if not options & WNOWAIT:
                kernel.children.remove(child)
                del kernel.system.processes[child.pid]
            return child
    if options & WNOHANG:
        return None

    def ready() -> bool:
        children = meant()
        return not children or any(child.status is not None for child in children)

    raise WouldWait(Wait("a child", ready, restarts=True))


def wait4(kernel: Kernel, pid: int, status: int, options: int, usage: int) -> int:
    child = _ended(kernel, signed_int(pid), options & WNOHANG)
    if child is None:
        return 0
    if status:
        kernel.memory.write(status, pack("<I", child.status or 0))
    if usage:
        kernel.memory.write(usage, bytes(144))
    return child.pid


def waitid(kernel: Kernel, kind: int, number: int, info: int, options: int) -> int:
    if kind not in (P_ALL, P_PID, P_PGID) or not options & 0xE:
        raise SystemCallError(Errno.EINVAL)
    pid = {P_ALL: -1, P_PID: signed_int(number), P_PGID: -signed_int(number)}[kind]
    child = _ended(kernel, pid, options) if options & WEXITED else None
    if child is None:
        if info:
            kernel.memory.write(info, bytes(128))
        return 0
    status = child.status or 0
    how, value = (_CLD_KILLED, status & 0x7F) if status & 0x7F else (_CLD_EXITED, status >> 8)
    if info:
        told = SignalInfo(Signal.SIGCHLD, how, child.pid, UID, status=value)
        kernel.memory.write(info, told.pack())
    return 0


# Another program


def execve(kernel: Kernel, path: int, arguments: int, environment: int) -> int:
    return _execute(kernel, kernel.path(path), kernel.directory, 0, arguments, environment)


def execveat(
    kernel: Kernel, directory: int, path: int, arguments: int, environment: int, flags: int
) -> int:
    name = kernel.path(path)
    if not name and not flags & AT_EMPTY_PATH:
        raise SystemCallError(Errno.ENOENT)
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise SystemCallError(Errno.EINVAL)
    base = kernel.directory
    follow = O_NOFOLLOW if flags & AT_SYMLINK_NOFOLLOW else 0
    if name.startswith("/"):
        return _execute(kernel, name, base, follow, arguments, environment)
    number = signed_int(directory)
    if number != AT_FDCWD:
        base = kernel.descriptors[number].path
        # What a script is told its name is.
        name = f"/dev/fd/{number}/{name}" if name else f"/dev/fd/{number}"
    elif not name:
        name = base
    if not kernel.path(path):
        return _execute(kernel, name, base, follow, arguments, environment, base)
    opened = posixpath.join(base, kernel.path(path))
    return _execute(kernel, name, base, follow, arguments, environment, opened)


def _execute(
    kernel: Kernel,
    name: str,
    base: str,
    flags: int,
    arguments: int,
    environment: int,
    opened: str | None = None,
) -> int:
    """`name` is what a script is called by, `opened` the file if that has another path."""
    words = _strings(kernel, arguments) or [""]
    pairs = dict(text.partition("=")[::2] for text in _strings(kernel, environment))
    if sum(len(text) + 9 for text in (*words, *pairs, *pairs.values())) > MAX_STRINGS - 4096:
        raise SystemCallError(Errno.E2BIG)
    image, words = _program(kernel, name, words, base, flags, opened or name)
    kernel.later.append(lambda: kernel.machine.execute(image, words, pairs))
    return 0


def _strings(kernel: Kernel, array: int) -> list[str]:
    """The strings of a zero-terminated array of pointers."""
    found: list[str] = []
    size = 0
    while array:
        pointer = kernel.memory.word(array + 8 * len(found))
        if not pointer:
            break
        try:
            text = kernel.memory.string(pointer, MAX_STRINGS)
        except ValueError:
            raise SystemCallError(Errno.E2BIG) from None
        size += len(text) + 9
        if size > MAX_STRINGS:
            raise SystemCallError(Errno.E2BIG)
        found.append(os.fsdecode(text))
    return found


def _program(
    kernel: Kernel, name: str, words: list[str], base: str, flags: int, opened: str
) -> tuple[Image, list[str]]:
    """The image to execute, through the interpreters of scripts."""
    for _ in range(_MAX_SCRIPTS):
        description = open_description(kernel, opened, flags, 0, base)
        if not description.status.is_regular or not description.status.mode & 0o111:
            raise SystemCallError(Errno.EACCES)
        try:
            data = file_bytes(description)
        finally:
            description.unused()
        if not data.startswith(b"#!"):
            try:
                image = Image(data, description.path)
                # A loader that is missing is found out while the old program can be told.
                if image.interpreter is not None:
                    kernel.tree.existing(image.interpreter, "/")
            except MachineError as error:
                raise SystemCallError(Errno.ENOEXEC) from error
            return image, words
        line = os.fsdecode(data[2:_LINE].partition(b"\n")[0].strip())
        program, _, argument = line.partition(" ")
        if not program:
            raise SystemCallError(Errno.ENOEXEC)
        extra = [argument.strip()] if argument.strip() else []
        words = [program, *extra, name, *words[1:]]
        name = opened = program
        base, flags = kernel.directory, 0
    raise SystemCallError(Errno.ELOOP)


CALLS: dict[int, Handler] = {
    59: execve,
    61: wait4,
    247: waitid,
    322: execveat,
}
