"""Lint says what the kernel's unwinder does."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emu.cli.main import main
from emu.sframe import (
    UNDEFINED,
    Abi,
    Elf,
    FdeType,
    Function,
    PcType,
    RawRow,
    Rules,
    Section,
    SFrameError,
    write_section,
)
from emu.sframe.lint import Effect, Finding, lint, measure
from emu.toolchain import Toolchain
from emu.unwind import Errno, LookupFailure, RegionMemory, SectionStore, Vma, VmaList

Build = Callable[..., bytes]

ADDRESS = 0x402000
TEXT = (0x401000, 0x401100)
A = Rules.parse("CFA = rsp+8, RA = *(CFA-8)")
B = Rules.parse("CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)")
DRAP = Rules.parse("CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)")
GOOD = Function(start=0x401000, size=16, rows=[(0, A), (1, B)])


def findings(elf: Build, data: bytes, **arguments: object) -> list[Finding]:
    arguments = {"segment_size": len(data), "text_size": TEXT[1] - TEXT[0], **arguments}
    image = Elf(elf(data, address=ADDRESS, **arguments))
    return list(lint(Section.from_elf(image), image))


def kernel_loses(
    data: bytes, address: int = ADDRESS, text: tuple[int, int] = TEXT, size: int = 0x8000
) -> bool:
    """Whether the kernel refuses the section or some lookup in the text removes it."""
    vmas = VmaList((Vma(address, address + size, executable=False), Vma(*text, executable=True)))
    store = SectionStore(RegionMemory([(address, data)]), vmas)
    if store.add(address, address + len(data), *text) != 0:
        return True
    for pc in range(*text):
        row = store.lookup(pc)
        if isinstance(row, LookupFailure) and row.errno is not Errno.ENOENT:
            return True
    return False


def loses(found: list[Finding]) -> bool:
    return any(finding.effect.loses_section for finding in found)


def test_nothing_to_report(elf: Build) -> None:
    data = write_section([GOOD], address=ADDRESS)
    assert findings(elf, data) == []
    assert not kernel_loses(data)


def one(function: Function) -> list[Function]:
    return [GOOD, function]


def row(equations: str) -> list[Function]:
    """Functions of which the last has this row."""
    return one(Function(start=0x401020, size=4, rows=[(0, Rules.parse(equations))]))


DROPPED = {
    # what lint says: functions with that fault
    "a function without rows": one(Function(start=0x401020, size=4)),
    "a function without rows (signal frame)": one(Function(start=0x401020, size=4, signal=True)),
    "row at 0x4, the function has 0x4 bytes": one(
        Function(start=0x401020, size=4, rows=[(0, A), (4, B)])
    ),
    "row at 0x8, the block has 0x8 bytes": one(
        Function(start=0x401020, size=32, rows=[(0, A), (8, B)], pc_type=PcType.MASK, rep_size=8)
    ),
    "row at 0x1 behind the row at 0x2": one(
        Function(start=0x401020, size=4, rows=[(0, A), (2, B), (1, A)])
    ),
    "the first row starts at 0x1": one(Function(start=0x401020, size=4, rows=[(1, A)])),
    "PC type MASK with repetition size 0": one(
        Function(start=0x401020, size=4, rows=[(0, A)], pc_type=PcType.MASK)
    ),
    "2 rows for 1 bytes of code": one(Function(start=0x401020, size=1, rows=[(0, A), (1, A)])),
    "FRE type 3": one(Function(start=0x401020, size=4, rows=[(0, A)], info=3)),
    "row with the reserved word size code (info 0x60)": one(
        Function(start=0x401020, size=4, rows=[RawRow(0, b"\x60")])
    ),
    "attributes of FDE 1": one(Function(start=0x401020, size=4, data_offset=1000)),
    "row outside the FREs": one(Function(start=0x401020, size=4, num_fres=1)),
    "FDE type 2 with data words": one(Function(start=0x401020, size=4, rows=[(0, A)], info2=2)),
    "3 data words, a default row has at most 2": one(
        Function(start=0x401020, size=4, rows=[RawRow(0, b"\x07\1\1\1")])
    ),
    "3 data words that form no groups": one(
        Function(
            start=0x401020, size=4, rows=[RawRow(0, b"\x06\x39\x08\0")], fde_type=FdeType.FLEXIBLE
        )
    ),
    "reserved bit in the control word of CFA": one(
        Function(
            start=0x401020, size=4, rows=[RawRow(0, b"\x04\x3d\x08")], fde_type=FdeType.FLEXIBLE
        )
    ),
    "CFA not based on a register": one(
        Function(
            start=0x401020, size=4, rows=[RawRow(0, b"\x04\x02\x08")], fde_type=FdeType.FLEXIBLE
        )
    ),
    "which is in no executable segment": one(Function(start=0x4010FE, size=4, rows=[(0, A)])),
}


@pytest.mark.parametrize("what", DROPPED)
def test_dropped(elf: Build, what: str) -> None:
    data = write_section(DROPPED[what], address=ADDRESS)
    found = findings(elf, data)
    assert [f.effect for f in found if what in f.what] == [Effect.DROPPED]
    assert kernel_loses(data)
    (finding,) = (f for f in found if what in f.what)
    assert "0x4010" in (finding.function or finding.what)


REFUSED: dict[str, dict[str, object]] = {
    "SFRAME_F_FDE_SORTED is not set": {"flags": 4},
    "SFRAME_F_FDE_FUNC_START_PCREL is not set": {"pcrel": False},
    "auxiliary header of 4 bytes": {"auxiliary": bytes(4)},
    "no FREs": {"num_fres": 0},
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(elf: Build, what: str) -> None:
    data = write_section([GOOD], address=ADDRESS, **REFUSED[what])  # type: ignore[arg-type]  # by name
    assert [f.effect for f in findings(elf, data) if f.what == what] == [Effect.REFUSED]
    assert kernel_loses(data)


@pytest.mark.parametrize(
    ("functions", "effect", "what"),
    [
        (one(Function(start=0x401008, size=16, rows=[(0, A)])), Effect.WRONG, "begins inside"),
        (one(Function(start=0x401000, size=16, rows=[(0, A)])), Effect.WRONG, "both begin at"),
        (
            one(Function(start=0x401020, size=4, rows=[RawRow(0, b"\x05\x08\0")])),
            Effect.WRONG,
            r"FP slot at CFA+0",
        ),
        (row("CFA=reg39+8 RA=*(CFA-8)"), Effect.WRONG, "CFA = reg39+8"),
        (one(Function(start=0x401020, size=4, rows=[(0, DRAP)])), Effect.UNUSABLE, "FP = *(rbp+0)"),
        (row("CFA=xmm1+8 RA=*(CFA-8)"), Effect.UNUSABLE, "CFA = xmm1+8"),
        (
            # Control word 0 is padding, so only register bits that say nothing make it a rule.
            one(
                Function(
                    start=0x401020,
                    size=4,
                    rows=[RawRow(0, b"\x08\x39\x08\x08\x08")],
                    fde_type=FdeType.FLEXIBLE,
                )
            ),
            Effect.UNUSABLE,
            "RA = CFA+8",
        ),
        (row("CFA=rsp+12 RA=*(CFA-8)"), Effect.UNUSABLE, "CFA = rsp+12"),
        (row("CFA=rsp+0 RA=*(CFA-8)"), Effect.UNUSABLE, "CFA = rsp+0"),
        (
            one(Function(start=0x401020, size=4, rows=[(0, A)], rep_size=3)),
            Effect.HARMLESS,
            "repetition size 3",
        ),
        (
            one(Function(start=0x401020, size=4, rows=[(0, A)], info=0x40)),
            Effect.HARMLESS,
            "reserved bits 0x40 in info",
        ),
        (
            one(Function(start=0x401020, size=4, rows=[(0, A)], info2=0x20)),
            Effect.HARMLESS,
            "reserved bits 0x20 in info2",
        ),
    ],
)
def test_found_but_kept(elf: Build, functions: list[Function], effect: Effect, what: str) -> None:
    data = write_section(functions, address=ADDRESS)
    found = findings(elf, data)
    assert effect in {f.effect for f in found if what in f.what}, found
    assert not loses(found)
    assert not kernel_loses(data)


def test_header_counts_that_disagree(elf: Build) -> None:
    data = write_section([GOOD], address=ADDRESS, num_fres=3)
    (finding,) = findings(elf, data)
    assert finding.what == "the header counts 3 FREs, the functions 2"
    assert finding.effect is Effect.HARMLESS


@pytest.mark.parametrize(
    ("size", "effect"), [(-1, Effect.REFUSED), (1, Effect.HARMLESS), (None, Effect.REFUSED)]
)
def test_size_of_the_program_header(elf: Build, size: int | None, effect: Effect) -> None:
    data = write_section([GOOD], address=ADDRESS)
    segment_size = None if size is None else len(data) + size
    found = findings(elf, data, segment_size=segment_size, debris=bytes(64))
    if size is None:
        # Without program headers there is no executable segment either.
        assert [f.what for f in found] == ["the file has no PT_GNU_SFRAME"]
    else:
        assert [f.what.split(" has ")[0] for f in found] == ["PT_GNU_SFRAME"]
    assert [f.effect for f in found] == [effect]


def test_bytes_and_abi_that_disagree(elf: Build) -> None:
    data = write_section([GOOD], address=ADDRESS, abi_arch=Abi.S390X)
    found = [f.what for f in findings(elf, data) if f.effect is Effect.WRONG]
    assert found == [
        "little-endian bytes for the big-endian ABI S390X",
        "ABI S390X in a file for AMD64",
    ]


def test_a_program_header_elsewhere(elf: Build) -> None:
    data = write_section([GOOD], address=ADDRESS)
    image = bytearray(elf(data, address=ADDRESS, segment_size=len(data), text_size=0x100))
    at = 64 + 2 * 56 + 16
    image[at : at + 8] = (ADDRESS - 0x800).to_bytes(8, "little")
    changed = Elf(bytes(image))
    found = list(lint(Section.from_elf(changed), changed))
    assert [(f.effect, f.what.split(" ")[-1]) for f in found] == [
        (Effect.WRONG, "0x402000"),
        (Effect.REFUSED, "PT_LOAD"),
    ]


def test_index_out_of_order(elf: Build) -> None:
    functions = [GOOD] + [
        Function(start=0x401000 + 16 * i, size=16, rows=[(0, A)]) for i in (3, 2, 1)
    ]
    data = write_section(functions, address=ADDRESS, index_order=[0, 1, 2, 3])
    found = findings(elf, data)
    assert [f.effect for f in found if "stands behind" in f.what] == [Effect.DROPPED] * 2
    assert kernel_loses(data)


def rows(draw: st.DrawFn) -> list[tuple[int, Rules] | RawRow]:
    found: list[tuple[int, Rules] | RawRow] = []
    for start in draw(st.lists(st.integers(0, 9), max_size=4)):
        if draw(st.integers(0, 3)):
            found.append((start, draw(st.sampled_from([A, B, DRAP, UNDEFINED]))))
        else:
            found.append(RawRow(start, draw(st.binary(min_size=1, max_size=4))))
    return sorted(found, key=lambda r: r[0] if isinstance(r, tuple) else r.start)


@st.composite
def sections(draw: st.DrawFn) -> bytes:
    functions = []
    start = TEXT[0]
    for _ in range(draw(st.integers(1, 4))):
        # At least 9 bytes: the search ends at a smaller function only if it is sought.
        size = draw(st.integers(1, 40))
        mask = draw(st.integers(0, 3)) == 0
        functions.append(
            Function(
                start=start,
                size=size,
                rows=rows(draw),
                pc_type=PcType.MASK if mask else PcType.INC,
                rep_size=draw(st.integers(0, 16)) if mask else 0,
            )
        )
        start += size + draw(st.integers(0, 3))
    data = bytearray(write_section(functions, address=ADDRESS))
    for _ in range(draw(st.integers(0, 2))):
        data[draw(st.integers(28, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@given(data=sections())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_the_kernel_keeps_what_lint_does_not_call_lost(elf: Build, data: bytes) -> None:
    try:
        found = findings(elf, data)
    except SFrameError:
        pytest.fail("only the header can make a section unreadable")
    if not loses(found):
        assert not kernel_loses(data)


@given(data=sections())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_what_lint_calls_lost_is_lost(elf: Build, data: bytes) -> None:
    found = findings(elf, data)
    # Disorder is detected only among the entries that a search visits.
    disorder = any("stands behind" in finding.what for finding in found)
    if loses(found) and not disorder:
        assert kernel_loses(data), found


def test_sizes(elf: Build) -> None:
    plt = Function(start=0x401040, size=32, rows=[(0, A)], pc_type=PcType.MASK, rep_size=16)
    wide = Function(start=0x401080, size=300, rows=[(0, A), (1, A), (2, DRAP), (3, UNDEFINED)])
    data = write_section([GOOD, plt, wide], address=ADDRESS)
    image = Elf(elf(data, address=ADDRESS))
    section = Section.from_elf(image)
    sizes = measure(section, section.fdes, image)
    assert (sizes.section, sizes.eh_frame, sizes.code) == (len(data), None, 16 + 32 + 300)
    assert (sizes.fdes, sizes.rows, sizes.flexible, sizes.mask) == (3, 7, 1, 1)
    assert (sizes.undefined, sizes.repeated) == (1, 1)
    assert (sizes.fre_types, sizes.word_sizes) == ((2, 1, 0), (7, 0, 0))
    assert sizes.lines()[0].startswith(f"{len(data)} bytes for 3 FDEs and 7 rows: ")


def test_command(elf: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "prog"
    for functions, status in (([GOOD], 0), (DROPPED["a function without rows"], 1)):
        data = write_section(functions, address=ADDRESS)
        path.write_bytes(
            elf(data, address=ADDRESS, segment_size=len(data), symbols=[("f", 0x401020, 2)])
        )
        assert main(["lint", str(path)]) == status
        text = capsys.readouterr().out
        assert ("f (0x401020): a function without rows\n    dropped: " in text) == bool(status)
        assert f"{len(data)} bytes for {len(functions)} FDEs" in text
        assert main(["lint", str(path), "--json"]) == status
        found = json.loads(capsys.readouterr().out)
        assert [f["effect"] for f in found["findings"]] == ["dropped"] * status
        assert found["sizes"]["section"] == len(data)


def test_command_on_bytes_that_are_no_section(
    elf: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prog"
    path.write_bytes(elf(b"\xe2\xde\x03\x05" + bytes(6), address=ADDRESS))
    assert main(["lint", str(path)]) == 1
    assert "no consumer can read the section" in capsys.readouterr().out
    path.write_bytes(b"nothing")
    assert main(["lint", str(path)]) == 2
    assert capsys.readouterr().err == f"emu: {path}: not an ELF file\n"


def test_functions_that_share_rows_end_the_check(elf: Build) -> None:
    shared = [
        Function(start=0x401000 + 8 * i, size=8, rows=[(0, A)] if i == 0 else (), data_offset=0)
        for i in range(30)
    ]
    data = write_section(shared, address=ADDRESS, num_fres=30)
    # The blocks of 29 functions without rows are room for a few rows, not for 30 times as many.
    data = data[: -29 * 5] + bytes(29 * 5)
    found = findings(elf, data, text_size=0x200)
    assert not [f for f in found if "not checked" in f.consequence]
    big = bytearray(data)
    big[-29 * 5 - 8 : -29 * 5 - 6] = (60).to_bytes(2, "little")
    found = findings(elf, bytes(big), text_size=0x200)
    assert [f for f in found if "not checked" in f.consequence]


TWO_SEGMENTS = """
\t.section .text.low, "ax"
low:\t.cfi_startproc
\tret
\t.cfi_endproc
\t.section .text.high, "ax"
{padding}
high:\t.cfi_startproc
\tret
\t.cfi_endproc
"""


@pytest.mark.parametrize(("padding", "gap"), [("\t.skip 16, 0x90", True), ("", False)])
def test_two_executable_segments(
    toolchain: Toolchain, tmp_path: Path, padding: str, gap: bool
) -> None:
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    source = tmp_path / "a.s"
    source.write_text(TWO_SEGMENTS.format(padding=padding))
    script = tmp_path / "a.ld"
    script.write_text(
        "SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .sframe : { *(.sframe) }\n"
        " .low 0x401000 : { *(.text.low) } .data 0x402000 : { QUAD(0) }\n"
        " .high 0x403000 : { *(.text.high) } }\n"
    )
    for command in (
        [toolchain.as_.path, "--gsframe-3", source, "-o", tmp_path / "a.o"],
        [toolchain.ld.path, "-e", "0", "-T", script, tmp_path / "a.o", "-o", tmp_path / "a"],
    ):
        subprocess.run([str(word) for word in command], check=True)
    image = Elf(tmp_path / "a")
    found = list(lint(Section.from_elf(image), image))
    across = [f for f in found if "executable segments" in f.what]
    assert [f.effect for f in across] == ([Effect.DROPPED] if gap else [])
    if gap:
        assert "0x403000 to 0x403010" in across[0].what


FORMS = sorted((Path(__file__).parent / "forms").glob("*.s"))


@pytest.mark.parametrize("source", FORMS, ids=lambda path: path.stem)
def test_what_as_and_ld_write(toolchain: Toolchain, source: Path, tmp_path: Path) -> None:
    file = toolchain.compile(
        [source], tmp_path / "form", ["-nostdlib", "-static", "-Wl,-e,0", "-x", "assembler"]
    )
    image = Elf(file)
    section = Section.from_elf(image)
    (text,) = (segment for segment in image.segments if segment.type == 1 and segment.flags & 1)
    lost = loses(list(lint(section, image)))
    assert lost == kernel_loses(
        bytes(section.data),
        section.address,
        (text.address, text.address + text.memory_size),
        section.header.length,
    )
    assert lost == (source.stem in LOST)


LOST = {
    "many_rows",
    "row_at_end",
    "signal_without_rows",
    "without_cfi",
}
