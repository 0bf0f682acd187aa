"""Names of code addresses."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from emu.machine.stubs import read_stubs


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function of an image: link-time addresses [start, end)."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class SymbolTable:
    """Functions of .symtab and .dynsym, local ones included, and the addresses of all names."""

    functions: list[Symbol]
    addresses: dict[str, int]
    _starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._starts = [symbol.start for symbol in self.functions]

    def at(self, address: int) -> Symbol | None:
        """The function that contains link-time `address`."""
        index = bisect_right(self._starts, address) - 1
        # A function may lie inside the extent of an earlier, larger one.
        for symbol in reversed(self.functions[max(0, index - 7) : index + 1]):
            if symbol.start <= address < symbol.end:
                return symbol
        return None


def read_symbols(elf: ELFFile) -> SymbolTable:
    """All defined symbols of a file.

    Of several names for one address the global one is kept, and of those the shortest: aliases
    with leading underscores are the library's own. A function without a size (hand-written
    assembly) reaches to the next function or the end of its section.
    """
    best: dict[int, tuple[tuple[bool, int, str], int, int]] = {}
    addresses: dict[str, int] = {}
    section_ends = {}
    for index in range(elf.num_sections()):
        header = elf.get_section(index).header
        section_ends[index] = (
            header.sh_addr + header.sh_size,
            header.sh_flags & 4 and header.sh_type == "SHT_PROGBITS",
        )
    for section in elf.iter_sections():
        if not isinstance(section, SymbolTableSection):
            continue
        for symbol in section.iter_symbols():
            entry = symbol.entry
            if entry.st_shndx not in section_ends or not symbol.name:
                continue
            kind, bind = entry.st_info.type, entry.st_info.bind
            if kind in ("STT_TLS", "STT_FILE", "STT_SECTION"):
                continue
            value: int = entry.st_value
            if bind != "STB_LOCAL" or symbol.name not in addresses:
                addresses[symbol.name] = value
            end, is_code = section_ends[entry.st_shndx]
            if kind not in ("STT_FUNC", "STT_GNU_IFUNC", "STT_LOOS") and not (
                kind == "STT_NOTYPE" and is_code
            ):
                continue
            untyped = kind == "STT_NOTYPE"
            rank = (untyped or bind == "STB_LOCAL", len(symbol.name), symbol.name)
            known = best.get(value)
            size = max(entry.st_size, known[1] if known else 0)
            best[value] = (min(rank, known[0]) if known else rank, size, end)
    starts = sorted(best)
    functions = []
    for start, following in zip(starts, [*starts[1:], 1 << 64], strict=True):
        rank, size, section_end = best[start]
        functions.append(
            Symbol(rank[2], start, start + size if size else min(following, section_end))
        )
    known_starts = set(starts)
    for name, start, end in read_stubs(elf):
        addresses.setdefault(name, start)
        if start not in known_starts:
            functions.append(Symbol(name, start, end))
    functions.sort(key=lambda function: function.start)
    return SymbolTable(functions, addresses)
