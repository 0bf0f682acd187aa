"""The guest's files: below the root only, and never changed on the host."""

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emu.machine.linux.clock import Clock
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.nodes import FileNode, HostNode
from emu.machine.linux.tree import Tree

PROLOGUE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void try(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}
static void show(const char *path) {
    char text[100] = "";
    int fd = open(path, O_RDONLY);
    if (fd < 0) { try(path, -1); return; }
    text[read(fd, text, 99)] = 0;
    printf("%s=%s\n", path, text);
    close(fd);
}
int main(void) {
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, links that try to lead out of it, and things that must stay closed."""
    (tmp_path / "outside").write_text("secret")
    inside = tmp_path / "root"
    (inside / "dir").mkdir(parents=True)
    (inside / "file").write_text("inside")
    (inside / "dir" / "other").write_text("other")
    (inside / "up").symlink_to("../outside")
    (inside / "absolute").symlink_to("/file")
    (inside / "host").symlink_to(tmp_path / "outside")
    (inside / "loop").symlink_to("loop")
    os.mkfifo(inside / "fifo")
    return inside


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a directory: name -> (mode, contents)."""
    return {
        str(path.relative_to(directory)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(directory.rglob("*"))
    }


@pytest.fixture
def run(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any], root: Path
) -> Callable[[str], list[str]]:
    """Run statements of a guest in the root; the lines it printed. The host must not change."""

    def execute(statements: str) -> list[str]:
        program = compile_guest(PROLOGUE + statements + "}")
        before = snapshot(root.parent)
        finished = emulate(program, root=root, argv=["guest"])
        assert finished.outcome.exit_code is not None, finished.outcome
        assert snapshot(root.parent) == before
        lines: list[str] = finished.output.decode().splitlines()
        return lines

    return execute


def test_nothing_leads_out_of_the_root(run: Callable[[str], list[str]]) -> None:
    paths = ["/file", "/../../file", "/up", "/absolute", "/host", "/loop", "/dir/../../../../file"]
    assert run("".join(f'show("{path}");' for path in paths)) == [
        "/file=inside",
        "/../../file=inside",
        "/up ENOENT",
        "/absolute=inside",
        "/host ENOENT",
        "/loop ELOOP",
        "/dir/../../../../file=inside",
    ]


def test_host_fifos_are_closed_and_devices_emulated(run: Callable[[str], list[str]]) -> None:
    lines = run(
        """
        show("/fifo"); show("/dev/null"); show("/dev/sda"); show("/proc/1/cmdline");
        char data[4] = "xyz";
        int fd = open("/dev/zero", O_RDONLY);
        try("zero", read(fd, data, 4) == 4 && !data[0] ? 0 : -1);
        try("full", write(open("/dev/full", O_WRONLY), data, 4));
        try("random", read(open("/dev/urandom", O_RDONLY), data, 4));
        char path[100] = ""; readlink("/proc/self/exe", path, 100); puts(path[0] == '/' ? "/" : "");
        FILE *f = fopen("/proc/self/maps", "r"); char line[300]; int stack = 0;
        while (fgets(line, 300, f)) stack += !!strstr(line, "[stack]");
        printf("stack %d\\n", stack);
        """
    )
    assert lines == [
        "/fifo EACCES", "/dev/null=", "/dev/sda ENOENT", "/proc/1/cmdline ENOENT",
        "zero ok", "full ENOSPC", "random ok", "/", "stack 1",
    ]  # fmt: skip


def test_writes_stay_in_memory(run: Callable[[str], list[str]]) -> None:
    lines = run(
        """
        int fd = open("/file", O_WRONLY | O_APPEND); write(fd, "+more", 5); close(fd);
        show("/file");
        fd = open("/new", O_CREAT | O_RDWR | O_EXCL, 0640); write(fd, "abcdef", 6);
        lseek(fd, 2, SEEK_SET); write(fd, "XY", 2); ftruncate(fd, 5); close(fd);
        show("/new");
        struct stat s; stat("/new", &s); printf("%o %d\\n", s.st_mode, (int)s.st_size);
        try("again", open("/new", O_CREAT | O_EXCL, 0600));
        try("mkdir", mkdir("/made", 0755)); try("chdir", chdir("/made"));
        fd = open("deep", O_CREAT | O_WRONLY, 0600); write(fd, "d", 1); close(fd);
        show("/made/deep");
        try("rename", rename("/new", "/made/moved")); show("/new"); show("/made/moved");
        try("rmdir", rmdir("/made"));
        try("unlink", unlink("/file")); show("/file"); try("unlink", unlink("/file"));
        try("link", symlink("made/moved", "/link")); show("/link");
        try("hard", link("/made/moved", "/hard")); show("/hard");
        try("write to directory", open("/dir", O_WRONLY));
        try("write to dev", open("/dev/new", O_CREAT | O_WRONLY, 0600));
        try("no directory", open("/nowhere/x", O_CREAT | O_WRONLY, 0600));
        try("chmod", chmod("/dir/other", 0400)); stat("/dir/other", &s); printf("%o\\n", s.st_mode);
        show("/dir/other");
        """
    )
    assert lines == [
        "/file=inside+more", "/new=abXYe", "100640 5", "again EEXIST", "mkdir ok", "chdir ok",
        "/made/deep=d", "rename ok", "/new ENOENT", "/made/moved=abXYe", "rmdir ENOTEMPTY",
        "unlink ok", "/file ENOENT", "unlink ENOENT", "link ok", "/link=abXYe", "hard ok",
        "/hard=abXYe", "write to directory EISDIR", "write to dev EACCES", "no directory ENOENT",
        "chmod ok", "100400", "/dir/other=other",
    ]  # fmt: skip


def test_directories_list_both_layers(run: Callable[[str], list[str]]) -> None:
    lines = run(
        """
        close(open("/dir/added", O_CREAT | O_WRONLY, 0600)); unlink("/dir/other");
        DIR *d = opendir("/dir"); struct dirent *e;
        while ((e = readdir(d))) printf("%s %d\\n", e->d_name, e->d_type);
        rewinddir(d); int n = 0; while (readdir(d)) n++; printf("%d\\n", n);
        """
    )
    assert lines == [". 4", ".. 4", "added 8", "3"]


def test_descriptors(run: Callable[[str], list[str]]) -> None:
    lines = run(
        """
        char t[9] = ""; int fd[2];
        int a = open("/file", O_RDONLY), b = dup(a);
        read(a, t, 2); read(b, t + 2, 2); puts(t);
        try("write to a reader", write(a, "x", 1)); try("closed", close(77));
        try("dup2", dup2(a, 20)); close(a); close(b); memset(t, 0, 9); read(20, t, 2); puts(t);
        pipe(fd); try("seek a pipe", lseek(fd[0], 0, SEEK_SET));
        write(fd[1], "pipe", 4); close(fd[1]); memset(t, 0, 9);
        printf("%d %d %s\\n", (int)read(fd[0], t, 8), (int)read(fd[0], t, 8), t);
        int last = 0; while ((a = open("/dev/null", O_RDONLY)) >= 0) last = a;
        try("too many", -1); printf("%d\\n", last);
        """
    )
    assert lines == [
        "insi", "write to a reader EBADF", "closed EBADF", "dup2 ok", "de",
        "seek a pipe ESPIPE", "0 4 pipe", "too many EMFILE", "1023",
    ]  # fmt: skip


def test_a_guest_may_open_more_than_the_limit_it_is_run_under(
    run: Callable[[str], list[str]],
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 10
    if limits[1] < low + 30:
        pytest.skip("this process may not open so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, limits[1]))
    try:
        lines = run('int n = 0; while (n < 30 && open("/file", 0) >= 0) n++; printf("%d\\n", n);')
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert lines == ["30"]


def test_a_lone_thread_that_waits_forever_is_told_so(
    compile_guest: Callable[..., Path], emulate: Callable[..., Any]
) -> None:
    program = compile_guest(
        "#include <unistd.h>\nint main(void) { int fd[2]; char c; pipe(fd); read(fd[0], &c, 1); }"
    )
    outcome = emulate(program).outcome
    assert outcome.kind == "unsupported"
    assert outcome.message.startswith("deadlock in read: the only thread waits for pipe:[")


def test_bad_pointers_and_sizes(run: Callable[[str], list[str]]) -> None:
    lines = run(
        """
        int fd = open("/file", O_RDONLY); struct stat s;
        try("read to nowhere", read(fd, (void *)16, 4));
        try("read to text", read(fd, main, 4));
        try("negative", read(fd, &s, -1));
        try("write from nowhere", write(1, (void *)-4096, 4));
        try("path", open((char *)8, O_RDONLY));
        try("stat", stat("/file", (void *)8));
        try("empty", open("", O_RDONLY));
        static char name[5000]; memset(name, 'a', 4999);
        try("long", open(name, O_RDONLY)); name[300] = 0; try("long name", open(name, O_RDONLY));
        try("not a directory", open("/file/x", O_RDONLY));
        try("seek", lseek(fd, -9, SEEK_SET));
        """
    )
    assert lines == [
        "read to nowhere EFAULT", "read to text EFAULT", "negative EINVAL",
        "write from nowhere EFAULT", "path EFAULT", "stat EFAULT", "empty ENOENT",
        "long ENAMETOOLONG", "long name ENAMETOOLONG", "not a directory ENOTDIR", "seek EINVAL",
    ]  # fmt: skip


def test_the_tree_alone(root: Path) -> None:
    tree = Tree(root, Clock().now)
    path, node = tree.existing("dir/../absolute", "/")
    assert path == "/file"
    assert isinstance(node, HostNode)
    copy = tree.writable(path, node)
    copy.data.write(b"!", copy.data.size)
    assert isinstance(tree.node("/file"), FileNode)
    with pytest.raises(SystemCallError) as error:
        tree.existing("nothing", "/")
    assert error.value.errno is Errno.ENOENT
    assert (root / "file").read_text() == "inside"
