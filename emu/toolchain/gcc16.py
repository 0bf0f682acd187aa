"""gcc 16 beside the system's gcc: with headers and C library of its own suite.

What it builds needs that suite's C library at run time. Dynamically linked programs therefore
name the unpacked dynamic loader as theirs and the unpacked libraries as their run path, so that
they run on this machine as they are; static ones need neither.
"""

import os
import shlex
from pathlib import Path

from emu.toolchain import unpack
from emu.toolchain.error import ToolchainError
from emu.toolchain.probe import succeeds

PACKAGES = ("gcc-16", "g++-16", "libc6-dev")
DRIVERS = ("gcc-16", "g++-16")
SPECS = "dynamic-linker.specs"


def finish(directory: Path) -> None:
    """Make `bin` with the drivers; see that what they build runs here."""
    root, made = directory / "root", directory / "bin"
    made.mkdir()
    loader, libraries = (
        # In specs a backslash takes the next character as it is. (gcc, "Spec Files")
        str(root / name).replace("\\", "\\\\").replace(" ", "\\ ")
        for name in (unpack.LOADER, unpack.LIBRARIES[0])
    )
    # Appended to gcc's own specs; the last -dynamic-linker counts.
    specs = (
        "*link:\n+ %{!static:%{!static-pie:%{!shared:%{!r:"
        f"-dynamic-linker {loader} -rpath {libraries}"
        "}}}}\n\n"
    )
    (directory / SPECS).write_bytes(os.fsencode(specs))
    for name in DRIVERS:
        driver = made / name
        program = root / "usr/bin" / f"x86_64-linux-gnu-{name}"
        driver.write_bytes(os.fsencode(_driver(directory, program)))
        driver.chmod(0o755)
    _try(directory)


def _driver(directory: Path, program: Path) -> str:
    """A script that runs gcc in its own file system, with the assembler and linker beside it.

    A `-B` of the user's goes before these, as its documentation says of `COMPILER_PATH`.
    """
    root = directory / "root"
    tools = shlex.quote(str(root / "usr/bin"))
    command = [str(program), f"--sysroot={root}", f"-specs={directory / SPECS}"]
    return (
        "#!/bin/sh\n"
        f"export COMPILER_PATH={tools}${{COMPILER_PATH:+:$COMPILER_PATH}}\n"
        f'exec {shlex.join(command)} "$@"\n'
    )


def _try(directory: Path) -> None:
    c, cxx = directory / "try.c", directory / "try.cc"
    c.write_text('#include <stdio.h>\nint main(void) { return puts("c") < 0; }\n')
    cxx.write_text(
        "#include <iostream>\n"
        "int main() { try { throw 1; } catch (int) { std::cout << 1 << std::endl; } }\n"
    )
    built = directory / "try"
    for name, source in (("gcc-16", c), ("g++-16", cxx)):
        for flags in ([], ["-static"]):
            if not succeeds([directory / "bin" / name, *flags, "-o", built, source]):
                raise ToolchainError(f"the suite's {name} {' '.join(flags)} cannot build a program")
            if not succeeds([built]):
                raise ToolchainError(f"what the suite's {name} {' '.join(flags)} builds cannot run")
            built.unlink()
    c.unlink()
    cxx.unlink()
