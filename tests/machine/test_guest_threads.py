"""Threads: programs end as they do natively, whatever the turns; observers see each switch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, OutcomeKind, Process, Thread, ThreadEvent

PROLOGUE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
"""

GUESTS = {
    "create_and_join": r"""
static __thread int own = 5;
static void *work(void *a) { own += (long)a; return (void *)(long)(own * 10); }
int main(void) {
    pthread_t t[8]; void *r; long sum = 0;
    for (long i = 0; i < 8; i++) pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < 8; i++) { pthread_join(t[i], &r); sum = sum * 3 + (long)r; }
    printf("%ld %d\n", sum, own);
}
""",
    "mutex": r"""
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile int shared;
static double result[4];
static void *work(void *a) {
    double x = (long)a + 0.5;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&m);
        int seen = shared; for (volatile int k = 0; k < 3; k++); shared = seen + 1;
        pthread_mutex_unlock(&m);
        x = x * 1.0000001 + 0.25;
    }
    result[(long)a] = x;
    return 0;
}
int main(void) {
    pthread_t t[4];
    for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
    printf("%d", shared);
    for (int i = 0; i < 4; i++) printf(" %.17g", result[i]);
    puts("");
}
""",
    "condition": r"""
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t full = PTHREAD_COND_INITIALIZER, empty = PTHREAD_COND_INITIALIZER;
static int box = -1;
static void *producer(void *a) {
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&m);
        while (box >= 0) pthread_cond_wait(&empty, &m);
        box = i;
        pthread_cond_signal(&full);
        pthread_mutex_unlock(&m);
    }
    return 0;
}
int main(void) {
    pthread_t t; long sum = 0;
    pthread_create(&t, 0, producer, 0);
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&m);
        while (box < 0) pthread_cond_wait(&full, &m);
        sum = sum * 7 + box; box = -1;
        pthread_cond_broadcast(&empty);
        pthread_mutex_unlock(&m);
    }
    pthread_join(t, 0);
    struct timespec at; clock_gettime(CLOCK_REALTIME, &at); at.tv_sec++;
    pthread_mutex_lock(&m);
    int timed = pthread_cond_timedwait(&full, &m, &at);
    printf("%ld %d\n", sum, timed == ETIMEDOUT);
}
""",
    "barrier_semaphore_once": r"""
static pthread_barrier_t b; static sem_t s; static pthread_once_t o = PTHREAD_ONCE_INIT;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static int count, phases[3];
static void once(void) { count++; }
static void *work(void *a) {
    pthread_once(&o, once);
    for (int i = 0; i < 3; i++) {
        pthread_rwlock_wrlock(&rw); phases[i]++; pthread_rwlock_unlock(&rw);
        pthread_barrier_wait(&b);
        pthread_rwlock_rdlock(&rw);
        if (phases[i] != 4) puts("too early");
        pthread_rwlock_unlock(&rw);
    }
    sem_post(&s);
    return 0;
}
int main(void) {
    pthread_t t[4];
    pthread_barrier_init(&b, 0, 4); sem_init(&s, 0, 0);
    for (int i = 0; i < 4; i++) { pthread_create(&t[i], 0, work, 0); pthread_detach(t[i]); }
    for (int i = 0; i < 4; i++) sem_wait(&s);
    printf("%d %d%d%d\n", count, phases[0], phases[1], phases[2]);
}
""",
    "cancel": r"""
static void cleanup(void *a) { puts(a); }
static volatile int asleep;
static void *sleeper(void *a) {
    pthread_cleanup_push(cleanup, "cleaned");
    asleep = 1;
    for (;;) sleep(1000);
    pthread_cleanup_pop(0);
    return 0;
}
static volatile long spins;
static void *spinner(void *a) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
    for (;;) spins++;
}
static void *leaver(void *a) { pthread_cleanup_push(cleanup, "left"); pthread_exit((void *)7);
    pthread_cleanup_pop(0); }
int main(void) {
    pthread_t t; void *r;
    pthread_create(&t, 0, sleeper, 0); while (!asleep) sched_yield();
    pthread_cancel(t); pthread_join(t, &r);
    printf("%d\n", r == PTHREAD_CANCELED);
    pthread_create(&t, 0, spinner, 0); while (!spins) sched_yield();
    pthread_cancel(t); pthread_join(t, &r);
    printf("%d %d\n", r == PTHREAD_CANCELED, spins > 0);
    pthread_create(&t, 0, leaver, 0); pthread_join(t, &r);
    printf("%ld\n", (long)r);
}
""",
    "signals_between_threads": r"""
static __thread int mine; static volatile int got; static pthread_t target;
static void on(int n) { mine = n; got = pthread_equal(pthread_self(), target); }
static void *waits(void *a) {
    char stack[16384]; stack_t s = { .ss_sp = stack, .ss_size = sizeof stack };
    sigaltstack(&s, 0);
    sigset_t none; sigemptyset(&none);
    while (!got) sigsuspend(&none);
    int seen = mine; mine = 0;
    s.ss_flags = SS_DISABLE; sigaltstack(&s, 0);
    return (void *)(long)seen;
}
static void *masked(void *a) {
    sigset_t set; int n;
    sigemptyset(&set); sigaddset(&set, SIGUSR2);
    sigwait(&set, &n);
    return (void *)(long)n;
}
int main(void) {
    struct sigaction sa = { .sa_handler = on, .sa_flags = SA_ONSTACK };
    sigaction(SIGUSR1, &sa, 0);
    void *r; sigset_t one; sigemptyset(&one); sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, 0);
    pthread_create(&target, 0, waits, 0);
    usleep(100); pthread_kill(target, SIGUSR1); pthread_join(target, &r);
    printf("%ld %d\n", (long)r, mine);
    sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, 0);
    pthread_t t; pthread_create(&t, 0, masked, 0);
    kill(getpid(), SIGUSR2); pthread_join(t, &r);
    printf("%ld %d\n", (long)r, pthread_kill(pthread_self(), 0));
}
""",
    "interrupted_and_restarted": r"""
#include <sys/types.h>
static void on(int n) {}
static int fd[2]; static pthread_t main_thread;
static void *pokes(void *a) {
    usleep(50000); pthread_kill(main_thread, SIGUSR1);
    usleep(50000); pthread_kill(main_thread, SIGUSR2);
    usleep(50000); write(fd[1], "x", 1);
    return 0;
}
int main(void) {
    struct sigaction again = { .sa_handler = on, .sa_flags = SA_RESTART };
    struct sigaction fails = { .sa_handler = on };
    sigaction(SIGUSR1, &again, 0); sigaction(SIGUSR2, &fails, 0);
    pipe(fd); main_thread = pthread_self();
    pthread_t t; pthread_create(&t, 0, pokes, 0);
    char c = 0; int n = read(fd[0], &c, 1);
    printf("%d %d\n", n, errno == EINTR);
    n = read(fd[0], &c, 1);
    printf("%d %c\n", n, c);
    pthread_join(t, 0);
    struct timespec left, wanted = { 0, 50000000 };
    printf("%d\n", nanosleep(&wanted, &left));
}
""",
    "main_leaves_first": r"""
static void *work(void *a) { usleep(50); puts("still here"); return 0; }
int main(void) { pthread_t t; pthread_create(&t, 0, work, 0); pthread_exit(0); }
""",
    "robust_mutex": r"""
static pthread_mutex_t m;
static void *dies(void *a) { pthread_mutex_lock(&m); return 0; }
int main(void) {
    pthread_mutexattr_t a; pthread_t t;
    pthread_mutexattr_init(&a); pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &a);
    pthread_create(&t, 0, dies, 0); pthread_join(t, 0);
    printf("%d\n", pthread_mutex_lock(&m) == EOWNERDEAD);
}
""",
    "names_and_numbers": r"""
static void *work(void *a) {
    char n[16];
    pthread_setname_np(pthread_self(), "worker"); pthread_getname_np(pthread_self(), n, 16);
    puts(n);
    return (void *)(long)(gettid() - getpid());
}
int main(void) {
    pthread_t t; void *r; pthread_create(&t, 0, work, 0); pthread_join(t, &r);
    printf("%d %d\n", r != 0, gettid() == getpid());
    sched_yield();
}
""",
}  # fmt: skip

