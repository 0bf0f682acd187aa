"""Binutils' own library finds the same function, row and words for every pc."""

import ctypes
import ctypes.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emu.sframe import Elf, Fde, Section, find_section
from emu.toolchain import Origin, Toolchain

FORMS = sorted((Path(__file__).parent / "forms").glob("*.s"))


class FrameRowEntry(ctypes.Structure):
    """`sframe_frame_row_entry` of sframe-api.h, with room for a larger one."""

    _fields_ = (
        ("start", ctypes.c_uint32),
        ("words", ctypes.c_ubyte * 24),
        ("info", ctypes.c_ubyte),
        ("room", ctypes.c_ubyte * 64),
    )


class Decoder:
    """libsframe's decoder of one section."""

    def __init__(self, library: ctypes.CDLL, data: bytes) -> None:
        self._library = library
        # libsframe may byte-swap in place, and reads the buffer as long as the decoder lives.
        self._buffer = ctypes.create_string_buffer(data, len(data))
        library.sframe_decode.restype = ctypes.c_void_p
        error = ctypes.c_int()
        context = library.sframe_decode(
            self._buffer, ctypes.c_size_t(len(data)), ctypes.byref(error)
        )
        assert context, f"sframe_decode: error {error.value}"
        self._context = ctypes.c_void_p(context)

    def find(self, distance: int) -> tuple[int, int, bytes] | None:
        """Start, info byte and word bytes of the row at a distance from the section."""
        entry = FrameRowEntry()
        failed = self._library.sframe_find_fre(
            self._context, ctypes.c_int64(distance), ctypes.byref(entry)
        )
        if failed:
            return None
        size = (entry.info >> 1 & 15) << (entry.info >> 5 & 3)
        return entry.start, entry.info, bytes(entry.words)[:size]

    def function(self, index: int) -> tuple[int, int, int, int, int, int]:
        """Rows, size, start offset, info, info2, repetition size."""
        count, size, start = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_int64()
        info, info2, rep_size = ctypes.c_ubyte(), ctypes.c_ubyte(), ctypes.c_uint8()
        fields = (count, size, start, info, info2, rep_size)
        failed = self._library.sframe_decoder_get_funcdesc_v3(
            self._context, ctypes.c_uint(index), *map(ctypes.byref, fields)
        )
        assert not failed
        return (count.value, size.value, start.value, info.value, info2.value, rep_size.value)


@pytest.fixture(scope="module")
def library(toolchain: Toolchain) -> ctypes.CDLL:
    assert toolchain.readelf is not None
    if toolchain.readelf.origin is Origin.PRIVATE:
        root = toolchain.readelf.path.parent.parent
        (found,) = root.glob("root/usr/lib/*/libsframe.so.3")
        return ctypes.CDLL(str(found))
    name = ctypes.util.find_library("sframe")
    if name is None:
        pytest.skip("the binutils on PATH have no shared libsframe")
    return ctypes.CDLL(name)


EVERY_PC = 1 << 17
"""Bytes of the largest function of which every pc is looked up."""


def pcs(fde: Fde) -> Iterator[int]:
    """Every pc of a function; of very large ones those around their rows."""
    if fde.size <= EVERY_PC:
        yield from range(fde.start, fde.end)
        return
    for row in fde.rows:
        yield from range(
            max(fde.start, fde.start + row.start - 2), min(fde.end, fde.start + row.start + 3)
        )


def compare(library: ctypes.CDLL, file: Path) -> int:
    """Compare all functions of a file; the number of addresses looked up."""
    section = Section.from_elf(file)
    decoder = Decoder(library, bytes(section.data))
    count = 0
    for fde in section.fdes:
        at = fde.attributes
        assert decoder.function(fde.index) == (
            at.num_fres,
            fde.size,
            fde.start_offset,
            at.info,
            at.info2,
            at.rep_size,
        )
        for pc in pcs(fde):
            match = section.lookup(pc)
            assert match is not None
            expected = None
            if match.row is not None:
                body = match.row.body
                expected = (match.row.start, body.info, body.encoded[1:])
            assert decoder.find(pc - section.address) == expected, hex(pc)
            count += 1
    return count


def test_every_form(toolchain: Toolchain, library: ctypes.CDLL, tmp_path: Path) -> None:
    assert toolchain.as_ is not None
    objects: list[Path] = []
    for source in FORMS:
        objects.append(tmp_path / f"{source.stem}.o")
        command: list[str | Path] = [toolchain.as_.path, "--gsframe-3", source]
        subprocess.run([*command, "-o", objects[-1]], check=True, capture_output=True)
    file = toolchain.compile(
        objects, tmp_path / "forms", flags=["-nostdlib", "-static", "-Wl,-e,0,-z,muldefs"]
    )
    assert compare(library, file) > 900


PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize(
    "source", sorted((PROJECT / "c_cases").glob("*.c")), ids=lambda path: path.stem
)
def test_c_case(
    toolchain: Toolchain, library: ctypes.CDLL, source: Path, level: str, tmp_path: Path
) -> None:
    file = toolchain.compile([source], tmp_path / "case", flags=["-w", "-std=gnu11", level])
    assert compare(library, file) > 100


@pytest.mark.parametrize(
    "source", sorted((PROJECT / "asm_cases").glob("*.s")), ids=lambda path: path.stem
)
def test_asm_case(toolchain: Toolchain, library: ctypes.CDLL, source: Path, tmp_path: Path) -> None:
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    for command in (
        [toolchain.as_.path, "--gsframe-3", source, "-o", tmp_path / "case.o"],
        [toolchain.ld.path, "-o", tmp_path / "case", tmp_path / "case.o"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    # A case may have no CFI at all, or none that can be expressed.
    found = find_section(Elf(tmp_path / "case"))
    if found is not None and found.size:
        assert compare(library, tmp_path / "case") > 0


@pytest.mark.parametrize("binding", ["lazy", "now"])
def test_linker_made_rows(
    toolchain: Toolchain, library: ctypes.CDLL, binding: str, tmp_path: Path
) -> None:
    source = tmp_path / "caller.c"
    source.write_text('#include <stdio.h>\nint main(void) { return puts("a") + getchar(); }\n')
    file = toolchain.compile([source], tmp_path / "caller", flags=[f"-Wl,-z,{binding}"])
    assert compare(library, file) > 20
