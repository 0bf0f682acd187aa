"""Integer expressions over symbols, with the operators and precedences of GNU as.

Strongest first: unary `- ~ +`; `* / % << >>`; `| & ^`; `+ -`. Division truncates toward zero.
Numbers: decimal, `0x`, `0b`, octal with a leading 0, and `'c'` for a character.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from emu.asm.errors import AsmError

Resolve = Callable[[str], int]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)(?![\w$])"
    r"|(?P<local>\d+[bf])(?![\w$])"
    r"|(?P<char>'(?:\\.|[^\\'])'?)"
    r"|(?P<name>[A-Za-z_.$][\w.$]*)"
    r"|(?P<mark><<|>>|[-+*/%|&^~()\[\]:]))"
)
_ESCAPES = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, "\\": 92, "'": 39, '"': 34, "0": 0}
_MAX_BITS = 128  # `1 << (1 << 40)` must not eat the memory
_MAX_DEPTH = 50  # nor may a line of parentheses use up the interpreter's stack
_MAX_TOKENS = 200  # nor a long sum


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `kind` is `number`, `name` (numeric local labels included) or `mark`."""

    kind: str
    text: str
    value: int = 0


def tokens(text: str) -> list[Token]:
    """Tokens of an expression or operand. Raises `AsmError` without a place."""
    found: list[Token] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise AsmError(f"cannot read {text[at:]!r}")
        at = match.end()
        if number := match["number"]:
            found.append(Token("number", number, _number(number)))
        elif char := match["char"]:
            code = _ESCAPES.get(char[2], ord(char[2])) if char[1] == "\\" else ord(char[1])
            found.append(Token("number", char, code))
        elif name := match["name"] or match["local"]:
            found.append(Token("name", name))
        else:
            found.append(Token("mark", match["mark"]))
    return found


def _number(text: str) -> int:
    lowered = text.lower()
    try:
        if len(lowered) > 1 and lowered[0] == "0" and lowered[1] not in "xb":
            return int(lowered, 8)
        return int(lowered, 0)
    except ValueError:
        raise AsmError(f"bad number {text[:40]!r}") from None


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; evaluate it as often as addresses change."""

    root: "_Node"

    def value(self, resolve: Resolve) -> int:
        """The value, unbounded and signed. Raises `AsmError` (division, unknown symbol)."""
        return self.root.value(resolve)

    def symbols(self) -> Iterator[str]:
        """Names of the symbols in it."""
        return self.root.symbols()

    def renamed(self, rename: Callable[[str], str]) -> "Expression":
        """A copy with every symbol's name replaced."""
        return Expression(self.root.renamed(rename))

    def plus(self, other: "Expression", sign: int = 1) -> "Expression":
        """The sum with (or difference to) another expression."""
        return Expression(_Binary("+" if sign > 0 else "-", self.root, other.root))

    @classmethod
    def constant(cls, value: int) -> "Expression":
        return cls(_Number(value))


@dataclass(frozen=True, slots=True)
class _Number:
    number: int

    def value(self, resolve: Resolve) -> int:  # noqa: ARG002 - one interface for all nodes
        return self.number

    def symbols(self) -> Iterator[str]:
        return iter(())

    def renamed(self, rename: Callable[[str], str]) -> "_Node":  # noqa: ARG002 - as above
        return self


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str

    def value(self, resolve: Resolve) -> int:
        return resolve(self.name)

    def symbols(self) -> Iterator[str]:
        yield self.name

    def renamed(self, rename: Callable[[str], str]) -> "_Node":
        return _Symbol(rename(self.name))


@dataclass(frozen=True, slots=True)
class _Binary:
    mark: str
    left: "_Node"
    right: "_Node"

    def value(self, resolve: Resolve) -> int:
        result = _OPERATORS[self.mark](self.left.value(resolve), self.right.value(resolve))
        if result.bit_length() > _MAX_BITS:
            raise AsmError("the value of the expression does not fit in 64 bits")
        return result

    def symbols(self) -> Iterator[str]:
        yield from self.left.symbols()
        yield from self.right.symbols()

    def renamed(self, rename: Callable[[str], str]) -> "_Node":
        return _Binary(self.mark, self.left.renamed(rename), self.right.renamed(rename))


_Node = _Number | _Symbol | _Binary


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise AsmError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _divide(left, right)


def _shift(left: int, right: int) -> int:
    if not 0 <= right < 64:
        raise AsmError(f"cannot shift by {right}")
    return left << right


def _shift_right(left: int, right: int) -> int:
    if right < 0:
        raise AsmError(f"cannot shift by {right}")
    return left >> right


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
    "<<": _shift,
    ">>": _shift_right,
    "|": operator.or_,
    "&": operator.and_,
    "^": operator.xor,
}
_PRECEDENCE = {"+": 1, "-": 1, "|": 2, "&": 2, "^": 2}  # the others: 3


class _Parser:
    def __init__(self, found: Sequence[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        if self.at >= len(self.tokens) or self.tokens[self.at].kind != "mark":
            return ""
        return self.tokens[self.at].text

    def binary(self, floor: int) -> _Node:
        left = self.unary()
        while (mark := self.peek()) in _OPERATORS and (level := _PRECEDENCE.get(mark, 3)) > floor:
            self.at += 1
            left = _Binary(mark, left, self.binary(level))
        return left

    def unary(self) -> _Node:
        if self.at >= len(self.tokens):
            raise AsmError("expression expected")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise AsmError("expression nested too deeply")
        token = self.tokens[self.at]
        self.at += 1
        node: _Node
        if token.kind == "number":
            node = _Number(token.value)
        elif token.kind == "name":
            node = _Symbol(token.text)
        elif token.text == "-":
            node = _Binary("-", _Number(0), self.unary())
        elif token.text == "+":
            node = self.unary()
        elif token.text == "~":
            node = _Binary("^", _Number(-1), self.unary())
        elif token.text == "(":
            node = self.binary(0)
            if self.peek() != ")":
                raise AsmError("missing )")
            self.at += 1
        else:
            raise AsmError(f"unexpected {token.text!r} in an expression")
        self.depth -= 1
        return node


def parse_tokens(found: Sequence[Token]) -> Expression:
    """The expression that all of `found` makes up. Raises `AsmError` without a place."""
    if len(found) > _MAX_TOKENS:
        raise AsmError(f"expression of more than {_MAX_TOKENS} tokens")
    parser = _Parser(found)
    node = parser.binary(0)
    if parser.at != len(found):
        raise AsmError(f"unexpected {found[parser.at].text!r} after an expression")
    return Expression(node)


def parse(text: str) -> Expression:
    """The expression written in `text`. Raises `AsmError` without a place."""
    return parse_tokens(tokens(text))
