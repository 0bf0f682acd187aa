"""Ordinary programs of the machine's own distribution, without root and without traces.

A program on PATH is used as it is. One that is not there comes, with those packages of its
dependency closure that the machine has not installed, from the suites the machine's own packages
come from, unpacked below the user's cache directory. It is of the machine's own release, so the
machine's dynamic loader and C library run it; the libraries it brings stand in LD_LIBRARY_PATH.

    lua = provide(Wanted(("lua5.4", "lua"), "lua5.4"))
    subprocess.run([lua.path, "-v"], env=lua.environment(os.environ))
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain import apt, cache, tools, unpack
from emu.toolchain.error import ToolchainError
from emu.toolchain.install import Progress, silent
from emu.toolchain.tools import Origin

BINARIES = ("usr/bin", "bin", "usr/sbin", "usr/games")
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib")
FONTS = ("etc/fonts", "usr/share/fonts")

C_LIBRARY = "libc6"
"""The package that is never unpacked: the machine's dynamic loader goes only with its own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program: the names it may have on PATH, best first, and the package that has it.

    `inside` is its place in the package (`usr/lib/NAME/NAME`) where the file of the first name
    is a script that looks for things outside; empty: the file of the first name that is there.
    `megabytes` is what it takes at most while it is being unpacked.
    """

    names: tuple[str, ...]
    package: str
    inside: str = ""
    megabytes: int = 200


CHROMIUM = Wanted(
    ("chromium", "chromium-browser", "google-chrome"),
    "chromium",
    "usr/lib/chromium/chromium",
    1500,
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs here. `root` is where its packages are unpacked; None: on PATH.

    `libraries` are the directories of `root` that the dynamic loader has to look into.
    """

    path: Path
    origin: Origin
    root: Path | None = None
    libraries: tuple[Path, ...] = ()

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with what this program needs to find its libraries and fonts, and with its own
        directories in PATH if `base` has one."""
        changed = dict(base)
        if self.libraries:
            old = [base["LD_LIBRARY_PATH"]] if base.get("LD_LIBRARY_PATH") else []
            changed["LD_LIBRARY_PATH"] = ":".join([*map(str, self.libraries), *old])
        if self.root is not None and "PATH" in base:
            here = [str(path) for path in _directories(self.root, BINARIES)]
            changed["PATH"] = ":".join([*here, base["PATH"]])
        if self.root is not None and all((self.root / name).is_dir() for name in FONTS):
            # They would not have been fetched if the machine had any; without one, a browser
            # lays out text of no size.
            changed["FONTCONFIG_SYSROOT"] = str(self.root)
        return changed


def find_program(wanted: Wanted) -> Program | None:
    """The program on PATH or, if it is not there, in a private copy."""
    for name in wanted.names:
        path = tools.which(name)
        if path is not None:
            return Program(path, Origin.PATH)
    copy = cache.find_copy(_copy_name(wanted))
    return None if copy is None else _in_root(wanted, copy.directory / "root")


def provide(wanted: Wanted, progress: Progress = silent) -> Program:
    """The program, fetched first if it is neither on PATH nor in the cache.

    Two processes may do this at once: one works, the other waits. Raises `ToolchainError` with
    one line: no apt, no network, no such package, or no such program in it.
    """
    found = find_program(wanted)
    if found is not None:
        return found
    try:
        with cache.locked(lambda: progress("waiting for another installation")):
            found = find_program(wanted)
            return found or _fetch(wanted, progress)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise ToolchainError(f"{place}{error.strerror}") from error


def _copy_name(wanted: Wanted) -> str:
    return f"program-{wanted.package}"


def _fetch(wanted: Wanted, progress: Progress) -> Program:
    suites, release, status = apt.machine_suites()
    name = release.codename or release.id
    cache.require_space(wanted.package, wanted.megabytes)
    with cache.under_construction(_copy_name(wanted)) as directory:
        source = apt.PrivateApt(directory / "apt", suites, name, status)
        progress(f"{wanted.package}: reading the package lists of {name}")
        source.update()
        progress(f"{wanted.package}: downloading from {name}")
        # The package itself is fetched even if dpkg believes that the machine has it.
        fetched = source.download([wanted.package], again=True)
        files = [path for path in fetched if unpack.package_version(path)[0] != C_LIBRARY]
        progress(f"{wanted.package}: unpacking {len(files)} packages")
        unpack.unpack(files, directory / "root")
        shutil.rmtree(source.directory)
        program = _in_root(wanted, directory / "root")
        if program is None:
            raise ToolchainError(f"the package {wanted.package} of {name} has no {wanted.names[0]}")
        versions = sorted(unpack.package_version(path) for path in files)
        cache.publish(cache.Copy(_copy_name(wanted), directory, name, tuple(versions)))
    return program


def _in_root(wanted: Wanted, root: Path) -> Program | None:
    places = [wanted.inside] if wanted.inside else []
    places += [f"{directory}/{name}" for name in wanted.names for directory in BINARIES]
    for place in places:
        path = root / place
        if path.is_file():
            return Program(path, Origin.PRIVATE, root, tuple(_library_directories(root)))
    return None


def _library_directories(root: Path) -> list[Path]:
    """The directories with shared libraries: the architecture's own, and those below it that
    libraries name by an absolute run path, which points to the machine's directories."""
    found = []
    for directory in _directories(root, LIBRARIES):
        below = sorted(directory.glob("*/")) if directory.name != "lib" else []
        found += [directory, *(path for path in below if any(path.glob("lib*.so*")))]
    return found


def _directories(root: Path, names: Iterable[str]) -> list[Path]:
    """Those that are there, without links to one that is (`bin` is one where /usr is merged)."""
    paths = [root / name for name in names if (root / name).is_dir()]
    return list({path.resolve(): path for path in reversed(paths)}.values())[::-1]
