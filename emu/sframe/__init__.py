"""SFrame by itself: read, look up, write and dump .sframe sections. Standard library only.

Open a section with `Section.from_elf(path)` or `Section(data, address)`; `section.lookup(pc)` gives
the row that applies, as `Rules` that print as equations. `write_section` makes the bytes.
"""

from emu.sframe.constants import (
    ATTRIBUTES_SIZE,
    ENTRY_SIZE,
    HEADER_SIZE,
    MAGIC,
    PT_GNU_SFRAME,
    SHT_GNU_SFRAME,
    Abi,
    FdeType,
    Flag,
    FreType,
    PcType,
    Version,
)
from emu.sframe.dump import dump, flag_names
from emu.sframe.elf import Elf, ElfSection, Relocation, Segment, Symbol
from emu.sframe.error import SFrameError
from emu.sframe.fde import Attributes, Fde, FdeIndex, Match
from emu.sframe.fre import Body, Row
from emu.sframe.functions import FunctionNames
from emu.sframe.header import Header, read_header
from emu.sframe.locate import find_section
from emu.sframe.registers import register_name, register_number
from emu.sframe.rewrite import function_of, rewrite
from emu.sframe.rules import UNDEFINED, Rule, Rules
from emu.sframe.section import Section
from emu.sframe.writer import Function, RawRow, fre_type_for, write_section

__all__ = [
    "ATTRIBUTES_SIZE",
    "ENTRY_SIZE",
    "HEADER_SIZE",
    "MAGIC",
    "PT_GNU_SFRAME",
    "SHT_GNU_SFRAME",
    "UNDEFINED",
    "Abi",
    "Attributes",
    "Body",
    "Elf",
    "ElfSection",
    "Fde",
    "FdeIndex",
    "FdeType",
    "Flag",
    "FreType",
    "Function",
    "FunctionNames",
    "Header",
    "Match",
    "PcType",
    "RawRow",
    "Relocation",
    "Row",
    "Rule",
    "Rules",
    "SFrameError",
    "Section",
    "Segment",
    "Symbol",
    "Version",
    "dump",
    "find_section",
    "flag_names",
    "fre_type_for",
    "function_of",
    "read_header",
    "register_name",
    "register_number",
    "rewrite",
    "write_section",
]
