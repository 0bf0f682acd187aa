"""Tables for modules that have none, or not for all of their code, made from `.eh_frame`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from pathlib import PurePath

from emu.cfi import CfiError, convert
from emu.check.converted_sections import converted_sections
from emu.check.modules import LoadedModule
from emu.machine import AddressSpace, Protection
from emu.sframe import Function, Section, SFrameError, function_of, write_section

EVERYTHING = "all"
TOP = 0x2000_0000_0000
"""Converted sections are mapped below this address, far from everything of the guest's."""
PAGE = 4096
NAME = "[converted .sframe]"


def wanted(module: LoadedModule, names: Collection[str]) -> bool:
    """Whether `--convert` names the module: by path, by file name, or with `all`."""
    return bool(_names(module.path) & set(names))


def unmatched(names: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Those of `--convert` that name none of the modules with these paths, in their order."""
    named = {EVERYTHING}.union(*map(_names, paths))
    return [name for name in dict.fromkeys(names) if name not in named]


def convert_module(module: LoadedModule, memory: AddressSpace) -> bool:
    """Give `module` a table for all code that has call frame information.

    Functions of its own `.sframe` keep their rows; if these are malformed or their index is not
    in order, the module keeps its table as it is. The section is mapped read-only into the
    guest, where the kernel model reads it. False if there is nothing to convert from.
    """
    image = module.module.image
    made = converted_sections().section(image.data, lambda: _made(module))
    if not made:
        return False
    section = Section(made, 0)
    # The size does not depend on the address, and the address is found for the size.
    size = -(-len(section.data) // PAGE) * PAGE
    start = memory.gap(size, TOP)
    data = _moved(section, start - module.bias)
    memory.map(start, size, Protection.READ, NAME)
    memory.load(start, data)
    module.use_table(Section(data, start - module.bias), (start, start + len(data)))
    return True


def _names(path: str) -> set[str]:
    """What a module with this path can be called by."""
    return {EVERYTHING, path, PurePath(path).name}


def _made(module: LoadedModule) -> bytes:
    """The section for link-time address 0; empty if there is nothing to convert from."""
    try:
        conversion = convert(module.module.image.data, table=module.frame_table)
        section = Section(conversion.data, conversion.address)
        if module.section is not None and module.section.header.is_sorted:
            own = _functions(module.section)
            if any(after.start <= before.start for before, after in pairwise(own)):
                # Lookups fail on such an index. A new one in order would hide it.
                return b""
            return write_section(_merged(own, _functions(section)), address=0)
    except (CfiError, SFrameError):
        return b""
    return _moved(section, 0)


def _functions(section: Section) -> list[Function]:
    """All functions with their rows as bytes. Raises `SFrameError`."""
    return [function_of(fde, raw=True) for fde in section.fdes]


def _moved(section: Section, address: int) -> bytes:
    """The bytes of a section for another address: where functions start is relative to it.

    For V3 with the flag FDE_FUNC_START_PCREL ("SFrame specification, 'The SFrame FDE Index'").
    """
    data = bytearray(section.data)
    header, distance = section.header, address - section.address
    with memoryview(data)[header.fdes_start : header.fdes_end].cast("q") as fields:
        for field in range(0, len(fields), 2):
            fields[field] -= distance
    return bytes(data)


def _merged(own: list[Function], converted: list[Function]) -> list[Function]:
    """`own`, and of `converted` what does not overlap it, by address."""
    occupied = sorted((function.start, function.start + function.size) for function in own)
    merged = list(own)
    index = 0
    for function in sorted(converted, key=lambda function: function.start):
        while index < len(occupied) and occupied[index][1] <= function.start:
            index += 1
        if index == len(occupied) or function.start + function.size <= occupied[index][0]:
            merged.append(function)
    return sorted(merged, key=lambda function: function.start)
