"""Older frames: their checks are repeated when what they depend on changes, and not otherwise.

`watch_stores` looks where stores go, `exhaustive` at every frame before every instruction. Both
must come to the same, in both engines; and to what is found without them where nobody writes into
the frames of callers.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emu.asm import assemble
from emu.check import CheckError, Result, Verdict, observe, run
from emu.check.fast import FastEngine
from emu.check.mutation import mutants, mutated
from emu.check.walk import WalkCheck
from emu.machine import Image
from emu.sframe import Section, SFrameError
from emu.toolchain.prebuilt import unpack_programs

ROOT = Path(__file__).parent.parent.parent
CASES = sorted((ROOT / "asm_cases").glob("*.s"))
MODES: tuple[dict[str, bool], ...] = ({}, {"watch_stores": True}, {"exhaustive": True})

CALLER = """\
#@ title: A callee that writes into the frame of its caller
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 3
again:  call outer
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
outer:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov ebp, 7
        call meddle
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
meddle: .cfi_startproc
{body}
        ret
        .cfi_endproc
"""
SAVED_RBP = """\
        mov rax, [rsp+8]
        mov qword ptr [rsp+8], 99
        nop
        nop
        mov [rsp+8], rax
        nop
"""
RETURN_ADDRESS = SAVED_RBP.replace("rsp+8", "rsp+16")
ONE_BYTE = """\
        not byte ptr [rsp+10]
        nop
        not byte ptr [rsp+10]
"""
BOTH_AT_ONCE = """\
        movups xmm0, [rsp+8]
        pxor xmm1, xmm1
        movups [rsp+8], xmm1
        nop
        movups [rsp+8], xmm0
"""
ACROSS_WORDS = """\
        mov rax, [rsp+12]
        mov qword ptr [rsp+12], -1
        nop
        mov [rsp+12], rax
"""
STRING = """\
        mov r8, [rsp+8]
        mov r9, [rsp+16]
        lea rdi, [rsp+8]
        mov ecx, 2
        mov eax, 5
        rep stosq
        mov [rsp+8], r8
        mov [rsp+16], r9
"""
THE_SAME = """\
        mov rax, [rsp+8]
        mov [rsp+8], rax
        nop
"""
KERNEL = """\
        mov r9, [rsp+8]
        xor edi, edi
        lea rsi, [rsp+8]
        mov edx, 8
        xor eax, eax
        syscall
        nop
        mov [rsp+8], r9
"""

FAR = """\
#@ title: A frame far up is written to from the bottom of a recursion
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 2
again:  call outer
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
outer:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rsi, rsp
        sub rsp, 64
        .cfi_def_cfa_offset 80
        mov edi, 30
        call down
        add rsp, 64
        .cfi_def_cfa_offset 16
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
down:   .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        mov [rsi-16], edi
        dec edi
        jz bottom
        call down
        pop rbx
        .cfi_def_cfa_offset 8
        ret
bottom: .cfi_def_cfa_offset 16
        mov rax, [rsi]
        not qword ptr [rsi]
        nop
        mov [rsi], rax
        not qword ptr [rsi+8]
        not qword ptr [rsi+8]
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
"""

GAP = """\
#@ title: A frame without a row, walked by its frame pointer until that is overwritten
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 2
again:  call outer
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
outer:  push rbp
        mov rbp, rsp
        call meddle
        pop rbp
        ret
meddle: .cfi_startproc
        mov rax, [rbp]
        not qword ptr [rbp]
        nop
        mov [rbp], rax
        not qword ptr [rbp+8]
        nop
        not qword ptr [rbp+8]
        nop
        ret
        .cfi_endproc
