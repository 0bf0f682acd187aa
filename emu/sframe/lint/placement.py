"""Faults in where the file puts section and functions. Kernel behaviour: 3.1, 3.3, 6.2."""

from collections.abc import Iterator

from emu.sframe.constants import PT_GNU_SFRAME
from emu.sframe.elf import PT_LOAD, Elf, Segment
from emu.sframe.fde import Fde
from emu.sframe.lint.finding import Effect, Finding
from emu.sframe.lint.reach import Reach, reaches, text_segments
from emu.sframe.section import Section


def placement_findings(
    section: Section, elf: Elf, fdes: list[Fde], names: list[str]
) -> Iterator[Finding]:
    """What is wrong between the section and the segments of a linked file."""
    text = text_segments(elf)
    yield from _segment_findings(section, elf)
    if not text:
        return
    if elf.abi is not section.abi:
        yield Finding(
            Effect.WRONG,
            4,
            None,
            f"ABI {section.abi.name} in a file for {elf.abi.name}",
            "the kernel reads the rows as those of its own machine",
        )
    for fde, name, reach in zip(fdes, names, reaches(fdes, text), strict=True):
        if not any(s.address <= fde.start and fde.end <= s.address + s.memory_size for s in text):
            yield _outside(fde, name, reach)
    yield from _leading_gaps(fdes, text)


def _segment_findings(section: Section, elf: Elf) -> Iterator[Finding]:
    found = [segment for segment in elf.segments if segment.type == PT_GNU_SFRAME]
    if not found:
        yield Finding(
            Effect.REFUSED,
            0,
            None,
            "the file has no PT_GNU_SFRAME",
            "the kernel's program loader finds the section by it alone",
        )
        return
    segment = found[-1]
    length = section.header.length
    if segment.memory_size > length:
        yield Finding(
            Effect.HARMLESS,
            0,
            None,
            f"PT_GNU_SFRAME has {segment.memory_size} bytes, the section {length}",
            "who takes the segment's size for the section's reads what follows it as FREs",
        )
    elif segment.memory_size < length:
        yield Finding(
            Effect.REFUSED,
            0,
            None,
            f"PT_GNU_SFRAME has {segment.memory_size} bytes, the section {length}",
            "the kernel does not register it (EINVAL, inconsistent FDE/FRE offsets)",
        )
    if segment.address != section.address:
        yield Finding(
            Effect.WRONG,
            0,
            None,
            f"PT_GNU_SFRAME is at {segment.address:#x}, the section at {section.address:#x}",
            "the kernel reads what is at the segment's address",
        )
    if not any(
        load.type == PT_LOAD
        and load.address <= segment.address
        and segment.address + segment.memory_size <= load.address + load.memory_size
        for load in elf.segments
    ):
        yield Finding(
            Effect.REFUSED,
            0,
            None,
            "PT_GNU_SFRAME lies in no PT_LOAD",
            "the kernel does not register it (EINVAL, bad sframe address)",
        )


def _outside(fde: Fde, name: str, reach: Reach) -> Finding:
    return Finding(
        Effect.DROPPED if reach.entry else Effect.HARMLESS,
        fde.offset,
        name,
        f"FDE {fde.index} covers {fde.start:#x} to {fde.end:#x}, which is in no executable segment",
        "a search that ends at it fails with EFAULT and the kernel removes the section"
        if reach.entry
        else "no search ends at it",
    )


def _leading_gaps(fdes: list[Fde], text: list[Segment]) -> Iterator[Finding]:
    """Segments whose first bytes belong to no function, above functions of other segments."""
    starts = sorted(fde.start for fde in fdes)
    if not starts:
        return
    for segment in text[1:]:
        end = segment.address + segment.memory_size
        first = next((start for start in starts if start >= segment.address), end)
        if starts[0] < segment.address < first:
            yield Finding(
                Effect.DROPPED,
                0,
                None,
                f"the section covers {len(text)} executable segments, and"
                f" {segment.address:#x} to {min(first, end):#x} is in no function of its segment",
                "a lookup there ends at a function of a lower segment, fails with EFAULT, and the"
                " kernel removes the section",
            )
