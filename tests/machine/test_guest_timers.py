"""Timers fire when they must, and profiling signals at exactly the instruction they are due."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, OutcomeKind, Process, SignalEvent, UserState

PROLOGUE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/select.h>
#include <sys/time.h>
static volatile int count;
static void on(int n) { count++; }
"""

GUESTS = {
    "overruns_are_counted": r"""
static volatile int told = -1, answered;
static timer_t timer;
static void late(int number, siginfo_t *i, void *u) {
    told = i->si_overrun; answered = timer_getoverrun(timer);
}
int main(void) {
    struct sigaction action = {.sa_sigaction = late, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec every = {{0, 10000000}, {0, 10000000}};
    sigset_t set; sigemptyset(&set); sigaddset(&set, SIGRTMIN);
    sigaction(SIGRTMIN, &action, 0); sigprocmask(SIG_BLOCK, &set, 0);
    timer_create(CLOCK_MONOTONIC, &event, &timer); timer_settime(timer, 0, &every, 0);
    usleep(105000);
    sigprocmask(SIG_UNBLOCK, &set, 0);
    printf("%d %d\n", told >= 8, answered == told);
}
""",
    "alarm_ends_a_sleep": r"""
int main(void) {
    signal(SIGALRM, on);
    printf("%u", alarm(1)); printf(" %d", sleep(3) > 0); printf(" %d %u\n", count, alarm(0));
}
""",
    "alarm_ends_a_loop": r"""
int main(void) {
    struct itimerval t = { {0, 0}, {0, 20000} };
    signal(SIGALRM, on); setitimer(ITIMER_REAL, &t, 0);
    while (!count);
    getitimer(ITIMER_REAL, &t);
    printf("%d %ld\n", count, t.it_value.tv_sec + t.it_value.tv_usec);
}
""",
    "profiling_timer": r"""
int main(void) {
    struct itimerval t = { {0, 5000}, {0, 5000} }, old;
    signal(SIGPROF, on); setitimer(ITIMER_PROF, &t, 0);
    while (count < 5);
    memset(&t, 0, sizeof t); setitimer(ITIMER_PROF, &t, &old);
    printf("%d %ld\n", count >= 5, old.it_interval.tv_usec);
}
""",
    "posix_timers": r"""
static void told(int n, siginfo_t *i, void *u) { count += i->si_value.sival_int; }
static void called(union sigval v) { count += v.sival_int; }
int main(void) {
    struct sigaction a = { .sa_sigaction = told, .sa_flags = SA_SIGINFO };
    struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec s = { {0, 0}, {0, 2000000} };
    timer_t t, u;
    sigaction(SIGUSR1, &a, 0);
    e.sigev_value.sival_int = 70;
    timer_create(CLOCK_MONOTONIC, &e, &t); timer_settime(t, 0, &s, 0);
    while (count < 70) usleep(500);
    clock_gettime(CLOCK_REALTIME, &s.it_value); s.it_value.tv_sec++;
    timer_create(CLOCK_REALTIME, &e, &u); timer_settime(u, TIMER_ABSTIME, &s, 0);
    while (count < 140) pause();
    struct sigevent f = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = called };
    f.sigev_value.sival_int = 5;
    timer_t w; struct itimerspec q = { {0, 0}, {0, 1000000} };
    timer_create(CLOCK_MONOTONIC, &f, &w); timer_settime(w, 0, &q, 0);
    while (count < 145) usleep(1000);
    printf("%d %d %d\n", count, timer_delete(t), timer_delete(u));
}
""",
    "sigwait_beside_an_open_thread": r"""
static volatile int done;
static void *other(void *a) { while (!done) sched_yield(); return 0; }
int main(void) {
    sigset_t set; siginfo_t i; pthread_t t; struct timespec s = { 2, 0 };
    signal(SIGUSR1, on);
    pthread_create(&t, 0, other, 0);
    sigemptyset(&set); sigaddset(&set, SIGUSR1); pthread_sigmask(SIG_BLOCK, &set, 0);
    kill(getpid(), SIGUSR1); while (!count) usleep(1000);
    printf("%d\n", count);
    pthread_kill(pthread_self(), SIGUSR1);
    printf("%d\n", sigtimedwait(&set, &i, &s) == SIGUSR1);
    done = 1; pthread_join(t, 0);
}
""",
    "waits_with_an_end": r"""
int main(void) {
    int fd[2]; pipe(fd);
    struct pollfd p = { fd[0], POLLIN };
    struct timeval v = { 0, 1000 };
    struct timespec s = { 0, 1000000 };
    fd_set r; FD_ZERO(&r); FD_SET(fd[0], &r);
    printf("%d", poll(&p, 1, 5)); printf(" %d", select(fd[0] + 1, &r, 0, 0, &v));
    printf(" %d\n", FD_ISSET(fd[0], &r));
    sigset_t set, none; sigemptyset(&none); sigemptyset(&set); sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    printf("%d", sigtimedwait(&set, 0, &s)); printf(" %d\n", errno == EAGAIN);
    signal(SIGUSR1, on); raise(SIGUSR1);
    printf("%d", ppoll(&p, 1, 0, &none)); printf(" %d %d\n", errno == EINTR, count);
    sigprocmask(SIG_BLOCK, 0, &set); printf("%d\n", sigismember(&set, SIGUSR1));
}
""",
}


