"""A guest registers SFrame sections; what happens to them at fork and exec; the call log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emu.machine import Image, Process, SectionCalls
from emu.sframe import Function, Rule, Rules, write_section
from emu.unwind import PrctlNumbers, Row, SectionStore

SOURCE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static const unsigned char section[] = { SECTION };
static void say(int r) { printf("%d\n", r < 0 ? -errno : r); fflush(stdout); }
int main(int c, char **v) {
    if (c > 1) { puts("executed"); return 0; }
    unsigned char *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *text = page + 4096;
    text[0] = 0xc3; mprotect(text, 4096, PROT_READ | PROT_EXEC);
    memcpy(page, section, sizeof section);
    errno = 0;
    say(syscall(ADD_CALL, 1, page, sizeof section, text, 16));
    say(syscall(ADD_CALL, 1, page, sizeof section, text, 16));
    say(prctl(REMOVE, page, 1, 0, 0));
    if (!fork()) { int r = prctl(REMOVE, page, 0, 0, 0); _exit(r ? 1 : 17); }
    int status; wait(&status);
    say(WEXITSTATUS(status));
    if (!vfork()) { execl(v[0], v[0], "x", (char *)0); _exit(1); }
    wait(&status);
    munmap(page, 8192);
    say(prctl(REMOVE, page, 0, 0, 0));
    say(prctl(REMOVE, page, 0, 0, 0));
    return 0;
}
"""


ROW = Rules(cfa=Rule(7, 8), ra=Rule(None, -8, deref=True))
SECTION = write_section([Function(start=4096, size=16, rows=[(0, ROW)])])
"""For code 4,096 bytes behind its own start."""


def build(compile_guest: Callable[..., Path], call: int, remove: int) -> Path:
    flags = [f"-DADD_CALL={call}", f"-DREMOVE={remove}", f"-DSECTION={','.join(map(str, SECTION))}"]
    return compile_guest(SOURCE, "-O1", *flags)


@pytest.mark.parametrize("numbers", [None, SectionCalls(PrctlNumbers(90, 91), 2000)])
def test_sections_follow_the_process(
    numbers: SectionCalls | None, compile_guest: Callable[..., Path]
) -> None:
    shown = numbers or SectionCalls()
    program = build(compile_guest, shown.stacktrace_setup, shown.prctl.remove)
    output = bytearray()
    process = Process(Image.from_file(program), stdout=output.extend, section_calls=numbers)
    process.section_store = SectionStore(process.memory, process.memory)
    children: list[tuple[Process, SectionStore, int]] = []

    def meet(child: Process) -> None:
        assert child.section_store is not None
        children.append((child, child.section_store, len(child.section_store)))

    process.on_fork.append(meet)
    outcome = process.run()
    assert outcome.exit_code == 0, outcome
    lines = output.decode().split("\n")
    assert lines == ["0", "-17", "-22", "17", "executed", "0", "-22", ""]
    (_, copied, first), (executed, shared, second) = children
    assert (first, second) == (1, 1)
    assert copied is not process.section_store, "a duplicate"
    assert len(copied) == 0, "the child removed its own"
    assert shared is process.section_store, "vfork shares the address space"
    assert executed.section_store is not shared, "another program has its own"
    assert executed.section_store is not None
    assert len(executed.section_store) == 0
    assert process.system_calls["stacktrace_setup"].count == 2


def test_a_section_made_at_run_time_is_found(compile_guest: Callable[..., Path]) -> None:
    process = Process(Image.from_file(build(compile_guest, 1000, 80)), stdout=lambda _data: None)
    store = process.section_store = SectionStore(process.memory, process.memory)
    found: list[object] = []

    def meet(_child: Process) -> None:
        (record,) = store.records
        found.append(store.lookup(record.text_start))

    process.on_fork.append(meet)
    process.run()
    row = found[0]
    assert isinstance(row, Row)
    assert (row.frame.cfa.offset, row.frame.ra.offset) == (8, -8)


def test_without_a_store_there_are_no_such_calls(compile_guest: Callable[..., Path]) -> None:
    output = bytearray()
    process = Process(Image.from_file(build(compile_guest, 1000, 80)), stdout=output.extend)
    process.run()
    assert output.startswith(b"-38\n-38\n-22\n1\nexecuted\n")
    assert process.system_calls["syscall_0x3e8"].unsupported


def test_every_call_is_logged_when_it_returns(compile_guest: Callable[..., Path]) -> None:
    source = r"""
    #include <unistd.h>
    #include <sys/wait.h>
    int main(void) {
        int fd[2]; char c; pipe(fd);
        if (!fork()) { write(fd[1], "x", 1); _exit(3); }
        read(fd[0], &c, 1); wait(0); close(77); syscall(9999, 1); _exit(0);
    }
    """
    log: list[tuple[str, tuple[int, ...], int]] = []
    process = Process(
        Image.from_file(compile_guest(source)),
        on_system_call=lambda *call: log.append(call),
    )
    assert process.run().exit_code == 0
    calls = {name: (arguments, result) for name, arguments, result in log}
    assert calls["read"][1] == 1
    assert calls["wait4"][1] == 1001
    assert calls["close"] == ((77,), -9)
    assert calls["write"][0][2] == 1
    assert calls["syscall_0x270f"][1] == -38
    names = [name for name, _, _ in log]
    assert names.index("write") < names.index("read")
