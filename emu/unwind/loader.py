"""What the ELF loader registers by itself (kernel behaviour: 3.3)."""

from collections.abc import Iterable
from typing import NamedTuple

from emu.unwind.store import SectionStore

PT_GNU_SFRAME = 0x6474E554
PF_X = 1

_MASK = (1 << 64) - 1


class ProgramHeader(NamedTuple):
    """The fields of an ELF program header that the loader's hook reads."""

    type: int
    flags: int
    vaddr: int
    memsz: int


class Registration(NamedTuple):
    """One call of `SectionStore.add`: run-time addresses, ends exclusive."""

    sframe_start: int
    sframe_end: int
    text_start: int
    text_end: int


def registrations(headers: Iterable[ProgramHeader], bias: int) -> list[Registration]:
    """What the hook asks for after mapping one image: the program, or its interpreter.

    The last PT_GNU_SFRAME counts; it goes with every header that has PF_X, whatever its
    type, so that an executable PT_GNU_STACK makes one registration that fails.
    """
    headers = list(headers)
    sections = [header for header in headers if header.type == PT_GNU_SFRAME]
    if not sections:
        return []
    section = sections[-1]
    sframe_start = (bias + section.vaddr) & _MASK
    return [
        Registration(
            sframe_start,
            (sframe_start + section.memsz) & _MASK,
            (bias + header.vaddr) & _MASK,
            (bias + header.vaddr + header.memsz) & _MASK,
        )
        for header in headers
        if header.flags & PF_X
    ]


def register_image(store: SectionStore, headers: Iterable[ProgramHeader], bias: int) -> list[int]:
    """Make the registrations; their results, which the kernel ignores: exec goes on."""
    return [store.add(*registration) for registration in registrations(headers, bias)]
