"""What a tool can do, found by making it do it: which SFrame versions it writes or reads."""

import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

VERSIONS = (1, 2, 3)

MAGIC = b"\xe2\xde"
"""SFrame magic, little endian (SFrame specification, 'Preamble')."""

SOURCE = """\
\t.text
\t.globl _start
\t.type _start, @function
_start:
\t.cfi_startproc
\tpushq %rbp
\t.cfi_def_cfa_offset 16
\t.cfi_offset rbp, -16
\tpopq %rbp
\t.cfi_def_cfa_offset 8
\tret
\t.cfi_endproc
\t.size _start, .-_start
"""
"""One x86-64 function that every version of the format can describe."""

TIMEOUT = 60.0
"""Seconds after which a tool that hangs counts as one that cannot do it."""


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str] | None:
    """Run a tool quietly; None if it could not be run or did not end."""
    try:
        return subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def succeeds(command: Sequence[str | Path]) -> bool:
    result = run(command)
    return result is not None and result.returncode == 0


def version_of(tool: Path) -> str:
    """The version a tool says it has: the last word of `--version`'s first line, else empty."""
    result = run([tool, "--version"])
    if result is None or result.returncode != 0 or not result.stdout:
        return ""
    # The brackets hold the distribution's version of the package.
    first = re.sub(r"\([^)]*\)", "", result.stdout.splitlines()[0])
    found = re.findall(r"\b\d+(?:\.\d+)+\S*", first)
    return str(found[-1]) if found else first.strip()


def sframe_version(path: Path) -> int | None:
    """The version byte of a 64-bit little-endian ELF file's `.sframe`, None if it has none."""
    try:
        image = path.read_bytes()
        for name, offset, size in _sections(image):
            if name == b".sframe" and size >= 4 and image[offset : offset + 2] == MAGIC:
                return image[offset + 2]
    except (OSError, struct.error, ValueError, OverflowError, IndexError):
        return None
    return None


def _sections(image: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, file offset and size in bytes of every section."""
    if image[:6] != b"\x7fELF\x02\x01":
        return
    (table,) = struct.unpack_from("<Q", image, 0x28)
    entry_size, count, names = struct.unpack_from("<HHH", image, 0x3A)
    (names_offset,) = struct.unpack_from("<Q", image, table + names * entry_size + 0x18)
    for index in range(count):
        header = table + index * entry_size
        (name,) = struct.unpack_from("<I", image, header)
        offset, size = struct.unpack_from("<QQ", image, header + 0x18)
        start = names_offset + name
        yield image[start : image.index(b"\0", start)], offset, size


def written_by_assembler(tool: Path, versions: Sequence[int] = VERSIONS) -> tuple[int, ...]:
    """The SFrame versions an assembler writes for x86-64 code."""
    with tempfile.TemporaryDirectory(prefix="sframe-probe-") as scratch:
        made = {v for v in versions if _assemble(tool, v, Path(scratch)) is not None}
        if not made and _assemble(tool, None, Path(scratch)) is not None:
            # Before versions could be chosen, --gsframe wrote the only one there was.
            found = sframe_version(Path(scratch) / "probe.o")
            made = {found} & set(versions) if found is not None else set()
    return tuple(sorted(made))


def kept_by_linker(
    tool: Path, assembler: Path, versions: Sequence[int] = VERSIONS
) -> tuple[int, ...]:
    """The SFrame versions of those the assembler writes that a linker puts into its output."""
    kept = []
    with tempfile.TemporaryDirectory(prefix="sframe-probe-") as scratch:
        for version in versions:
            linked = Path(scratch) / f"linked{version}"
            made = _assemble(assembler, version, Path(scratch))
            if made is None:
                made = _assemble(assembler, None, Path(scratch))
                if made is None or sframe_version(made) != version:
                    continue
            if succeeds([tool, "-o", linked, made]) and sframe_version(linked) == version:
                kept.append(version)
    return tuple(kept)


def read_by_dumper(
    tool: Path, option: str, assembler: Path, versions: Sequence[int] = VERSIONS
) -> tuple[int, ...]:
    """The SFrame versions of those the assembler writes that readelf or objdump decodes."""
    read = []
    with tempfile.TemporaryDirectory(prefix="sframe-probe-") as scratch:
        for version in versions:
            made = _assemble(assembler, version, Path(scratch))
            if made is None:
                made = _assemble(assembler, None, Path(scratch))
                if made is None or sframe_version(made) != version:
                    continue
            result = run([tool, option, made])
            if result and re.search(rf"SFRAME_VERSION_{version}\b", result.stdout):
                read.append(version)
    return tuple(read)


def written_by_compiler(
    command: Sequence[str | Path], versions: Sequence[int], language: str = "c"
) -> tuple[int, ...]:
    """The SFrame versions in what a compiler command makes with `-Wa,--gsframe-N`."""
    written = []
    with tempfile.TemporaryDirectory(prefix="sframe-probe-") as scratch:
        source, made = Path(scratch) / "probe.c", Path(scratch) / "probe.o"
        source.write_text("int probe(int x) { return x + 1; }\n")
        for version in versions:
            option = f"-Wa,--gsframe-{version}"
            built = succeeds([*command, option, "-x", language, "-c", "-o", made, source])
            if built and sframe_version(made) == version:
                written.append(version)
    return tuple(written)


def _assemble(tool: Path, version: int | None, scratch: Path) -> Path | None:
    """Assemble the probe with `--gsframe-N` (None: `--gsframe`); None if no such section came."""
    source, made = scratch / "probe.s", scratch / "probe.o"
    source.write_text(SOURCE)
    made.unlink(missing_ok=True)
    option = "--gsframe" if version is None else f"--gsframe-{version}"
    if not succeeds([tool, option, "-o", made, source]):
        return None
    found = sframe_version(made)
    return made if found is not None and version in {None, found} else None
