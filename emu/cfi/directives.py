"""`.cfi_*` directives to call frame instructions, as GNU as reads them.

Relative directives (`adjust_cfa_offset`, `rel_offset`) become absolute here, with the CFA offset
followed through nested remember/restore pairs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from emu.cfi.errors import CfiError
from emu.cfi.instructions import RIP, Instruction, Op, Procedure
from emu.sframe import SFrameError, register_number

Evaluate = Callable[[str], int]
"""Value of an operand that is a number or an expression; raises its own errors."""

_IGNORED = frozenset({"personality", "lsda", "sections", "fde_data", "inline_lsda"})
_HIGHEST_REGISTER = 1 << 16


def parse_register(text: str, evaluate: Evaluate) -> int:
    """DWARF number of a register given by name (with or without %) or number."""
    name = text.strip().lstrip("%").lower()
    try:
        return register_number(name)
    except SFrameError:
        pass
    if not name[:1].isdigit():
        raise CfiError(f"no register {text!r}")
    number = evaluate(name)
    if not 0 <= number < _HIGHEST_REGISTER:
        raise CfiError(f"no register {text!r}")
    return number


@dataclass(slots=True)
class _Open:
    """The procedure being read."""

    start: int
    simple: bool
    line: int
    cfa_offset: int
    signal: bool = False
    return_column: int = RIP
    remembered: list[int] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)

    def cfa(self, op: Op, register: int, offset: int) -> Instruction:
        self.cfa_offset = offset
        return Instruction(0, op, register, offset)

    def add(self, instructions: Sequence[Instruction], address: int, line: int) -> None:
        """Append them with the place they take effect at."""
        offset = address - self.start
        self.instructions.extend(replace(one, offset=offset, line=line) for one in instructions)


class DirectiveReader:
    """Feeds on directives in source order; `procedures` are those that have ended.

    Raises `CfiError` with the line.
    """

    def __init__(self, evaluate: Evaluate) -> None:
        self.procedures: list[Procedure] = []
        self._evaluate = evaluate
        self._open: _Open | None = None

    def read(self, name: str, operands: Sequence[str], address: int, line: int) -> None:
        """One directive; `name` without `.cfi_`, `address` is where it stands."""
        try:
            self._read(name, operands, address, line)
        except CfiError as error:
            raise CfiError(error.reason, error.line or line) from None

    def finish(self) -> list[Procedure]:
        """All procedures. Raises `CfiError` if one is still open."""
        if self._open is not None:
            raise CfiError("procedure without .cfi_endproc", self._open.line)
        return self.procedures

    def _read(self, name: str, operands: Sequence[str], address: int, line: int) -> None:
        if name in _IGNORED:
            return
        if name == "startproc":
            self._start(operands, address, line)
            return
        procedure = self._open
        if procedure is None:
            raise CfiError(f".cfi_{name} outside of .cfi_startproc and .cfi_endproc")
        if name == "endproc":
            self._end(procedure, address)
        elif name == "signal_frame":
            procedure.signal = True
        elif name == "return_column":
            if len(operands) != 1:
                raise CfiError(".cfi_return_column takes a register")
            procedure.return_column = parse_register(operands[0], self._evaluate)
        else:
            procedure.add(self._instructions(name, operands, procedure), address, line)

    def _start(self, operands: Sequence[str], address: int, line: int) -> None:
        if self._open is not None:
            raise CfiError("previous procedure has no .cfi_endproc")
        if list(operands) not in ([], ["simple"]):
            raise CfiError(f".cfi_startproc takes nothing or `simple`, not {operands[0]!r}")
        simple = bool(operands)
        self._open = _Open(address, simple, line, cfa_offset=0 if simple else 8)

    def _end(self, procedure: _Open, address: int) -> None:
        self.procedures.append(
            Procedure(
                procedure.start,
                address - procedure.start,
                tuple(procedure.instructions),
                procedure.simple,
                procedure.signal,
                procedure.return_column,
                procedure.line,
            )
        )
        self._open = None

    def _values(self, name: str, operands: Sequence[str]) -> list[int]:
        """The operands as numbers: registers (`r`) by their DWARF number, values (`v`)."""
        shape = _SHAPES.get(name)
        if shape is None:
            raise CfiError(f".cfi_{name} is not supported")
        kinds = shape[0] * len(operands) if shape[1:] == "+" else shape
        if len(operands) != len(kinds) or not all(operands) or (shape and not operands):
            raise CfiError(f".cfi_{name}: wrong number of operands")
        return [
            parse_register(operand, self._evaluate) if kind == "r" else self._evaluate(operand)
            for kind, operand in zip(kinds, operands, strict=True)
        ]

    def _instructions(
        self, name: str, operands: Sequence[str], procedure: _Open
    ) -> list[Instruction]:
        values = self._values(name, operands)
        match name:
            case "adjust_cfa_offset":
                return [procedure.cfa(Op.DEF_CFA_OFFSET, 0, procedure.cfa_offset + values[0])]
            case "def_cfa_offset":
                return [procedure.cfa(Op.DEF_CFA_OFFSET, 0, values[0])]
            case "def_cfa":
                return [procedure.cfa(Op.DEF_CFA, values[0], values[1])]
            case "rel_offset":
                from_cfa = values[1] - procedure.cfa_offset
                return [Instruction(0, Op.OFFSET, values[0], from_cfa)]
            case "offset" | "val_offset":
                return [Instruction(0, Op[name.upper()], values[0], values[1])]
            case "register":
                return [Instruction(0, Op.REGISTER, values[0], source=values[1])]
            case "escape":
                if not all(0 <= value < 256 for value in values):
                    raise CfiError(".cfi_escape takes bytes")
                return [Instruction(0, Op.ESCAPE, data=bytes(values))]
            case "remember_state":
                procedure.remembered.append(procedure.cfa_offset)
                return [Instruction(0, Op.REMEMBER_STATE)]
            case "restore_state":
                if not procedure.remembered:
                    raise CfiError(".cfi_restore_state without .cfi_remember_state")
                procedure.cfa_offset = procedure.remembered.pop()
                return [Instruction(0, Op.RESTORE_STATE)]
            case _:
                return [Instruction(0, Op[name.upper()], value) for value in values]


_SHAPES = {
    "adjust_cfa_offset": "v",
    "def_cfa": "rv",
    "def_cfa_offset": "v",
    "def_cfa_register": "r",
    "escape": "v+",
    "offset": "rv",
    "register": "rr",
    "rel_offset": "rv",
    "remember_state": "",
    "restore": "r+",
    "restore_state": "",
    "same_value": "r",
    "undefined": "r+",
    "val_offset": "rv",
}
"""Operands of a directive: `r` a register, `v` a value; `+` for one or more of the kind."""