EXCEPTIONS = r"""
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct Guard { std::atomic<int> &n; Guard(std::atomic<int> &x) : n(x) {} ~Guard() { n++; } };
static std::atomic<int> unwound;
static int deep(int n) {
    Guard guard(unwound);
    if (!n) throw std::runtime_error("bottom");
    return deep(n - 1) + 1;
}
int main() {
    std::vector<std::thread> threads;
    std::mutex mutex; std::string seen; long caught = 0;
    for (int i = 0; i < 5; i++)
        threads.emplace_back([&, i] {
            for (int k = 0; k < 10; k++)
                try { deep(i + k); }
                catch (const std::exception &e) {
                    std::lock_guard l(mutex); seen = e.what(); caught++;
                }
        });
    for (auto &t : threads) t.join();
    auto f = std::async(std::launch::async, [] { return deep(3); });
    try { f.get(); } catch (const std::runtime_error &e) { seen += "!"; }
    std::printf("%ld %d %s\n", caught, unwound.load(), seen.c_str());
}
"""


@pytest.mark.parametrize("kind", ["-static", "-pie"])
@pytest.mark.parametrize("name", GUESTS)
def test_as_natively(
    name: str, kind: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    program = compile_guest(PROLOGUE + GUESTS[name], "-O1", kind=kind)
    finished = same_as_native(program)
    calls = finished.process.system_calls
    assert not [name for name, call in calls.items() if call.unsupported]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mutex", {"quantum": 1}),
        ("condition", {"quantum": 1}),
        ("signals_between_threads", {"quantum": 1}),
        ("cancel", {"quantum": 137}),
        ("mutex", {"quantum": 37, "seed": 7}),
        ("condition", {"quantum": 37, "seed": 7}),
        ("barrier_semaphore_once", {"quantum": 11, "seed": 7}),
    ],
)
def test_any_turns_will_do(
    name: str,
    options: dict[str, int],
    compile_guest: Callable[..., Path],
    same_as_native: Callable[..., Any],
) -> None:
    same_as_native(compile_guest(PROLOGUE + GUESTS[name], "-O1"), **options)


