"""Pieces of text with roles, lines of them, and titled blocks of lines.

Every piece of text says what role it plays; plain text leaves the role out, so nothing may be
said by it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Role(Enum):
    """What a piece of text is, for whoever has colours."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"
    HERE = "here"


class Span(NamedTuple):
    """A piece of one line."""

    text: str
    role: Role = Role.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines under a title."""

    title: str
    lines: tuple[Line, ...]


def line_text(line: Iterable[Span]) -> str:
    """A line without its roles."""
    return "".join(span.text for span in line).rstrip()


def columns(rows: Sequence[Sequence[Span]]) -> list[Line]:
    """Rows of cells as lines, the cells of a column below each other."""
    width = max((len(row) for row in rows), default=0)
    widths = [
        max((len(row[column].text) for row in rows if column < len(row)), default=0)
        for column in range(width)
    ]
    lines = []
    for row in rows:
        spans = []
        for column, span in enumerate(row):
            last = column == len(row) - 1
            text = span.text if last else f"{span.text:<{widths[column]}}  "
            spans.append(Span(text, span.role))
        lines.append(tuple(spans))
    return lines


def shortened(parts: list[str], most: int) -> list[str]:
    """At most `most` parts: the first ones, how many are left out, the last two."""
    if len(parts) <= most:
        return parts
    return [*parts[: most - 3], f"... {len(parts) - most + 1} more ...", *parts[-2:]]
