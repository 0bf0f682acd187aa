"""The functions the linker makes for procedure linkage tables.

SFrame specification, 'What GNU as and ld emit', PLT. Their call frame information in .eh_frame is
the linker's own too: one FDE for a whole table, whose CFA is an expression on the pc where the
entries push something.
"""

from typing import Final

from emu.cfi.entries import DwarfFde
from emu.cfi.errors import CfiError
from emu.cfi.expression import BREG0, LIT0, parse_expression
from emu.cfi.instructions import RIP, RSP, Instruction, Op
from emu.sframe import Elf, Function, PcType, Rule, Rules, fre_type_for

ENTRY: Final = 16
_ENDBR64: Final = b"\xf3\x0f\x1e\xfa"
_DEF_CFA_EXPRESSION: Final = 0x0F
_AND, _GE, _PLUS, _SHL = 0x1A, 0x2A, 0x22, 0x24
_RA: Final = Rule(None, -8, deref=True)
_NAMES: Final = (".plt.got", ".plt.sec", ".plt.bnd")


def _rows(*starts: tuple[int, int]) -> tuple[tuple[int, Rules], ...]:
    return tuple((start, Rules(Rule(RSP, offset), _RA)) for start, offset in starts)


def lazy_push(instructions: tuple[Instruction, ...]) -> int | None:
    """The offset in an entry of a lazy PLT from which its index is on the stack.

    It is n of the expression `rsp+8, rip+0, lit15, and, lit n, ge, lit3, shl, plus`; None if the
    function is no such table.
    """
    data = next(
        (
            one.data
            for one in instructions
            if one.op is Op.ESCAPE and one.data[0] == _DEF_CFA_EXPRESSION
        ),
        b"",
    )
    try:
        operations = parse_expression(data[2:])
    except CfiError:
        return None
    codes = [one.code for one in operations]
    lit = LIT0
    if len(codes) != 9 or not lit <= codes[4] < lit + ENTRY:
        return None
    pattern = [BREG0 + RSP, BREG0 + RIP, lit + 15, _AND, codes[4], _GE, lit + 3, _SHL, _PLUS]
    if codes != pattern or (operations[0].value, operations[1].value) != (8, 0):
        return None
    return operations[4].value


def lazy_functions(fde: DwarfFde, push: int) -> list[Function]:
    """PLT0 and the entries of a lazy PLT."""
    kind = fre_type_for(fde.size)
    header = Function(start=fde.start, size=ENTRY, rows=_rows((0, 16), (6, 24)), fre_type=kind)
    entries = Function(
        start=fde.start + ENTRY,
        size=fde.size - ENTRY,
        rows=_rows((0, 8), (push, 16)),
        pc_type=PcType.MASK,
        rep_size=ENTRY,
        fre_type=kind,
    )
    return [header, entries] if fde.size > ENTRY else [header]


class OtherTables:
    """`.plt.got`, `.plt.sec` and `.plt.bnd`: entries that push nothing.

    ld 2.47 writes CFA = rsp+16 for `.plt.got`, although nothing was pushed there; `as_gnu` does
    the same.
    """

    def __init__(self, elf: Elf, *, as_gnu: bool) -> None:
        self._as_gnu = as_gnu
        self._tables: dict[int, tuple[str, int]] = {}
        for section in elf.sections:
            if section.name in _NAMES and section.size:
                start = bytes(elf.contents(section)[: len(_ENDBR64)])
                small = section.name == ".plt.got" and start != _ENDBR64
                self._tables[section.address] = (section.name, ENTRY // 2 if small else ENTRY)

    def function(self, fde: DwarfFde) -> Function | None:
        """The function for the table that `fde` describes, None for any other."""
        found = self._tables.get(fde.start)
        if found is None or fde.section is not None:
            return None
        name, size = found
        return Function(
            start=fde.start,
            size=fde.size,
            rows=_rows((0, 16 if self._as_gnu and name == ".plt.got" else 8)),
            pc_type=PcType.MASK,
            rep_size=size,
            fre_type=fre_type_for(fde.size),
        )
