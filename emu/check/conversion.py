"""Tables for modules that have none, or not for all of their code, made from `.eh_frame`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from emu.cfi import CfiError, convert
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
    return bool({EVERYTHING, module.path, PurePath(module.path).name} & set(names))


def convert_module(module: LoadedModule, memory: AddressSpace) -> bool:
    """Give `module` a table for all code that has call frame information.

    Functions of its own `.sframe` keep their rows. The section is mapped read-only into the
    guest, where the kernel model reads it. False if there is nothing to convert from.
    """
    image = module.module.image
    try:
        conversion = convert(image.data, table=module.frame_table)
        functions = [
            function_of(fde, raw=True) for fde in Section(conversion.data, conversion.address).fdes
        ]
        if module.section is not None and module.section.header.is_sorted:
            functions = _merged(
                [function_of(fde, raw=True) for fde in module.section.fdes], functions
            )
        # The size does not depend on the address, and the address is found for the size.
        size = -(-len(write_section(functions, address=0)) // PAGE) * PAGE
        start = memory.gap(size, TOP)
        data = write_section(functions, address=start - module.bias)
    except (CfiError, SFrameError):
        return False
    memory.map(start, size, Protection.READ, NAME)
    memory.load(start, data)
    module.use_table(Section(data, start - module.bias), (start, start + len(data)))
    return True


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
