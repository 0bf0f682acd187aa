"""A guest that faults ends with the kernel's signal and a message that says where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import OutcomeKind

FAULTS = {
    # name: (statement of main, kind, signal, parts of the message)
    "null_store": ("*(volatile int *)0 = 1;", "SIGSEGV", "write to unmapped address 0x0"),
    "null_call": ("((void (*)(void))0)();", "SIGSEGV", "fetch from unmapped address 0x0 at 0x0"),
    "non_canonical_jump": (
        "((void (*)(void))((long)main | 1L << 60))();",
        "SIGSEGV",
        "fetch from unmapped address 0x1000000000",
    ),
    "text_store": ("*(volatile char *)main = 1;", "SIGSEGV", "write to protected address"),
    "data_call": ('((void (*)(void))"data")();', "SIGSEGV", "fetch from protected address"),
    "stack_overflow": ("main(argc, argv);", "SIGSEGV", "write to unmapped address 0x7fffff7f"),
    "division": ("volatile int z = 0; return 100 / z;", "SIGFPE", "division error"),
    "ud2": ('__asm__("ud2");', "SIGILL", "0f 0b  ud2"),
    "bad_opcode": ('__asm__(".byte 0x06");', "SIGILL", "invalid instruction"),
    "halt": ('__asm__("hlt");', "SIGSEGV", "f4  hlt"),
    "port": ('__asm__("in %dx, %al");', "SIGSEGV", "ec  in al, dx"),
    "control_register": ('__asm__("mov %cr0, %rax");', "SIGSEGV", "privileged"),
    "breakpoint": ('__asm__("int3");', "SIGTRAP", "cc  int3"),
    "interrupt": ('__asm__("int $0x42");', "SIGSEGV", "cd 42  int 0x42"),
    "abort": ("abort();", "SIGABRT", "ended by SIGABRT"),
    "raise": ("raise(SIGUSR1);", "SIGUSR1", "ended by SIGUSR1"),
    "assert": ("assert(!argc);", "SIGABRT", "ended by SIGABRT"),
    "protected": (
        "char *p = mmap(0, 8192, 3, 34, -1, 0); p[5000] = 1; mprotect(p + 4096, 4096, 1);"
        "p[4095] = 1; p[4096] = 1;",
        "SIGSEGV",
        "write to protected address",
    ),
}
PROLOGUE = """
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
int main(int argc, char **argv) {
"""


@pytest.mark.parametrize("name", FAULTS)
def test_fault_ends_with_its_signal(
    name: str, compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    statement, signal, part = FAULTS[name]
    outcome = emulate(compile_guest(PROLOGUE + statement + "}", "-O0")).outcome
    assert (outcome.kind, outcome.signal) == (OutcomeKind.SIGNAL, signal), outcome
    assert outcome.exit_code is None
    assert part in outcome.message
    assert "\n" not in outcome.message


UNSUPPORTED = {
    "avx_256": ("vaddps %ymm0, %ymm1, %ymm2", "has no vaddps"),
    "avx_128": ("vaddps %xmm0, %xmm1, %xmm2", "has no vaddps"),
    "avx_load": ("vmovdqu (%rsp), %xmm0", "has no vmovdqu"),
    "avx2": ("vpbroadcastb %xmm0, %ymm1", "has no vpbroadcastb"),
    "fma": ("vfmadd213ps %xmm0, %xmm1, %xmm2", "has no vfmadd213ps"),
    "bmi": ("andn %rax, %rbx, %rcx", "has no andn"),
    "random": ("rdrand %rax", "has no rdrand"),
    "xgetbv": ("xgetbv", "has no xgetbv"),
    "sha": ("sha1msg1 %xmm0, %xmm1", "has no sha1msg1"),
    "int_0x80": ("int $0x80", "32-bit system call (int 0x80)"),
    "sysenter": ("sysenter", "32-bit system call (sysenter)"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_the_processor_cannot_do_is_said(
    name: str, compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    instruction, part = UNSUPPORTED[name]
    source = f'int main(void) {{ __asm__ volatile("{instruction}"); return 0; }}'
    outcome = emulate(compile_guest(source, "-O0")).outcome
    assert outcome.kind is OutcomeKind.UNSUPPORTED
    assert part in outcome.message
    assert "main+" in outcome.message, "the function is named"


def test_the_message_names_module_function_bytes_and_instruction(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    program = compile_guest(
        "__attribute__((noinline)) int victim(int *p) { return *p; }"
        "int main(void) { return victim((int *)16); }"
    )
    outcome = emulate(program).outcome
    assert outcome.message.startswith("SIGSEGV: read of unmapped address 0x10 at 0x4")
    assert outcome.message.endswith(f"({program}: victim+0x0): 8b 07  mov eax, dword ptr [rdi]")


def test_processor_claims_only_what_it_runs(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = """
    #include <cpuid.h>
    #include <stdio.h>
    int main(void) {
        unsigned a, b, c, d;
        __get_cpuid(1, &a, &b, &c, &d);
        printf("%d %d %d %d %d %d\\n", !!(c & bit_SSE4_2), !!(c & bit_POPCNT), !!(c & bit_AVX),
               !!(c & bit_XSAVE), !!(c & bit_OSXSAVE), !!(c & bit_RDRND));
        __get_cpuid_count(7, 0, &a, &b, &c, &d);
        printf("%x\\n", b);
        __builtin_cpu_init();
        puts(__builtin_cpu_supports("avx2") ? "avx2" : "no avx2");
    }
    """
    assert emulate(compile_guest(source)).output == b"1 1 0 0 0 0\n0\nno avx2\n"
