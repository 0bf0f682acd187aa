"""Faults of a section and hazards for its consumers, each with what happens because of it.

Consequences are those of the Linux kernel's unwinder, the strictest consumer; libsframe is named
where it differs.
"""

from collections.abc import Iterator

from emu.sframe.elf import Elf
from emu.sframe.error import SFrameError
from emu.sframe.fde import Fde
from emu.sframe.functions import FunctionNames
from emu.sframe.lint.finding import Effect, Finding
from emu.sframe.lint.functions import FunctionLint, decodable_rows
from emu.sframe.lint.header import count_findings, header_findings
from emu.sframe.lint.order import order_findings
from emu.sframe.lint.placement import placement_findings
from emu.sframe.lint.reach import reaches, text_segments
from emu.sframe.lint.sizes import Sizes, measure
from emu.sframe.section import Section

__all__ = ["Effect", "Finding", "Sizes", "lint", "measure", "refused"]


def lint(section: Section, elf: Elf | None = None) -> Iterator[Finding]:
    """Check everything; `elf`, the file it came from, adds names and the checks of placement.

    Raises `SFrameError` only for tables of `elf` that cannot be read.
    """
    fdes = list(section.fdes)
    names = _names(section, fdes, elf)
    linked = elf is None or not elf.relocatable
    yield from header_findings(section, linked=linked)
    if linked:
        yield from order_findings(fdes, names)
    if elf is not None and linked:
        yield from placement_findings(section, elf, fdes, names)
    yield from count_findings(section, _total_rows(fdes))
    # A row has two bytes at least, so only functions that share rows use this up.
    most_rows = section.header.fre_length
    text = text_segments(elf) if linked else []
    for fde, name, reach in zip(fdes, names, reaches(fdes, text), strict=True):
        yield from FunctionLint(section, fde, name, reach, most_rows).findings()
        most_rows -= min(most_rows, decodable_rows(section, fde))


def refused(error: SFrameError) -> Finding:
    """The finding for bytes that are no section at all."""
    return Finding(
        Effect.REFUSED,
        error.offset or 0,
        None,
        error.reason,
        "no consumer can read the section",
    )


def _names(section: Section, fdes: list[Fde], elf: Elf | None) -> list[str]:
    names = FunctionNames(elf, section) if elf is not None else None
    found = []
    for fde in fdes:
        label = names.label(fde) if names is not None else None
        found.append(f"{label} ({fde.start:#x})" if label else f"function {fde.start:#x}")
    return found


def _total_rows(fdes: list[Fde]) -> int:
    total = 0
    for fde in fdes:
        try:
            total += fde.attributes.num_fres
        except SFrameError:
            # Reported with the function.
            continue
    return total
