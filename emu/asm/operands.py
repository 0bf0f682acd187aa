"""Intel-syntax operands: registers, immediates and memory, with their expressions still open."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emu.asm.errors import AsmError
from emu.asm.expressions import Expression, Token, parse_tokens, tokens

_WIDTHS: dict[str, int] = {
    **dict.fromkeys(("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "rip"), 8),
    **dict.fromkeys(("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"), 4),
    **dict.fromkeys(("ax", "cx", "dx", "bx", "sp", "bp", "si", "di"), 2),
    **dict.fromkeys(("al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"), 1),
    **dict.fromkeys(("ah", "ch", "dh", "bh"), 1),
    **{f"r{n}": 8 for n in range(8, 16)},
    **{f"r{n}d": 4 for n in range(8, 16)},
    **{f"r{n}w": 2 for n in range(8, 16)},
    **{f"r{n}b": 1 for n in range(8, 16)},
    **{f"xmm{n}": 16 for n in range(16)},
    **{f"mm{n}": 8 for n in range(8)},
    **dict.fromkeys(("cs", "ds", "es", "fs", "gs", "ss"), 2),
}
_SEGMENTS = frozenset({"cs", "ds", "es", "fs", "gs", "ss"})
SIZES = {
    "byte": 1,
    "word": 2,
    "dword": 4,
    "qword": 8,
    "tbyte": 10,
    "xmmword": 16,
    "oword": 16,
}
RESERVED = (
    frozenset(_WIDTHS)
    | SIZES.keys()
    | frozenset(
        {"and", "eq", "far", "flat", "fword", "ge", "gt", "le", "lt", "mmword", "mod", "ne", "near"}
        | {"not", "offset", "or", "ptr", "short", "shl", "shr", "xor", "ymmword", "zmmword"}
    )
)
"""Names that GNU as reads as something else in Intel syntax, in lower case."""
_SIZE = re.compile(r"\s*(byte|word|dword|qword|tbyte|xmmword|oword)\s+ptr\b", re.IGNORECASE)
_OFFSET = re.compile(r"\s*offset\b(?!\s*:)", re.IGNORECASE)


def width(register: str) -> int:
    """Bytes of a register."""
    return _WIDTHS[register]


@dataclass(frozen=True, slots=True)
class Register:
    """A register by its lower-case name."""

    name: str


@dataclass(frozen=True, slots=True)
class Immediate:
    """A number: an expression, or the address of a symbol after `offset`.

    `bare` tells the first from the second; a bare label is a branch target or an error.
    """

    value: Expression
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Memory:
    """`size ptr segment:[base + index*scale + displacement]`.

    `size` in bytes, None where the source does not say it. Base `rip` is a register like the
    others here; what its displacement counts from is the encoder's business.
    """

    size: int | None
    segment: str | None
    base: str | None
    index: str | None
    scale: int
    displacement: Expression | None


Operand = Register | Immediate | Memory


def _terms(found: Sequence[Token]) -> Iterator[tuple[int, list[Token]]]:
    """Split at `+` and `-` outside parentheses into (sign, tokens).

    An operator directly after another belongs to the term (`8*-1`).
    """
    sign, term, depth = 1, list[Token](), 0
    for token in found:
        mark = token.text if token.kind == "mark" else ""
        depth += (mark == "(") - (mark == ")")
        if depth == 0 and mark in {"+", "-"} and term and term[-1].text not in {"*", "/", "<<"}:
            yield sign, term
            sign, term = (1 if mark == "+" else -1), []
        elif depth == 0 and mark in {"+", "-"} and not term:
            sign = sign if mark == "+" else -sign
        else:
            term.append(token)
    if not term:
        raise AsmError("an operand ends in an operator or is empty")
    yield sign, term


def _register(token: Token) -> str | None:
    name = token.text.lower()
    return name if token.kind == "name" and name in _WIDTHS else None


class _Address:
    """Sums up the terms of a memory operand."""

    def __init__(self) -> None:
        self.base: str | None = None
        self.index: str | None = None
        self.scale = 1
        self.displacement: Expression | None = None

    def add(self, sign: int, term: list[Token]) -> None:
        registers = [name for token in term if (name := _register(token))]
        if not registers:
            value = parse_tokens(term)
            if self.displacement is None and sign > 0:
                self.displacement = value
            else:
                self.displacement = (self.displacement or _ZERO).plus(value, sign)
            return
        if sign < 0:
            raise AsmError(f"{registers[0]} cannot be subtracted in an address")
        if len(term) == 1:
            if self.base is None:
                self.base = registers[0]
            elif self.index is None:
                self.index = registers[0]
            else:
                raise AsmError("more than two registers in an address")
        elif len(term) == 3 and term[1].text == "*" and len(registers) == 1:
            factor = term[2] if _register(term[0]) else term[0]
            if factor.kind != "number" or factor.value not in {1, 2, 4, 8}:
                raise AsmError("the scale of an index is 1, 2, 4 or 8")
            if self.index is not None:
                raise AsmError("two indices in an address")
            self.index, self.scale = registers[0], factor.value
        else:
            raise AsmError(f"{registers[0]} inside an expression")

    def check(self) -> None:
        if self.index in {"rsp", "esp"} and self.scale == 1 and self.base not in {"rsp", "esp"}:
            self.base, self.index = self.index, self.base  # rsp has no encoding as an index
        for name in (self.base, self.index):
            if name is not None and width(name) not in {4, 8}:
                raise AsmError(f"{name} cannot be part of an address")
        if self.index in {"rsp", "esp", "rip"}:
            raise AsmError(f"{self.index} cannot be an index")
        if self.base == "rip" and self.index is not None:
            raise AsmError("rip cannot be combined with another register")


_ZERO = Expression.constant(0)


def _brackets(found: Sequence[Token]) -> list[Token]:
    """`table[rax*8]+4` as the sum `table + (rax*8) + 4`, brackets dropped."""
    flat: list[Token] = []
    plus = Token("mark", "+")
    inside = False
    for token in found:
        if token.kind == "mark" and token.text == "[":
            if inside:
                raise AsmError("nested brackets")
            inside = True
            if flat and flat[-1].text not in {"+", "-"}:
                flat.append(plus)
        elif token.kind == "mark" and token.text == "]":
            if not inside:
                raise AsmError("] without [")
            inside = False
        else:
            flat.append(token)
    if inside:
        raise AsmError("[ without ]")
    return flat


def parse(text: str) -> Operand:
    """One operand. Raises `AsmError` without a place."""
    if match := _OFFSET.match(text):
        return Immediate(parse_tokens(tokens(text[match.end() :])), bare=False)
    size = None
    if match := _SIZE.match(text):
        size, text = SIZES[match[1].lower()], text[match.end() :]
    found = tokens(text)
    segment = None
    if len(found) > 1 and found[1].text == ":":
        segment = _register(found[0])
        if segment not in _SEGMENTS:
            raise AsmError(f"{found[0].text!r} is not a segment register")
        found = found[2:]
    if not found:
        raise AsmError("empty operand")
    bracketed = any(token.kind == "mark" and token.text == "[" for token in found)
    if not bracketed and size is None and segment is None:
        if len(found) == 1 and (name := _register(found[0])):
            return Register(name)
        return Immediate(parse_tokens(found))
    address = _Address()
    for sign, term in _terms(_brackets(found)):
        address.add(sign, term)
    address.check()
    return Memory(size, segment, address.base, address.index, address.scale, address.displacement)
