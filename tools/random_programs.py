"""Random programs in assembler, for comparing engines: calls of many kinds, and tables for them.

`program(seed)` gives the source of an assembled case. It ends: every call costs fuel. With threads
or mischief it has several threads, or some wrong directives and stores into frames of callers; with
the place of its own table it takes that away and gives it back now and then.
What a function changes of rbx, rbp and r12 to r15 it restores, except when it is jumped out of.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FUNCTIONS = 7
FUEL = 40
SAVED = ("rbx", "r12", "r13", "r14", "r15")
SCRATCH = ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")

START = """\
#@ title: Random program {seed}
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov esi, offset action
        mov edi, 27
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
{threads}
        mov [rip+saved_rsp], rsp
        mov [rip+saved_rbp], rbp
again:  mov eax, [rip+rounds]
        mov dword ptr [rip+fuel], {fuel}
        lea rcx, [rip+functions]
        call [rcx+rax*8-8]
landing:
        xor ebp, ebp
        dec dword ptr [rip+rounds]
        jnz again
{wait}
        mov eax, 231
        xor edi, edi
        syscall
        .cfi_endproc
thrower:
        .cfi_startproc
        mov rbp, [rip+saved_rbp]
        lea rdx, [rip+landing]
        mov rsp, [rip+saved_rsp]
        .cfi_undefined rip
        jmp rdx
        .cfi_endproc
handler:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        xor ebx, ebx
        call leaf
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        nop
restorer:
        mov eax, 15
        syscall
leaf:   .cfi_startproc
        inc dword ptr [rip+ticks]
{meddling}
        ret
        .cfi_endproc
"""
FLIP = """\
        test byte ptr [rip+ticks], 3
        jnz .Lkept
        call flip
.Lkept:
"""
FLIPPING = """\
flip:   .cfi_startproc
        xor byte ptr [rip+absent], 1
        jz .Ladd
        mov edi, 2
        jmp .Lcall
.Ladd:  mov edi, 1
.Lcall: mov eax, {0.call}
        mov esi, {0.section}
        mov edx, {0.size}
        mov r10d, {0.text}
        mov r8d, {0.length}
        syscall
        ret
        .cfi_endproc
"""
END = """\
        .data
        .balign 8
action: .quad handler, 0x14000000, restorer, 0
functions: .quad {functions}
fuel:   .long {fuel}
rounds: .long {functions_count}
ticks:  .long 0
running: .long {running}
absent: .long 0
        .bss
        .balign 16
saved_rsp: .skip 8
saved_rbp: .skip 8
stacks: .skip 65536
"""
CLONE = """\
        mov edi, 0x50f00
        lea rsi, [rip+stacks+{top}]
        xor edx, edx
        xor r10d, r10d
        xor r8d, r8d
        mov eax, 56
        syscall
        test eax, eax
        jnz parent{number}
        xor ebp, ebp
        call f{entry}
        lock dec dword ptr [rip+running]
        mov eax, 60
        xor edi, edi
        syscall
parent{number}:
"""
FORK = """\
        mov eax, 57
        syscall
        test eax, eax
        jnz waiting
        call f1
        mov eax, 231
        xor edi, edi
        syscall
waiting:
        mov edi, -1
        xor esi, esi
        xor edx, edx
        xor r10d, r10d
        mov eax, 61
        syscall
"""
WAIT = """\
wait:   mov eax, 24
        syscall
        cmp dword ptr [rip+running], 0
        jnz wait
