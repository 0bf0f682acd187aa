"""AArch64, s390x, V1 and V2: objects of other assemblers, kept with what readelf printed.

`foreign/rebuild.py` makes them again.
"""

import hashlib
import json
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.sframe import Abi, Section, SFrameError, Version, dump, rewrite
from emu.toolchain import Toolchain

FOREIGN = Path(__file__).parent / "foreign"
MANIFEST = json.loads((FOREIGN / "manifest.json").read_text())


@pytest.mark.parametrize("name", MANIFEST)
def test_object(name: str) -> None:
    file = FOREIGN / name
    assert hashlib.sha256(file.read_bytes()).hexdigest() == MANIFEST[name]["sha256"]
    section = Section.from_elf(file)
    assert "".join(line + "\n" for line in dump(section)) == Path(f"{file}.txt").read_text()
    version = Version(int(name[name.index("-v") + 2]))
    assert section.version is version
    if version is Version.V3:
        assert rewrite(section) == rewrite(section, raw=True) == bytes(section.data)
    else:
        with pytest.raises(SFrameError, match="read only"):
            rewrite(section)


def equations(name: str) -> list[str]:
    section = Section.from_elf(FOREIGN / name)
    return [
        f"{fde.index}+{row.start:#x} {row.rules.text(section.abi)}"
        for fde in section.fdes
        for row in fde.rows
    ]


@pytest.mark.parametrize("name", ["aarch64-v3.elf", "aarch64_be-v3.elf", "aarch64-v3.o"])
def test_aarch64_rules(name: str) -> None:
    assert Section.from_elf(FOREIGN / name).fdes[0].attributes.pauth_b_key
    assert equations(name) == [
        "0+0x0 CFA = sp+0",
        "0+0x4 CFA = sp+0, RA mangled",
        "0+0x8 CFA = sp+32, RA = *(CFA-24), FP = *(CFA-32), RA mangled",
        "0+0xc CFA = x29+32, RA = *(CFA-24), FP = *(CFA-32), RA mangled",
        "0+0x14 CFA = sp+0, RA mangled",
        "0+0x18 CFA = sp+0",
        "1+0x0 CFA = sp+0",
        "1+0x8 CFA = sp+4096, RA = *(CFA-8)",
        "2+0x0 RA undefined",
    ]


def test_s390x_rules() -> None:
    assert equations("s390x-v3.elf") == [
        "0+0x0 CFA = r15+160",
        "0+0x6 CFA = r15+160, RA = *(CFA-48), FP = *(CFA-72)",
        "0+0xc CFA = r15+328, RA = *(CFA-48), FP = *(CFA-72)",
        "0+0x10 CFA = r11+328, RA = *(CFA-48), FP = *(CFA-72)",
        "0+0x1a CFA = r15+160",
        "1+0x0 CFA = r15+160",
        "1+0x4 CFA = r15+160, RA = reg17+0",
        "1+0x8 CFA = r15+160, RA = reg17+0, FP = reg16+0",
        "1+0xc CFA = r15+100000, RA = reg17+0, FP = reg16+0",
        # as rounds an offset of 161 to what units of 8 can hold.
        "1+0x10 CFA = r15+160, RA = reg17+0, FP = reg16+0",
        "2+0x0 RA undefined",
        "3+0x0 CFA = r15+160",
        "3+0x4 CFA = r15+160, FP = *(CFA-72)",
        "3+0x8 CFA = r15+168, FP = *(CFA-72)",
        "4+0x0 CFA = r15+160",
        "4+0x4 CFA = r3+168",
    ]


def v2_section(flags: int, abi: Abi) -> bytes:
    """A V2 section that no assembler at hand writes: two functions, the second MASK."""
    order = ">" if abi.byte_order == "big" else "<"

    def row(start: int, *words: int) -> bytes:
        return struct.pack(f"{order}BB{len(words)}b", start, 1 | len(words) << 1, *words)

    # s390x: an odd RA or FP word is twice a register number plus one.
    first = (
        row(0, 0) + row(4, 0, 2 * 17 + 1, 2 * 16 + 1) + row(6, 21, -48, -72)
        + row(8, 0, 0, 2 * 16 + 1) + row(10, 1, 0, 0) + row(12, 1, -48)
        + struct.pack(order + "BBi", 14, 2 << 5 | 1 << 1, 100) + bytes((15, 0))
    )  # fmt: skip
    second = row(0, 0) + row(4, 2, 2 * 17 + 1, 2 * 16 + 1)
    entries = struct.pack(order + "iIIIBBH", 0x100, 32, 0, 8, 0, 0, 0)
    entries += struct.pack(order + "iIIIBBH", 0x200, 32, len(first), 2, 0x10, 8, 0)
    data = first + second
    header = struct.pack(
        order + "HBBBbbBIIIII", 0xDEE2, 2, flags, abi, 0, 0, 0, 2, 10, len(data), 0, len(entries)
    )
    return header + entries + data


@pytest.mark.parametrize("flags", [0, 1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("abi", [Abi.S390X, Abi.AARCH64_LE, Abi.AARCH64_BE], ids=str)
def test_v2_by_hand(
    toolchain: Toolchain, elf: Callable[..., bytes], flags: int, abi: Abi, tmp_path: Path
) -> None:
    order = ">" if abi.byte_order == "big" else "<"
    machine = 22 if abi is Abi.S390X else 183
    file = tmp_path / "v2.elf"
    file.write_bytes(
        elf(v2_section(flags, abi), address=0x402000, byte_order=order, machine=machine)
    )
    assert toolchain.readelf is not None
    expected = subprocess.run(
        [toolchain.readelf.path, "--sframe", file], capture_output=True, text=True, check=True
    )
    section = Section.from_elf(file)
    assert "".join(line + "\n" for line in dump(section)) == expected.stdout
    assert section.fdes[0].start == 0x402100 + (28 if flags & 4 else 0)
    match = section.lookup(section.fdes[1].start + 8 + 5)
    assert match is not None
    assert match.distance == 5
    if abi is Abi.S390X:
        assert str(match.rules) == "CFA = r15+176, RA = xmm0+0, FP = rip+0"
        assert match.rules is not None
        assert match.rules.text(abi) == "CFA = r15+176, RA = reg17+0, FP = reg16+0"
