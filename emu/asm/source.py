"""Source text to statements: comments, separators, labels and expectations told apart.

The grammar is GNU as's for x86: `#` starts a comment anywhere, `/` at the start of a line
starts one too (so `// ...` lines are comments), `/* */` may span lines, `;` separates
statements. `#@` comments are expectations and kept as statements of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from emu.asm.errors import AsmError

_LABEL = re.compile(r"\s*([A-Za-z_.$][\w.$]*|\d+)\s*:(?!:)")
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_.$][\w.$]*)\s*=(?!=)\s*(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"\s*(\.[A-Za-z_][\w.]*)(?:\s+(.*))?$", re.DOTALL)
_EXPECTATION = re.compile(r"\s*#@(.*)")
_LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\\\n])\'?')


@dataclass(frozen=True, slots=True)
class Label:
    """`name:`; numeric names may be defined again and again."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Directive:
    """`.name operands`; `name` without the dot and in lower case, operands split at commas."""

    line: int
    name: str
    operands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """Anything else, as written, with blanks normalised."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """A `#@ key: value` comment."""

    line: int
    key: str
    value: str


Statement = Label | Directive | Instruction | Expectation


def _without_comments(source: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (line number, text, is an expectation) with comments taken out.

    A block comment becomes one blank; a statement that continues after a multi-line one keeps
    the number of the line it continues on.
    """
    in_block = False
    for number, line in enumerate(source.splitlines(), start=1):
        if not in_block and (match := _EXPECTATION.match(line)):
            yield number, match[1], True
            continue
        kept: list[str] = []
        at = 0
        while at < len(line):
            if in_block:
                end = line.find("*/", at)
                if end < 0:
                    break
                in_block, at = False, end + 2
                kept.append(" ")
            elif literal := _LITERAL.match(line, at):
                kept.append(literal[0])
                at = literal.end()
            elif line.startswith("/*", at):
                in_block, at = True, at + 2
            elif line[at] == "#" or (line[at] == "/" and not "".join(kept).strip()):
                break
            else:
                kept.append(line[at])
                at += 1
        yield number, "".join(kept), False
    if in_block:
        raise AsmError("end of file inside a /* comment", number)


def split_top(text: str, separator: str) -> list[str]:
    """Split at `separator` outside of quotes and brackets; the parts are stripped."""
    parts: list[str] = []
    depth = start = at = 0
    while at < len(text):
        if literal := _LITERAL.match(text, at):
            at = literal.end()
            continue
        if text[at] in "([":
            depth += 1
        elif text[at] in ")]":
            depth -= 1
        elif text[at] == separator and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    parts.append(text[start:].strip())
    return parts


def _statement(line: int, text: str) -> Iterator[Statement]:
    while label := _LABEL.match(text):
        yield Label(line, label[1])
        text = text[label.end() :]
    if not text.strip():
        return
    if match := _ASSIGNMENT.match(text):
        yield Directive(line, "set", (match[1], match[2].strip()))
    elif match := _DIRECTIVE.match(text):
        operands = split_top(match[2], ",") if match[2] and match[2].strip() else []
        yield Directive(line, match[1][1:].lower(), tuple(operands))
    else:
        yield Instruction(line, " ".join(text.split()))


def parse(source: str) -> list[Statement]:
    """All statements of a file, in order. Raises `AsmError` with the line."""
    statements: list[Statement] = []
    for line, text, is_expectation in _without_comments(source):
        if is_expectation:
            key, colon, value = text.partition(":")
            if not colon or not key.strip():
                raise AsmError("an expectation reads `#@ key: value`", line)
            statements.append(Expectation(line, key.strip(), value.strip()))
            continue
        for part in split_top(text, ";"):
            statements.extend(_statement(line, part))
    return statements