"""

SEVERAL = [SAVED_RBP, RETURN_ADDRESS, ONE_BYTE, BOTH_AT_ONCE, ACROSS_WORDS, STRING]


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


def in_all_modes(image: Image, engine: str = "fast", **options: Any) -> list[dict[str, Any]]:
    return [document(run(image, engine=engine, **mode, **options)) for mode in MODES]


def repeated(image: Image, **options: Any) -> tuple[Result, Result]:
    """The default's result, and the one that both modes and both engines agree on."""
    results = [
        run(image, engine=engine, **mode, **options)
        for mode in MODES[1:]
        for engine in ("reference", "fast")
    ]
    for result in results[1:]:
        assert document(result) == document(results[0])
        assert list(result.tally.findings) == list(results[0].tally.findings)
    return run(image, **options), results[0]


@pytest.mark.parametrize(("source", "field"), [(SAVED_RBP, "fp"), (RETURN_ADDRESS, "pc")])
def test_a_word_that_is_overwritten_is_seen_at_the_next_instruction(
    source: str, field: str
) -> None:
    image = image_of(CALLER.format(body=source))
    ordinary, watched = repeated(image)
    assert ordinary.findings == ()
    (finding,) = watched.findings
    meddle = image.address_of("meddle")
    outer = image.address_of("outer")
    assert meddle is not None
    assert outer is not None
    assert (finding.key.verdict, finding.key.field) == (Verdict.WRONG, field)
    assert (finding.count, finding.witness.frame) == (3, 1)
    assert finding.witness.snapshot_pc == meddle + 14
    assert finding.key.function == "outer"
    # Once wrong and once right again in each of three calls.
    assert watched.tally.frames - ordinary.tally.frames == 6
    assert watched.tally.steps[Verdict.WRONG] == 3
    assert watched.figures == ordinary.figures
    # Two instructions are executed each time before the word is what it was.
    assert watched.tally.walks[Verdict.WRONG] == 9


@pytest.mark.parametrize("source", SEVERAL)
def test_stores_of_every_form_are_seen(source: str) -> None:
    ordinary, watched = repeated(image_of(CALLER.format(body=source)))
    assert ordinary.findings == ()
    assert watched.tally.steps[Verdict.WRONG]
    assert watched.figures.violations == 0


@pytest.mark.parametrize("source", [THE_SAME, "        nop\n"])
def test_a_word_that_stays_the_same_is_no_reason(source: str) -> None:
    ordinary, watched = repeated(image_of(CALLER.format(body=source)))
    assert document(watched) == document(ordinary)


def test_what_the_kernel_writes_is_seen() -> None:
    image = image_of(CALLER.format(body=KERNEL))
    ordinary, watched = repeated(image, stdin=bytes(range(24)))
    assert ordinary.findings == ()
    assert watched.tally.steps[Verdict.WRONG] == 3


def test_a_frame_far_up() -> None:
    ordinary, watched = repeated(image_of(FAR))
    assert ordinary.findings == ()
    fields = {str(key.field): finding.count for key, finding in watched.tally.findings.items()}
    assert fields == {"fp": 2, "pc": 2}
    assert watched.tally.frames - ordinary.tally.frames == 8


def test_a_walk_by_frame_pointers_goes_wrong_without_a_step_check() -> None:
    ordinary, watched = repeated(image_of(GAP))
    assert ordinary.tally.frames == watched.tally.frames
    assert ordinary.tally.walks[Verdict.GAP] < watched.tally.walks[Verdict.GAP]


def test_only_chosen_instructions_see_it() -> None:
    source = CALLER.format(body=SAVED_RBP + "late:   nop\n")
    for at, wrong in (("meddle+14", 1), ("late", 0), ("outer", 0)):
        _, watched = repeated(image_of(source), at=[at, "meddle"])
        assert watched.tally.steps[Verdict.WRONG] == 3 * wrong


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_nothing_is_repeated_in_ordinary_cases(path: Path) -> None:
    ordinary, watched, exhaustive = in_all_modes(image_of(path), max_instructions=20_000)
    assert watched == exhaustive == ordinary


