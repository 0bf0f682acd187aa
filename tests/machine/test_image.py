"""ELF files: what is read from them, and one clear line for those that cannot be run."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.machine import Image, ImageType, MachineError, Module, Process

ASM = Path(__file__).parents[2] / "asm_cases"
SOURCE = """
static int hidden(int x) { return x * 3; }
int (*volatile keep)(int) = hidden;
int main(void)
{
    return keep(14);
}
"""


@pytest.fixture(scope="module")
def program(compile_guest: Callable[..., Path]) -> Path:
    return compile_guest(SOURCE, "-g", "-O1")


def test_symbols(program: Path) -> None:
    image = Image.from_file(program)
    assert image.type is ImageType.EXECUTABLE
    assert image.interpreter is None
    main = image.address_of("main")
    assert main is not None
    symbol = image.symbol_at(main + 1)
    assert symbol is not None
    assert (symbol.name, symbol.start) == ("main", main)
    assert symbol.end > main
    hidden = image.address_of("hidden")
    assert hidden is not None
    found = image.symbol_at(hidden)
    assert found is not None
    assert found.name == "hidden", "local symbols count"
    assert image.symbol_at(0) is None
    assert image.address_of("no such name") is None


def test_symbols_agree_with_nm(program: Path) -> None:
    image = Image.from_file(program)
    lines = subprocess.run(
        ["nm", "-S", "--defined-only", program], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    functions = [line.split() for line in lines if len(line.split()) == 4]
    functions = [parts for parts in functions if parts[2] in "tT"]
    assert len(functions) > 500
    for start, size, _, name in functions:
        symbol = image.symbol_at(int(start, 16))
        assert symbol is not None, name
        assert symbol.start == int(start, 16)
        assert symbol.end >= symbol.start + int(size, 16)


def test_source_lines(program: Path) -> None:
    image = Image.from_file(program)
    main, hidden = image.address_of("main"), image.address_of("hidden")
    assert main is not None
    assert hidden is not None
    assert image.source_line(main) == "<stdin>:5"
    assert image.source_line(hidden) == "<stdin>:2"
    assert image.source_line(0) is None


def test_source_lines_agree_with_addr2line(program: Path) -> None:
    image = Image.from_file(program)
    main = image.symbol_at(image.address_of("main") or 0)
    assert main is not None
    addresses = [hex(address) for address in range(main.start, main.end)]
    expected = subprocess.run(
        ["addr2line", "-e", program, *addresses], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for address, line in zip(addresses, expected, strict=False):
        got = image.source_line(int(address, 16))
        assert got is not None
        assert got.split(":")[1] == line.rsplit(":", 1)[1].split(" ")[0]


def test_eh_frame_and_absent_sframe(program: Path) -> None:
    image = Image.from_file(program)
    assert image.eh_frame is not None
    assert image.bytes_at(image.eh_frame.address, 16) == image.eh_frame.data[:16]
    assert image.sframe is None


def test_sframe_by_section_and_by_segment(program: Path, tmp_path: Path) -> None:
    # An empty V3 section for AMD64, followed by bytes that belong to nobody.
    header = bytes.fromhex("e2de0301 0300f800") + bytes(20)
    blob = tmp_path / "sframe"
    blob.write_bytes(header + b"trailing")
    changed = tmp_path / "changed"
    subprocess.run(
        ["objcopy", "--add-section", f".sframe={blob}", "--set-section-flags",
         ".sframe=alloc,readonly", "--change-section-address", ".sframe=0x700000",
         program, changed],
        check=True, capture_output=True,
    )  # fmt: skip
    image = Image.from_file(changed)
    assert image.sframe is not None
    assert image.sframe.address == 0x700000
    assert image.sframe.data == header, "the length comes from the SFrame header"
    # The same data named by a program header that is larger: PT_GNU_STACK made PT_GNU_SFRAME.
    data = bytearray(changed.read_bytes())
    offset = data.index(header)
    stack = next(i for i, h in enumerate(image.headers) if h.type == 0x6474E551)
    at = image.header_offset + 56 * stack
    data[at : at + 56] = b"".join(
        [(0x6474E554).to_bytes(4, "little"), (4).to_bytes(4, "little")]
        + [n.to_bytes(8, "little") for n in (offset, 0x123000, 0x123000, 36, 36, 8)]
    )
    by_segment = Image.from_bytes(bytes(data)).sframe
    assert by_segment is not None
    assert (by_segment.address, by_segment.data, by_segment.memory_size) == (0x123000, header, 36)


def test_sframe_is_what_is_mapped_where_the_program_header_points() -> None:
    # The kernel takes address and size in memory, not the place in the file.
    data = assemble(ASM / "leaf.s").elf
    image = Image.from_bytes(data)
    number = next(i for i, h in enumerate(image.headers) if h.type == 0x6474E554)
    at = image.header_offset + 56 * number
    elsewhere = patched(patched(data, at + 8, bytes(8)), at + 32, bytes(8))
    assert image.sframe is not None
    assert Image.from_bytes(elsewhere).sframe == image.sframe


def test_module(program: Path) -> None:
    image = Image.from_file(program)
    module = Module(image, 0x1000)
    assert module.start == image.start + 0x1000
    assert module.contains(module.start)
    assert not module.contains(module.end)
    main = image.address_of("main")
    assert main is not None
    assert module.place(main + 0x1004) == f"{program}: main+0x4"


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def test_what_cannot_be_run(program: Path) -> None:
    data = program.read_bytes()
    cases = {
        b"": "not an ELF file",
        b"#!/bin/sh\n": "not an ELF file",
        data[:10]: "truncated ELF header",
        data[:60]: "truncated ELF header",
        data[:64]: "truncated: program headers end at",
        data[: len(data) // 2]: "truncated: the segment at",
        patched(data, 4, b"\x01"): "32-bit ELF file",
        patched(data, 5, b"\x02"): "big endian",
        patched(data, 18, b"\xb7\x00"): "not for x86-64 (AArch64",
        patched(data, 16, b"\x01\x00"): "a relocatable object",
        patched(data, 16, b"\x04\x00"): "a core file",
        patched(data, 56, b"\x00\x00"): "no segment to load",
    }
    for bad, message in cases.items():
        with pytest.raises(MachineError, match=r"bad\.elf: ") as error:
            Image.from_bytes(bad, "bad.elf")
        assert message in str(error.value)
        assert "\n" not in str(error.value)


def test_every_truncation_and_many_damages_are_one_clear_error(program: Path) -> None:
    import random

    data = program.read_bytes()
    needed = max(s.offset + s.file_size for s in Image.from_bytes(data).segments)
    for size in (*range(0, 1200, 7), *range(1200, needed, 40_009), needed - 1):
        with pytest.raises(MachineError):
            Image.from_bytes(data[:size])
    source = random.Random(3)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[source.randrange(0x400)] = source.randrange(256)
        message = ""
        try:
            image = Image.from_bytes(bytes(damaged), "damaged")
            Process(image, stdout=lambda _data: None).run(max_instructions=2000)
            image.symbol_at(image.entry)
            image.source_line(image.entry)
        except MachineError as error:
            message = str(error)
        assert "\n" not in message


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="No such file"):
        Image.from_file(tmp_path / "missing")
    with pytest.raises(MachineError, match="not a regular file"):
        Image.from_file(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(MachineError, match="not a regular file"):
        Image.from_file(tmp_path / "fifo")


def test_a_missing_dynamic_loader(compile_guest: Callable[..., Path], tmp_path: Path) -> None:
    image = Image.from_file(compile_guest(SOURCE, kind="-pie"))
    with pytest.raises(MachineError, match=r"dynamic loader /lib64/.* is missing"):
        Process(image, root=tmp_path)
