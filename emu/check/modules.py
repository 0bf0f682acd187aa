"""The modules of a process by address: names, functions, source lines, tables."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from emu.cfi import CfiError, FrameTable
from emu.check.function_map import FunctionMap
from emu.machine import Module
from emu.sframe import Abi, Elf, Section, SFrameError
from emu.truth import Function

UNKNOWN = "(no module)"
STUB_SECTIONS = frozenset({".plt", ".plt.sec", ".plt.got", ".plt.bnd"})
NAMELESS = "(no symbol)"


@dataclass(eq=False)
class LoadedModule:
    """A module as the check sees it, with the run-time extents of its table and its code."""

    module: Module
    sframe: str = "absent"
    """`present`, `absent` or `rejected: <why>`."""
    section: Section | None = field(init=False, default=None)
    sframe_problem: str = field(init=False, default="")
    sframe_extent: tuple[int, int] | None = field(init=False, default=None)
    executable_extents: tuple[tuple[int, int], ...] = field(init=False, default=())
    converted: bool = field(init=False, default=False)
    _functions: FunctionMap = field(init=False)

    def __post_init__(self) -> None:
        image, bias = self.module.image, self.module.bias
        self._functions = FunctionMap(image, None)
        self.executable_extents = tuple(
            (bias + segment.address, bias + segment.address + segment.memory_size)
            for segment in image.segments
            if segment.executable
        )
        if image.sframe is None:
            return
        try:
            self.section = Section(image.sframe.data, image.sframe.address, machine=Abi.AMD64)
        except SFrameError as error:
            self.sframe_problem = f"rejected: {error}"
            return
        self._functions = FunctionMap(image, self.section)
        start = bias + image.sframe.address
        # The kernel takes the segment's size; it may be larger than the section.
        self.sframe_extent = (start, start + image.sframe.memory_size)

    @cached_property
    def frame_table(self) -> FrameTable | None:
        """The module's .eh_frame; None if it has none that can be read."""
        try:
            return FrameTable.from_elf(self.module.image.data)
        except (CfiError, SFrameError):
            return None

    @cached_property
    def _stub_extents(self) -> list[tuple[int, int]]:
        try:
            sections = Elf(self.module.image.data).sections
        except SFrameError:
            return []
        return [
            (section.address, section.address + section.size)
            for section in sections
            if section.name in STUB_SECTIONS
        ]

    def is_stub(self, pc: int) -> bool:
        """Whether run-time `pc` lies in code that the linker made."""
        address = pc - self.bias
        return any(start <= address < end for start, end in self._stub_extents)

    def use_table(self, section: Section, extent: tuple[int, int]) -> None:
        """Use a section that stands elsewhere in memory, at run-time addresses `extent`."""
        self.section, self.sframe_extent, self.sframe_problem = section, extent, ""
        self._functions = FunctionMap(self.module.image, section)
        self.converted = True

    @property
    def path(self) -> str:
        return self.module.image.path

    @property
    def bias(self) -> int:
        return self.module.bias

    def function_at(self, pc: int) -> Function | None:
        """The function of the table, or else of the symbols, that contains run-time `pc`."""
        found = self._functions.at(pc - self.bias)
        if found is None:
            return None
        return Function(found.start + self.bias, found.end + self.bias, found.name)

    def stretch_at(self, pc: int) -> tuple[int, int]:
        """Run-time addresses around `pc` for which the function and its name are the same."""
        start, end = self._functions.stretch(pc - self.bias)
        return start + self.bias, end + self.bias

    def name_at(self, pc: int) -> str:
        """Name of the function that contains run-time `pc`; its address if only a table knows."""
        found = self._functions.at(pc - self.bias)
        if found is None:
            return NAMELESS
        return found.name or hex(found.start)


class ModuleMap:
    """All loaded modules; implements the functions that truth asks for."""

    def __init__(self) -> None:
        self.modules: list[LoadedModule] = []
        self.unloaded: list[LoadedModule] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, module: Module) -> LoadedModule:
        """A module was mapped."""
        loaded = LoadedModule(module)
        module.image.symbol_at(0)  # reads the symbols now, not in the middle of the run
        index = bisect_right(self._starts, module.start)
        self._starts.insert(index, module.start)
        self._ends.insert(index, module.end)
        self.modules.insert(index, loaded)
        return loaded

    def inherit(self, parent: ModuleMap) -> None:
        """Have what a forking process has; modules do not change once they are loaded."""
        self.modules, self._starts = list(parent.modules), list(parent._starts)
        self._ends = list(parent._ends)

    def remove(self, module: Module) -> LoadedModule:
        """A module is about to go; it stays in `unloaded` for the report."""
        index = next(i for i, loaded in enumerate(self.modules) if loaded.module is module)
        del self._starts[index], self._ends[index]
        loaded = self.modules.pop(index)
        self.unloaded.append(loaded)
        return loaded

    def module_at(self, pc: int) -> LoadedModule | None:
        """The module whose mapping contains `pc`."""
        index = bisect_right(self._starts, pc) - 1
        if index >= 0 and pc < self._ends[index]:
            return self.modules[index]
        return None

    def function_at(self, pc: int) -> Function | None:
        """The function that contains `pc`."""
        loaded = self.module_at(pc)
        return None if loaded is None else loaded.function_at(pc)

    def stretch_at(self, pc: int) -> tuple[int, int] | None:
        """Addresses around `pc` for which `function_at` gives the same; None outside of modules."""
        loaded = self.module_at(pc)
        return None if loaded is None else loaded.stretch_at(pc)

    def name_at(self, pc: int) -> str:
        """Name of the function that contains `pc`; its address if only a table knows it."""
        loaded = self.module_at(pc)
        return UNKNOWN if loaded is None else loaded.name_at(pc)

    def source_at(self, pc: int) -> str | None:
        """`file:line` of `pc`, if the module has a line table."""
        loaded = self.module_at(pc)
        return None if loaded is None else loaded.module.image.source_line(pc - loaded.bias)
