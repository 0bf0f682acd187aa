"""The private toolchain: fetched from a newer suite of the machine's own archive, made usable."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from emu.toolchain import apt, cache, gcc16, probe, unpack
from emu.toolchain.error import ToolchainError

Progress = Callable[[str], None]
"""Takes one line that says what is being done now."""

BINUTILS = "binutils"
NEEDED_VERSION = 3
TOOL_PREFIX = "x86_64-linux-gnu-"


class Extra(Enum):
    """What can be installed beside the assembler and linker; the value is the compiler's name."""

    GCC_16 = "gcc-16"


@dataclass(frozen=True, slots=True)
class Component:
    """A private copy that can be made.

    `finish` gets the directory in which the packages are unpacked below `root` and makes its
    `bin`; it raises `ToolchainError` if what is there does not serve. `megabytes` is what it
    takes at most while it is being made.
    """

    name: str
    packages: tuple[str, ...]
    megabytes: int
    finish: Callable[[Path], None]


def silent(_line: str) -> None:
    """Progress that nobody watches."""


def install_copies(
    extras: Iterable[Extra] = (), progress: Progress = silent, *, binutils: bool = True
) -> None:
    """Install as, ld, readelf and objdump >= 2.46 privately (`binutils`), and the extras.

    What is there and works is left alone. Two processes may do this at once: one works, the
    other waits. Raises `ToolchainError` with one line: no apt, no network, a bad signature, no
    space, or no suite that has what is needed.
    """
    try:
        with cache.locked(lambda: progress("waiting for another installation")):
            if binutils and not _has_working_binutils():
                _from_newer_suite(BINUTILS_COMPONENT, progress)
            for extra in extras:
                if cache.find_copy(extra.value) is None:
                    _from_newer_suite(EXTRA_COMPONENTS[extra], progress)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise ToolchainError(f"{place}{error.strerror}") from error


def _has_working_binutils() -> bool:
    copy = cache.find_copy(BINUTILS)
    if copy is None:
        return False
    return bool(probe.written_by_assembler(copy.bin / "as", (NEEDED_VERSION,)))


def _from_newer_suite(component: Component, progress: Progress) -> None:
    """Try each suite of each archive until one gives a working copy; else the first reason."""
    archives, release = apt.machine_archives()
    cache.require_space(component.name, component.megabytes)
    reasons: list[ToolchainError] = []
    for archive in archives:
        for suite in release.rolling_suites:
            with cache.under_construction(component.name) as directory:
                source = apt.PrivateApt(directory / "apt", archive, suite)
                try:
                    versions = _unpack(component, source, directory, progress)
                    progress(f"{component.name}: trying it")
                    component.finish(directory)
                except ToolchainError as reason:
                    reasons.append(reason)
                    continue
                cache.publish(cache.Copy(component.name, directory, suite, versions))
                return
    raise reasons[0]


def _unpack(
    component: Component, source: apt.PrivateApt, directory: Path, progress: Progress
) -> tuple[tuple[str, str], ...]:
    progress(f"{component.name}: reading the package lists of {source.suite}")
    source.update()
    progress(f"{component.name}: downloading from {source.suite}")
    files = source.download(component.packages)
    progress(f"{component.name}: unpacking {len(files)} packages")
    root = directory / "root"
    unpack.unpack(files, root)
    unpack.make_runnable(root)
    versions = sorted(unpack.package_version(path) for path in files)
    shutil.rmtree(source.directory)
    return tuple(versions)


def _finish_binutils(directory: Path) -> None:
    """Make `bin`, which `gcc -B` takes, and see that its as and ld write the version needed."""
    made = directory / "bin"
    made.mkdir()
    for path in sorted((directory / "root/usr/bin").glob(f"{TOOL_PREFIX}*")):
        if path.suffix != ".elf":
            (made / path.name.removeprefix(TOOL_PREFIX)).symlink_to(path)
    assembler, linker = made / "as", made / "ld"
    if not probe.written_by_assembler(assembler, (NEEDED_VERSION,)):
        raise ToolchainError(
            f"the suite's assembler (version {probe.version_of(assembler) or 'unknown'})"
            f" does not write SFrame V{NEEDED_VERSION}; 2.46 or newer is needed"
        )
    if not probe.kept_by_linker(linker, assembler, (NEEDED_VERSION,)):
        raise ToolchainError(f"the suite's linker does not keep SFrame V{NEEDED_VERSION}")


BINUTILS_COMPONENT = Component(BINUTILS, ("binutils",), 200, _finish_binutils)
EXTRA_COMPONENTS = {Extra.GCC_16: Component(Extra.GCC_16.value, gcc16.PACKAGES, 700, gcc16.finish)}
