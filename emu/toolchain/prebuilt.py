"""The C cases as programs already built, for machines that cannot build them.

`programs.tar.xz` holds them all in one stream, as nine tenths of each are the same C library;
`manifest.json` says what each was built from and by what, and its SHA-256.
"""

import hashlib
import json
import lzma
import tarfile
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain.error import ToolchainError

MANIFEST = "manifest.json"
ARCHIVE = "programs.tar.xz"

LARGEST = 4 << 20
"""Bytes that one program may have."""


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """One program: the file it is built from, by which compiler and flags, its SHA-256 in hex."""

    name: str
    source: str
    compiler: str
    flags: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All programs, and the tools' versions that decide about their bytes: (name, version)."""

    tools: tuple[tuple[str, str], ...]
    programs: tuple[Prebuilt, ...]


def read_manifest(directory: Path) -> Manifest:
    """Read a directory's manifest. Raises `ToolchainError` if it is missing or malformed."""
    path = directory / MANIFEST
    try:
        record = json.loads(path.read_text("utf-8"))
        return Manifest(
            tools=tuple((str(name), str(version)) for name, version in record["tools"].items()),
            programs=tuple(
                Prebuilt(
                    name=str(entry["name"]),
                    source=str(entry["source"]),
                    compiler=str(entry["compiler"]),
                    flags=tuple(entry["flags"]),
                    sha256=str(entry["sha256"]),
                )
                for entry in record["programs"]
            ),
        )
    except OSError as error:
        raise ToolchainError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolchainError(f"{path}: not a manifest of programs ({error!r})") from error


def unpack_programs(directory: Path, into: Path) -> list[Path]:
    """Write every program of the manifest into a directory, its SHA-256 checked first.

    Raises `ToolchainError` if the archive is damaged or lacks one.
    """
    programs = {program.name: program for program in read_manifest(directory).programs}
    written = []
    archive = directory / ARCHIVE
    try:
        with tarfile.open(archive, "r:xz") as tar:
            for member in tar:
                program = programs.pop(member.name, None)
                file = tar.extractfile(member)
                if program is None or file is None:
                    continue
                content = file.read(LARGEST)
                if hashlib.sha256(content).hexdigest() != program.sha256:
                    raise ToolchainError(f"{archive}: {program.name} is not what was built")
                path = into / program.name
                path.write_bytes(content)
                path.chmod(0o755)
                written.append(path)
    except (OSError, tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise ToolchainError(f"{archive}: {error}") from error
    if programs:
        raise ToolchainError(f"{archive}: {', '.join(sorted(programs))} missing")
    return written
