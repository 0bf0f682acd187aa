"""Sections that no assembler writes, made at random from fixed seeds, as readelf shows them."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.sframe import (
    Abi,
    FdeType,
    Function,
    PcType,
    RawRow,
    Rule,
    Rules,
    Section,
    dump,
    rewrite,
    write_section,
)
from emu.toolchain import Toolchain

ADDRESS = 0x402000
MACHINES = {Abi.AMD64: 62, Abi.AARCH64_LE: 183, Abi.AARCH64_BE: 183, Abi.S390X: 22}

DIFFERENCES: dict[str, tuple[Abi, dict[str, object]]] = {
    # why readelf 2.47 shows something else: ABI, keywords of write_section
    "libsframe skips the auxiliary header only where the byte order is its host's": (
        Abi.S390X,
        {"auxiliary": bytes(8)},
    ),
    "libsframe computes PC-relative starts as if fdeoff were 0": (
        Abi.AMD64,
        {"gap_before_fdes": 8},
    ),
}


def random_words(rng: random.Random, size: int, flexible: bool, most: int) -> list[int]:
    """Data words of one row: any offsets, every shape of groups."""

    def offset() -> int:
        return rng.getrandbits(8 * size) if rng.random() < 0.8 else 0

    if not flexible:
        return [offset() for _ in range(rng.randrange(most + 1))]
    if rng.random() < 0.1:
        return []

    def group() -> list[int]:
        register = rng.randrange(20) << 3
        control = rng.choice([0x02, 0x08, register | 1, register | 3])
        return [control, offset()]

    cfa = [rng.randrange(20) << 3 | rng.choice([1, 3]), offset()]
    return cfa + rng.choice(
        [[], group(), [0, *group()], group() + group(), [0], [0, 0], [*group(), 0]]
    )


def random_function(rng: random.Random, abi: Abi, start: int) -> Function:
    size = rng.choice([1, 5, 40, 255, 256, 70000])
    flexible = rng.random() < 0.5
    rows = []
    for at in sorted(rng.sample(range(size + 1), min(size, rng.randrange(6)))):
        code = rng.randrange(3)
        words = random_words(rng, 1 << code, flexible, 2 if abi is Abi.AMD64 else 3)
        info = len(words) << 1 | code << 5
        info |= 0 if flexible else rng.randrange(2)
        info |= rng.choice([0, 0, 0, 0x80])
        encoded = b"".join(word.to_bytes(1 << code, abi.byte_order) for word in words)
        rows.append(RawRow(at, bytes((info,)) + encoded))
    mask = rng.random() < 0.2
    return Function(
        start=start,
        size=size,
        rows=rows,
        pc_type=PcType.MASK if mask else PcType.INC,
        rep_size=16 if mask else 0,
        signal=rng.random() < 0.2,
        pauth_b_key=rng.random() < 0.2,
        fde_type=FdeType.FLEXIBLE if flexible else FdeType.DEFAULT,
    )


def random_section(rng: random.Random, abi: Abi) -> bytes:
    functions = []
    start = 0x401000
    for _ in range(rng.randrange(1, 6)):
        functions.append(random_function(rng, abi, start))
        start += functions[-1].size + rng.randrange(20)
    return write_section(
        functions,
        address=ADDRESS,
        abi=abi,
        fixed_fp_offset=rng.choice([0, 0, 0, -16]),
        fixed_ra_offset=rng.choice([None, None, None, 0, -8, 24]),
        sort=rng.random() < 0.7,
        pcrel=rng.random() < 0.7,
        gap_before_fres=rng.choice([0, 0, 8]),
    )


def readelf(toolchain: Toolchain, file: Path) -> str:
    assert toolchain.readelf is not None
    result = subprocess.run(
        [toolchain.readelf.path, "--sframe", file], capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.parametrize("abi", Abi, ids=lambda abi: abi.name)
def test_dump_is_readelf_text(
    toolchain: Toolchain, elf: Callable[..., bytes], abi: Abi, tmp_path: Path
) -> None:
    order = ">" if abi.byte_order == "big" else "<"
    for seed in range(40):
        data = random_section(random.Random(f"{abi.name} {seed}"), abi)
        file = tmp_path / f"{seed}.elf"
        file.write_bytes(elf(data, address=ADDRESS, byte_order=order, machine=MACHINES[abi]))
        section = Section.from_elf(file)
        assert "\n".join(dump(section)) + "\n" == readelf(toolchain, file), seed
        assert rewrite(section, raw=True) == data


@pytest.mark.parametrize("why", DIFFERENCES)
def test_known_differences_are_still_there(
    toolchain: Toolchain, elf: Callable[..., bytes], why: str, tmp_path: Path
) -> None:
    # When this fails readelf has changed, and its row of the table can go.
    abi, keywords = DIFFERENCES[why]
    order = ">" if abi.byte_order == "big" else "<"
    rows = [(0, Rules(Rule(abi.sp, 160), Rule(None, -8, True)))]
    data = write_section(
        [Function(start=0x401000, size=4, rows=rows)],
        address=ADDRESS,
        abi=abi,
        **keywords,  # type: ignore[arg-type]  # by name
    )
    file = tmp_path / "a.elf"
    file.write_bytes(elf(data, address=ADDRESS, byte_order=order, machine=MACHINES[abi]))
    (fde,) = Section.from_elf(file).fdes
    assert (fde.start, [row.rules for row in fde.rows]) == (0x401000, [rows[0][1]])
    assert "\n".join(dump(Section.from_elf(file))) + "\n" != readelf(toolchain, file)


@pytest.mark.parametrize("flags", [0, 1, 4, 5])
def test_flags(toolchain: Toolchain, elf: Callable[..., bytes], flags: int, tmp_path: Path) -> None:
    data = write_section([Function(start=0x401000, size=4)], address=ADDRESS, flags=flags)
    file = tmp_path / "a.elf"
    file.write_bytes(elf(data, address=ADDRESS))
    assert "\n".join(dump(Section.from_elf(file))) + "\n" == readelf(toolchain, file)


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_sizes_are_signed(
    toolchain: Toolchain, elf: Callable[..., bytes], size: int, tmp_path: Path
) -> None:
    rows = [(0, Rules(Rule(Abi.AMD64.sp, 8), Rule(None, -8, True)))]
    data = write_section([Function(start=0x401000, size=size, rows=rows)], address=ADDRESS)
    file = tmp_path / "a.elf"
    file.write_bytes(elf(data, address=ADDRESS))
    assert "\n".join(dump(Section.from_elf(file))) + "\n" == readelf(toolchain, file)
