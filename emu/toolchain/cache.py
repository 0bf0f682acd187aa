"""Where private copies of tools live: below the user's cache directory, one directory each.

`NAME.json` says which directory is the copy of that name. It is written last and in one step, so
that a copy is there completely or not at all, and nothing ever moves: the scripts in a copy hold
absolute paths. A lock lets one process build while the others wait.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain.error import ToolchainError

LAYOUT = 2
"""Changes whenever the scripts in a copy change, so that copies of an older kind are made anew."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A complete private copy: `packages` are (name, version) as they were unpacked."""

    name: str
    directory: Path
    suite: str
    packages: tuple[tuple[str, str], ...]

    @property
    def bin(self) -> Path:
        """The directory with the tools under their plain names."""
        return self.directory / "bin"


def cache_root() -> Path:
    """The testbed's directory in the user's cache (`$XDG_CACHE_HOME`, else `~/.cache`)."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not configured.is_absolute():
        # The XDG base directory specification: relative values are to be ignored.
        try:
            configured = Path.home() / ".cache"
        except RuntimeError as error:
            raise ToolchainError(f"no cache directory: {error}") from error
    return configured / "sframe-testbed"


def find_copy(name: str) -> Copy | None:
    """The private copy of that name, None if there is none or it cannot be used where it is."""
    root = cache_root()
    try:
        manifest = json.loads((root / f"{name}.json").read_text())
        directory = Path(manifest["directory"])
        # A cache that was moved or copied elsewhere has scripts that point to the old place.
        if manifest["layout"] != LAYOUT or directory.parent != root or not directory.is_dir():
            return None
        packages = tuple(sorted((str(k), str(v)) for k, v in manifest["packages"].items()))
        return Copy(name, directory, str(manifest["suite"]), packages)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@contextmanager
def locked(waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the cache's lock; `waiting` is called once if another process has it."""
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_space(name: str, megabytes: int) -> None:
    """Raise `ToolchainError` if the copy of that name would not fit while it is being made."""
    # apt does not always notice a full disk: some versions wait for ever.
    free = shutil.disk_usage(cache_root()).free >> 20
    if free < megabytes:
        raise ToolchainError(
            f"{cache_root()}: no space left; {name} needs {megabytes} MB and {free} MB are free"
        )


@contextmanager
def under_construction(name: str) -> Iterator[Path]:
    """A new directory for a copy; it is removed again unless the body calls `publish`.

    The caller holds the lock, so whatever an interrupted construction left is removed too.
    """
    root = cache_root()
    directory = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=root))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        copy = find_copy(name)
        for path in root.glob(f"{name}.*/"):
            if copy is None or path != copy.directory:
                shutil.rmtree(path, ignore_errors=True)


def publish(copy: Copy) -> None:
    """Make a finished directory the copy of its name."""
    record = {
        "layout": LAYOUT,
        "directory": str(copy.directory),
        "suite": copy.suite,
        "packages": dict(copy.packages),
    }
    pointer = cache_root() / f"{copy.name}.json"
    new = pointer.with_suffix(".json.new")
    new.write_text(json.dumps(record, indent=1) + "\n")
    new.replace(pointer)
