"""Converted sections, kept under the bytes they were made from.

Making a section for libc takes as long as running a million instructions, and a guest that starts
other programs maps the same libraries again and again. Sections are kept in memory for all
processes of a run, and in the user's cache directory for later runs and for those of `--jobs`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from time import time_ns

from emu import cfi, sframe
from emu.toolchain import ToolchainError
from emu.toolchain.cache import cache_root

IN_MEMORY = 64 << 20
"""Bytes of sections that a process keeps at most."""
ON_DISK = 256 << 20
"""Bytes of sections in the cache directory at most; those unused for longest go first."""
DIRECTORY = "converted"
IMPORTED = time_ns()
"""When the sources became code, in nanoseconds since the epoch."""
_DIGEST = 32


class ConvertedSections:
    """Sections by what they were made from; `directory` is None to keep them in memory only."""

    def __init__(
        self, directory: Path | None, *, in_memory: int = IN_MEMORY, on_disk: int = ON_DISK
    ) -> None:
        self._directory = directory
        self._in_memory = in_memory
        self._on_disk = on_disk
        self._sections: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = 0

    def section(self, data: bytes, make: Callable[[], bytes]) -> bytes:
        """The section for a file with these bytes, made by `make` if it is not known yet.

        Empty if there is nothing to make it from.
        """
        key = self._key(data)
        section = self._sections.pop(key, None)
        if section is None:
            section = self._read(key)
            if section is None:
                section = make()
                self._write(key, section)
            self._size += len(section)
        self._sections[key] = section
        while self._size > self._in_memory and len(self._sections) > 1:
            self._size -= len(self._sections.popitem(last=False)[1])
        return section

    def _key(self, data: bytes) -> bytes:
        digest = hashlib.sha256(b"" if self._directory is None else fingerprint())
        digest.update(data)
        return digest.digest()

    def _read(self, key: bytes) -> bytes | None:
        """The section from the disk, if it is there and whole."""
        if self._directory is None:
            return None
        path = self._directory / key.hex()
        try:
            kept = path.read_bytes()
            digest, section = kept[:_DIGEST], kept[_DIGEST:]
            if hashlib.sha256(section).digest() != digest:
                return None
            os.utime(path)
        except OSError:
            return None
        return section

    def _write(self, key: bytes, section: bytes) -> None:
        """Keep it on the disk, if that can be done."""
        if self._directory is None or len(section) > self._on_disk:
            return
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            self._make_room(len(section))
            descriptor, name = tempfile.mkstemp(prefix="new.", dir=self._directory)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.sha256(section).digest() + section)
                Path(name).replace(self._directory / key.hex())
            except BaseException:
                Path(name).unlink()
                raise

    def _make_room(self, size: int) -> None:
        assert self._directory is not None, "it is written to"
        kept = []
        for path in self._directory.iterdir():
            # Other processes remove files too.
            with suppress(FileNotFoundError):
                status = path.stat()
                kept.append((status.st_mtime_ns, status.st_size, path))
        total = size + sum(length for _, length, _ in kept)
        for _, length, path in sorted(kept):
            if total <= self._on_disk:
                break
            path.unlink(missing_ok=True)
            total -= length


@cache
def fingerprint() -> bytes:
    """Changes with every source that a converted section is made by.

    Raises `OSError` if they cannot be read, or have been changed since they were imported.
    """
    digest = hashlib.sha256()
    sources = [Path(__file__).with_name("conversion.py")]
    for package in (cfi, sframe):
        for directory in package.__path__:
            sources += sorted(Path(directory).rglob("*.py"))
    for source in sources:
        if source.stat().st_mtime_ns > IMPORTED:
            raise OSError(f"{source} is not what was imported")
        digest.update(source.read_bytes())
    return digest.digest()


@cache
def converted_sections() -> ConvertedSections:
    """Those of this process, with the user's cache directory behind them if there is one."""
    try:
        fingerprint()
        return ConvertedSections(cache_root() / DIRECTORY)
    except (OSError, ToolchainError):
        return ConvertedSections(None)
