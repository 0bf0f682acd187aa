"""The fast engine says what the reference engine says, in everything but its speed."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emu.asm import assemble
from emu.check import CheckError, Result, run
from emu.check.fast import FastEngine
from emu.check.mutation import mutants, mutated
from emu.machine import Image
from emu.sframe import Section, SFrameError
from emu.toolchain.prebuilt import read_manifest, unpack_programs
from emu.unwind import POLICIES, policy

ROOT = Path(__file__).parent.parent.parent
CASES = sorted((ROOT / "asm_cases").glob("*.s"))
PREBUILT = ROOT / "c_cases" / "prebuilt"
PROGRAMS = [
    program.name
    for program in read_manifest(PREBUILT).programs
    if program.name.endswith("-O2") or program.name in {"realignment-O0", "longjmp_out-Os"}
]

CALLS = (ROOT / "tools" / "guests" / "calls.s").read_text()

TREE = (
    CALLS.replace("mov r12d, 1\n", "mov r12d, 3\n")
    .replace("edi, 18", "edi, 6")
    .replace("[rbx-1]\n        call fib", "[rbx-1]\n        call through")
    + """\
through:
        push rbp
        mov rbp, rsp
        call framed
        pop rbp
        ret
framed: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        call fib
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
"""
)
"""A recursion that comes by every instruction often, also through a gap."""

DEEP = """\
#@ title: Deeper than one walk and than the engine's first table
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 2
again:  mov edi, 1500
        call down
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
down:   .cfi_startproc
        dec edi
        jz up
        call down
up:     ret
        .cfi_endproc
"""

PROTECTIONS = """\
#@ title: Code that is writable for a while
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call loop
        mov edx, 7
        call protect
        call loop
        lea rax, [rip+change]
        mov byte ptr [rax+1], 3
        call loop
        mov edx, 5
        call protect
        call loop
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
protect: .cfi_startproc
        lea rdi, [rip+_start]
        and rdi, -4096
        mov esi, 4096
        mov eax, 10
        syscall
        ret
        .cfi_endproc
loop:   .cfi_startproc
change: mov ecx, 20
next:   dec ecx
        jnz next
        ret
        .cfi_endproc
"""


def image_of(source: str | Path) -> Image:
    case = assemble(source)
    return Image.from_bytes(case.elf, case.file)


def document(result: Result) -> dict[str, Any]:
    """The JSON object without what may differ."""
    return {
        key: value
        for key, value in result.json().items()
        if key not in {"engine", "seconds", "instructions_per_second"}
    }


def agree(image: Image, **options: Any) -> tuple[Result, Result]:
    """Run both engines; everything they say is the same, and in the same order."""
    reference = run(image, engine="reference", **options)
    fast = run(image, engine="fast", **options)
    assert document(fast) == document(reference)
    assert list(fast.tally.findings) == list(reference.tally.findings)
    assert list(fast.tally.gaps.items()) == list(reference.tally.gaps.items())
    assert fast.figures == reference.figures
    assert fast.listings == reference.listings
    assert fast.remarks == reference.remarks
    return reference, fast


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("programs")
    unpack_programs(PREBUILT, directory)
    return directory


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Kind and address of every event that the hook told Python."""
    seen: list[tuple[int, int]] = []
    event = FastEngine._event

    def recorded(engine: FastEngine, kind: int, pc: int, size: int) -> int:
        seen.append((kind, pc))
        return event(engine, kind, pc, size)

    monkeypatch.setattr(FastEngine, "_event", recorded)
    return seen


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_assembled_cases(path: Path) -> None:
    agree(image_of(path), max_instructions=100_000)


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_programs(name: str, programs: Path) -> None:
    agree(Image.from_file(programs / name))


@pytest.mark.parametrize("path", CASES[::3], ids=lambda path: path.stem)
def test_changed_tables(path: Path) -> None:
    image = image_of(path)
    try:
        section = Section.from_elf(image.data)
        changes = list(mutants(section))
    except SFrameError:
        return
    for mutant in changes[::7]:
        agree(mutated(image, section, mutant), max_instructions=10_000)


