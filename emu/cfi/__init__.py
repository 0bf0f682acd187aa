"""Call frame information: `.cfi_*` directives to SFrame rows and to `.eh_frame`.

reader = DirectiveReader(evaluate)
reader.read("startproc", [], 0x401000, line=1)
...
procedures = reader.finish()
sframe = write_section(list(functions(procedures)), address=0x402000)
"""

from emu.cfi.directives import DirectiveReader, parse_register
from emu.cfi.eh_frame import write_eh_frame
from emu.cfi.errors import CfiError
from emu.cfi.instructions import Instruction, Op, Procedure
from emu.cfi.rows import Translation, translate
from emu.cfi.section import dropped, functions

__all__ = [
    "CfiError",
    "DirectiveReader",
    "Instruction",
    "Op",
    "Procedure",
    "Translation",
    "dropped",
    "functions",
    "parse_register",
    "translate",
    "write_eh_frame",
]