@pytest.mark.parametrize("kind", ["-static", "-pie"])
@pytest.mark.parametrize("name", GUESTS)
def test_as_natively(
    name: str, kind: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    program = compile_guest(PROLOGUE + GUESTS[name], "-O1", kind=kind)
    finished = same_as_native(program)
    calls = finished.process.system_calls
    assert not [name for name, call in calls.items() if call.unsupported]


def test_a_deadly_alarm(compile_guest: Callable[..., Path], emulate: Callable[..., Any]) -> None:
    source = PROLOGUE + "int main(void) { alarm(1); for (;;) pause(); }"
    outcome = emulate(compile_guest(source)).outcome
    assert (outcome.kind, outcome.signal) == (OutcomeKind.SIGNAL, "SIGALRM")


def test_a_timer_nobody_hears(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "int main(void) { struct itimerval t = { {0, 100}, {0, 100} };"
        " signal(SIGALRM, SIG_IGN); setitimer(ITIMER_REAL, &t, 0); pause(); }"
    )
    outcome = emulate(compile_guest(source)).outcome
    assert outcome.message == "deadlock in pause: the only thread waits for a signal"


WORK = r"""
static int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
int main(void) {
    signal(SIGPROF, on);
    printf("%d\n", f(12));
    signal(SIGPROF, SIG_DFL);
    printf("%d\n", f(10));
}
"""


@pytest.mark.parametrize("every", [97, 1000])
def test_profiling_signals_are_exact(every: int, compile_guest: Callable[..., Path]) -> None:
    output = bytearray()
    process = Process(
        Image.from_file(compile_guest(PROLOGUE + WORK)), stdout=output.extend, signal_every=every
    )
    executed = 0
    delivered: list[int] = []
    interrupted: list[int] = []
    pcs: list[int] = []

    def told(event: SignalEvent, _number: int | None, state: UserState) -> None:
        if event is SignalEvent.DELIVERED:
            delivered.append(executed)
            interrupted.append(state.general[16])
            assert process.instructions == executed

    def hook(_engine: int, pc: int, _size: int, _data: Any) -> None:
        nonlocal executed
        executed += 1
        pcs.append(pc)

    process.on_signal.append(told)
    assert process.run(hook).exit_code == 0
    assert output == b"144\n55\n"
    assert delivered
    assert all(at % every == 0 for at in delivered)
    gaps = {after - before for before, after in pairwise(delivered)}
    assert gaps == {every}
    assert process.profiling.sent == len(delivered)
    assert process.profiling.sent + process.profiling.ignored == executed // every
    handler = process.image.address_of("on")
    assert {pcs[at] for at in delivered} == {handler}


def test_a_stopped_run_goes_on_with_the_same_signals(compile_guest: Callable[..., Path]) -> None:
    program = compile_guest(PROLOGUE + WORK)

    def deliveries(limits: list[int | None]) -> list[int]:
        process = Process(Image.from_file(program), stdout=lambda _data: None, signal_every=500)
        found: list[int] = []
        process.on_signal.append(
            lambda _event, number, state: found.append(state.general[16]) if number else None
        )
        for limit in limits:
            stopping = 0

            def hook(*_call: Any) -> None:
                nonlocal stopping
                stopping += 1
                if stopping == 1234 and limit == -1:  # noqa: B023 -- called in this round only
                    process.stop()

            process.run(hook, None if limit == -1 else limit)
        return found

    assert deliveries([None]) == deliveries([10_000, 1, 499, -1, -1, None])


THREADS = r"""
#define THREADS 4
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long total; static __thread long own;
static void handler(int n, siginfo_t *i, void *u) {
    own++; __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED); errno = 99;
}
static double f(int n, double x) { return n ? f(n - 1, x * 1.25 + n) * 0.5 : x; }
static void *work(void *a) {
    double x = 0; char text[64];
    for (int k = 0; k < 60; k++) {
        x += f(k % 17, k);
        snprintf(text, sizeof text, "%.3f", x);
        pthread_mutex_lock(&m); total += strlen(text); pthread_mutex_unlock(&m);
    }
    return 0;
}
int main(void) {
    struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
    sigaction(SIGPROF, &a, 0);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&t[i], 0, work, 0);
    for (int i = 0; i < THREADS; i++) pthread_join(t[i], 0);
    printf("%ld\n", total);
}
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_random_signals_change_nothing(
    seed: int, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    program = compile_guest(PROLOGUE + THREADS, "-O2")
    finished = same_as_native(program, signal_every=300, signal_seed=seed, quantum=777, seed=seed)
    assert finished.process.profiling.sent > 1000
    assert finished.process.profiling.ignored < 200
