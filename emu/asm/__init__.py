"""Case files: GNU assembler source in Intel syntax with expectations, to ELF executables.

`assemble(path)` gives an `AssembledCase`; Keystone encodes the instructions, one at a time,
`emu.cfi` makes the tables.
"""

from emu.asm.case import AssembledCase, DroppedProcedure, Symbol, assemble
from emu.asm.defects import Defect
from emu.asm.errors import AsmError
from emu.asm.expectations import (
    Anything,
    Expectations,
    ExpectedRow,
    ExpectedStack,
    ExpectedVerdict,
    Frame,
    Header,
)
from emu.asm.rewrite import rewrite

__all__ = [
    "Anything",
    "AsmError",
    "AssembledCase",
    "Defect",
    "DroppedProcedure",
    "Expectations",
    "ExpectedRow",
    "ExpectedStack",
    "ExpectedVerdict",
    "Frame",
    "Header",
    "Symbol",
    "assemble",
    "rewrite",
]
