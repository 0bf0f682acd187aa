"""Build the prebuilt programs of the C cases anew, and compare them with those in the repository.

    python tools/fixtures.py --check      build and compare; exit status 1 if something differs
    python tools/fixtures.py --rebuild    build and replace

The bytes depend on the compiler, the assembler and linker and the static C library. Where one of
these is another than the manifest names, --check says so and compares only the hashes in the
manifest with the programs stored.
"""

import argparse
import hashlib
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from emu.toolchain import Toolchain, ToolchainError, install
from emu.toolchain.c_case import LEVELS, CCase, build_case, case_flags, read_c_cases
from emu.toolchain.prebuilt import (
    ARCHIVE,
    MANIFEST,
    Manifest,
    Prebuilt,
    read_manifest,
    unpack_programs,
)

CASES = Path(__file__).resolve().parent.parent / "c_cases"
PREBUILT = CASES / "prebuilt"

Built = tuple[Prebuilt, bytes]


def main() -> int:
    parser = argparse.ArgumentParser(description="Rebuild or check the prebuilt C cases.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="build and compare")
    mode.add_argument("--rebuild", action="store_true", help="build and replace")
    arguments = parser.parse_args()
    try:
        return check() if arguments.check else rebuild()
    except ToolchainError as error:
        print(f"fixtures: {error}", file=sys.stderr)
        return 2


def rebuild() -> int:
    toolchain = install()
    built = build_all(toolchain)
    PREBUILT.mkdir(exist_ok=True)
    packed = pack(built)
    (PREBUILT / ARCHIVE).write_bytes(packed)
    manifest = Manifest(tool_versions(toolchain), tuple(program for program, _ in built))
    (PREBUILT / MANIFEST).write_text(as_json(manifest))
    print(f"{len(built)} programs, {len(packed)} bytes packed")
    return 0


def check() -> int:
    manifest = read_manifest(PREBUILT)
    with tempfile.TemporaryDirectory() as scratch:
        stored = unpack_programs(PREBUILT, Path(scratch))
    print(f"{len(stored)} stored programs are those of the manifest")
    toolchain = install()
    recorded, present = dict(manifest.tools), dict(tool_versions(toolchain))
    others = [name for name in recorded if recorded[name] != present.get(name)]
    for name in others:
        print(f"{name}: built with {recorded[name]}, here is {present.get(name, 'none')}")
    if others:
        print("not compared: other tools make other bytes")
        return 0
    expected = {program.name: program for program in manifest.programs}
    wrong = 0
    for program, _ in build_all(toolchain):
        if expected.pop(program.name, None) != program:
            print(f"{program.name}: differs from what is stored")
            wrong += 1
    for name in expected:
        print(f"{name}: stored, but there is no such case any more")
    print(f"{len(manifest.programs)} programs built anew, {wrong + len(expected)} differ")
    return 1 if wrong or expected else 0


def build_all(toolchain: Toolchain) -> list[Built]:
    cases = read_c_cases(CASES)
    with tempfile.TemporaryDirectory() as scratch:
        return [build(toolchain, case, level, Path(scratch)) for case in cases for level in LEVELS]


def build(toolchain: Toolchain, case: CCase, level: str, scratch: Path) -> Built:
    name = case.program_name(level)
    content = build_case(toolchain, case, level, scratch / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Prebuilt(name, case.path.name, "gcc", case_flags(case, level), digest), content


def pack(built: list[Built]) -> bytes:
    """One xz stream of a tar without times and owners: the same programs give the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for program, content in built:
            member = tarfile.TarInfo(program.name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return lzma.compress(plain.getvalue(), preset=9)


def tool_versions(toolchain: Toolchain) -> tuple[tuple[str, str], ...]:
    """What decides about the bytes; the C library by a hash, as it does not say its version."""
    if toolchain.as_ is None or toolchain.ld is None or "gcc" not in toolchain.compilers:
        raise ToolchainError("as, ld and gcc are needed")
    gcc = str(toolchain.compilers["gcc"].path)
    said = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=True).stdout
    asked = subprocess.run(
        [gcc, "-print-file-name=libc.a"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(asked).is_absolute():
        raise ToolchainError("gcc finds no static C library (libc.a)")
    digest = hashlib.sha256(Path(asked).read_bytes()).hexdigest()
    return (
        ("gcc", said.splitlines()[0]),
        ("as", toolchain.as_.version),
        ("ld", toolchain.ld.version),
        ("libc.a", digest),
    )


def as_json(manifest: Manifest) -> str:
    record = {
        "tools": dict(manifest.tools),
        "programs": [
            {
                "name": program.name,
                "source": program.source,
                "compiler": program.compiler,
                "flags": list(program.flags),
                "sha256": program.sha256,
            }
            for program in manifest.programs
        ],
    }
    return json.dumps(record, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
