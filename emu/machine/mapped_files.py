"""Which images are in memory: a module appears when the last of its segments is mapped."""

from __future__ import annotations

from collections.abc import Callable

from emu.machine.errors import MachineError
from emu.machine.image import Image, Module
from emu.machine.loader import protection_of
from emu.machine.mapping import PAGE, Mapping, Protection
from emu.machine.memory import AddressSpace


class MappedFiles:
    """Finds complete images among the mappings of files."""

    def __init__(self, memory: AddressSpace) -> None:
        self._memory = memory
        self._images: dict[str, Image | None] = {}
        self.modules: list[Module] = []

    def copy(self, memory: AddressSpace) -> MappedFiles:
        """The same modules, in the copy of the memory that a forked child has."""
        other = MappedFiles(memory)
        other._images = dict(self._images)
        other.modules = list(self.modules)
        return other

    def add(self, module: Module) -> Module:
        """A module that was loaded as a whole."""
        self._images[module.path] = module.image
        self.modules.append(module)
        self.modules.sort(key=lambda module: module.start)
        return module

    def mapped(self, path: str, read: Callable[[], Image]) -> list[Module]:
        """After a mapping of the file `path` was made or changed: modules that are now complete."""
        if not any(
            mapping.name == path and mapping.protection & Protection.EXECUTE
            for mapping in self._memory
        ):
            # Data files are mapped too, and need not be looked at.
            return []
        if path not in self._images:
            try:
                self._images[path] = read()
            except MachineError:
                self._images[path] = None
        image = self._images[path]
        if image is None:
            return []
        first = image.segments[0].offset & -PAGE
        found = []
        for mapping in list(self._memory):
            if mapping.name != path or mapping.file_offset != first:
                continue
            bias = mapping.start - image.start
            if any(known.path == path and known.bias == bias for known in self.modules):
                continue
            if self._complete(image, bias):
                found.append(self.add(Module(image, bias)))
        return found

    def unmapped(self, start: int, end: int) -> list[Module]:
        """Before [start, end) is unmapped or replaced: the modules that lose code by it."""
        gone = [
            module
            for module in self.modules
            if any(
                segment.executable
                and segment.address + module.bias < end
                and start < segment.end + module.bias
                for segment in module.image.segments
            )
        ]
        for module in gone:
            self.modules.remove(module)
        return gone

    def _complete(self, image: Image, bias: int) -> bool:
        return all(self._in_place(image, bias, segment_index)
                   for segment_index in range(len(image.segments)))  # fmt: skip

    def _in_place(self, image: Image, bias: int, index: int) -> bool:
        segment = image.segments[index]
        if not segment.file_size:
            return True
        page = segment.address + bias & -PAGE
        mapping: Mapping | None = self._memory.find(page)
        return (
            mapping is not None
            and mapping.name == image.path
            and mapping.file_offset + page - mapping.start == segment.offset & -PAGE
            and not protection_of(segment) & Protection.EXECUTE & ~mapping.protection
        )
