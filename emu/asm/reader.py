"""Statements to sections of items: what each directive does.

Intel syntax only: `.intel_syntax noprefix` must come before the first instruction.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from emu.asm.errors import AsmError
from emu.asm.expectations import BODY_KEYS
from emu.asm.expressions import Expression, parse
from emu.asm.instructions import parse_instruction
from emu.asm.literals import parse_string
from emu.asm.operands import RESERVED, Immediate, Memory, Operand
from emu.asm.sections import (
    AlignItem,
    BytesItem,
    CfiItem,
    CodeItem,
    DataItem,
    FillItem,
    Item,
    Kind,
    LabelItem,
    MarkItem,
    OrgItem,
    Section,
    SymbolFacts,
)
from emu.asm.source import Directive, Expectation, Instruction, Label, Statement

_WIDTHS = {
    "byte": 1,
    **dict.fromkeys(("word", "short", "hword", "value", "2byte"), 2),
    **dict.fromkeys(("long", "int", "4byte"), 4),
    **dict.fromkeys(("quad", "8byte"), 8),
}
_STRINGS = {"ascii": b"", "asciz": b"\0", "string": b"\0"}
_WITHOUT_EFFECT = frozenset({"file", "ident", "local", "hidden", "code64"})
_MAX_BOUNDARY = 1 << 16


class Reader:
    """Takes statements in order and fills `sections`.

    `constants` are the symbols that `.set` gives a value, `labels` the named places with their
    lines. `expectations` are the `#@` comments; those about an instruction come with the name of
    the mark at the next instruction (or data) of a text section, the others with None.
    """

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self.constants: dict[str, Expression] = {}
        self.symbols = SymbolFacts()
        self.labels: dict[str, int] = {}
        self.expectations: list[tuple[Expectation, str | None]] = []
        self._section = self._enter(".text", Kind.TEXT)
        self._previous = self._section
        self._numbers: dict[str, int] = {}
        self._local_counts: dict[str, int] = {}
        self._marks = 0
        self._intel = False
        self._line = 0
        self._waiting: list[Expectation] = []

    def read(self, statements: Sequence[Statement]) -> None:
        """Read a whole file. Raises `AsmError` with the line."""
        for statement in statements:
            self._line = statement.line
            try:
                self._read(statement)
            except AsmError as error:
                raise AsmError(error.reason, error.line or statement.line) from None
        if self._waiting:
            raise AsmError("no instruction follows this expectation", self._waiting[0].line)

    def _read(self, statement: Statement) -> None:
        match statement:
            case Expectation() if statement.key in BODY_KEYS:
                self._waiting.append(statement)
            case Expectation():
                self.expectations.append((statement, None))
            case Label():
                self._label(statement.name)
            case Instruction():
                self._instruction(statement)
            case Directive(name=name, operands=operands) if name.startswith("cfi_"):
                self._section.items.append(CfiItem(self._line, name[4:], operands))
            case Directive():
                self._directive(statement.name, statement.operands)

    def _enter(self, name: str, kind: Kind) -> Section:
        return self.sections.setdefault(name, Section(name, kind))

    def _add(self, item: Item) -> None:
        """Append code or data, and the places that wait for it."""
        if self._waiting and self._section.kind is Kind.TEXT:
            mark = self._mark()
            self.expectations.extend((waiting, mark) for waiting in self._waiting)
            self._waiting = []
        self._section.items.append(item)

    def _mark(self) -> str:
        """A new name, which no source can contain, for this place."""
        self._marks += 1
        mark = f" {self._marks}"
        self._section.items.append(MarkItem(self._line, mark))
        return mark

    def _label(self, name: str) -> None:
        if name.isdecimal():
            count = self._local_counts[name] = self._local_counts.get(name, 0) + 1
            name = f" {name} {count}"
        else:
            self._check_new(name)
            self.labels[name] = self._line
        self._section.items.append(LabelItem(self._line, name))

    def _check_new(self, name: str) -> None:
        if name.lower() in RESERVED:
            raise AsmError(f"{name!r} is a word of Intel syntax and no symbol")
        if name in self.labels or name in self.constants:
            raise AsmError(f"symbol {name!r} is defined twice")

    def _place(self, name: str) -> str:
        """The internal name of a symbol: numeric labels count up, `.` is a new mark."""
        if name == ".":
            return self._mark()
        if not name[0].isdigit():
            return name
        number, direction = name[:-1], name[-1]
        count = self._local_counts.get(number, 0)
        if direction == "b" and not count:
            raise AsmError(f"no label {number}: before {name}")
        return f" {number} {count + (direction == 'f')}"

    def _expression(self, text: str) -> Expression:
        return parse(text).renamed(self._place)

    def _known(self, name: str) -> int:
        if name not in self._numbers:
            raise AsmError(f"{name!r} is not a number known here")
        return self._numbers[name]

    def _constant(self, text: str) -> int:
        """A number known here and now: no labels in it."""
        return parse(text).value(self._known)

    def _instruction(self, statement: Instruction) -> None:
        if not self._intel:
            raise AsmError("Intel syntax only: put `.intel_syntax noprefix` first")
        if self._section.kind is not Kind.TEXT:
            raise AsmError(f"instruction in {self._section.name}")
        parsed = parse_instruction(statement.text, statement.line)
        direct = parsed.branch is not None
        operands = tuple(self._operand(operand, direct=direct) for operand in parsed.operands)
        self._add(CodeItem(statement.line, replace(parsed, operands=operands)))

    def _operand(self, operand: Operand, *, direct: bool) -> Operand:
        match operand:
            case Immediate():
                for name in operand.value.symbols() if operand.bare and not direct else ():
                    if name not in self.constants:
                        raise AsmError(
                            f"{name!r} is no number: write `offset {name}` for its address, "
                            f"`[rip+{name}]` for what is there"
                        )
                return replace(operand, value=operand.value.renamed(self._place))
            case Memory(displacement=Expression() as displacement):
                return replace(operand, displacement=displacement.renamed(self._place))
            case _:
                return operand

    def _directive(self, name: str, operands: Sequence[str]) -> None:
        if name in _WIDTHS:
            values = tuple(self._expression(operand) for operand in operands)
            self._add(DataItem(self._line, _WIDTHS[name], values))
        elif name in _STRINGS:
            data = b"".join(parse_string(operand) + _STRINGS[name] for operand in operands)
            self._add(BytesItem(self._line, data))
        elif name in _DIRECTIVES:
            least, most, action = _DIRECTIVES[name]
            if not least <= len(operands) <= most:
                raise AsmError(f".{name}: wrong number of operands")
            action(self, operands)
        elif name not in _WITHOUT_EFFECT:
            raise AsmError(f"directive .{name} is not supported")

    def _switch(self, section: Section) -> None:
        self._previous, self._section = self._section, section

    def _named_section(self, operands: Sequence[str]) -> None:
        name = operands[0].strip('"')
        kind = Kind.of(name)
        if kind is None and name.startswith(".note."):
            kind = Kind.RODATA
        if kind is None:
            raise AsmError(
                f"section {name!r}: only .text, .rodata, .data, .bss and .note with endings"
            )
        self._switch(self._enter(name, kind))

    def _back(self, _operands: Sequence[str]) -> None:
        self._switch(self._previous)

    def _syntax(self, operands: Sequence[str]) -> None:
        if list(operands) != ["noprefix"]:
            raise AsmError("Intel syntax without register prefixes only: `noprefix`")
        self._intel = True

    def _set(self, operands: Sequence[str]) -> None:
        name, text = operands
        self._check_new(name)
        expression = self._expression(text)
        if all(symbol in self._numbers for symbol in expression.symbols()):
            self._numbers[name] = expression.value(self._known)
            expression = Expression.constant(self._numbers[name])
        self.constants[name] = expression

    def _global(self, operands: Sequence[str]) -> None:
        self.symbols.globals.update(operands)

    def _type(self, operands: Sequence[str]) -> None:
        name, kind = operands
        kind = kind.strip('@%"').lower()
        if kind in {"function", "stt_func"}:
            self.symbols.functions.add(name)
        elif kind in {"object", "stt_object"}:
            self.symbols.objects.add(name)
        elif kind != "notype":
            raise AsmError(f".type: unknown type {kind!r}")

    def _size(self, operands: Sequence[str]) -> None:
        self.symbols.sizes[operands[0]] = self._expression(operands[1])

    def _align_bytes(self, operands: Sequence[str]) -> None:
        self._align(self._constant(operands[0]), operands[1:])

    def _align_power(self, operands: Sequence[str]) -> None:
        power = self._constant(operands[0])
        self._align(1 << power if 0 <= power < 64 else 0, operands[1:])

    def _align(self, boundary: int, rest: Sequence[str]) -> None:
        if not 0 <= boundary <= _MAX_BOUNDARY or boundary & (boundary - 1):
            raise AsmError("an alignment is a power of two up to 65536")
        fill = self._constant(rest[0]) & 0xFF if rest and rest[0] else None
        limit = self._constant(rest[1]) if len(rest) > 1 else 0
        self._section.items.append(AlignItem(self._line, boundary or 1, fill, limit))

    def _skip(self, operands: Sequence[str]) -> None:
        value = self._expression(operands[1]) if len(operands) > 1 else Expression.constant(0)
        self._add(FillItem(self._line, self._expression(operands[0]), 1, value))

    def _fill(self, operands: Sequence[str]) -> None:
        width = self._constant(operands[1]) if len(operands) > 1 else 1
        if not 0 <= width <= 8:
            raise AsmError(".fill: a size of 0 to 8 bytes")
        value = self._expression(operands[2]) if len(operands) > 2 else Expression.constant(0)
        self._add(FillItem(self._line, self._expression(operands[0]), width, value))

    def _org(self, operands: Sequence[str]) -> None:
        fill = self._constant(operands[1]) & 0xFF if len(operands) > 1 else 0
        self._section.items.append(OrgItem(self._line, self._expression(operands[0]), fill))


def _standard(kind: Kind) -> Callable[[Reader, Sequence[str]], None]:
    def enter(reader: Reader, _operands: Sequence[str]) -> None:
        reader._switch(reader._enter(f".{kind.value}", kind))

    return enter


_Action = Callable[[Reader, Sequence[str]], None]

_DIRECTIVES: dict[str, tuple[int, int, _Action]] = {
    **{kind.value: (0, 0, _standard(kind)) for kind in Kind},
    "align": (1, 3, Reader._align_bytes),
    "balign": (1, 3, Reader._align_bytes),
    "equ": (2, 2, Reader._set),
    "fill": (1, 3, Reader._fill),
    "global": (1, 99, Reader._global),
    "globl": (1, 99, Reader._global),
    "intel_syntax": (0, 1, Reader._syntax),
    "org": (1, 2, Reader._org),
    "p2align": (1, 3, Reader._align_power),
    "previous": (0, 0, Reader._back),
    "section": (1, 5, Reader._named_section),
    "set": (2, 2, Reader._set),
    "size": (2, 2, Reader._size),
    "skip": (1, 2, Reader._skip),
    "space": (1, 2, Reader._skip),
    "type": (2, 2, Reader._type),
    "zero": (1, 1, Reader._skip),
}
"""Least and greatest number of operands, and what the directive does."""
