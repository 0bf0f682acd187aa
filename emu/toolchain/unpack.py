"""Packages unpacked into a directory, their programs runnable there whatever libc the machine has.

A program of a newer suite needs the C library of that suite. Each is started by a script that
runs it through the unpacked dynamic loader with the unpacked libraries; the script stands in the
program's own place, so that tools find each other as usual (gcc its cc1, lto-wrapper its gcc).
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from emu.toolchain.error import ToolchainError

LOADER = "usr/lib64/ld-linux-x86-64.so.2"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib")
PROGRAMS = ("usr/bin", "usr/libexec")
MERGED = ("lib", "lib64", "bin", "sbin")
"""Directories that are links into usr; the package that makes them so is none of ours."""

LOADERS = "usr/loaders"
"""A link to the dynamic loader for each program, named after it. ld calls itself in its messages
what /proc/self/exe says, which is the loader."""

NEVER_READ = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")


def unpack(packages: Sequence[Path], root: Path) -> None:
    """Unpack `.deb` files. Raises `ToolchainError` with dpkg-deb's reason."""
    for package in packages:
        result = subprocess.run(
            ["dpkg-deb", "--extract", str(package), str(root)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            said = result.stderr.strip().splitlines() or ["failed"]
            raise ToolchainError(f"unpacking {package.name}: {said[0]}")
    for name in MERGED:
        if (root / "usr" / name).is_dir() and not (root / name).exists():
            (root / name).symlink_to(Path("usr") / name)
    for name in NEVER_READ:
        shutil.rmtree(root / name, ignore_errors=True)


def package_version(package: Path) -> tuple[str, str]:
    """Name and version from a `.deb` file's name: `NAME_VERSION_ARCH.deb`, `:` as `%3a`."""
    name, version, _ = package.name.split("_", 2)
    return name, version.replace("%3a", ":")


def make_runnable(root: Path) -> None:
    """Put a script in the place of every dynamically linked program below `root`."""
    if not (root / LOADER).exists():
        raise ToolchainError(f"the unpacked packages have no {LOADER}")
    (root / LOADERS).mkdir()
    for directory in PROGRAMS:
        for path in sorted((root / directory).rglob("*")):
            if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
                continue
            if not _is_dynamic_program(path):
                continue
            program = path.rename(path.with_name(path.name + ".elf"))
            # Paths need not be text in the locale's encoding.
            path.write_bytes(os.fsencode(_script(root, program, path)))
            path.chmod(0o755)


def _script(root: Path, program: Path, called: Path) -> str:
    """A shell script that runs an unpacked program under the name `called`."""
    loader = root / LOADERS / called.name
    if not loader.exists():
        loader.hardlink_to((root / LOADER).resolve())
    libraries = ":".join(str(root / name) for name in LIBRARIES)
    command = [loader, "--library-path", libraries, "--argv0", called, program]
    return f'#!/bin/sh\nexec {shlex.join(str(word) for word in command)} "$@"\n'


def _is_dynamic_program(path: Path) -> bool:
    """Whether an ELF file asks for a program interpreter (a segment PT_INTERP)."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:5] != b"\x7fELF\x02":
        return False
    table, size = int.from_bytes(head[32:40], "little"), int.from_bytes(head[54:56], "little")
    count = int.from_bytes(head[56:58], "little")
    headers = (head[table + n * size : table + n * size + 4] for n in range(count))
    return any(int.from_bytes(header, "little") == 3 for header in headers)
