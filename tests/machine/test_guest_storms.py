"""Processes and threads that make random system calls with random arguments end in order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import OutcomeKind
from emu.machine.linux.table import HANDLERS

SOURCE = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static unsigned long state;
static unsigned long next(void) {
    state ^= state << 13; state ^= state >> 7; return state ^= state << 17;
}
static char buffer[65536];
static const char *arguments[] = { "/bin/echo", "storm", 0 };
static const int calls[] = { CALLS };
static unsigned long argument(void) {
    switch (next() % 14) {
    case 0: return 0;
    case 1: return 1;
    case 2: return (unsigned long)buffer + (next() & 0xff8);
    case 3: return -1;
    case 4: return next();
    case 5: return next() % 64;
    case 6: return 4096;
    case 7: return (unsigned long)arguments;
    case 8: return (unsigned long)arguments[0];
    case 9: return 1UL << next() % 64;
    case 10: return 1000 + next() % 8;
    case 11: return 0x3d0f00;       /* the flags of a thread */
    case 12: return 0x4100;         /* of a vfork child */
    default: return (unsigned long)buffer + 32768;
    }
}
static void on(int n) {}
static void *yield(void *a) { for (int i = 0; i < 500; i++) sched_yield(); return 0; }
static void storm(void) {
    for (int i = 0; i < 120; i++) {
        memset(buffer, next() % 4 ? 0 : next(), 256);
        int call = calls[next() % (sizeof calls / sizeof *calls)];
        if ((call == 60 || call == 231) && next() % 8) continue;
        if ((call == 62 || call == 200 || call == 234) && next() % 4) continue;
        syscall(call, argument(), argument(), argument(), argument(), argument(), argument());
    }
}
int main(int c, char **v) {
    state = strtoul(v[1], 0, 10) * 0x9E3779B97F4A7C15UL + 1;
    signal(SIGUSR1, on); signal(SIGALRM, on); signal(SIGPROF, on);
    for (int k = 0; k < 6; k++) {
        next();
        if (!fork()) {
            pthread_t t;
            if (k & 1) pthread_create(&t, 0, yield, 0);
            storm();
            _exit(0);
        }
    }
    for (int k = 0; k < 6; k++) wait(0);
    return 0;
}
"""


@pytest.mark.parametrize("seed", range(8))
def test_a_storm_ends_as_a_run_may(
    seed: int, compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    # The sockets and attributes are all refused alike; they would only thin out the others.
    calls = ",".join(str(number) for number in sorted(HANDLERS) if not 188 <= number < 200)
    program = compile_guest(SOURCE, "-O1", f"-DCALLS={calls}")
    finished = emulate(
        program,
        str(seed),
        max_instructions=3_000_000,
        quantum=300,
        seed=seed % 3,
        signal_every=1000 if seed % 2 else None,
    )
    outcome = finished.outcome
    assert outcome.kind in (
        OutcomeKind.EXIT,
        OutcomeKind.LIMIT,
        OutcomeKind.SIGNAL,
    ) or outcome.message.startswith("deadlock")
    again = emulate(
        program,
        str(seed),
        max_instructions=3_000_000,
        quantum=300,
        seed=seed % 3,
        signal_every=1000 if seed % 2 else None,
    )
    assert again.outcome == outcome
    assert again.output == finished.output
    assert again.process.instructions == finished.process.instructions
