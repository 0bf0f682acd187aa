"""Starting a program as execve does: image, dynamic loader, stack, first registers."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from emu.machine.errors import MachineError
from emu.machine.image import Image, ImageType, Module
from emu.machine.initial_stack import Auxiliary, push_start
from emu.machine.linux import Kernel
from emu.machine.linux.errno import SystemCallError
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Program
from emu.machine.linux.memory_calls import MMAP_TOP
from emu.machine.linux.nodes import HostNode
from emu.machine.loader import EXECUTABLE_BASE, load_image
from emu.machine.mapped_files import MappedFiles
from emu.machine.mapping import PAGE, TASK_SIZE, Protection

STACK_TOP = TASK_SIZE
_HWCAP = 0x78B_FBFD
"""CPUID leaf 1, edx, of the processor model."""


def start_program(
    image: Image,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    kernel: Kernel,
    files: MappedFiles,
    stack_size: int,
    random: Random,
) -> tuple[int, int]:
    """Map everything a new process has and give its first rip and rsp.

    Raises MachineError, or OutOfMemory if something does not fit.
    """
    memory = kernel.memory
    program = files.add(load_image(memory, image, EXECUTABLE_BASE))
    path = kernel.tree.guest_path(image.path)
    name = os.fsencode(posixpath.basename(path))[:15]
    kernel.current.name = os.fsdecode(name)
    pairs = _lines(f"{name}={value}" for name, value in environment.items())
    kernel.program = Program(path, _lines(arguments), pairs)
    interpreter = None
    if image.interpreter is not None:
        interpreter = _load_interpreter(image, image.interpreter, kernel, files)
    kernel.break_start = kernel.break_end = program.end
    protection = Protection.READ | Protection.WRITE
    if image.executable_stack:
        protection |= Protection.EXECUTE
    memory.map(STACK_TOP - stack_size, stack_size, protection, "[stack]")
    vector = {
        Auxiliary.HWCAP: _HWCAP,
        Auxiliary.PAGESZ: PAGE,
        Auxiliary.CLKTCK: 100,
        Auxiliary.PHDR: _headers_address(program),
        Auxiliary.PHENT: 56,
        Auxiliary.PHNUM: image.header_count,
        Auxiliary.BASE: interpreter.bias if interpreter else 0,
        Auxiliary.FLAGS: 0,
        Auxiliary.ENTRY: image.entry + program.bias,
        Auxiliary.UID: UID,
        Auxiliary.EUID: UID,
        Auxiliary.GID: UID,
        Auxiliary.EGID: UID,
        Auxiliary.SECURE: 0,
        Auxiliary.HWCAP2: 0,
    }
    rsp = push_start(
        memory, STACK_TOP - PAGE, arguments, environment, path,
        random.randbytes(16), vector,
    )  # fmt: skip
    first = interpreter or program
    return first.image.entry + first.bias, rsp


def _headers_address(program: Module) -> int:
    image = program.image
    for segment in image.segments:
        if segment.offset <= image.header_offset < segment.offset + segment.file_size:
            return image.header_offset - segment.offset + segment.address + program.bias
    return 0


def _load_interpreter(image: Image, path: str, kernel: Kernel, files: MappedFiles) -> Module:
    missing = f"{image.path}: its dynamic loader {path} is missing"
    try:
        canonical, node = kernel.tree.existing(path, "/")
    except SystemCallError as error:
        raise MachineError(f"{missing} ({error.errno.name})") from error
    if not isinstance(node, HostNode) or not node.status.is_regular:
        raise MachineError(f"{missing} (not a file)")
    loader = Image.from_file(node.path, canonical)
    if loader.type is not ImageType.SHARED:
        raise MachineError(f"{image.path}: its dynamic loader {path} cannot be moved")
    base = kernel.memory.gap(loader.end - loader.start, MMAP_TOP)
    return files.add(load_image(kernel.memory, loader, base))


def _lines(texts: Iterable[str]) -> bytes:
    """As they lie in memory, each with a zero byte behind it."""
    return b"".join(os.fsencode(text) + b"\0" for text in texts)
