"""Which symbols name the functions of a section."""

from typing import Final

from emu.sframe.elf import SHF_EXECINSTR, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, Elf
from emu.sframe.fde import Fde
from emu.sframe.locate import find_section
from emu.sframe.section import Section

_ABSOLUTE_HOME: Final = -1
"""Where linked files keep all names: their addresses are unique."""


class FunctionNames:
    """Names of FDEs by the symbol table of the file the section came from.

    In a relocatable file every code section begins at address 0, so an FDE is told from others
    at its address by the section that its relocation refers to. Raises `SFrameError` for a symbol
    table or relocations that cannot be read.
    """

    def __init__(self, elf: Elf, section: Section) -> None:
        self._section = section
        self._code = [s for s in elf.sections if s.flags & SHF_EXECINSTR and s.size]
        self._homes: dict[int, int] | None = None
        if elf.relocatable and (target := find_section(elf)) is not None:
            self._homes = {r.offset: r.symbol.section for r in elf.relocations(target)}
        code = {s.index for s in self._code}
        typed: dict[tuple[int, int], list[str]] = {}
        untyped: dict[tuple[int, int], list[str]] = {}
        for symbol in elf.symbols():
            if symbol.section not in code or not symbol.name:
                continue
            key = (symbol.section if elf.relocatable else _ABSOLUTE_HOME, symbol.address)
            if symbol.type in {STT_FUNC, STT_GNU_IFUNC}:
                typed.setdefault(key, []).append(symbol.name)
            elif symbol.type == STT_NOTYPE and not symbol.name.startswith("$"):
                # Assembly often has labels without a type; $x and the like mark code and data.
                untyped.setdefault(key, []).append(symbol.name)
        self._names = {key: (*typed.get(key, ()), *untyped.get(key, ())) for key in typed | untyped}

    def names(self, fde: Fde) -> tuple[str, ...]:
        """The symbols at the function's start, those of type function first."""
        return self._names.get((self._home(fde), fde.start), ())

    def label(self, fde: Fde) -> str | None:
        """The first of `names`, else the code section the linker made the FDE for (`.plt`)."""
        names = self.names(fde)
        if names:
            return names[0]
        home = self._home(fde)
        for section in self._code:
            if home == section.index or (
                home == _ABSOLUTE_HOME
                and section.name.startswith(".plt")
                and section.address <= fde.start < section.address + section.size
            ):
                return section.name
        return None

    def find(self, name: str) -> list[Fde]:
        """The FDEs with this symbol or label."""
        return [
            fde for fde in self._section.fdes if name in self.names(fde) or name == self.label(fde)
        ]

    def _home(self, fde: Fde) -> int:
        if self._homes is None:
            return _ABSOLUTE_HOME
        # Only the start offset, the first field of an entry, is relocated.
        return self._homes.get(fde.offset, _ABSOLUTE_HOME)