@pytest.mark.parametrize("path", CASES[::4], ids=lambda path: path.stem)
def test_nothing_is_repeated_by_the_reference_engine(path: Path) -> None:
    ordinary, watched, exhaustive = in_all_modes(
        image_of(path), "reference", max_instructions=1_000
    )
    assert watched == exhaustive == ordinary


@pytest.mark.parametrize("path", CASES[1::9], ids=lambda path: path.stem)
def test_wrong_tables_that_read_anywhere(path: Path) -> None:
    """Rows that are wrong read words which callees use for themselves."""
    image = image_of(path)
    try:
        section = Section.from_elf(image.data)
        changes = list(mutants(section))
    except SFrameError:
        return
    for mutant in changes[::17]:
        repeated(mutated(image, section, mutant), max_instructions=300)


@pytest.mark.parametrize(
    "name", ["qsort_callback-O2", "longjmp_out-O2", "signal_handlers-O2", "realignment-O0"]
)
def test_compiled_programs(name: str, tmp_path: Path) -> None:
    programs = {path.name: path for path in unpack_programs(ROOT / "c_cases/prebuilt", tmp_path)}
    image = Image.from_file(programs[name])
    ordinary, watched, exhaustive = in_all_modes(image)
    assert watched == exhaustive == ordinary


def test_other_consumers(tmp_path: Path) -> None:
    programs = {path.name: path for path in unpack_programs(ROOT / "c_cases/prebuilt", tmp_path)}
    image = Image.from_file(programs["signal_handlers-O2"])
    for policy in ("glibc", "dwarf", "format", "kernel-v15,-frame-pointers"):
        ordinary, watched, exhaustive = in_all_modes(image, policy=policy, max_instructions=2_000)
        assert watched == exhaustive == ordinary


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_check_that_forgets_is_a_harness_error(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_of(FAR)
    monkeypatch.setattr(observe, "row_of", lambda _place: None)
    held = observe.Held

    def misremembered(*arguments: Any) -> Any:
        _verdict, *rest = arguments
        return held(Verdict.OVERRUN, *rest)

    monkeypatch.setattr(observe, "Held", misremembered)
    run(image, engine=engine, watch_stores=True)
    with pytest.raises(
        CheckError, match=r"^harness error before 0x.*gave overrun and gives outermost"
    ):
        run(image, engine=engine, exhaustive=True)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_walk_that_is_remembered_wrongly_is_a_harness_error(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def astray(_walks: WalkCheck, *_arguments: Any) -> Any:
        return None

    image = image_of(GAP)
    monkeypatch.setattr(WalkCheck, "_anew", astray)
    with pytest.raises(CheckError, match=r"^harness error before 0x.*and ends right now"):
        run(image, engine=engine, exhaustive=True, policy="kernel-v15,-frame-pointers")


def test_ordinary_stores_are_not_told_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    event = FastEngine._event

    def recorded(engine: FastEngine, kind: int, pc: int, size: int) -> int:
        seen.append(pc)
        return event(engine, kind, pc, size)

    monkeypatch.setattr(FastEngine, "_event", recorded)
    source = CALLER.replace("mov r12d, 3", "mov r12d, 5000").format(body=THE_SAME)
    for mode in MODES[1:]:
        seen.clear()
        result = run(image_of(source), **mode)
        assert result.instructions > 40_000
        assert len(seen) < 200


def emu(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "emu", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False)


def test_the_command_s_options(tmp_path: Path) -> None:
    program = tmp_path / "meddler"
    program.write_bytes(assemble(CALLER.format(body=SAVED_RBP)).elf)
    assert emu(program).returncode == 0
    for option in ("--watch-stores", "--exhaustive"):
        done = emu(option, "--json", "-", program)
        assert done.returncode == 1
        (finding,) = json.loads(done.stdout)["findings"]
        assert (finding["field"], finding["frame"], finding["count"]) == ("fp", 1, 3)
    done = emu("--watch-stores", "--exhaustive", program)
    assert done.returncode == 2
    assert b"not allowed with" in done.stderr
