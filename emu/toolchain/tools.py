"""Which assembler, linker, readelf, objdump and compilers are there, and what each can do."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from emu.toolchain import cache, probe
from emu.toolchain.install import BINUTILS, NEEDED_VERSION, Extra

COMPILERS = ("gcc", "g++", "gcc-12", "g++-12", "gcc-16", "g++-16", "clang", "clang++")
"""Looked for on PATH and among the private copies; `gcc` and `g++` are the machine's default."""

DUMP_OPTIONS = {"readelf": "--sframe", "objdump": "--sframe=.sframe"}


class Origin(Enum):
    """Where a tool comes from."""

    PATH = "path"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool; `sframe` are the versions of the format that it writes, keeps or reads.

    A compiler writes what the assembler it is given writes.
    """

    path: Path
    version: str
    sframe: tuple[int, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Pair:
    """The assembler and linker that go together, from the same place; None: there is none."""

    as_: Path | None
    ld: Path | None
    origin: Origin

    @property
    def compiler_options(self) -> list[str]:
        """The `-B` options that make a compiler use this assembler and linker."""
        directories = {path.parent: None for path in (self.as_, self.ld) if path}
        return [f"-B{directory}/" for directory in directories]


def which(name: str) -> Path | None:
    """A program on PATH."""
    found = shutil.which(name)
    return Path(found) if found else None


def writes_needed_version(assembler: Path | None, linker: Path | None) -> bool:
    """Whether the two make SFrame V3 of x86-64 code, tried on a small file."""
    if assembler is None or linker is None:
        return False
    return bool(probe.kept_by_linker(linker, assembler, (NEEDED_VERSION,)))


def find_pair() -> tuple[Pair, bool]:
    """The assembler and linker to use, and whether they write SFrame V3.

    Those on PATH if they do; else the private copy; else those on PATH all the same.
    """
    found = Pair(which("as"), which("ld"), Origin.PATH)
    if writes_needed_version(found.as_, found.ld):
        return found, True
    copy = cache.find_copy(BINUTILS)
    if copy is None:
        return found, False
    private = Pair(copy.bin / "as", copy.bin / "ld", Origin.PRIVATE)
    return private, writes_needed_version(private.as_, private.ld)


def find_compiler(name: str) -> tuple[Path, Origin] | None:
    """A compiler on PATH or, if it is not there, in a private copy."""
    path = which(name)
    if path is not None:
        return path, Origin.PATH
    for extra in Extra:
        copy = cache.find_copy(extra.value)
        if copy is not None and (copy.bin / name).exists():
            return copy.bin / name, Origin.PRIVATE
    return None


def find_assembler_and_linker(pair: Pair) -> tuple[Tool | None, Tool | None]:
    """What the pair can do, by trying every version of the format."""
    assembler = linker = None
    if pair.as_ is not None:
        written = probe.written_by_assembler(pair.as_)
        assembler = Tool(pair.as_, probe.version_of(pair.as_), written, pair.origin)
    if pair.ld is not None:
        kept: tuple[int, ...] = ()
        if assembler is not None:
            kept = probe.kept_by_linker(pair.ld, assembler.path, assembler.sframe)
        linker = Tool(pair.ld, probe.version_of(pair.ld), kept, pair.origin)
    return assembler, linker


def find_dumper(name: str, assembler: Tool | None) -> Tool | None:
    """readelf or objdump: the one on PATH if it reads V3 or there is no other."""
    candidates = [(path, Origin.PATH) for path in [which(name)] if path]
    copy = cache.find_copy(BINUTILS)
    if copy is not None:
        candidates.append((copy.bin / name, Origin.PRIVATE))
    tools = []
    for path, origin in candidates:
        read: tuple[int, ...] = ()
        if assembler is not None:
            read = probe.read_by_dumper(path, DUMP_OPTIONS[name], assembler.path, assembler.sframe)
        tools.append(Tool(path, probe.version_of(path), read, origin))
        if NEEDED_VERSION in read:
            return tools[-1]
    return tools[0] if tools else None


def find_compilers(pair: Pair, assembler: Tool | None) -> Mapping[str, Tool]:
    """Every known compiler that is there, with what it writes through the pair."""
    written = assembler.sframe if assembler else ()
    compilers = {}
    for name in COMPILERS:
        found = find_compiler(name)
        if found is None:
            continue
        path, origin = found
        command = [str(path), *driver_options(name, pair)]
        language = "c++" if "++" in name else "c"
        versions = probe.written_by_compiler(command, written, language)
        compilers[name] = Tool(path, probe.version_of(path), versions, origin)
    return compilers


def driver_options(compiler: str, pair: Pair) -> list[str]:
    """What a compiler needs besides `-Wa,--gsframe-3` to use the pair."""
    # clang has an assembler of its own, which does not write SFrame.
    own = ["-fno-integrated-as"] if "clang" in Path(compiler).name else []
    return [*own, *pair.compiler_options]
