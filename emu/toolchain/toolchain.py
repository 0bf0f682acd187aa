"""A toolchain that writes SFrame V3, and compiling with it."""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain import tools
from emu.toolchain.error import ToolchainError
from emu.toolchain.install import NEEDED_VERSION, Extra, Progress, install_copies, silent
from emu.toolchain.tools import Pair, Tool

TOO_OLD = "no assembler and linker >= 2.46 are here; run `emu toolchain install`"

CXX_SUFFIXES = frozenset({".cc", ".cpp", ".cxx", ".c++", ".C", ".cp", ".CPP", ".ii"})
"""Endings by which gcc takes a file for C++. (gcc, "Overall Options")"""

CXX_OF = {"gcc": "g++", "clang": "clang++"}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What was found. A tool is None if there is none at all; `ready` says whether V3 comes out."""

    as_: Tool | None
    ld: Tool | None
    readelf: Tool | None
    objdump: Tool | None
    compilers: Mapping[str, Tool]

    @property
    def ready(self) -> bool:
        """Whether the assembler and linker make SFrame V3."""
        tried = (self.as_, self.ld)
        return all(tool is not None and NEEDED_VERSION in tool.sframe for tool in tried)

    def compile(
        self,
        sources: Sequence[str | Path],
        output: str | Path,
        flags: Iterable[str] = (),
        compiler: str = "gcc",
        directory: Path | None = None,
    ) -> Path:
        """Build `output` from `sources` so that as and ld write SFrame V3; the output's path.

        `flags` stand before the sources, and libraries (`-lm`) may be among the sources.
        `compiler` is a key of `compilers`; C++ sources make `gcc` `g++`. It runs in `directory`,
        else in the current one. Raises `ToolchainError` with the compiler's own message if it
        fails.
        """
        arguments = [*flags, "-o", str(output), *(str(source) for source in sources)]
        command = self._command(arguments, compiler)
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=directory,
        )
        if result.returncode != 0:
            said = result.stderr.strip() or f"exit status {result.returncode}"
            raise ToolchainError(f"{compiler} {' '.join(arguments)}: {said}")
        return Path(output)

    def _command(self, arguments: Sequence[str], compiler: str) -> list[str]:
        if self.as_ is None or self.ld is None or not self.ready:
            raise ToolchainError(TOO_OLD)
        pair = Pair(self.as_.path, self.ld.path, self.as_.origin)
        return _command_with(pair, arguments, compiler)


def find() -> Toolchain:
    """Look for everything and try what each tool can do; takes about half a second."""
    pair, _ = tools.find_pair()
    assembler, linker = tools.find_assembler_and_linker(pair)
    return Toolchain(
        as_=assembler,
        ld=linker,
        readelf=tools.find_dumper("readelf", assembler),
        objdump=tools.find_dumper("objdump", assembler),
        compilers=tools.find_compilers(pair, assembler),
    )


def compiler_command(arguments: Sequence[str], compiler: str | None = None) -> list[str]:
    """The command that compiles with SFrame V3: compiler, options for it, then `arguments`.

    Without `compiler` it is gcc, or g++ if a source is C++; `gcc-16` and `clang` become their
    C++ drivers likewise. Raises `ToolchainError` if the compiler or the assembler and linker
    are missing or too old.
    """
    pair, ready = tools.find_pair()
    if not ready:
        raise ToolchainError(TOO_OLD)
    return _command_with(pair, arguments, compiler or "gcc")


def _command_with(pair: Pair, arguments: Sequence[str], compiler: str) -> list[str]:
    name = driver_for(arguments, compiler)
    found = tools.find_compiler(name)
    if found is None:
        raise ToolchainError(missing_compiler(name))
    path, _ = found
    options = tools.driver_options(name, pair)
    return [str(path), *options, f"-Wa,--gsframe-{NEEDED_VERSION}", *arguments]


def driver_for(arguments: Sequence[str], compiler: str) -> str:
    """The C++ driver of a C compiler's name if the arguments compile C++, else the name."""
    stem, dash, version = compiler.partition("-")
    if stem not in CXX_OF:
        return compiler
    language = ""
    for index, word in enumerate(arguments):
        if word == "-x" and index + 1 < len(arguments):
            language = arguments[index + 1]
        elif word.startswith("-x"):
            language = word[2:]
        is_source = not word.startswith("-") and Path(word).suffix in CXX_SUFFIXES
        if language.startswith("c++") or (not language and is_source):
            return CXX_OF[stem] + dash + version
    return compiler


def missing_compiler(name: str) -> str:
    """One line for a compiler that is not there."""
    if name in {"gcc-16", "g++-16"}:
        return f"{name} is not here; run `emu toolchain install --with gcc-16`"
    return f"{name} is not on PATH"


def install(extras: Iterable[Extra] = (), progress: Progress = silent) -> Toolchain:
    """Make SFrame V3 possible and find what is there then.

    The assembler and linker on PATH are used if they serve; otherwise a private copy is
    installed, once. `extras` are compilers to be installed beside the system's; `progress` takes
    lines that say what is going on. Raises `ToolchainError`.
    """
    missing = [extra for extra in extras if tools.find_compiler(extra.value) is None]
    _, ready = tools.find_pair()
    if not ready or missing:
        install_copies(missing, progress, binutils=not ready)
    return find()
