"""What programs make of their files: as they do natively, in a directory of their own."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, Process
from emu.machine.linux.clock import Clock
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.file_data import LAYER_LIMIT, MAX_FILES
from emu.machine.linux.tree import Tree

PROLOGUE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static struct stat s, t;
static void try(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}
static void make(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    write(fd, text, strlen(text)); close(fd);
}
"""

GUESTS = {
    "owner_and_links": r"""
int main(void) {
    umask(022);
    int fd = open("a", O_CREAT | O_RDWR | O_EXCL, 0666);
    fstat(fd, &s);
    printf("%o %d %d %d\n", s.st_mode, s.st_uid == geteuid(), s.st_gid == getegid(),
           (int)s.st_nlink);
    link("a", "b"); fstat(fd, &s); stat("b", &t);
    printf("%d %d %d\n", (int)s.st_nlink, (int)t.st_nlink, s.st_ino == t.st_ino);
    try("onto itself", rename("a", "b")); try("still there", access("a", F_OK));
    unlink("a"); unlink("b"); fstat(fd, &s); printf("%d\n", (int)s.st_nlink);
    printf("%d\n", (int)write(fd, "kept", 4)); fstat(fd, &s); printf("%d\n", (int)s.st_size);
    symlink("target", "l"); lstat("l", &s); printf("%o %d\n", s.st_mode, (int)s.st_size);
    try("own", fchown(fd, geteuid(), -1)); try("nobody", fchown(99, 0, 0));
}
""",
    "directories_move": r"""
int main(void) {
    mkdir("d", 0755); mkdir("d/e", 0700); make("d/e/f", "hello"); symlink("e/f", "d/l");
    try("move", rename("d", "g"));
    try("new", access("g/l", R_OK)); try("old", access("d", F_OK));
    try("into itself", rename("g", "g/e/x"));
    mkdir("h", 0755); try("over an empty one", rename("g", "h")); try("there", access("h/e/f", 0));
    mkdir("i", 0755); mkdir("i/j", 0755); try("over a full one", rename("h", "i"));
    try("file over directory", rename("h/e/f", "i"));
    make("z", "z"); try("directory over file", rename("h", "z"));
    try("full", rmdir("h")); try("dot", rmdir("h/.")); try("dots", rmdir("i/j/.."));
    try("move dot", rename("h/.", "k"));
    try("existing", renameat2(AT_FDCWD, "z", AT_FDCWD, "h/l", RENAME_NOREPLACE));
    make("y", "yy"); try("exchange", renameat2(AT_FDCWD, "y", AT_FDCWD, "z", RENAME_EXCHANGE));
    stat("z", &s); printf("%d\n", (int)s.st_size);
    DIR *list = opendir("h"); int n = 0; while (readdir(list)) n++; printf("%d\n", n);
    make("h/more", ""); rewinddir(list); n = 0; while (readdir(list)) n++; printf("%d\n", n);
}
""",
    "times_follow": r"""
static int later(struct timespec a, struct timespec b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}
static void told(const char *what) {
    printf("%s %d %d\n", what, later(t.st_mtim, s.st_mtim), later(t.st_ctim, s.st_ctim));
    s = t; struct timespec nap = {0, 20000000}; nanosleep(&nap, 0);
}
int main(void) {
    struct timespec pair[2] = {{100, 5}, {200, 6}};
    int fd = creat("f", 0644); fstat(fd, &t); told("made");
    write(fd, "x", 1); fstat(fd, &t); told("written");
    fchmod(fd, 0600); fstat(fd, &t); told("mode");
    ftruncate(fd, 0); fstat(fd, &t); told("cut");
    close(open("f", O_WRONLY | O_TRUNC)); fstat(fd, &t); told("opened");
    link("f", "g"); fstat(fd, &t); told("linked");
    rename("f", "h"); fstat(fd, &t); told("renamed");
    mkdir("d", 0755); stat("d", &t); told("directory");
    make("d/x", ""); stat("d", &t); told("entry made");
    unlink("d/x"); stat("d", &t); told("entry removed");
    rename("h", "d/h"); stat("d", &t); told("entry moved");
    utimensat(AT_FDCWD, "d", pair, 0); stat("d", &t);
    printf("%ld %ld\n", t.st_mtim.tv_sec, t.st_atim.tv_nsec);
    futimens(fd, pair); fstat(fd, &t); printf("%ld\n", t.st_mtim.tv_sec);
    symlink("d", "l"); utimensat(AT_FDCWD, "l", pair, AT_SYMLINK_NOFOLLOW); lstat("l", &t);
    printf("%ld\n", t.st_mtim.tv_sec);
}
""",
    "mapped_and_shared": r"""
int main(void) {
    int fd = open("m", O_CREAT | O_RDWR, 0644), value = 0, status;
    ftruncate(fd, 10000);
    int *p = mmap(0, 10000, 3, MAP_SHARED, fd, 0), *q = mmap(0, 4096, 1, MAP_SHARED, fd, 0);
    if (!fork()) { p[0] = 42; p[1025] = 7; _exit(0); }
    wait(&status);
    pread(fd, &value, 4, 4100); printf("%d %d %d %d\n", p[0], p[1025], q[0], value);
    value = 99; pwrite(fd, &value, 4, 4); printf("%d %d\n", p[1], q[1]);
    ftruncate(fd, 4); ftruncate(fd, 10000); printf("%d %d %d\n", p[0], p[1], p[1025]);
    p = mremap(p, 12288, 4096, MREMAP_MAYMOVE); p[2] = 5; printf("%d\n", q[2]);
    int own = memfd_create("x", 0); ftruncate(own, 4096);
    char *one = mmap(0, 4096, 3, MAP_SHARED, own, 0), *two = mmap(0, 4096, 1, MAP_SHARED, own, 0);
    strcpy(one, "seen twice"); puts(two);
    char name[40]; sprintf(name, "/test-%d", getpid());
    fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600); try("shm", fd);
    ftruncate(fd, 4096); try("map", mmap(0, 4096, 3, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
    try("unlink", shm_unlink(name)); try("again", shm_unlink(name));
    sem_t *posted = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    if (!fork()) { sem_post(posted); _exit(0); }
    sem_wait(posted); wait(&status); sem_getvalue(posted, &value); printf("%d\n", value);
    sem_unlink(name);
    fd = open("m", O_RDONLY);
    try("no writer", mmap(0, 10, 3, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
}
""",
    "all_bytes_at_once": r"""
static char big[3000000], in[3000000];
static void none(int number) { }
static long all(int fd) {
    long got = 0, n;
    while ((n = read(fd, in + got, 77777)) > 0) got += n;
    return got + !!memcmp(in, big, got);
}
int main(void) {
    int p[2], status, fd = open("big", O_CREAT | O_RDWR, 0644);
    long n, got = 0;
    setvbuf(stdout, 0, _IONBF, 0);
    for (int i = 0; i < sizeof big; i++) big[i] = i * 31 >> 3;
    printf("%zd ", write(fd, big, sizeof big)); lseek(fd, 0, SEEK_SET);
    printf("%zd ", read(fd, in, sizeof in)); printf("%d ", memcmp(in, big, sizeof big));
    printf("%zd ", pread(fd, in, 2000000, 1500000));
    printf("%zd\n", read(open("/dev/zero", O_RDONLY), in, sizeof in));
    pipe(p);
    if (!fork()) { printf("%zd\n", write(p[1], big, sizeof big)); _exit(0); }
    close(p[1]); printf("%ld\n", all(p[0])); wait(&status);
    pipe(p); write(p[1], "abcdefgh", 8);
    struct iovec two[2] = {{in, 4}, {in + 100, 4}};
    printf("%zd ", readv(p[0], two, 2)); write(p[1], "1234", 4); two[1].iov_len = 100;
    printf("%zd %.4s\n", readv(p[0], two, 2), in);
    fcntl(p[1], F_SETFL, O_NONBLOCK); printf("%zd ", write(p[1], big, sizeof big));
    read(p[0], in, 100); try("not a part", write(p[1], big, 4096));
    close(p[1]); close(p[0]); pipe(p); lseek(fd, 0, SEEK_SET);
    if (!fork()) { close(p[1]); printf("%ld\n", all(p[0])); _exit(0); }
    while ((n = sendfile(p[1], fd, 0, sizeof big)) > 0) got += n;
    close(p[1]); wait(&status); printf("%ld %ld\n", got, (long)lseek(fd, 0, SEEK_CUR));
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    if (!fork()) { printf("%zd\n", send(p[0], big, 1000000, 0)); _exit(0); }
    close(p[0]); printf("%ld\n", all(p[1])); wait(&status);
    struct sigaction action = {.sa_handler = none}; sigaction(SIGALRM, &action, 0);
    pipe(p); ualarm(20000, 0); printf("%zd\n", write(p[1], big, 100000));
}
""",
    "odds_and_ends": r"""
int main(void) {
    char text[10] = "";
    int fd = open("a", O_CREAT | O_RDWR | O_APPEND, 0644);
    write(fd, "abc", 3); pwrite(fd, "ZZ", 2, 0); pread(fd, text, 9, 0); puts(text);
    try("allocate", posix_fallocate(fd, 0, 100)); fstat(fd, &s); printf("%d\n", (int)s.st_size);
    try("keep", fallocate(fd, 1, 0, 5000)); fstat(fd, &s); printf("%d\n", (int)s.st_size);
    try("data", lseek(fd, 0, SEEK_DATA)); try("hole", lseek(fd, 5, SEEK_HOLE));
    try("beyond", lseek(fd, 500, SEEK_DATA));
    FILE *unnamed = tmpfile(); fprintf(unnamed, "text"); rewind(unnamed);
    puts(fgets(text, 10, unnamed));
    mkdir("d", 0755); int at = open("d", O_RDONLY); try("fchmod", fchmod(at, 0711));
    stat("d", &s); printf("%o\n", s.st_mode);
}
""",
}


