"""What a walkthrough runs: a program, an asm case, or a C case."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from emu.asm import AsmError, assemble
from emu.lesson.error import LessonError
from emu.machine import Image, MachineError
from emu.toolchain import ToolchainError
from emu.toolchain.c_case import LEVELS, CCase, build_case, read_c_case
from emu.toolchain.prebuilt import read_manifest, unpack_programs
from emu.toolchain.toolchain import find

PREBUILT = "prebuilt"
"""Directory beside the C cases that holds them as programs."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A program to be run, and the source it was made from here."""

    image: Image
    source: Path | None = None


def open_subject(path: str, level: str = "-O2") -> Subject:
    """The program at `path`: an ELF executable, an asm case (`.s`), or a C case (`.c`).

    A C case is built at `level` where there is a toolchain for it; otherwise it is the program
    that lies beside it, already built. Raises `LessonError`.
    """
    file = Path(path)
    try:
        if file.suffix in {".s", ".S"}:
            assembled = assemble(file)
            return Subject(Image.from_bytes(assembled.elf, path), file)
        if file.suffix == ".c":
            return Subject(_c_case(file, level), file)
        return Subject(Image.from_file(path))
    except (AsmError, MachineError, ToolchainError) as error:
        raise LessonError(str(error)) from error


def _c_case(file: Path, level: str) -> Image:
    if level not in LEVELS:
        raise LessonError(f"level {level} is none of {', '.join(LEVELS)}")
    try:
        case = read_c_case(file)
    except ToolchainError as error:
        raise LessonError(f"{error}: other programs are built first, with emu cc") from error
    except OSError as error:
        raise LessonError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LessonError(f"{file}: byte {error.start} is not UTF-8") from error
    toolchain = find()
    with tempfile.TemporaryDirectory() as directory:
        if toolchain.ready and "gcc" in toolchain.compilers:
            program = build_case(toolchain, case, level, Path(directory) / case.program_name(level))
        else:
            program = _prebuilt(case, level, Path(directory))
        return Image.from_file(program, program.name)


def _prebuilt(case: CCase, level: str, directory: Path) -> Path:
    beside = case.path.parent / PREBUILT
    name = case.program_name(level)
    if not any(program.name == name for program in read_manifest(beside).programs):
        raise LessonError(f"{case.path}: no toolchain to build it, and {beside} has no {name}")
    return next(path for path in unpack_programs(beside, directory) if path.name == name)
