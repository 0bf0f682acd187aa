"""Signals: handlers run, return, nest and see what the kernel would show them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, OutcomeKind, Process, SignalEvent

PROLOGUE = r"""
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
static void set(int number, void *handler, int flags, int blocked) {
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = handler;
    a.sa_flags = SA_SIGINFO | flags;
    if (blocked) sigaddset(&a.sa_mask, blocked);
    sigaction(number, &a, 0);
}
"""

GUESTS = {
    "handler_of_raise": r"""
static volatile int seen;
static void on(int n, siginfo_t *i, void *u) { seen = n + (i->si_pid == getpid()); }
int main(void) { set(SIGUSR1, on, 0, 0); raise(SIGUSR1); printf("%d\n", seen); }
""",
    "real_time_signals_queue": r"""
static int n, numbers[40], values[40];
static void on(int number, siginfo_t *i, void *u) {
    numbers[n] = number; values[n++] = i->si_value.sival_int;
}
int main(void) {
    sigset_t all, one; struct timespec now = {0}; siginfo_t i; int got;
    sigfillset(&all);
    for (int k = 0; k < 2; k++) set(SIGRTMIN + k, on, 0, SIGRTMIN + !k);
    set(SIGUSR1, on, 0, 0);
    sigprocmask(SIG_BLOCK, &all, 0);
    for (int k = 0; k < 6; k++) {
        union sigval value = {.sival_int = k * 10};
        sigqueue(getpid(), SIGRTMIN + (k & 1), value); sigqueue(getpid(), SIGUSR1, value);
    }
    sigprocmask(SIG_UNBLOCK, &all, 0);
    for (int k = 0; k < n; k++)
        printf("%d %d\n", numbers[k] == SIGUSR1 ? 0 : numbers[k] - SIGRTMIN + 1, values[k]);
    sigprocmask(SIG_BLOCK, &all, 0);
    for (int k = 0; k < 3; k++) sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = k});
    sigemptyset(&one); sigaddset(&one, SIGRTMIN + 2);
    while ((got = sigtimedwait(&one, &i, &now)) > 0) printf("%d\n", i.si_value.sival_int);
}
""",
    "registers_survive": r"""
static void on(int n) {
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; fldz; fldpi"
                     ::: "xmm0", "xmm7");
}
int main(void) {
    signal(SIGUSR1, on);
    volatile long double before = 1.25L;
    double x = 3.5, y = 0;
    long a, b = getpid();
    __asm__ volatile("movsd %3, %%xmm7; fldl %3; mov $0x1122334455667788, %%rbx; stc;"
                     "mov $200, %%eax; mov %4, %%rdi; mov $10, %%esi; syscall;"
                     "sbb %0, %0; add %%rbx, %0; fstpl %1; movsd %%xmm7, %2"
                     : "=&r"(a), "=m"(y), "=m"(x) : "m"(x), "r"(b)
                     : "rax", "rbx", "rcx", "rdi", "rsi", "r11", "xmm7", "cc");
    printf("%lx %g %g %Lg\n", a, x, y, before);
}
""",
    "fault_is_repaired": r"""
static char *page;
static volatile int code;
static void on(int n, siginfo_t *i, void *u) {
    code = i->si_code * 10 + (i->si_addr == page + 5);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}
int main(void) {
    page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    set(SIGSEGV, on, 0, 0);
    page[5] = 7;
    printf("%d %d\n", page[5], code);
}
""",
    "division_many_times": r"""
static volatile int zero, count;
static void on(int n, siginfo_t *i, void *u) {
    count++;
    ((ucontext_t *)u)->uc_mcontext.gregs[REG_RIP] += 2;
}
int main(void) {
    set(SIGFPE, on, 0, 0);
    for (int k = 0; k < 50; k++)
        __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" ::: "eax", "ecx", "edx");
    printf("%d\n", count);
}
""",
    "longjmp_out_of_a_handler": r"""
static sigjmp_buf here;
static void on(int n) { siglongjmp(here, n); }
int main(void) {
    signal(SIGSEGV, on); signal(SIGILL, on);
    for (volatile int k = 0; k < 3; k++) {
        int n = sigsetjmp(here, 1);
        if (n) { printf("%d\n", n); continue; }
        if (k == 1) __asm__ volatile("ud2");
        *(volatile int *)8 = 1;
    }
}
""",
    "nested_and_masked": r"""
