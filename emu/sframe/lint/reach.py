"""Which addresses lookups find in which function.

A search ends at the last function that starts at or below the address, and is made for addresses
of executable segments only. What no search reaches does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from emu.sframe.elf import PF_X, PT_LOAD, Elf, Segment
from emu.sframe.fde import Fde


@dataclass(frozen=True, slots=True)
class Reach:
    """How many bytes from a function's start on are found in it.

    `entry` is whether any search ends at its FDE, be it for an address behind the function;
    `size` the number of the function's own bytes that lookups find in it.
    """

    entry: bool
    size: int


def text_segments(elf: Elf | None) -> list[Segment]:
    """The executable segments by address; none for relocatable files and bare bytes."""
    return sorted(
        (
            segment
            for segment in (elf.segments if elf is not None else ())
            if segment.type == PT_LOAD and segment.flags & PF_X and segment.memory_size
        ),
        key=lambda segment: segment.address,
    )


def reaches(fdes: Sequence[Fde], text: Sequence[Segment]) -> list[Reach]:
    """The reach of every FDE, the table taken as sorted; no `text` means all memory."""
    order = sorted(range(len(fdes)), key=lambda i: fdes[i].start)
    following = {here: fdes[after].start for here, after in pairwise(order)}
    found = []
    for fde in fdes:
        distance = following.get(fde.index, 1 << 64) - fde.start
        if not distance:
            # Of functions with the same start any may be found.
            found.append(Reach(True, fde.size))
            continue
        if text:
            entry = any(
                segment.address < fde.start + distance
                and fde.start < segment.address + segment.memory_size
                for segment in text
            )
            inside = [
                segment.address + segment.memory_size - fde.start
                for segment in text
                if segment.address <= fde.start < segment.address + segment.memory_size
            ]
            distance = min(distance, inside[0] if inside else 0)
        else:
            entry = True
        found.append(Reach(entry, min(fde.size, distance)))
    return found
