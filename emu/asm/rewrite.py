"""New values for the `#@` lines of a file, everything else byte for byte."""

import re
from collections.abc import Mapping, Sequence

_LINE = re.compile(r"(?P<front>\s*#@\s*)(?P<text>.*?)(?P<end>\r?\n|\r|)$", re.DOTALL)


def rewrite(source: str, replacements: Mapping[int, Sequence[str]]) -> str:
    """`source` with `#@` lines replaced.

    `replacements` maps line numbers (from 1) to what stands there afterwards, as `key: value`
    texts: one replaces the line, several become as many lines, none removes it. Indentation
    and line ends stay. Raises `ValueError` for a line that is no expectation.
    """
    lines = source.splitlines(keepends=True)
    for number, texts in replacements.items():
        match = _LINE.match(lines[number - 1]) if 1 <= number <= len(lines) else None
        if match is None:
            raise ValueError(f"line {number} is no `#@` line")
        end = match["end"]
        lines[number - 1] = (end or "\n").join(match["front"] + text for text in texts) + (
            end if texts else ""
        )
    return "".join(lines)