@pytest.mark.parametrize("kind", ["-static", "-pie"])
@pytest.mark.parametrize("options", [{}, {"quantum": 101, "seed": 3}])
def test_exceptions_in_threads(
    kind: str,
    options: dict[str, int],
    compile_guest: Callable[..., Path],
    same_as_native: Callable[..., Any],
) -> None:
    same_as_native(compile_guest(EXCEPTIONS, "-O2", kind=kind, language="c++"), **options)


def trace_of(program: Path, **options: Any) -> tuple[list[tuple[int, int]], list[Any], Process]:
    """(tid, pc) of every instruction, and all events in place."""
    process = Process(Image.from_file(program), stdout=lambda _data: None, **options)
    trace: list[tuple[int, int]] = []
    events: list[Any] = []

    def told(event: ThreadEvent, thread: Thread) -> None:
        registers = process.registers.read()
        events.append((len(trace), event, thread.tid, registers, list(thread.registers)))

    process.on_thread.append(told)
    outcome = process.run(lambda *call: trace.append((process.current.tid, call[1])))
    assert outcome.kind is OutcomeKind.EXIT
    return trace, events, process


def test_observers_hear_of_every_switch(compile_guest: Callable[..., Path]) -> None:
    trace, events, process = trace_of(compile_guest(PROLOGUE + GUESTS["mutex"]), quantum=500)
    switches = {at: tid for at, event, tid, _, _ in events if event is ThreadEvent.SWITCHED}
    for index in range(1, len(trace)):
        changed = trace[index][0] != trace[index - 1][0]
        assert changed == (index in switches), "a switch is told before its first instruction"
    for at, event, tid, registers, _ in events:
        if event is ThreadEvent.SWITCHED and at < len(trace):
            assert trace[at] == (tid, registers[16])
    started = [(tid, own) for _, event, tid, _, own in events if event is ThreadEvent.STARTED]
    assert [tid for tid, _ in started] == [1001, 1002, 1003, 1004]
    for tid, own in started:
        first = next(pc for thread, pc in trace if thread == tid)
        assert own[16] == first
        assert own[0] == 0
    ended = [tid for _, event, tid, _, _ in events if event is ThreadEvent.ENDED]
    assert sorted(ended) == [1000, 1001, 1002, 1003, 1004]
    assert process.threads == []


