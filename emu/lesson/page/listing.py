"""Disassembly and source of the functions in a recording."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emu.asm import AsmError, assemble
from emu.lesson.locations import disassemble, file_name
from emu.lesson.recording import RecordedFunction, Recording
from emu.sframe.printable import printable

WHOLE = 320
"""Instructions up to which a function is shown whole."""
AROUND = 12
"""Instructions on either side of one that runs, in longer functions."""
LARGEST_SOURCE = 256 << 10
"""Bytes of a source file that are embedded at most."""


def case_lines(source: Path | None) -> dict[int, int]:
    """Link-time address to line of an assembled case; nothing for any other source."""
    if source is None or source.suffix not in {".s", ".S"}:
        return {}
    try:
        return dict(assemble(source).lines)
    except AsmError:
        return {}


@dataclass(slots=True)
class Sources:
    """Source files by the names in line tables; the text where a file is found and fits.

    A name is looked for as it is, and by its last part beside the program and in `directories`.
    """

    directories: Sequence[Path]
    names: list[str] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The number of a file."""
        known = self._numbers.get(name)
        if known is None:
            known = self._numbers[name] = len(self.names)
            self.names.append(printable(name))
            self.texts.append(self._text(name))
        return known

    def _text(self, name: str) -> str | None:
        for directory in self.directories:
            path = directory / Path(name).name
            try:
                if path.is_file() and path.stat().st_size <= LARGEST_SOURCE:
                    return path.read_text(errors="replace")
            except OSError:
                continue
        return None


def functions(
    recording: Recording, sources: Sources, lines: dict[int, int], source: str
) -> list[dict[str, Any]]:
    """Every function with its instructions: [offset, bytes, text, file, line].

    `lines` maps link-time addresses to lines of `source`, for assembled cases.
    """
    places = sorted({int(pc) for pc in recording.locations})
    return [_function(one, places, sources, lines, source) for one in recording.functions]


def _function(
    function: RecordedFunction,
    places: list[int],
    sources: Sources,
    lines: dict[int, int],
    source: str,
) -> dict[str, Any]:
    start, module = function.start, function.module
    decoded = list(disassemble(function.code, start))
    inside = places[bisect_left(places, start) : bisect_right(places, start + len(function.code))]
    bias = module.bias if module is not None else 0
    instructions: list[Any] = []
    for at, encoded, text in _chosen(decoded, inside):
        file, line = -1, 0
        if at - bias in lines:
            file, line = sources.number(source), lines[at - bias]
        elif module is not None:
            found = module.module.image.source_line(at - bias)
            name, colon, number = (found or "").rpartition(":")
            if colon and number.isdigit():
                file, line = sources.number(name), int(number)
        instructions.append([at - start, encoded.hex(), text, file, line])
    path = module.path if module is not None else ""
    return {
        "start": f"{start:x}",
        "size": len(function.code),
        "name": printable(function.name),
        "module": printable(file_name(path)),
        "bias": f"{bias:x}",
        "code": instructions,
    }


def _chosen(
    decoded: list[tuple[int, bytes, str]], inside: Iterable[int]
) -> list[tuple[int, bytes, str]]:
    """All of a short function; of a long one what is near the places that matter."""
    if len(decoded) <= WHOLE:
        return decoded
    starts = [at for at, _, _ in decoded]
    kept: set[int] = set()
    for place in inside:
        index = bisect_right(starts, place) - 1
        kept.update(range(max(index - AROUND, 0), min(index + AROUND + 1, len(decoded))))
    return [decoded[index] for index in sorted(kept)]
