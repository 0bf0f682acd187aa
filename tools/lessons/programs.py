"""The programs of the lessons: assembled cases, and C cases as they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from emu.asm import AsmError, assemble
from emu.machine import Image
from emu.toolchain import ToolchainError
from emu.toolchain.prebuilt import unpack_programs
from lessons.errors import LessonError
from lessons.linked import linked

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "docs" / "lessons" / "programs"
"""Programs of the lessons alone, whose rows are made as a linker makes them."""


@dataclass(slots=True)
class Programs:
    """All programs, by name, in a directory that also shows the cases' sources.

    `frame_pointer` is asm_cases/frame_pointer.s, `realignment-O2` one of c_cases/prebuilt, `plt` a
    program of the lessons. The
    directory is where commands are run: a path of a program is part of its initial stack, so that
    `./NAME` gives a reader the same addresses.
    """

    directory: Path
    images: dict[str, Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Unpack the C cases and put the sources beside them."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            unpack_programs(ROOT / "c_cases" / "prebuilt", self.directory)
        except ToolchainError as error:
            raise LessonError(str(error)) from error
        for name in ("asm_cases", "c_cases"):
            link = self.directory / name
            if not link.exists():
                link.symlink_to(ROOT / name)

    def provide(self, name: str) -> Path:
        """The executable file of a program. Raises `LessonError` if there is no such case."""
        path = self.directory / name
        if path.exists():
            return path
        source = self.source(name)
        if source is None:
            raise LessonError(f"no program {name}: no asm case, no prebuilt C case")
        try:
            elf = assemble(source).elf
            path.write_bytes(linked(elf) if source.parent == OWN else elf)
        except AsmError as error:
            raise LessonError(str(error)) from error
        path.chmod(0o755)
        return path

    def source(self, name: str) -> Path | None:
        """The file that a program is assembled from; None for one that was compiled."""
        for directory in (OWN, ROOT / "asm_cases"):
            path = directory / f"{name}.s"
            if path.is_file():
                return path
        return None

    def image(self, name: str) -> Image:
        """The program as `./NAME`."""
        known = self.images.get(name)
        if known is None:
            known = Image.from_bytes(self.provide(name).read_bytes(), f"./{name}")
            self.images[name] = known
        return known
