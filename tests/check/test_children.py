"""Processes that the guest forks are checked like the first, each with its own stack and store."""

import dataclasses
import gc
import io
import subprocess
import weakref
from pathlib import Path
from typing import Any

import pytest

from emu.check import Result, Verdict, run
from emu.check.family import COLLECTED_AT, Family
from emu.check.guest_options import ENVIRONMENT
from emu.check.reference import ReferenceEngine
from emu.machine import Image, Process
from emu.toolchain import Toolchain

HEAD = """
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static int waited(pid_t child) { int s; waitpid(child, &s, 0); return WEXITSTATUS(s); }
"""

FORK = """
__attribute__((noinline)) static int deep(int left)
{
    if (left)
        return deep(left - 1) + 1;
    pid_t child = fork();
    /* The child returns through all frames that the parent made. */
    return child ? waited(child) : 6;
}
int main(int argc, char **argv)
{
    char *words[] = {argv[0], "again", 0};
    if (argc > 1)
        return 3;
    int sum = deep(5);
    if (sum == 16) {
        pid_t child = vfork();
        if (!child) {
            execv(argv[0], words);
            _exit(99);
        }
        sum += waited(child);
        posix_spawn(&child, argv[0], 0, 0, words, environ);
        sum += waited(child);
        for (int i = 0; i < 3; i++)
            if (!(child = fork()))
                return waited(fork() ?: (_exit(i), 0));
            else
                sum += waited(child);
    }
    return sum;
}
"""

REALIGNED_IN_CHILD = """
#include <alloca.h>
__attribute__((noinline)) static void fill(char *bytes, int size, int with)
{
    for (int i = 0; i < size; i++)
        bytes[i] = with + i;
}
__attribute__((noinline)) static int realigned(int n)
{
    _Alignas(64) char aligned[64];
    char *more = alloca(n);
    fill(aligned, sizeof aligned, n);
    fill(more, n, n);
    return aligned[n & 63] + more[n - 1];
}
int main(void)
{
    pid_t child = fork();
    return child ? waited(child) : realigned(5);
}
"""

SIGNAL_IN_CHILD = """
static volatile int seen;
static void handler(int number) { seen = number; }
int main(void)
{
    signal(SIGUSR1, handler);
    pid_t child = fork();
    if (!child) {
        raise(SIGUSR1);
        return seen;
    }
    return waited(child);
}
"""


def build(toolchain: Toolchain, directory: Path, source: str, *flags: str) -> Path:
    path = directory / "program.c"
    path.write_text(HEAD + source)
    return toolchain.compile([path], directory / "program", ["-O1", "-g", *flags])


def as_json(result: Result) -> dict[str, Any]:
    record = result.json()
    for key in ("engine", "seconds", "instructions_per_second"):
        del record[key]
    return record


def both(program: Path, **options: Any) -> Result:
    """The fast engine's result, which the reference engine's equals."""
    fast, reference = (run(program, engine=engine, **options) for engine in ("fast", "reference"))
    assert as_json(fast) == as_json(reference)
    assert fast.remarks == reference.remarks
    assert fast.listings == reference.listings
    return fast


def executed(program: Path) -> int:
    """Instructions of all processes, counted by nothing but a hook in each."""
    count = 0

    def counting(*_: Any) -> None:
        nonlocal count
        count += 1

    def born(child: Process) -> None:
        child.instruction_hook = counting
        child.on_fork.append(born)

    process = Process(Image.from_file(program), [str(program)], ENVIRONMENT, stdout=io.BytesIO())
    process.on_fork.append(born)
    process.run(counting)
    return count