static void two(int n) { puts("two"); }
static void one(int n) { puts("one in"); raise(SIGUSR2); raise(SIGUSR1); puts("one out"); }
int main(void) {
    static int k;
    set(SIGUSR1, one, SA_RESETHAND, 0); signal(SIGUSR2, two);
    sigset_t s, p; sigemptyset(&s); sigaddset(&s, SIGUSR2); sigprocmask(SIG_BLOCK, &s, 0);
    signal(SIGUSR1, SIG_IGN); set(SIGUSR1, one, 0, SIGUSR2);
    if (!k++) { raise(SIGUSR2); sigpending(&p); printf("%d\n", sigismember(&p, SIGUSR2)); }
    sigprocmask(SIG_UNBLOCK, &s, 0);
    signal(SIGUSR1, two);
    puts("end");
}
""",
    "alternate_stack": r"""
static char stack[65536];
static void on(int n, siginfo_t *i, void *u) {
    char here;
    stack_t s;
    sigaltstack(0, &s);
    printf("%d %d\n", &here > stack && &here < stack + sizeof stack, s.ss_flags);
    exit(3);
}
static int deep(int n) { volatile char fill[4096]; fill[0] = n; return deep(n + 1) + fill[0]; }
int main(void) {
    stack_t s = { .ss_sp = stack, .ss_size = sizeof stack };
    sigaltstack(&s, 0);
    set(SIGSEGV, on, SA_ONSTACK, 0);
    return deep(0);
}
""",
    "suspend": r"""
static void on(int n) { puts("in handler"); }
int main(void) {
    sigset_t all, old;
    signal(SIGUSR1, on);
    sigfillset(&all); sigprocmask(SIG_SETMASK, &all, &old);
    raise(SIGUSR1);
    printf("%d\n", sigsuspend(&old));
}
""",
}


@pytest.mark.parametrize("name", GUESTS)
def test_as_natively(
    name: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    same_as_native(compile_guest(PROLOGUE + GUESTS[name], "-O1"))


def test_a_handler_that_returns_to_its_fault_meets_the_limit(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "static void on(int n) {}\nint main(void) { signal(SIGSEGV, on); *(volatile int *)0 = 1; }"
    )
    count = 0

    def hook(*_call: Any) -> None:
        nonlocal count
        count += 1

    outcome = emulate(compile_guest(source), max_instructions=50_000, on_instruction=hook).outcome
    assert outcome.kind is OutcomeKind.LIMIT
    assert count == 50_000


def test_no_room_for_the_frame(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "static void on(int n) {}\n"
        "static int deep(int n) { volatile char c[999]; c[0] = n; return deep(n + 1) + c[0]; }\n"
        "int main(void) { signal(SIGSEGV, on); return deep(0); }"
    )
    outcome = emulate(compile_guest(source)).outcome
    assert (outcome.kind, outcome.signal) == (OutcomeKind.SIGNAL, "SIGSEGV")


def test_observers_hear_of_delivery_and_return(compile_guest: Callable[..., Path]) -> None:
    process = Process(
        Image.from_file(compile_guest(PROLOGUE + GUESTS["handler_of_raise"])),
        stdout=lambda _data: None,
    )
    events = []
    process.on_signal.append(
        lambda event, number, state: events.append((event, number, state.general[16]))
    )
    trace: list[int] = []
    assert process.run(lambda *call: trace.append(call[1])).exit_code == 0
    (delivered, number, interrupted), (returned, _, resumed) = events
    assert (delivered, number, returned) == (SignalEvent.DELIVERED, 10, SignalEvent.RETURNED)
    assert interrupted == resumed
    handler = process.image.address_of("on")
    assert trace[trace.index(handler) - 1] == interrupted - 2, "the handler follows the system call"
    assert interrupted in trace


def test_queues_of_signals_end(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    """A million signals that are never delivered take no more room than the longest queue."""
    program = compile_guest(
        PROLOGUE
        + r"""
        #include <errno.h>
        int main(void) {
            sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0);
            int n = 0;
            while (!sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = n})) n++;
            printf("%d %s\n", n, strerrorname_np(errno));
        }
        """
    )
    assert emulate(program).output == b"1024 EAGAIN\n"