def test_changed_tables_where_every_instruction_repeats() -> None:
    image = image_of(TREE)
    section = Section.from_elf(image.data)
    repeated = 0
    for mutant in mutants(section):
        reference, _ = agree(mutated(image, section, mutant))
        repeated += sum(finding.count > 10 for finding in reference.findings)
    assert repeated


@pytest.mark.parametrize("flips", [1, 20, 300])
def test_broken_sections(programs: Path, flips: int) -> None:
    image = Image.from_file(programs / "qsort_callback-O2")
    section = Section.from_elf(image.data)
    size, draw = len(bytes(section.data)), random.Random(flips)
    for _ in range(2):
        data = bytearray(image.data)
        for _ in range(flips):
            at = section.file_offset + draw.randrange(28, size)
            data[at] ^= 1 << draw.randrange(8)
        agree(Image.from_bytes(bytes(data), "broken"), strict=True)


@pytest.mark.parametrize(
    "options",
    [
        {"at": "main"},
        {"at": ["main+*", "printf+*", "qsort"]},
        {"strict": True},
        {"max_instructions": 7_777},
        {"max_instructions": 1},
        {"convert": ["all"]},
        {"policy": "kernel-v14"},
        {"policy": "format"},
        {"policy": "kernel-v15,-frame-pointers"},
        {"policy": "kernel-v15,-cfa-growth,-cfa-alignment,-fp-above-sp,+value-rules"},
        {"policy": "kernel-v15,-topmost-registers,-base-deref"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["qsort_callback-O2", "realignment-O2", "signal_handlers-O2"])
def test_options(name: str, options: dict[str, Any], programs: Path) -> None:
    image = Image.from_file(programs / name)
    if "at" in options and image.address_of("qsort") is None:
        options = {"at": ["main+*", "printf+*"]}
    agree(image, **options)


@pytest.mark.parametrize("source", [TREE, DEEP, PROTECTIONS], ids=["tree", "deep", "protections"])
@pytest.mark.parametrize("strict", [False, True])
def test_situations(source: str, strict: bool) -> None:
    reference, _ = agree(image_of(source), strict=strict)
    assert reference.ended == "exit"
    assert reference.figures.violations == 0


def test_a_dynamic_program() -> None:
    program = Path("/bin/true")
    if not program.exists():
        pytest.skip("there is no /bin/true")
    agree(Image.from_file(program))


def test_ordinary_instructions_are_not_told_to_python(events: list[tuple[int, int]]) -> None:
    image = image_of(TREE.replace("mov r12d, 3", "mov r12d, 100"))
    result = run(image, engine="fast")
    assert result.instructions > 40_000
    assert len(events) < 200


def test_repeated_findings_are_counted_without_python(events: list[tuple[int, int]]) -> None:
    image = image_of(TREE.replace("mov r12d, 3", "mov r12d, 100"))
    section = Section.from_elf(image.data)
    mutant = max(mutants(section), key=lambda mutant: mutant.row_pc)
    result = run(mutated(image, section, mutant), engine="fast")
    assert max(finding.count for finding in result.findings) > 500
    assert len(events) < 300


def test_a_policy_that_the_hook_does_not_know_is_left_to_the_reference_engine() -> None:
    unknown = [each for each in POLICIES if not FastEngine.supports(each)]
    assert [each.name for each in unknown] == ["glibc"]
    assert not FastEngine.supports(replace(policy("format"), minus_one=True))
    result = run(image_of(CASES[0]), engine="fast", policy="glibc")
    assert result.engine == "reference"


def test_an_unknown_engine_is_named_with_those_there_are() -> None:
    with pytest.raises(CheckError, match=r"'slow' \(known: fast, reference\)"):
        run(image_of(CASES[0]), engine="slow")