@pytest.mark.parametrize("name", GUESTS)
def test_as_natively(
    name: str, compile_guest: Callable[..., Path], emulate: Callable[..., Any], tmp_path: Path
) -> None:
    program = compile_guest(PROLOGUE + GUESTS[name])
    (tmp_path / "native").mkdir()
    native = subprocess.run(
        [program], capture_output=True, cwd=tmp_path / "native", timeout=60, check=False
    )
    (tmp_path / "guest").mkdir()
    guest = emulate(program, directory=str(tmp_path / "guest"))
    assert guest.output.decode() == native.stdout.decode()
    assert guest.errors == native.stderr
    assert list((tmp_path / "guest").iterdir()) == []


def test_the_hosts_directories_can_be_changed_too(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_text("text")
    program = compile_guest(
        PROLOGUE
        + r"""
        int main(void) {
            chmod("d", 0700); struct timespec pair[2] = {{1, 0}, {2, 0}};
            utimensat(AT_FDCWD, "d", pair, 0); stat("d", &s);
            printf("%o %ld\n", s.st_mode & 0777, s.st_mtim.tv_sec);
            try("move", rename("d", "moved")); try("gone", access("d", F_OK));
            int fd = open("moved/e/f", O_RDWR | O_APPEND); try("open", fd); write(fd, "!", 1);
            stat("moved/e/f", &s); printf("%d\n", (int)s.st_size);
            stat("moved", &s); printf("%o\n", s.st_mode & 0777);
            try("full", rmdir("moved/e")); unlink("moved/e/f"); try("empty", rmdir("moved/e"));
            mkdir("d", 0755); try("the old one is hidden", access("d/e", F_OK));
        }
        """
    )
    guest = emulate(program, directory=str(tmp_path))
    assert guest.output.decode().splitlines() == [
        "700 2", "move ok", "gone ENOENT", "open ok", "5", "700", "full ENOTEMPTY", "empty ok",
        "the old one is hidden ENOENT",
    ]  # fmt: skip
    assert (tmp_path / "d" / "e" / "f").read_text() == "text"


def test_shared_pages_are_not_executable(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    """Code is never written through another mapping than it runs from: compilers do without."""
    program = compile_guest(
        PROLOGUE
        + r"""
        int main(void) {
            int fd = memfd_create("code", 0); ftruncate(fd, 4096);
            char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            p[0] = 0xc3;
            try("map", mmap(0, 4096, PROT_EXEC, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
            try("protect", mprotect(p, 4096, PROT_READ | PROT_EXEC));
            void (*own)(void) = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
            own(); puts("a copy runs");
        }
        """
    )
    output = emulate(program).output
    assert output == b"map EPERM\nprotect EACCES\na copy runs\n"


def test_room_is_given_back_with_the_last_name_and_descriptor(tmp_path: Path) -> None:
    tree = Tree(tmp_path, Clock().now)
    node = tree.create_file("/file", 0o644)
    node.opens = 1
    node.data.resize(LAYER_LIMIT - 10)
    other = tree.create_file("/other", 0o644)
    with pytest.raises(SystemCallError) as error:
        other.data.write(bytes(11), 0)
    assert error.value.errno is Errno.ENOSPC
    tree.remove("/file")
    assert tree.room.left == 10, "a descriptor keeps it"
    tree.closed(node)
    assert tree.room.left == LAYER_LIMIT
    assert tree.room.files == 1


def test_names_without_end(tmp_path: Path) -> None:
    """What was made and removed leaves nothing behind; what stays is bounded."""
    tree = Tree(tmp_path, Clock().now)
    for number in range(100):
        tree.create_file(f"/{number}", 0o644)
        tree.remove(f"/{number}")
    assert tree.room.files == 0
    assert tree.layer.names("/") == set()
    tree.room.files = MAX_FILES
    with pytest.raises(SystemCallError) as error:
        tree.create_directory("/one-more", 0o755)
    assert error.value.errno is Errno.ENOSPC


def test_unnamed_files_are_counted(compile_guest: Callable[..., Path]) -> None:
    program = compile_guest(
        PROLOGUE
        + r"""
        int main(void) {
            int n = 0;
            while (n < 100) {
                int fd = memfd_create("x", 0);
                if (ftruncate(fd, 50 << 20)) break;
                n++;
            }
            printf("%d %s\n", n, strerrorname_np(errno));
        }
        """
    )
    output = bytearray()
    process = Process(Image.from_file(program), stdout=output.extend)
    process.run()
    assert output == b"5 ENOSPC\n"
