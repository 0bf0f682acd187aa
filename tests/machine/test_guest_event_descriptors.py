"""epoll, eventfd, timerfd, signalfd, socket pairs: guests are told what the host's kernel says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import OutcomeKind

HEAD = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#define SAY(call) do { errno = 0; long r_ = (call); \\
    printf("%s = %ld %s\\n", #call, r_, r_ < 0 ? strerrorname_np(errno) : ""); } while (0)
static struct epoll_event got[8];
static void show(int n) {
    printf("%d:", n);
    for (int i = 0; i < n; i++)
        printf(" %x/%lu", got[i].events, (unsigned long)got[i].data.u64);
    puts("");
}
"""

PROGRAMS = {
    "eventfd": """
        int main(void) {
            int e = eventfd(3, EFD_NONBLOCK); uint64_t v; char small[4];
            SAY(read(e, small, 4)); SAY(read(e, &v, 8)); printf("%lu\\n", v); SAY(read(e, &v, 8));
            v = 5; SAY(write(e, &v, 8)); SAY(write(e, &v, 8)); SAY(read(e, &v, 8));
            printf("%lu\\n", v);
            v = -1; SAY(write(e, &v, 8)); v = -2; SAY(write(e, &v, 8)); v = 1; SAY(write(e, &v, 8));
            struct pollfd p = {e, POLLIN | POLLOUT}; SAY(poll(&p, 1, 0));
            printf("%x\\n", p.revents);
            int s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
            SAY(read(s, &v, 8)); printf("%lu\\n", v); SAY(read(s, &v, 8)); SAY(read(s, &v, 8));
            SAY(eventfd(0, 1 << 20)); SAY(lseek(e, 0, SEEK_SET));
            SAY(fcntl(e, F_GETFL) & (O_NONBLOCK | O_RDWR));
            return 0;
        }
    """,
    "eventfd_wakes_another_thread": """
        static int e;
        static void *reader(void *x) {
            uint64_t v, sum = 0;
            while (sum < 6) { read(e, &v, 8); sum += v; }
            return (void *)sum;
        }
        int main(void) {
            e = eventfd(0, 0); pthread_t t; void *sum; pthread_create(&t, 0, reader, 0);
            for (uint64_t v = 1; v < 4; v++) { write(e, &v, 8); usleep(1000); }
            pthread_join(t, &sum); printf("%ld\\n", (long)sum);
            return 0;
        }
    """,
    "epoll_levels_edges_one_shots": """
        int main(void) {
            int p = epoll_create1(EPOLL_CLOEXEC), a[2], e = eventfd(0, EFD_NONBLOCK); pipe(a);
            struct epoll_event w = {EPOLLIN, {.u64 = 7}};
            SAY(epoll_ctl(p, EPOLL_CTL_ADD, 0 + a[0], &w));
            SAY(epoll_ctl(p, EPOLL_CTL_ADD, a[0], &w));
            w.events = EPOLLIN | EPOLLET; w.data.u64 = 8; SAY(epoll_ctl(p, EPOLL_CTL_ADD, e, &w));
            show(epoll_wait(p, got, 8, 0)); show(epoll_wait(p, got, 8, 5));
            write(a[1], "xy", 2); uint64_t v = 1; write(e, &v, 8);
            show(epoll_wait(p, got, 8, -1)); show(epoll_wait(p, got, 8, 0));
            write(e, &v, 8); show(epoll_wait(p, got, 8, 0)); show(epoll_wait(p, got, 8, 0));
            char c; read(a[0], &c, 1); show(epoll_wait(p, got, 8, 0)); read(a[0], &c, 1);
            show(epoll_wait(p, got, 8, 0));
            w.events = EPOLLIN | EPOLLONESHOT; w.data.u64 = 9;
            SAY(epoll_ctl(p, EPOLL_CTL_MOD, a[0], &w));
            write(a[1], "z", 1); show(epoll_wait(p, got, 8, 0)); show(epoll_wait(p, got, 8, 0));
            SAY(epoll_ctl(p, EPOLL_CTL_MOD, a[0], &w)); show(epoll_wait(p, got, 8, 0));
            w.events = EPOLLIN; epoll_ctl(p, EPOLL_CTL_MOD, a[0], &w); read(a[0], &c, 1);
            close(a[1]);
            show(epoll_wait(p, got, 8, 0));
            SAY(epoll_ctl(p, EPOLL_CTL_DEL, a[0], 0)); SAY(epoll_ctl(p, EPOLL_CTL_DEL, a[0], 0));
            show(epoll_wait(p, got, 8, 0));
            return 0;
        }
    """,
    "epoll_errors": """
        int main(void) {
            int p = epoll_create(1), q = epoll_create(1), f = open("/etc/passwd", O_RDONLY), a[2];
            int n = open("/dev/null", O_RDWR); pipe(a);
            struct epoll_event w = {EPOLLIN, {.u64 = 1}};
            SAY(epoll_create(0)); SAY(epoll_create1(3));
            SAY(epoll_ctl(p, EPOLL_CTL_ADD, f, &w)); SAY(epoll_ctl(p, EPOLL_CTL_ADD, n, &w));
            SAY(epoll_ctl(p, EPOLL_CTL_ADD, 99, &w)); SAY(epoll_ctl(p, EPOLL_CTL_ADD, p, &w));
            SAY(epoll_ctl(a[0], EPOLL_CTL_ADD, a[1], &w)); SAY(epoll_ctl(p, 9, a[0], &w));
            SAY(epoll_ctl(p, EPOLL_CTL_MOD, a[0], &w));
            SAY(epoll_ctl(p, EPOLL_CTL_ADD, q, &w)); SAY(epoll_ctl(q, EPOLL_CTL_ADD, p, &w));
            SAY(epoll_wait(p, got, 0, 0)); SAY(epoll_wait(a[0], got, 1, 0));
            SAY(epoll_ctl(q, EPOLL_CTL_ADD, a[0], &w)); write(a[1], "x", 1);
            show(epoll_wait(p, got, 8, 0));
            close(a[0]); show(epoll_wait(p, got, 8, 0));
            return 0;
        }
    """,
    "epoll_gives_all_their_turn": """
        int main(void) {
            int p = epoll_create1(0), e[3];
            for (int i = 0; i < 3; i++) {
                e[i] = eventfd(1, 0);
                struct epoll_event w = {EPOLLIN, {.u64 = i}}; epoll_ctl(p, EPOLL_CTL_ADD, e[i], &w);
            }
            unsigned seen = 0;
            for (int i = 0; i < 3; i++)
                if (epoll_wait(p, got, 1, 0) == 1) seen |= 1 << got[0].data.u64;
            printf("%x\\n", seen);
            return 0;
        }
    """,
    "timerfd": """
        int main(void) {
            int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); uint64_t v = 0;
            struct itimerspec s = {{0, 5000000}, {0, 300000000}}, old;
            SAY(read(t, &v, 8)); SAY(timerfd_settime(t, 0, &s, 0)); SAY(read(t, &v, 8));
            struct pollfd p = {t, POLLIN}; SAY(poll(&p, 1, -1)); printf("%x\\n", p.revents);
            SAY(read(t, &v, 8)); printf("%d\\n", v >= 1); fcntl(t, F_SETFL, 0);
            usleep(22000); SAY(read(t, &v, 8)); printf("%d\\n", v >= 4);
            SAY(read(t, &v, 8)); printf("%d\\n", v >= 1);
            SAY(timerfd_gettime(t, &old));
            printf("%ld %d\\n", old.it_interval.tv_nsec, old.it_value.tv_nsec > 0);
            memset(&s, 0, sizeof s); SAY(timerfd_settime(t, 0, &s, &old));
            SAY(timerfd_gettime(t, &old));
            printf("%ld %ld\\n", old.it_value.tv_nsec, old.it_interval.tv_nsec);
            clock_gettime(CLOCK_MONOTONIC, &s.it_value); s.it_value.tv_nsec = 0;
            s.it_value.tv_sec++;
            SAY(timerfd_settime(t, TFD_TIMER_ABSTIME, &s, 0)); SAY(read(t, &v, 8));
            printf("%lu\\n", v);
            s.it_value.tv_nsec = 1000000000; SAY(timerfd_settime(t, 0, &s, 0));
            SAY(timerfd_create(99, 0)); SAY(timerfd_settime(0, 0, &s, 0));
            return 0;
        }
    """,
    "timerfd_and_epoll": """
        int main(void) {
            int t = timerfd_create(CLOCK_REALTIME, 0), p = epoll_create1(0), n = 0;
            struct itimerspec s = {{0, 1000000}, {0, 1000000}}; timerfd_settime(t, 0, &s, 0);
            struct epoll_event w = {EPOLLIN | EPOLLET, {.u64 = 4}};
            epoll_ctl(p, EPOLL_CTL_ADD, t, &w);
            uint64_t v;
            while (n < 5) { n += epoll_wait(p, got, 8, -1); read(t, &v, 8); }
            printf("%d %d\\n", n, v >= 1); usleep(5000); show(epoll_wait(p, got, 8, -1));
            show(epoll_wait(p, got, 8, 3));
            return 0;
        }
    """,
    "signalfd": """
        int main(void) {
            sigset_t m; sigemptyset(&m); sigaddset(&m, SIGUSR1); sigaddset(&m, SIGCHLD);
            sigaddset(&m, SIGRTMIN); sigprocmask(SIG_BLOCK, &m, 0);
            int f = signalfd(-1, &m, SFD_NONBLOCK); struct signalfd_siginfo i[3];
            SAY(read(f, i, sizeof i)); SAY(read(f, i, 100)); raise(SIGUSR1);
            sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1234});
            struct pollfd p = {f, POLLIN}; SAY(poll(&p, 1, 0));
            SAY(read(f, i, sizeof i));
            printf("%d %d %d %d\\n", i[0].ssi_signo == SIGUSR1, i[0].ssi_code,
                   i[0].ssi_pid == getpid(), i[0].ssi_uid == getuid());
            printf("%d %d %d\\n", i[1].ssi_signo == SIGRTMIN, i[1].ssi_code, i[1].ssi_int);
            fcntl(f, F_SETFL, 0); pid_t c = fork(); if (!c) _exit(9);
            SAY(read(f, i, sizeof i[0]));
            printf("%d %d %d\\n", i[0].ssi_signo == SIGCHLD, i[0].ssi_status, i[0].ssi_pid == c);
            wait(0);
            sigdelset(&m, SIGUSR1); SAY(signalfd(f, &m, 0) == f); raise(SIGUSR1);
            fcntl(f, F_SETFL, O_NONBLOCK); SAY(read(f, i, sizeof i));
            SAY(signalfd(1, &m, 0));
            return 0;
        }
    """,
    "socket_pair": """
        int main(void) {
            int s[2]; char b[64]; SAY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
            SAY(recv(s[0], b, 64, 0)); SAY(write(s[0], "hello world", 11));
            SAY(recv(s[1], b, 5, MSG_PEEK)); SAY(read(s[1], b, 5)); printf("%.5s\\n", b);
            struct iovec v[2] = {{b, 2}, {b + 10, 20}};
            struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
            SAY(recvmsg(s[1], &m, 0)); printf("%.2s|%.4s\\n", b, b + 10);
            SAY(sendmsg(s[1], &m, 0)); SAY(recv(s[0], b, 64, MSG_DONTWAIT));
            struct pollfd p[2] = {{s[0], POLLIN | POLLOUT}, {s[1], POLLIN}}; SAY(poll(p, 2, 0));
            printf("%x %x\\n", p[0].revents, p[1].revents);
            int type, n = sizeof type; SAY(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &type, &n));
            printf("%d\\n", type);
            SAY(shutdown(s[0], SHUT_WR)); SAY(read(s[1], b, 5));
            SAY(send(s[0], "x", 1, MSG_NOSIGNAL));
            signal(SIGPIPE, SIG_IGN); close(s[1]); SAY(write(s[0], "x", 1)); SAY(read(s[0], b, 5));
            SAY(send(1, "x", 1, 0)); SAY(listen(1, 1));
            int q[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, q);
            if (!fork()) { read(q[1], b, 9); write(q[1], "answer", 6); _exit(0); }
            write(q[0], "question", 8); SAY(read(q[0], b, 64)); printf("%.6s\\n", b); wait(0);
            struct stat st; fstat(q[0], &st); printf("%d\\n", S_ISSOCK(st.st_mode));
            return 0;
        }
    """,
    "memfd": """
        int main(void) {
            int f = memfd_create("frames", MFD_CLOEXEC); SAY(write(f, "row row", 7));
            SAY(lseek(f, 0, SEEK_SET)); char b[16] = ""; SAY(read(f, b, 16)); puts(b);
            char *m = mmap(0, 4096, PROT_READ, MAP_PRIVATE, f, 0); printf("%.3s\\n", m + 4);
            char link[64] = "", path[64]; sprintf(path, "/proc/self/fd/%d", f);
            readlink(path, link, 63); puts(link); SAY(ftruncate(f, 3)); SAY(lseek(f, 0, SEEK_END));
            return 0;
        }
    """,
    "queued_signal": """
        static volatile int value;
        static void on(int n, siginfo_t *i, void *c) {
            value = i->si_value.sival_int + (i->si_code == SI_QUEUE);
        }
        int main(void) {
            struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
            sigaction(SIGUSR2, &a, 0);
            SAY(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 41}));
            printf("%d\\n", value);
            SAY(pthread_sigqueue(pthread_self(), SIGUSR2, (union sigval){.sival_int = 10}));
            printf("%d\\n", value);
            SAY(sigqueue(1 << 22, SIGUSR2, (union sigval){0}));
            return 0;
        }
    """,
    "priority_inheritance": """
        static pthread_mutex_t m; static int count; static pthread_barrier_t all;
        static void *work(void *x) {
            pthread_barrier_wait(&all);
            for (int i = 0; i < 50; i++) { pthread_mutex_lock(&m); int c = count; usleep(10);
            count = c + 1; pthread_mutex_unlock(&m); }
            return 0;
        }
        static void *dies(void *x) { pthread_mutex_lock(x); return 0; }
        int main(void) {
            pthread_mutexattr_t a; pthread_mutexattr_init(&a);
            SAY(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
            SAY(pthread_mutex_init(&m, &a));
            pthread_t t[4]; pthread_barrier_init(&all, 0, 4);
            for (int i = 0; i < 4; i++) pthread_create(t + i, 0, work, 0);
            for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
            printf("%d\\n", count); SAY(pthread_mutex_trylock(&m)); SAY(pthread_mutex_trylock(&m));
            struct timespec s; clock_gettime(CLOCK_REALTIME, &s); s.tv_nsec = 0; s.tv_sec++;
            pthread_mutex_unlock(&m); SAY(pthread_mutex_timedlock(&m, &s));
            pthread_mutex_unlock(&m);
            pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST); static pthread_mutex_t r;
            pthread_mutex_init(&r, &a); pthread_create(t, 0, dies, &r); pthread_join(t[0], 0);
            SAY(pthread_mutex_lock(&r) == EOWNERDEAD); SAY(pthread_mutex_consistent(&r));
            SAY(pthread_mutex_unlock(&r));
            SAY(pthread_mutex_lock(&r));
            return 0;
        }
    """,
    "execveat": """
        int main(int n, char **v) {
            if (n > 1) { printf("again %s %s\\n", v[1], getenv("WORD")); return 4; }
            int f = open("/proc/self/exe", O_PATH | O_CLOEXEC);
            int d = open("/bin", O_PATH | O_DIRECTORY);
            char *none[] = {"x", "one", 0}, *env[] = {"WORD=row", 0}; fflush(stdout);
            SAY(execveat(f, "", none, env, 0)); SAY(execveat(d, "no-such-file", none, env, 0));
            SAY(execveat(f, "", none, env, 1 << 20)); fflush(stdout);
            if (!fork()) { fexecve(f, none, env); _exit(99); }
            int status; wait(&status); printf("%d\\n", WEXITSTATUS(status)); fflush(stdout);
            char *true_[] = {"true", 0}; execveat(d, "true", true_, env, 0);
            return 9;
        }
    """,
    "what_cannot_be_is_refused": """
        #include <sys/inotify.h>
        #include <sys/shm.h>
        #include <sys/resource.h>
        int main(void) {
            errno = 0; SAY(getpriority(PRIO_PROCESS, 0) >= -20 && !errno); SAY(setpgid(0, 0));
            SAY(getsid(0) >= 0); /* 0 for a session begun outside the PID namespace */
            SAY(inotify_add_watch(1, "/", IN_CREATE));
            SAY(mlockall(MCL_CURRENT) <= 0);
            return 0;
        }
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_native(
    name: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., Any]
) -> None:
    finished = same_as_native(compile_guest(HEAD + PROGRAMS[name]))
    unknown = {n for n, call in finished.process.system_calls.items() if call.unsupported}
    assert not unknown


def test_inotify_is_refused_as_if_watches_had_run_out(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = HEAD + (
        "#include <sys/inotify.h>\n"
        "int main(void) { SAY(inotify_init1(IN_CLOEXEC)); SAY(socket(AF_INET, SOCK_STREAM, 0)); }"
    )
    finished = emulate(compile_guest(source))
    assert finished.output == (
        b"inotify_init1(IN_CLOEXEC) = -1 EMFILE\n"
        b"socket(AF_INET, SOCK_STREAM, 0) = -1 EAFNOSUPPORT\n"
    )
    assert not any(call.unsupported for call in finished.process.system_calls.values())


def test_waiting_for_what_never_comes_is_said(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    source = HEAD + (
        "int main(void) { int p = epoll_create1(0); int e = eventfd(0, 0);"
        "struct epoll_event w = {EPOLLIN}; epoll_ctl(p, EPOLL_CTL_ADD, e, &w);"
        "return epoll_wait(p, got, 8, -1); }"
    )
    outcome = emulate(compile_guest(source)).outcome
    assert outcome.kind is OutcomeKind.UNSUPPORTED
    assert "deadlock in epoll_wait" in outcome.message


PROC = (
    HEAD
    + """
#include <dirent.h>
static void cat(const char *path) {
    char b[4096]; int f = open(path, O_RDONLY); ssize_t n = f < 0 ? -1 : read(f, b, sizeof b);
    printf("%s: ", path); if (n < 0) puts("none"); else { fwrite(b, 1, n, stdout); puts("");
    } close(f);
}
static void list(const char *path) {
    DIR *d = opendir(path); struct dirent *e; printf("%s:", path);
    while (d && (e = readdir(d))) if (e->d_name[0] != '.') printf(" %s", e->d_name);
    puts(""); closedir(d);
}
int main(int n, char **v) {
    char link[256] = ""; readlink("/proc/self", link, 255); printf("%d\\n", atoi(link) == getpid());
    readlink("/proc/self/cwd", link, 255); printf("%.1s\\n", link);
    cat("/proc/self/cmdline"); cat("/proc/self/comm"); cat("/proc/1000/environ");
    list("/proc/self/task");
    list("/proc/self/fd"); int q[2]; pipe(q);
    printf("%ld\\n", readlink("/proc/self/fd/4", link, 255) > 5);
    pid_t c = fork(); if (!c) { read(q[0], link, 1); _exit(0); }
    char path[64]; sprintf(path, "/proc/%d/status", c); FILE *f = fopen(path, "r");
    while (fgets(link, 255, f))
        if (!strncmp(link, "PPid", 4) || !strncmp(link, "Threads", 7)) fputs(link, stdout);
    write(q[1], "x", 1); wait(0); printf("%d\\n", access(path, F_OK));
    cat("/proc/sys/kernel/ostype");
    cat("/proc/1/status"); int pid; char name[16], state;
    f = fopen("/proc/self/stat", "r"); fscanf(f, "%d (%15[^)]) %c", &pid, name, &state);
    printf("%d %c\\n", pid == getpid(), state); printf("%ld\\n", sysconf(_SC_NPROCESSORS_ONLN));
    return 0;
}
"""
)


def test_proc(compile_guest: Callable[..., Path], emulate: Callable[..., Any]) -> None:
    program = compile_guest(PROC)
    finished = emulate(program, "one", env={"A": "b"}, argv=["prog", "one"])
    lines = finished.output.decode().splitlines()
    assert lines == [
        "1",
        "/",
        "/proc/self/cmdline: prog\0one\0",
        f"/proc/self/comm: {program.name[:15]}",
        "",
        "/proc/1000/environ: A=b\0",
        "/proc/self/task: 1000",
        "/proc/self/fd: 0 1 2 3",
        "1",
        "PPid:\t1000",
        "Threads:\t1",
        "-1",
        "/proc/sys/kernel/ostype: Linux",
        "",
        "/proc/1/status: none",
        "1 R",
        "1",
    ]
