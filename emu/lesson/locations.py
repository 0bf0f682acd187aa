"""Names for addresses, and the instructions around one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated

from emu.check.modules import ModuleMap
from emu.sframe.printable import printable
from emu.truth import Function
from emu.unwind import Memory, MemoryFault

BEFORE, AFTER = 3, 2
"""Instructions shown on either side of the one meant."""
LONGEST_FUNCTION = 1 << 20
"""Bytes decoded to find the instruction boundaries before an address."""

_PAST_THE_END = 32
"""Bytes decoded behind a function: a return address may be its end."""

Address = Annotated[int, "hexadecimal"]


@dataclass(frozen=True, slots=True)
class Location:
    """What is at a run-time address. Prints as `main+0x12`, without a symbol as the address."""

    address: Address
    function: str = ""
    """Empty if no symbol and no table has the address in a function."""
    offset: int = 0
    """From the start of the function."""
    module: str = ""
    """Path of the module; empty if the address lies in none."""
    link_address: Address = 0
    """The address in the module's file."""
    source: str = ""
    """`file:line`, if the module has a line table."""

    def __str__(self) -> str:
        if not self.function:
            return f"{self.address:#x}"
        return f"{self.function}+{self.offset:#x}" if self.offset else self.function

    @property
    def known(self) -> bool:
        """Whether the address lies in a known function."""
        return bool(self.function)


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One instruction; `here` is the one meant, `row` the rules in force there."""

    address: Address
    encoded: bytes
    text: str
    row: str
    here: bool
    foreign: bool = False
    """Behind the end of the function."""


class Names:
    """Names of the addresses of one process, as its modules are now."""

    def __init__(self, modules: ModuleMap, memory: Memory) -> None:
        self._modules = modules
        self._memory = memory
        self._decoded: dict[int, list[tuple[int, bytes, str]]] = {}

    def location(self, address: int, inside: int | None = None) -> Location:
        """What is at `address`, in the function of `inside` if that is given.

        `inside` is for return addresses: the call may be the last instruction of its function.
        """
        loaded = self._modules.module_at(address if inside is None else inside)
        if loaded is None:
            return Location(address)
        function = loaded.function_at(address if inside is None else inside)
        linked = address - loaded.bias
        module = printable(loaded.path)
        line_of = linked if inside is None else inside - loaded.bias
        source = printable(loaded.module.image.source_line(line_of) or "")
        if function is None:
            return Location(address, module=module, link_address=linked, source=source)
        name = printable(function.name) or f"{function.start - loaded.bias:#x}"
        return Location(address, name, address - function.start, module, linked, source)

    def code(
        self,
        address: int,
        inside: int,
        row_at: Callable[[int], str],
        *,
        before: int = BEFORE,
        after: int = AFTER,
    ) -> tuple[CodeLine, ...]:
        """The instruction at `address` with its neighbours in the function of `inside`.

        `inside` differs from `address` where a call ends its function. Empty if there is no code
        that can be read.
        """
        function = self._modules.function_at(inside)
        lines = self._instructions(function, address)
        index = next((at for at, line in enumerate(lines) if line[0] == address), None)
        if index is None:
            # Data in the function, or no function: begin at the instruction itself.
            lines, index = self._decode(address, 16 * (after + 1)), 0
        end = function.end if function is not None else None
        return tuple(
            CodeLine(at, encoded, text, row_at(at), at == address, end is not None and at >= end)
            for at, encoded, text in lines[max(index - before, 0) : index + after + 1]
        )

    def _instructions(
        self, function: Function | None, address: int
    ) -> list[tuple[int, bytes, str]]:
        if function is None:
            return []
        size = max(function.end, address + 1) + _PAST_THE_END - function.start
        if not 0 < size <= LONGEST_FUNCTION:
            return []
        known = self._decoded.get(function.start)
        if known is None:
            known = self._decoded[function.start] = self._decode(function.start, size)
        return known

    def _decode(self, start: int, size: int) -> list[tuple[int, bytes, str]]:
        loaded = self._modules.module_at(start)
        if loaded is not None:
            size = min(size, loaded.module.end - start)
        return list(disassemble(readable(self._memory, start, size), start))


def readable(memory: Memory, start: int, size: int) -> bytes:
    """At most `size` bytes from `start`; as many as are readable, to the page."""
    while size > 0:
        try:
            return memory.read(start, size)
        except MemoryFault:
            # Give up the last page.
            size = ((start + size - 1) & -0x1000) - start
    return b""


def disassemble(code: bytes, start: int) -> Iterator[tuple[int, bytes, str]]:
    """Address, bytes and text (Intel syntax) of the instructions in `code`, loaded at `start`.

    Ends at the first byte that begins none.
    """
    import capstone

    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    for at, size, mnemonic, operands in engine.disasm_lite(code, start):
        yield at, code[at - start : at - start + size], f"{mnemonic} {operands}".strip()


def file_name(path: str) -> str:
    """The last part of a module's path, for places that have no room for all of it."""
    return PurePath(path).name or path
