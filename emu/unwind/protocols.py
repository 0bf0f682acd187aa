"""What unwinding needs from a process: memory, registers, mappings.

Anything with these methods will do: an emulated process, a core file, a recorded stack.
"""

from dataclasses import dataclass
from typing import Protocol


class MemoryFault(Exception):  # noqa: N818 -- a fault of the guest, the processor's own word
    """A byte of a read is not readable; `address` is the address of the read."""

    def __init__(self, address: int) -> None:
        super().__init__(f"unreadable address {address:#x}")
        self.address = address


class Memory(Protocol):
    """Readable bytes of one address space. Addresses are unsigned 64-bit numbers."""

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes; raises MemoryFault if any of them is unreadable."""
        ...

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`, little endian, unsigned, any alignment; MemoryFault."""
        ...


class Registers(Protocol):
    """The saved user registers of a task, unsigned 64-bit."""

    @property
    def ip(self) -> int:
        """The instruction about to execute."""
        ...

    def __getitem__(self, number: int, /) -> int:
        """DWARF register `number` of x86-64, 0..15: 6 is rbp, 7 is rsp."""
        ...


@dataclass(frozen=True, slots=True)
class Vma:
    """One mapping, as much of it as registration looks at (kernel behaviour: 3.1, 4.1)."""

    start: int
    end: int
    executable: bool
    path: str | None = None
    """Path of the file behind it."""
    name: str | None = None
    """Name the mapping or the architecture gives it, as `[vdso]`; used without a path."""
    has_mm: bool = True
    """False for a mapping that belongs to no address space (the gate page of the vDSO)."""


class Mappings(Protocol):
    """The mappings of one address space."""

    def vma_at(self, address: int, /) -> Vma | None:
        """The mapping that contains `address`."""
        ...
