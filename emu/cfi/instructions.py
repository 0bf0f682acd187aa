"""Call frame instructions as values, and a procedure's list of them.

DWARF 5, section 6.4.2. Location advances are not instructions of their own here: each carries
the code offset it applies from.
"""

from dataclasses import dataclass
from enum import Enum

RSP = 7
RBP = 6
RIP = 16


class Op(Enum):
    """The instructions directives can produce, with the opcode of their plain form."""

    DEF_CFA = 0x0C
    DEF_CFA_REGISTER = 0x0D
    DEF_CFA_OFFSET = 0x0E
    OFFSET = 0x05
    RESTORE = 0x06
    UNDEFINED = 0x07
    SAME_VALUE = 0x08
    REGISTER = 0x09
    REMEMBER_STATE = 0x0A
    RESTORE_STATE = 0x0B
    VAL_OFFSET = 0x14
    ESCAPE = 0x100
    """Bytes given literally; no opcode of DWARF."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction in effect from `offset` bytes after the start of the procedure.

    `register` and `source` are DWARF numbers (`source`: where REGISTER says the value is), `value`
    is a byte offset, unfactored, `data` the bytes of an ESCAPE, `line` its source line.
    """

    offset: int
    op: Op
    register: int = 0
    value: int = 0
    source: int = 0
    data: bytes = b""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Procedure:
    """What stands between `.cfi_startproc` and `.cfi_endproc`.

    `start` is an address, `size` in bytes. `simple`: the initial rules of the ABI (CFA = rsp+8,
    RA at CFA-8) are not in effect.
    """

    start: int
    size: int
    instructions: tuple[Instruction, ...] = ()
    simple: bool = False
    signal: bool = False
    return_column: int = RIP
    line: int = 0
