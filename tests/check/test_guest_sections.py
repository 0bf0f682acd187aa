"""A guest that makes code, registers an .sframe for it, runs it and takes both away again."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from emu.check import Verdict, run, snapshots
from emu.machine import SectionCalls
from emu.sframe import Function, Rule, Rules, write_section
from emu.toolchain import Toolchain

CODE = bytes.fromhex("4883ec08 ffd7 4883c408 c3")
"""sub rsp, 8; call rdi; add rsp, 8; ret"""


def row(offset: int) -> Rules:
    return Rules(cfa=Rule(7, offset), ra=Rule(None, -8, deref=True))


TABLE = write_section(
    [Function(start=4096, size=len(CODE), rows=[(0, row(8)), (4, row(16)), (10, row(8))])]
)

SOURCE = r"""
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static const unsigned char table[] = { TABLE }, code[] = { CODE };
static volatile int calls;
__attribute__((noinline)) static void callback(void) { calls++; }
int main(void) {
    unsigned char *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void (*made)(void (*)(void)) = (void (*)(void (*)(void)))(page + 4096);
    memcpy(page, table, sizeof table);
    memcpy(page + 4096, code, sizeof code);
    mprotect(page + 4096, 4096, PROT_READ | PROT_EXEC);
    made(callback);
    if (syscall(CALL, 1, page, sizeof table, page + 4096, 4096)) return 1;
    made(callback);
    page[WORD] += 8;            /* the guest spoils its own table, and mends it */
    made(callback);
    page[WORD] -= 8;
    if (syscall(CALL, 2, page, 0, 0, 0)) return 2;
    made(callback);
    munmap(page, 8192);
    return calls == 4 ? 0 : 3;
}
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a compiler")
@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_a_jit(tmp_path: Path, engine: str) -> None:
    source, program = tmp_path / "jit.c", tmp_path / "jit"
    source.write_text(SOURCE)
    numbers = SectionCalls()
    # The row at 4 has start, info and one word; it is the second of three rows of 3 bytes.
    word = len(TABLE) - 3 - 1
    flags = [
        f"-DTABLE={','.join(map(str, TABLE))}",
        f"-DCODE={','.join(map(str, CODE))}",
        f"-DWORD={word}",
        f"-DCALL={numbers.stacktrace_setup}",
    ]
    subprocess.run(["gcc", "-O1", "-static", *flags, source, "-o", program], check=True)
    result = run(program, engine=engine)
    assert (result.ended, result.exit_code) == ("exit", 0)
    made = {
        verdict: count
        for verdict, count in result.tally.steps.items()
        if verdict not in (Verdict.GAP, Verdict.UNSETTLED) and count
    }
    # Each run of the code has four instructions and one frame below the callback. The first and
    # the last run have no table; in the third the row at 4 is wrong: twice at the top, once below.
    assert made == {Verdict.OK: 5 + 2, Verdict.WRONG: 3}
    assert {finding.key.field for finding in result.findings} == {"pc", "sp"}
    assert result.figures.violations == 0
    assert len(list(snapshots(program, at="callback"))) == 4


EXECUTES = r"""
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **words) {
    int status;
    if (count > 1) { puts("second"); return 7; }
    pid_t child = fork();
    if (!child) return 4;
    waitpid(child, &status, 0);
    printf("first %d\n", WEXITSTATUS(status));
    fflush(stdout);
    execl(words[0], words[0], "again", (char *)0);
    return 1;
}
"""


@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_another_program_begins_anew(toolchain: Toolchain, tmp_path: Path, engine: str) -> None:
    source = tmp_path / "program.c"
    source.write_text(EXECUTES)
    program = toolchain.compile([source], tmp_path / "program", ["-O2", "-static"])
    stdout = io.BytesIO()
    result = run(program, engine=engine, stdout=stdout)
    assert (result.ended, result.exit_code) == ("exit", 7)
    assert stdout.getvalue() == b"first 4\nsecond\n"
    assert result.findings == ()
    assert result.figures.violations == 0
    assert result.figures.returns_verified == result.figures.returns
    assert [module.sframe for module in result.modules] == ["present", "present"]
    assert any("child" in remark for remark in result.remarks)
