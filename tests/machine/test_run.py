"""Hooks, stopping, limits, interrupts: how a run is steered from outside."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, OutcomeKind, Process

LOOP = "int main(void) { for (volatile int i = 0;; i++); }"
BEGUN = '#include <unistd.h>\nint main(void) { char c; write(1, "begun", 5);'
BEGUN_LOOP = BEGUN + " for (volatile int i = 0;; i++); }"
BEGUN_WAIT = BEGUN + " return read(0, &c, 1); }"
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 3; }'

NESTED = """
static __attribute__((noinline)) int apply(int (*volatile f)(int), int x) { return f(x); }
int main(int argc, char **argv)
{
    int more = argc + 40;
    int add(int x) { return x + more; }
    return apply(add, 1);
}
"""


class SurpriseError(Exception):
    """Raised by a callback."""


def process_of(program: Path) -> Process:
    return Process(Image.from_file(program), stdout=lambda _data: None)


def test_an_exception_in_the_hook_comes_out_of_run(compile_guest: Callable[..., Path]) -> None:
    process = process_of(compile_guest(LOOP))
    seen = []

    def hook(_engine: int, address: int, size: int, _data: Any) -> None:
        seen.append((address, size))
        if len(seen) == 1000:
            raise SurpriseError("at the thousandth")

    before = sys.unraisablehook
    with pytest.raises(SurpriseError, match="thousandth"):
        process.run(hook)
    assert len(seen) == 1000, "no further call after the exception"
    assert sys.unraisablehook is before


def test_the_hook_sees_the_registers_before_each_instruction(
    compile_guest: Callable[..., Path],
) -> None:
    process = process_of(compile_guest(HELLO))
    wrong = []

    def hook(_engine: int, address: int, _size: int, _data: Any) -> None:
        registers = process.registers.read()
        if registers[16] != address or process.registers.stack_and_frame() != registers[7:5:-1]:
            wrong.append(address)

    assert process.run(hook).exit_code == 3
    assert not wrong


def test_stop_ends_before_the_instruction(compile_guest: Callable[..., Path]) -> None:
    process = process_of(compile_guest(HELLO))
    main = process.image.address_of("main")

    def hook(_engine: int, address: int, _size: int, _data: Any) -> None:
        if address == main:
            process.stop(OutcomeKind.LIMIT, "at main")

    outcome = process.run(hook)
    assert (outcome.kind, outcome.message) == (OutcomeKind.LIMIT, "at main")
    assert process.registers.ip == main
    assert process.run().exit_code == 3, "the run can be continued"


@pytest.mark.parametrize("hooked", [False, True])
def test_the_limit_is_exact(hooked: bool, compile_guest: Callable[..., Path]) -> None:
    addresses: list[int] = []
    whole = process_of(compile_guest(HELLO))
    assert whole.run(lambda *call: addresses.append(call[1])).exit_code == 3
    process = process_of(compile_guest(HELLO))
    seen: list[int] = []
    hook = (lambda *call: seen.append(call[1])) if hooked else None
    assert process.run(hook, max_instructions=1234).kind is OutcomeKind.LIMIT
    assert process.registers.ip == addresses[1234]
    if hooked:
        assert seen == addresses[:1234]


def ctrl_c_soon(_output: object) -> None:
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()


@pytest.mark.parametrize("hooked", [False, True])
def test_ctrl_c_ends_the_run(hooked: bool, compile_guest: Callable[..., Path]) -> None:
    process = Process(Image.from_file(compile_guest(BEGUN_LOOP)), stdout=ctrl_c_soon)
    begin = time.process_time()
    outcome = process.run((lambda *_call: None) if hooked else None)
    assert outcome.kind is OutcomeKind.INTERRUPTED
    assert time.process_time() - begin < 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_the_guest_waits_for_input(compile_guest: Callable[..., Path]) -> None:
    program = compile_guest(BEGUN_WAIT)
    reader, writer = os.pipe()
    with open(reader, "rb") as source:  # noqa: PTH123 -- a descriptor, not a path
        process = Process(Image.from_file(program), stdin=source, stdout=ctrl_c_soon)
        outcome = process.run()
    os.close(writer)
    assert outcome.kind is OutcomeKind.INTERRUPTED


def test_keyboard_interrupt_raised_by_the_hook(compile_guest: Callable[..., Path]) -> None:
    def hook(*_call: Any) -> None:
        raise KeyboardInterrupt

    assert process_of(compile_guest(LOOP)).run(hook).kind is OutcomeKind.INTERRUPTED


def test_a_second_run_after_the_hook_was_taken_away(compile_guest: Callable[..., Path]) -> None:
    process = process_of(compile_guest(LOOP))
    count = 0

    def hook(*_call: Any) -> None:
        nonlocal count
        count += 1

    process.run(hook, max_instructions=5000)
    assert count == 5000
    process.run(max_instructions=100_000)
    assert count == 5000


def test_the_guest_writes_code_and_runs_it(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = r"""
    #include <stdio.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    int main(void) {
        unsigned char code[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
        unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, 34, -1, 0);
        int total = 0, fd[2];
        for (int i = 1; i < 6; i++) {
            mprotect(p, 4096, PROT_READ | PROT_WRITE);
            code[1] = i;
            memcpy(p, code, sizeof code);
            mprotect(p, 4096, PROT_READ | PROT_EXEC);
            total = total * 10 + ((int (*)(void))p)();
        }
        mprotect(p, 4096, 7);
        pipe(fd);
        for (int i = 6; i < 9; i++) {   /* the kernel writes the code */
            code[1] = i;
            write(fd[1], code, sizeof code);
            read(fd[0], p, sizeof code);
            total = total * 10 + ((int (*)(void))p)();
        }
        code[1] = 9;
        memcpy(p, code, sizeof code);
        total = total * 10 + ((int (*)(void))p)();
        printf("%d\n", total);
    }
    """
    assert emulate(compile_guest(source)).output == b"123456789\n"


def test_code_on_the_stack_runs_only_if_the_file_asks_for_it(
    compile_guest: Callable[..., Path],
) -> None:
    # A nested function is called through a few instructions on the stack.
    assert process_of(compile_guest(NESTED, "-O1", "-Wl,-z,execstack")).run().exit_code == 42
    forbidden = process_of(compile_guest(NESTED, "-O1", "-Wl,-z,noexecstack")).run()
    assert (forbidden.kind, forbidden.signal) == (OutcomeKind.SIGNAL, "SIGSEGV")
