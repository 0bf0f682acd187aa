"""The process around the kernel, as system calls and the run see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from emu.machine.image import Image
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome
from emu.machine.registers import RegisterFile
from emu.unwind import SectionStore

if TYPE_CHECKING:
    from emu.machine.linux.kernel import Kernel
    from emu.machine.linux.thread import Thread


class Machine(Protocol):
    """What system calls need from the process around them."""

    memory: AddressSpace
    registers: RegisterFile
    stack_limit: int
    section_store: SectionStore | None

    def end(self, outcome: Outcome) -> None:
        """The process is over."""

    def file_mapped(self, path: str, read: Callable[[], Image]) -> None:
        """A file was mapped; it may make a module complete."""

    def unmapped(self, start: int, end: int) -> None:
        """A range was unmapped; modules in it are gone."""

    def set_fs_base(self, address: int) -> None: ...

    def fs_base(self) -> int: ...

    def set_result(self, result: int) -> None:
        """What the current system call returns after all."""

    def start_thread(self, thread: Thread, rsp: int, tls: int | None) -> None:
        """Begin a thread as a copy of the current one."""

    def end_thread(self, thread: Thread) -> None:
        """A thread of several is over."""

    def fork(self, *, share: bool) -> Kernel:
        """Copy the process; `share` its memory until it executes another program.

        Raises OutOfMemory, or SystemCallError if the section store cannot be copied.
        """

    def forked(self, child: Kernel) -> None:
        """The child is complete."""

    def wake(self) -> None:
        """Stop the processor; safe from any thread of the host."""

    def advance(self, thread: Thread, limit: int | None) -> int:
        """Execute at most `limit` instructions of a thread; how many, if they were counted."""

    def rest(self) -> None:
        """The run is over: take the hooks away."""

    @property
    def pid(self) -> int: ...

    @property
    def outcome(self) -> Outcome | None:
        """How the process ended."""

    @property
    def in_kernel(self) -> bool:
        """Whether a system call is being carried out."""

    @property
    def before_signal(self) -> int | None:
        """Instructions to execute before the next profiling signal."""

    def execute(self, image: Image, arguments: list[str], environment: dict[str, str]) -> None:
        """Replace the program."""
