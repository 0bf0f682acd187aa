"""Call frame information: directives, `.eh_frame`, SFrame, and the ways between them.

Directives to both sections:

    reader = DirectiveReader(evaluate)
    reader.read("startproc", [], 0x401000, line=1)
    ...
    procedures = reader.finish()
    sframe = write_section(list(functions(procedures)), address=0x402000)

A file's own call frame information by address, and as SFrame:

    table = FrameTable.from_elf("/lib64/libc.so.6")
    print(table.lookup(0x27040).row)
    print(len(convert("/lib64/libc.so.6").data))
"""

from emu.cfi.attach import attach
from emu.cfi.convert import Conversion, Corrected, Refused, convert
from emu.cfi.directives import DirectiveReader, parse_register
from emu.cfi.dwarf_rules import DwarfCfa, DwarfRow, DwarfRule, RuleKind
from emu.cfi.eh_frame import write_eh_frame
from emu.cfi.entries import Cie, DwarfFde
from emu.cfi.errors import CfiError
from emu.cfi.expression import Operation, expression_text, parse_expression
from emu.cfi.instructions import RBP, RIP, RSP, Instruction, Op, Procedure
from emu.cfi.representable import NotRepresentableError, representable, sframe_rules
from emu.cfi.rows import Translation, translate
from emu.cfi.section import dropped, functions
from emu.cfi.table import DwarfMatch, FrameTable

__all__ = [
    "RBP",
    "RIP",
    "RSP",
    "CfiError",
    "Cie",
    "Conversion",
    "Corrected",
    "DirectiveReader",
    "DwarfCfa",
    "DwarfFde",
    "DwarfMatch",
    "DwarfRow",
    "DwarfRule",
    "FrameTable",
    "Instruction",
    "NotRepresentableError",
    "Op",
    "Operation",
    "Procedure",
    "Refused",
    "RuleKind",
    "Translation",
    "attach",
    "convert",
    "dropped",
    "expression_text",
    "functions",
    "parse_expression",
    "parse_register",
    "representable",
    "sframe_rules",
    "translate",
    "write_eh_frame",
]