@pytest.mark.parametrize("link", ["-static", "-no-pie"])
def test_every_instruction_of_every_process(
    toolchain: Toolchain, tmp_path: Path, link: str
) -> None:
    program = build(toolchain, tmp_path, FORK, link)
    native = subprocess.run([program], check=False).returncode
    result = both(program)
    assert (result.ended, result.exit_code) == ("exit", native)
    assert native == 16 + 3 + 3 + 0 + 1 + 2
    assert result.instructions == result.tally.checked
    assert result.figures.violations == 0
    assert result.figures.returns == result.figures.returns_verified
    assert result.tally.unsettled == 0
    assert (
        "9 child processes checked too: instructions, frames and findings are those of all"
        in result.remarks
    )
    if link == "-static":
        assert result.instructions == executed(program)
    found = {(f.key.verdict, f.key.function) for f in result.findings}
    assert found <= {(Verdict.WRONG, "__cxa_finalize@plt")}


def test_what_is_wrong_in_a_child_is_found(toolchain: Toolchain, tmp_path: Path) -> None:
    program = build(toolchain, tmp_path, REALIGNED_IN_CHILD, "-static")
    result = both(program)
    wrong = [f for f in result.findings if f.key.verdict is Verdict.WRONG]
    assert {f.key.function for f in wrong} == {"realigned"}
    assert all(f.witness.source and "program.c:" in f.witness.source for f in wrong)
    assert all(any(line.here for line in result.listings[f.key]) for f in wrong)


def test_place_that_only_a_child_reaches(toolchain: Toolchain, tmp_path: Path) -> None:
    program = build(toolchain, tmp_path, REALIGNED_IN_CHILD, "-static")
    result = both(program, at=["realigned"])
    assert result.tally.checked == 1
    # Its caller is main, once returned from fork; then where main was called from.
    assert result.tally.steps[Verdict.OK] >= 2


def test_each_process_has_its_own_store(toolchain: Toolchain, tmp_path: Path) -> None:
    """A lookup that fails in a signal handler drops the child's section and not the parent's."""
    program = build(toolchain, tmp_path, SIGNAL_IN_CHILD, "-static")
    result = both(program, convert=["all"])
    assert any(f.key.verdict is Verdict.CORRUPT for f in result.findings)
    remarks = "\n".join(result.remarks)
    assert "1 of the child processes had no table" in remarks
    assert "from instruction" not in remarks


def test_children_follow_with_stores_watched(toolchain: Toolchain, tmp_path: Path) -> None:
    program = build(toolchain, tmp_path, FORK, "-static")
    plain, watched, always = (
        run(program, **options)
        for options in ({}, {"watch_stores": True}, {"exhaustive": True})  # type: dict[str, bool]
    )
    for other in (watched, always):
        assert other.instructions == plain.instructions
        assert other.findings == plain.findings
        assert dataclasses.asdict(other.figures) == dataclasses.asdict(plain.figures)


def test_child_that_never_ends_is_counted_when_the_run_ends(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    source = "int main(void) { if (!fork()) for (;;) getpid(); for (;;) getppid(); }"
    program = build(toolchain, tmp_path, source, "-static")
    result = both(program, max_instructions=60_000)
    assert result.ended == "limit"
    assert result.instructions == 60_000 == result.tally.checked


def test_children_that_have_ended_are_let_go(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
    int main(void)
    {
        int sum = 0;
        for (int i = 0; i < 40; i++) {
            pid_t child = fork();
            if (!child)
                _exit(1);
            sum += waited(child);
        }
        return sum;
    }
    """
    program = build(toolchain, tmp_path, source, "-static")
    engines: list[weakref.ref[ReferenceEngine]] = []
    begun = Family.begun

    def remember(self: Family, engine: ReferenceEngine) -> None:
        begun(self, engine)
        engines.append(weakref.ref(engine))

    monkeypatch.setattr(Family, "begun", remember)
    # As in the command, the collector hardly ever looks at what is old.
    before = gc.get_threshold()
    gc.set_threshold(200_000, 10, 1000)
    try:
        result = run(program)
    finally:
        gc.set_threshold(*before)
    assert result.exit_code == len(engines) == 40
    assert sum(engine() is not None for engine in engines) <= 2 * COLLECTED_AT
