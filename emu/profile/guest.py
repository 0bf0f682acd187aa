"""The guest as perf sees it: its threads, and names for its addresses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emu.check.live import LiveRegisters
from emu.check.modules import ModuleMap
from emu.machine import AddressSpace, Process
from emu.machine import Thread as MachineThread
from emu.profile.contexts import Mode
from emu.profile.kernel_text import kernel_location
from emu.profile.script import Location
from emu.sframe.printable import printable
from emu.unwind import DeferredTask, DeferredUnwinding


@dataclass(eq=False)
class GuestThread:
    """A thread of a process; `registers` are its saved user registers.

    Whoever interrupts it fills them in. `walk(self, limit)` walks its user stack from them.
    """

    process: Process
    thread: MachineThread
    kernel: DeferredUnwinding
    walk: Callable[["GuestThread", int], Sequence[int]]
    registers: LiveRegisters = field(default_factory=LiveRegisters)
    cpu: int = 0
    deferred: DeferredTask = field(init=False)

    def __post_init__(self) -> None:
        """Make it known to deferred unwinding."""
        self.deferred = DeferredTask(self.kernel, lambda limit: self.walk(self, limit))

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    @property
    def tid(self) -> int:
        """Its own."""
        return self.thread.tid

    @property
    def comm(self) -> str:
        """What it calls itself, fit for a line of text."""
        return printable(self.thread.name)

    @property
    def memory(self) -> AddressSpace:
        """Its address space."""
        return self.process.memory


class GuestSymbols:
    """Names of the modules that are loaded when one is asked for, and of the kernel."""

    def __init__(self, modules: ModuleMap) -> None:
        self._modules = modules

    def locate(self, _pid: int, address: int, mode: Mode, /) -> Location:
        """What is at an address now."""
        if mode is Mode.KERNEL:
            return kernel_location(address)
        loaded = self._modules.module_at(address)
        if loaded is None:
            return Location(None)
        path = printable(loaded.path)
        linked = address - loaded.bias
        symbol = loaded.module.image.symbol_at(linked)
        if symbol is None:
            return Location(None, 0, path)
        return Location(printable(symbol.name), linked - symbol.start, path)