"""


@dataclass(frozen=True)
class Table:
    """Where the .sframe of a program and the code that it describes will lie."""

    section: int = 0x400000
    size: int = 0x1000
    text: int = 0x400000
    length: int = 0x1000
    call: int = 1000
    """Number of the `stacktrace_setup` system call."""


@dataclass
class Function:
    """A function on the way to its source."""

    number: int
    draw: random.Random
    mischief: bool
    jumps_out: bool
    lines: list[str] = field(default_factory=list)
    offset: int = 8
    by_rbp: bool = False
    described: bool = True
    labels: int = 0

    def code(self, *lines: str) -> None:
        self.lines += [f"        {line}" for line in lines]

    def cfi(self, *directives: str) -> None:
        """Directives, unless there are none here, or one is forgotten out of mischief."""
        if self.described and not (self.mischief and self.draw.random() < 0.02):
            self.code(*(f".cfi_{directive}" for directive in directives))

    def moved(self, by: int) -> None:
        """rsp fell by that much."""
        self.offset += by
        if not self.by_rbp:
            self.cfi(f"def_cfa_offset {self.offset}")

    def label(self) -> str:
        self.labels += 1
        return f".Lf{self.number}_{self.labels}"


@dataclass(frozen=True)
class Frame:
    """What a function does with rsp and the registers that it must restore."""

    framed: bool
    rbp: bool
    alloca: bool
    saved: list[str]
    room: int

    @classmethod
    def drawn(cls, draw: random.Random) -> Frame:
        form = draw.choice(("none", "pushes", "pointer", "pointer", "alloca", "rbp saved"))
        framed = form in {"pointer", "alloca"}
        return cls(
            framed=framed,
            rbp=framed or form == "rbp saved",
            alloca=form == "alloca",
            saved=draw.sample(SAVED, draw.randrange(3)) if form != "none" else [],
            room=8 * draw.randrange(6),
        )

    @property
    def clobbers(self) -> list[str]:
        """Registers with which the function may do what it likes."""
        return [*self.saved, *(["rbp"] if self.rbp and not self.framed else [])]


def function(made: Function) -> str:
    """The source of one function."""
    draw = made.draw
    made.described = draw.random() > 0.12
    made.lines.append(f"f{made.number}:")
    if made.described:
        made.code(".cfi_startproc")
    out = made.label()
    made.code("dec dword ptr [rip+fuel]", f"js {out}")
    frame = Frame.drawn(draw)
    prologue(made, frame)
    for _ in range(draw.randrange(1, 6)):
        statement(made, frame.clobbers, frame.room)
    epilogue(made, frame)
    kind = draw.random()
    if kind < 0.15:
        made.code(f"jmp f{draw.randrange(FUNCTIONS)}")
    elif kind < 0.25:
        made.code("pop rcx")
        made.cfi("def_cfa_offset 0", "register rip, rcx")
        made.code("nop", "jmp rcx")
        made.cfi("def_cfa_offset 8", "restore rip")
    made.lines.append(f"{out}:")
    if made.described:
        made.code(".cfi_def_cfa rsp, 8")
    made.code("ret")
    if made.described:
        made.code(".cfi_endproc")
    return "\n".join(made.lines) + "\n"


def prologue(made: Function, frame: Frame) -> None:
    """Save registers and make room."""
    if frame.rbp:
        made.code("push rbp")
        made.moved(8)
        made.cfi("offset rbp, -16")
    if frame.framed:
        made.code("mov rbp, rsp")
        made.by_rbp = True
        made.cfi("def_cfa_register rbp")
    for register in frame.saved:
        made.code(f"push {register}")
        made.moved(8)
    if frame.room:
        made.code(f"sub rsp, {frame.room}")
        made.moved(frame.room)
    if frame.alloca:
        made.code("mov eax, [rip+fuel]", "and eax, 48", "sub rsp, rax")


def epilogue(made: Function, frame: Frame) -> None:
    """Give everything back."""
    if frame.framed and frame.saved:
        made.code(f"lea rsp, [rbp-{8 * len(frame.saved)}]")
    elif frame.room and not frame.framed:
        made.code(f"add rsp, {frame.room}")
        made.moved(-frame.room)
    for register in reversed(frame.saved):
        made.code(f"pop {register}")
        made.moved(-8)
    if frame.framed:
        made.code("leave" if not frame.saved or made.draw.random() < 0.5 else "pop rbp")
        made.by_rbp, made.offset = False, 8
        made.cfi("def_cfa rsp, 8", "restore rbp")
    elif frame.rbp:
        made.code("pop rbp")
        made.moved(-8)
        made.cfi("restore rbp")


def statement(made: Function, clobbers: list[str], room: int) -> None:
    """Something a function does between prologue and epilogue."""
    draw = made.draw
    kind = draw.randrange(12)
    callee = draw.randrange(FUNCTIONS)
    if kind < 4:
        made.code(f"call f{callee}")
    elif kind == 4:
        made.code(f"mov r11, [rip+functions+{8 * callee}]", "call r11")
    elif kind == 5 and not made.mischief:
        made.code(f"mov {draw.choice(SCRATCH)}, {draw.getrandbits(31)}")
    elif kind == 6 and clobbers:
        made.code(f"mov {draw.choice(clobbers)}, {draw.getrandbits(31)}")
    elif kind == 7 and room:
        made.code(f"mov [rsp+{8 * draw.randrange(room // 8)}], {draw.choice(SCRATCH)}")
    elif kind == 8:
        made.code("push rax")
        made.moved(8)
        if draw.random() < 0.5:
            made.code(f"call f{callee}")
        made.code("pop rdx")
        made.moved(-8)
    elif kind == 9:
        pushed_by_call(made, callee)
    elif kind == 10 and made.jumps_out and draw.random() < 0.3:
        made.code("call thrower", "ud2")
    elif kind in {5, 11} and made.mischief:
        above = f"[rsp+{8 * draw.randrange(14)}]"
        made.code(f"mov r8, {above}", f"mov qword ptr {above}, {draw.getrandbits(20)}", "nop")
        made.code(f"mov {above}, r8")
    else:
        made.code("call leaf" if draw.random() < 0.5 else "nop")


def pushed_by_call(made: Function, callee: int) -> None:
    """A call whose return address is a word of the frame."""
    here = made.label()
    made.code(f"call {here}")
    deeper = made.draw.random() < 0.5
    if deeper:
        # Then it is a call by its effect, until the word is taken off without a return.
        made.code("int3")
    made.lines.append(f"{here}:")
    made.moved(8)
    if deeper:
        made.code(f"call f{callee}")
    made.code("pop rsi")
    made.moved(-8)


def program(
    seed: int,
    *,
    threads: int = 0,
    forks: bool = False,
    mischief: bool = False,
    table: Table | None = None,
    fuel: int = FUEL,
) -> str:
    """The source of a program. The same seed gives the same program."""
    draw = random.Random(seed)
    starts = "".join(
        CLONE.format(number=number, top=16384 * (number + 1), entry=draw.randrange(FUNCTIONS))
        for number in range(threads)
    )
    above = [draw.randrange(1, 16) for _ in range(4)] if mischief else []
    meddling = "\n".join(
        f"        not qword ptr [rsp+{8 * number}]\n        nop\n"
        f"        not qword ptr [rsp+{8 * number}]"
        for number in above
    )
    text = START.format(
        meddling=meddling if table is None else meddling + "\n" + FLIP,
        seed=seed,
        fuel=fuel,
        threads=starts + (FORK if forks else ""),
        wait=WAIT if threads else "",
    )
    for number in range(FUNCTIONS):
        text += function(Function(number, draw, mischief, jumps_out=not threads))
    if table is not None:
        text += FLIPPING.format(table)
    names = ", ".join(f"f{number}" for number in range(FUNCTIONS))
    return text + END.format(functions=names, functions_count=FUNCTIONS, fuel=fuel, running=threads)
