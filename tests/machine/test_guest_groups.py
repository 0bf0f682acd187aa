"""Process groups, sessions, limits and niceness: as they are natively."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROLOGUE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
static int status;
static void try(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}
int main(void) {
    setvbuf(stdout, 0, _IONBF, 0);
"""

GUESTS = {
    "a_group_of_its_own": r"""
    pid_t p = fork();
    if (!p) {
        try("leave", setpgid(0, 0)); printf("%d\n", getpgrp() == getpid());
        pid_t q = fork();
        if (!q) { pause(); _exit(1); }
        usleep(1000); signal(SIGTERM, SIG_IGN); kill(0, SIGTERM);
        waitpid(q, &status, 0); printf("%d\n", WTERMSIG(status));
        _exit(3);
    }
    waitpid(p, &status, 0); printf("%d\n", WEXITSTATUS(status));
""",
    "killed_and_waited_for_by_group": r"""
    pid_t p[3];
    for (int k = 0; k < 3; k++) {
        if (!(p[k] = fork())) { pause(); _exit(0); }
        try("join", setpgid(p[k], p[0]));
    }
    printf("%d\n", getpgid(p[2]) == p[0]);
    try("kill", kill(-p[0], SIGKILL));
    for (int k = 0; k < 3; k++) { waitpid(-p[0], &status, 0); printf("%d\n", WTERMSIG(status)); }
    try("nobody left", kill(-p[0], 0)); try("none to wait for", waitpid(-p[0], &status, 0));
    try("own group", waitpid(0, &status, 0));
""",
    "sessions": r"""
    pid_t p = fork();
    if (!p) {
        printf("%d %d %d\n", setsid() == getpid(), getsid(0) == getpid(), getpgrp() == getpid());
        try("again", setsid()); try("a leader stays", setpgid(0, 0));
        _exit(0);
    }
    waitpid(p, &status, 0);
    try("nobody", getsid(p)); try("no group", setpgid(0, 1 << 30)); try("negative", setpgid(0, -5));
""",
    "limits_are_kept": r"""
    struct rlimit limit = {50, 100};
    try("set", setrlimit(RLIMIT_NOFILE, &limit)); getrlimit(RLIMIT_NOFILE, &limit);
    printf("%d %d\n", (int)limit.rlim_cur, (int)limit.rlim_max);
    if (!fork()) {
        getrlimit(RLIMIT_NOFILE, &limit); printf("%d\n", (int)limit.rlim_cur);
        int last = 0, fd; while ((fd = dup(1)) >= 0) last = fd;
        try("one more", fd); printf("%d\n", last); _exit(0);
    }
    wait(&status);
    limit = (struct rlimit){9, 8}; try("soft above hard", setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){0, 0}; try("core", setrlimit(RLIMIT_CORE, &limit));
    getrlimit(RLIMIT_CORE, &limit); printf("%d\n", (int)limit.rlim_max);
    try("none", getrlimit(99, &limit));
""",
    "niceness_is_kept": r"""
    int before = getpriority(PRIO_PROCESS, 0);
    errno = 0; setpriority(PRIO_PROCESS, 0, before < 17 ? before + 2 : 19);
    if (!fork()) _exit(getpriority(PRIO_PROCESS, 0) == (before < 17 ? before + 2 : 19));
    wait(&status); printf("%d\n", WEXITSTATUS(status));
    try("no such kind", getpriority(7, 0));
""",
}


@pytest.mark.parametrize("name", GUESTS)
def test_as_natively(
    name: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    finished = same_as_native(compile_guest(PROLOGUE + GUESTS[name] + "}"))
    calls = finished.process.system_calls
    assert not [name for name, call in calls.items() if call.unsupported]


def test_timeout_ends_its_own_group(same_as_native: Callable[..., Any]) -> None:
    """The shell that started it goes on."""
    shell = shutil.which("dash")
    if shell is None or shutil.which("timeout") is None:
        pytest.skip("no dash or timeout")
    same_as_native(Path(shell), "-c", "timeout 0.1 sleep 5; echo $?; timeout 5 true; echo $?")
