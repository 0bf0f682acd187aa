"""Frames that wait while a table comes, goes or is rewritten are held against the new ones.

A guest registers and removes the section of its own program with the system call of the kernel
model, from a function that others wait for. All modes and both engines must come to the same.
"""

from typing import Any

import pytest

from emu.asm import assemble
from emu.check import GuestOptions, Result, Verdict, run
from emu.machine import Image, SectionCalls

ENGINES = ("reference", "fast")
MODES: tuple[dict[str, bool], ...] = ({}, {"watch_stores": True}, {"exhaustive": True})

BEGIN = """\
#@ title: Tables that come and go under waiting frames
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
"""
REMOVE = """\
        mov eax, {call}
        mov edi, 2
        mov esi, {section}
        syscall
        nop
"""
ADD = """\
        mov eax, {call}
        mov edi, 1
        mov esi, {section}
        mov edx, {size}
        mov r10d, {text}
        mov r8d, {length}
        syscall
        nop
"""
WAITING = (
    BEGIN
    + """\
outer:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset {wrong}
        call middle
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
middle: .cfi_startproc
        push rax
        .cfi_def_cfa_offset 16
        call away
        nop
        call back
after:  nop
        pop rax
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
away:   .cfi_startproc
"""
    + REMOVE
    + """\
        ret
        .cfi_endproc
back:   .cfi_startproc
"""
    + ADD
    + """\
        ret
        .cfi_endproc
"""
)
PARKED = (
    BEGIN
    + """\
outer:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov ebp, 7
        call swap
        nop
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
swap:   .cfi_startproc
        mov [rip+saved], rsp
        lea rax, [rip+top]
        mov rsp, rax
        call other
        mov rsp, [rip+saved]
        nop
        call leaf
        ret
        .cfi_endproc
other:  .cfi_startproc
        mov rbx, [rip+saved]
BODY
        ret
        .cfi_endproc
leaf:   .cfi_startproc
        nop
        ret
        .cfi_endproc
        .data
saved:  .quad 0
        .bss
        .balign 16
        .skip 4096
top:    .skip 64
"""
)
REWRITTEN = """\
#@ title: A table that is writable for a while
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edx, 3
        call protect
        call row
        mov byte ptr [{word}], 24
        mov edx, 1
        call protect
        call row
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
protect:
        .cfi_startproc
        mov eax, 10
        mov edi, {page}
        mov esi, 4096
        syscall
        ret
        .cfi_endproc
row:    .cfi_startproc
        push rax
        .cfi_def_cfa_offset {right}
        nop
        pop rax
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
"""


def built(source: str, **values: int) -> Image:
    """The source with the addresses in it that only its own image tells."""
    values = {
        "call": SectionCalls().stacktrace_setup,
        "section": 0x400000,
        "size": 0x100,
        "text": 0x401000,
        "length": 0x100,
        "wrong": 16,
        **values,
    }
    for _ in range(2):
        image = Image.from_bytes(assemble(source.format(**values)).elf, "tables")
        (text,) = [segment for segment in image.segments if segment.executable]
        assert image.sframe is not None
        values.update(
            section=image.sframe.address,
            size=image.sframe.memory_size,
            text=text.address,
            length=text.memory_size,
        )
    return image


def said(result: Result) -> dict[str, Any]:
    """What both engines must say alike."""
    differs = ("engine", "seconds", "instructions_per_second")
    return {key: value for key, value in result.json().items() if key not in differs}


def everywhere(image: Image, modes: tuple[dict[str, bool], ...] = MODES, **options: Any) -> Result:
    """The result in the first mode; it is the same in all of them, by both engines."""
    results = [run(image, engine=engine, **mode, **options) for engine in ENGINES for mode in modes]
    first = results[0]
    assert (first.ended, first.exit_code) == ("exit", 0)
    for result in results[1:]:
        assert said(result) == said(first)
    return first


def test_waiting_frames_are_checked_when_the_table_goes_and_when_it_comes() -> None:
    result = everywhere(built(WAITING))
    assert result.findings == ()
    gaps = {function: count for (_, function), count in result.tally.gaps.items()}
    # In each round `middle`, `outer` and the loop of `_start` wait in `away`: a gap each. `middle`
    # is on top for two instructions without its row, and waits once more, for `back`.
    assert (gaps["again"], gaps["outer"], gaps["middle"]) == (2, 2, 2 * (1 + 2 + 1))
    # `_start` on top for 1 + 2 * 3 + 3 instructions, waiting twice, and when the table is back.
    assert result.tally.steps[Verdict.OUTERMOST] == 10 + 2 + 2


def test_a_wrong_row_that_comes_is_found_under_a_waiting_frame() -> None:
    result = everywhere(built(WAITING, wrong=24))
    calls = [finding for finding in result.findings if finding.key.function == "outer"]
    # On top before and after the call, waiting for `middle`, and when the table comes back.
    assert {finding.count for finding in calls} == {2 * 4}


@pytest.mark.parametrize("at", [["after"], ["away+*"], ["middle+*"], ["back"]])
def test_a_chosen_instruction_finds_what_has_changed_before_it(at: list[str]) -> None:
    everywhere(built(WAITING), at=at)


@pytest.mark.parametrize("every", [11, 17])
def test_under_an_interrupted_frame(every: int) -> None:
    source = WAITING.replace(
        "        mov r12d, 2\n",
        "        mov esi, offset action\n        mov edi, 27\n        mov r10d, 8\n"
        "        xor edx, edx\n        mov eax, 13\n        syscall\n        mov r12d, 2\n",
    )
    source += """\
handler:
        .cfi_startproc
        nop
        ret
        .cfi_endproc
        nop
restorer:
        mov eax, 15
        syscall
        .data
        .balign 8
action: .quad handler, 0x14000000, restorer, 0
"""
    everywhere(built(source), options=GuestOptions(signal_every=every))


@pytest.mark.parametrize("body", [REMOVE, REMOVE + ADD], ids=["removed", "removed and added"])
def test_frames_of_a_stack_that_is_parked_meanwhile(body: str) -> None:
    everywhere(built(PARKED.replace("BODY\n", body)))


def test_a_store_into_a_parked_stack_is_found_when_it_goes_on() -> None:
    store = "        not qword ptr [rbx+8]\n"
    image = built(PARKED.replace("BODY\n", store))
    result = everywhere(image, MODES[1:])
    waiting = [one for one in result.findings if one.witness.frame == 1]
    assert [(one.key.function, one.key.field) for one in waiting] == [("outer", "fp")]


def test_a_table_that_was_writable_for_a_while_is_read_anew() -> None:
    right, other = (built(REWRITTEN, right=offset, word=0, page=0).sframe for offset in (16, 24))
    assert right is not None
    assert other is not None
    (word,) = [
        n for n, pair in enumerate(zip(right.data, other.data, strict=True)) if len({*pair}) > 1
    ]
    image = built(REWRITTEN, right=16, word=right.address + word, page=right.address & -4096)
    result = everywhere(image)
    assert {finding.count for finding in result.findings} == {2}
    assert {finding.key.function for finding in result.findings} == {"row"}