def test_turns_are_exact(compile_guest: Callable[..., Path]) -> None:
    source = PROLOGUE + (
        "static void *spin(void *a) { for (;;); }\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, spin, 0);"
        " for (volatile int i = 0; i < 3000; i++); _exit(0); }"
    )
    trace, _, _ = trace_of(compile_guest(source), quantum=100)
    runs = []
    for tid, _ in trace:
        if runs and runs[-1][0] == tid:
            runs[-1][1] += 1
        else:
            runs.append([tid, 1])
    assert len(runs) > 50
    assert {length for _, length in runs[2:-1]} == {100}


def test_watching_changes_nothing(compile_guest: Callable[..., Path]) -> None:
    program = compile_guest(PROLOGUE + GUESTS["condition"])
    ends = []
    for hook in (None, lambda *_call: None):
        process = Process(Image.from_file(program), stdout=lambda _data: None, quantum=113)
        process.run(hook)
        ends.append((process.instructions, process.kernel.clock.elapsed, process.system_calls))
    assert ends[0] == ends[1]


def test_equal_seeds_equal_runs(compile_guest: Callable[..., Path]) -> None:
    program = compile_guest(PROLOGUE + GUESTS["mutex"])
    first, second, other = (
        trace_of(program, quantum=400, seed=seed)[0] for seed in (5, 5, 6)
    )  # fmt: skip
    assert first == second
    assert first != other


def test_the_limit_is_exact_with_threads(compile_guest: Callable[..., Path]) -> None:
    program = compile_guest(PROLOGUE + GUESTS["mutex"])
    whole, _, _ = trace_of(program, quantum=70)
    process = Process(Image.from_file(program), stdout=lambda _data: None, quantum=70)
    pieces: list[tuple[int, int]] = []
    for limit in (20_000, 1, 333, 5_000):
        outcome = process.run(lambda *call: pieces.append((process.current.tid, call[1])), limit)
        assert outcome.kind is OutcomeKind.LIMIT
    assert len(pieces) == 25_334
    assert pieces == whole[:25_334]
    assert process.instructions == 25_334
    assert process.run().kind is OutcomeKind.EXIT


def test_threads_that_wait_for_each_other(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "static pthread_t m;\nstatic void *w(void *a) { pthread_join(m, 0); return 0; }\n"
        "int main(void) { m = pthread_self(); pthread_t t; pthread_create(&t, 0, w, 0);"
        " pthread_mutex_t x = PTHREAD_MUTEX_INITIALIZER;"
        " pthread_mutex_lock(&x); pthread_mutex_lock(&x); }"
    )
    outcome = emulate(compile_guest(source)).outcome
    assert outcome.kind is OutcomeKind.UNSUPPORTED
    assert outcome.message.startswith("deadlock: 2 threads wait, futex for the futex at 0x")


def test_a_fault_in_a_thread_ends_the_process(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "static void *w(void *a) { return *(void **)a; }\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, w, 0); pthread_join(t, 0); }"
    )
    outcome = emulate(compile_guest(source)).outcome
    assert (outcome.kind, outcome.signal) == (OutcomeKind.SIGNAL, "SIGSEGV")
    assert "w+0x" in outcome.message
