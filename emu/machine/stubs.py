"""Names of the linker's stubs: `puts@plt`.

Stubs have no symbols. Each jumps through a slot that a relocation fills with a function's address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

SECTIONS = (".plt", ".plt.sec", ".plt.got")
DEFAULT_SIZE = 16
_JUMP = re.compile(rb"\xff\x25(....)", re.DOTALL)
"""jmp [rip+disp32], maybe behind endbr64 or with a bnd prefix."""


def read_stubs(elf: ELFFile) -> Iterator[tuple[str, int, int]]:
    """(name, start, end) of every stub whose function is known, as link-time addresses.

    With lazy binding and IBT the entries of .plt push an index and have no slot of their own;
    those of .plt.sec jump.
    """
    slots = _slots(elf)
    for name in SECTIONS:
        section = elf.get_section_by_name(name)
        if section is None or section.header.sh_type == "SHT_NOBITS":
            continue
        start, data = section.header.sh_addr, section.data()
        size = section.header.sh_entsize or DEFAULT_SIZE
        for offset in range(0, len(data) - size + 1, size):
            jump = _JUMP.search(data[offset : offset + size])
            if jump is None:
                continue
            following = start + offset + jump.end()
            target = slots.get(following + int.from_bytes(jump[1], "little", signed=True))
            if target is not None:
                yield f"{target}@plt", start + offset, start + offset + size


def _slots(elf: ELFFile) -> dict[int, str]:
    """Names of the symbols whose addresses are put into words, by the word's address."""
    slots = {}
    for section in elf.iter_sections():
        if not isinstance(section, RelocationSection):
            continue
        symbols = elf.get_section(section.header.sh_link)
        for relocation in section.iter_relocations():
            index = relocation.entry.r_info_sym
            if index and hasattr(symbols, "get_symbol"):
                name = symbols.get_symbol(index).name
                if name:
                    slots[relocation.entry.r_offset] = name
    return slots
