"""Child processes, pipes between them, and other programs: as they do natively."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, MappingEvent, OutcomeKind, Process, ThreadEvent

PROLOGUE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
"""

GUESTS = {
    "fork_and_wait": r"""
static int kept = 1;
int main(void) {
    int status, *shared = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *own = malloc(100); strcpy(own, "parent");
    pid_t p = fork();
    if (!p) { kept = 2; strcpy(own, "child"); *shared = getppid() > 1; exit(kept + 40); }
    pid_t w = wait(&status);
    printf("%d %d %d ", w == p, WIFEXITED(status), WEXITSTATUS(status));
    printf("%d %s %d\n", kept, own, *shared);
    printf("%d %d\n", wait(&status), errno == ECHILD);
}
""",
    "children_in_order": r"""
int main(void) {
    pid_t p[5]; int status; long sum = 0; siginfo_t i;
    for (int k = 0; k < 5; k++) if (!(p[k] = fork())) _exit(k * 3);
    for (int k = 4; k >= 0; k--) {
        waitpid(p[k], &status, 0); sum = sum * 31 + WEXITSTATUS(status);
    }
    if (!fork()) { raise(SIGKILL); }
    waitid(P_ALL, 0, &i, WEXITED);
    printf("%ld %d %d\n", sum, i.si_code == CLD_KILLED, i.si_status);
    if (!fork()) *(volatile int *)8 = 1;
    wait(&status);
    printf("%d %d\n", WIFSIGNALED(status), WTERMSIG(status));
}
""",
    "pipes_both_ways": r"""
int main(void) {
    int to[2], from[2]; char line[64]; static char big[300000]; long total = 0; ssize_t n;
    pipe(to); pipe(from);
    if (!fork()) {
        close(to[1]); close(from[0]);
        while ((n = read(to[0], line, sizeof line)) > 0)
            for (ssize_t k = 0; k < n; k++) { line[k] ^= 32; write(from[1], line + k, 1); }
        memset(big, 'b', sizeof big);
        for (size_t done = 0; done < sizeof big; done += n)
            n = write(from[1], big + done, sizeof big - done);
        _exit(0);
    }
    close(to[0]); close(from[1]);
    write(to[1], "hello", 5); read(from[0], line, 1); read(from[0], line + 1, 1);
    close(to[1]);
    while ((n = read(from[0], big, 1000)) > 0) total += n;
    printf("%.2s %ld\n", line, total);
    signal(SIGPIPE, SIG_IGN);
    pipe(to); close(to[0]);
    printf("%zd %d\n", write(to[1], "x", 1), errno == EPIPE);
}
""",
    "child_signal": r"""
static volatile int seen, code, status;
static void on(int n, siginfo_t *i, void *u) {
    seen = i->si_pid; code = i->si_code; status = i->si_status;
}
int main(void) {
    struct sigaction a = { .sa_sigaction = on, .sa_flags = SA_SIGINFO };
    sigset_t none, all;
    sigaction(SIGCHLD, &a, 0);
    sigfillset(&all); sigemptyset(&none); sigprocmask(SIG_SETMASK, &all, 0);
    pid_t p = fork();
    if (!p) _exit(9);
    sigsuspend(&none);
    printf("%d %d %d\n", seen == p, code == CLD_EXITED, status);
    printf("%d\n", waitpid(p, 0, 0) == p);
    signal(SIGCHLD, SIG_IGN);
    if (!fork()) _exit(1);
    printf("%d %d\n", wait(0), errno == ECHILD);
}
""",
    "vfork_and_spawn": r"""
int main(int c, char **v) {
    if (c > 1) { printf("%s %s\n", v[1], getenv("GIVEN") ? getenv("GIVEN") : "none"); return 6; }
    volatile int shared = 0; int status; pid_t p = vfork();
    if (!p) { shared = 5; _exit(3); }
    waitpid(p, &status, 0);
    printf("%d %d\n", shared, WEXITSTATUS(status));
    fflush(stdout);
    char *args[] = { v[0], "spawned", 0 }, *env[] = { "GIVEN=this", 0 };
    printf("%d\n", posix_spawn(&p, "/no/such/program", 0, 0, args, env));
    fflush(stdout);
    posix_spawn(&p, v[0], 0, 0, args, env);
    waitpid(p, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
    fflush(stdout);
    if (!(p = vfork())) { execve(v[0], args, environ); _exit(1); }
    waitpid(p, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
}
""",
    "exec_keeps_what_it_must": r"""
int main(int c, char **v) {
    struct sigaction a; sigset_t s;
    if (c > 1) {
        sigaction(SIGUSR1, 0, &a); printf("%d", a.sa_handler == SIG_DFL);
        sigaction(SIGUSR2, 0, &a); printf("%d", a.sa_handler == SIG_IGN);
        sigprocmask(0, 0, &s); printf("%d", sigismember(&s, SIGHUP));
        printf("%d%d", fcntl(10, F_GETFD), fcntl(11, F_GETFD));
        printf("%d\n", atoi(v[1]) == getpid());
        return 0;
    }
    char number[20]; sprintf(number, "%d", getpid());
    signal(SIGUSR1, (void *)main); signal(SIGUSR2, SIG_IGN);
    sigemptyset(&s); sigaddset(&s, SIGHUP); sigprocmask(SIG_BLOCK, &s, 0);
    dup2(1, 10); dup2(1, 11); fcntl(11, F_SETFD, FD_CLOEXEC);
    printf("%d ", execl("/etc", "x", (char *)0)); printf("%d ", errno == EACCES);
    printf("%d\n", execl("/no", "x", (char *)0)); fflush(stdout);
    execl(v[0], v[0], number, (char *)0);
}
""",
    "exec_from_a_thread": r"""
static char **args;
static void *work(void *a) { execl(args[0], args[0], "again", (char *)0); return 0; }
int main(int c, char **v) {
    if (c > 1) { printf("%s %d\n", v[1], gettid() == getpid()); return 4; }
    args = v;
    pthread_t t; pthread_create(&t, 0, work, 0); pthread_join(t, 0);
}
""",
    "kill_a_child": r"""
static volatile int go;
static void on(int n) { go = n; }
int main(void) {
    int status; signal(SIGUSR1, on);
    pid_t p = fork();
    if (!p) { while (!go) sched_yield(); _exit(go); }
    kill(p, SIGUSR1); waitpid(p, &status, 0);
    printf("%d\n", WEXITSTATUS(status) == SIGUSR1);
    if (!(p = fork())) for (;;) ;
    printf("%d\n", waitpid(p, 0, WNOHANG));
    kill(p, SIGTERM); waitpid(p, &status, 0);
    printf("%d\n", WTERMSIG(status) == SIGTERM);
}
""",
    "fork_of_a_threaded_process": r"""
static volatile int stop;
static void *work(void *a) { while (!stop) sched_yield(); return 0; }
int main(void) {
    pthread_t t; int status; pthread_create(&t, 0, work, 0);
    if (!fork()) {
        pthread_t u; stop = 1;
        pthread_create(&u, 0, work, 0); pthread_join(u, 0); _exit(8);
    }
    wait(&status); stop = 1; pthread_join(t, 0);
    printf("%d\n", WEXITSTATUS(status));
}
""",
    "system_and_popen": r"""
int main(void) {
    char line[100]; FILE *f = popen("echo one; echo two >&2 2>/dev/null; exit 3", "r");
    fgets(line, sizeof line, f); fputs(line, stdout);
    printf("%d\n", WEXITSTATUS(pclose(f))); fflush(stdout);
    int status = system("for i in 1 2 3; do echo $i; done | (read a; read b; echo $b); exit 5");
    printf("%d\n", WEXITSTATUS(status));
}
""",
    "grandchildren": r"""
static int tree(int n) {
    if (!n) return 1;
    int status, sum = 1; pid_t p[2];
    for (int i = 0; i < 2; i++) if (!(p[i] = fork())) _exit(tree(n - 1));
    for (int i = 0; i < 2; i++) { waitpid(p[i], &status, 0); sum += WEXITSTATUS(status); }
    return sum;
}
int main(void) { printf("%d\n", tree(3)); }
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


@pytest.mark.parametrize("name", ["fork_and_wait", "pipes_both_ways", "kill_a_child"])
def test_any_turns_will_do(
    name: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    same_as_native(compile_guest(PROLOGUE + GUESTS[name]), quantum=50, seed=9)


SCRIPTS = [
    "ls /usr/include/linux | grep tty | sort -r | head -3",
    "seq 1 100000 | head -2; echo $?",
    "x=$(echo a b | tr a-z A-Z); echo $x; (exit 3) || echo $?",
    "printf '3\\n1\\n2\\n' | sort | while read a; do echo $a; done; false",
    "f=/tmp/emu-$$; echo text > $f; cat $f; rm $f; cat /dev/null",
    "trap 'echo got it' USR1; kill -USR1 $$; echo after",
    "sleep 0.2 & sleep 0.1; echo before; wait; echo after",
    "yes | head -3",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_shell_scripts(script: str, same_as_native: Callable[..., Any]) -> None:
    shell = shutil.which("dash")
    if shell is None:
        pytest.skip("no dash")
    same_as_native(Path(shell), "-c", script)


def test_observers_meet_the_child(compile_guest: Callable[..., Path]) -> None:
    process = Process(
        Image.from_file(compile_guest(PROLOGUE + GUESTS["vfork_and_spawn"], kind="-pie")),
        stdout=lambda _data: None,
    )
    children: list[Process] = []
    counts: dict[int, int] = {}
    log: list[tuple[int, str]] = []

    def meet(child: Process) -> None:
        children.append(child)
        assert child.registers.read()[0] == 0
        assert child.registers.read()[16] == process.registers.read()[16]
        assert process.registers.read()[0] == child.pid
        assert child.current.registers == child.registers.read()
        counts[child.pid] = 0

        def hook(*_call: Any) -> None:
            counts[child.pid] += 1

        child.instruction_hook = hook
        child.on_mapping.append(lambda event, _module: log.append((child.pid, event.name)))
        child.on_thread.append(lambda event, _thread: log.append((child.pid, event.name)))

    process.on_fork.append(meet)
    assert process.run().exit_code == 0
    assert [child.outcome.exit_code for child in children if child.outcome] == [3, 127, 6, 6]
    assert all(count > 10 for count in counts.values())
    executed = [name for pid, name in log if pid == children[2].pid]
    begin = executed.index("STARTED")
    assert executed[0] == ThreadEvent.ENDED.name
    assert set(executed[1:begin]) == {MappingEvent.UNLOADED.name, MappingEvent.LOADED.name}
    assert executed[-1] == ThreadEvent.ENDED.name


def test_a_limit_holds_for_all_processes_together(compile_guest: Callable[..., Path]) -> None:
    source = PROLOGUE + "int main(void) { fork(); for (;;); }"
    process = Process(Image.from_file(compile_guest(source)))
    children: list[Process] = []
    process.on_fork.append(children.append)
    assert process.run(max_instructions=300_000).kind is OutcomeKind.LIMIT
    assert process.instructions + children[0].instructions == 300_000
    assert children[0].instructions > 50_000


def test_the_number_of_processes_is_bounded(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "int main(void) { int n = 0; pid_t p; while ((p = fork()) > 0) n++;"
        ' if (!p) pause(); printf("%d %d\\n", n, errno == EAGAIN); fflush(stdout);'
        " kill(0, SIGKILL); }"
    )
    finished = emulate(compile_guest(source))
    assert finished.output == b"63 1\n"
    assert finished.outcome.signal == "SIGKILL"


def test_the_memory_limit_holds_for_all_processes_together(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "int main(void) { int n = 0, status; pid_t p; volatile char *m = malloc(40 << 20); *m = 1;"
        " while ((p = fork()) > 0) n++; if (!p) pause(); int full = errno == ENOMEM;"
        ' if (!vfork()) _exit(0); printf("%d %d\\n", n, full); fflush(stdout); kill(0, SIGKILL); }'
    )
    finished = emulate(compile_guest(source), memory_limit=200 << 20)
    assert finished.output == b"3 1\n"


def test_a_child_that_was_waited_for_leaves_nothing(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = PROLOGUE + (
        "int main(void) { for (int i = 0; i < 80; i++) { if (!fork()) _exit(0); wait(0); }"
        " return 5; }"
    )
    finished = emulate(compile_guest(source))
    assert finished.outcome.exit_code == 5
    assert list(finished.process.kernel.system.processes) == []
