"""Situations that a case's header cannot state: a plugin that comes and goes, a program's own
backtrace compared with the truth.
"""

import io
import re
from pathlib import Path

import pytest

from emu.check import GuestOptions, Verdict, run, snapshots
from emu.toolchain import Toolchain
from emu.toolchain.c_case import build_case, read_c_case

SITUATIONS = Path(__file__).parent.parent.parent / "c_cases" / "situations"


def test_a_program_s_own_backtrace_is_the_true_stack(toolchain: Toolchain, tmp_path: Path) -> None:
    program = build_case(
        toolchain, read_c_case(SITUATIONS / "backtrace.c"), "-O2", tmp_path / "program"
    )
    stderr = io.BytesIO()
    result = run(program, stderr=stderr)
    assert (result.ended, result.exit_code) == ("exit", 0)
    said = [
        [int(address, 16) for address in re.findall(r"0x[0-9a-f]+", line)]
        for line in stderr.getvalue().decode().splitlines()
    ]
    # At the entry of backtrace() the topmost frame is its own; it reports those below.
    true = [
        [frame.ip for frame in snapshot.frames[1:]]
        for snapshot in snapshots(program, at="backtrace")
    ]
    assert said == true
    # A handler's stack has the restorer's address and the interrupted instruction in it.
    assert [len(stack) for stack in said] == [9, 10]


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_signals_while_a_function_calls_on_another_stack(
    toolchain: Toolchain, tmp_path: Path, engine: str
) -> None:
    case = read_c_case(SITUATIONS / "own_stack.c")
    program = build_case(toolchain, case, "-O2", tmp_path / "program", ["-DROUNDS=150"])
    options = GuestOptions(seed=1, signal_every=11, signal_seed=1)
    result = run(program, engine=engine, options=options)
    assert (result.ended, result.exit_code) == ("exit", 0)
    assert result.findings == ()
    assert result.figures.violations == 0
    assert result.figures.returns_verified == result.figures.returns
    # There and back each time, wherever the signals came.
    assert result.figures.switches == 2 * (150 + 2)
    assert result.tally.steps[Verdict.UNSETTLED] > 3 * 150
    assert any("call_on moves to another stack" in remark for remark in result.remarks)


PROFILED = r"""
#include <signal.h>
#include <string.h>
static volatile int profiled;
static __attribute__((noinline)) int sampled(int n)
{
    volatile char kept[40];
    kept[0] = n;
    return n > 0 ? sampled(n - 1) + kept[0] - n : 0;
}
static void on_profile(int number) { profiled += sampled(number > 0 ? 2 : 1) + 1; }
__attribute__((constructor)) static void begin_profiling(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_profile;
    action.sa_flags = SA_RESTART;
    sigaction(SIGPROF, &action, 0);
}
"""


@pytest.mark.parametrize("name", ["contexts", "preempted"])
def test_signals_at_any_instruction_of_a_situation(
    toolchain: Toolchain, tmp_path: Path, name: str
) -> None:
    header = tmp_path / "profiled.h"
    header.write_text(PROFILED)
    case = read_c_case(SITUATIONS / f"{name}.c")
    flags = ["-D_GNU_SOURCE", "-include", str(header)]
    program = build_case(toolchain, case, "-O2", tmp_path / name, flags)
    for seed in (1, 2):
        options = GuestOptions(seed=seed, signal_every=97, signal_seed=seed)
        result = run(program, options=options)
        assert (result.ended, result.exit_code) == ("exit", 0)
        assert result.system_calls["rt_sigreturn"].count > 20
        assert result.findings == ()
        assert result.figures.violations == 0
        assert result.figures.returns_verified == result.figures.returns
        assert result.tally.unsettled == 0


SPLIT = r"""
#include <string.h>
__attribute__((noinline)) void at_bottom(void) { __asm__ volatile(""); }
__attribute__((noinline)) static int down(int n)
{
    char room[3000];
    memset(room, n, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory");
    if (n == 0) {
        at_bottom();
        __asm__ volatile("" ::: "memory");
        return 0;
    }
    return down(n - 1) + room[n] - n + 1;
}
int main(void) { return down(60) != 60; }
"""


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_stacks_that_grow_in_pieces(toolchain: Toolchain, tmp_path: Path, engine: str) -> None:
    """gcc's split stacks: __morestack goes on with its caller on another piece of stack."""
    source = tmp_path / "program.c"
    source.write_text(SPLIT)
    program = toolchain.compile([source], tmp_path / "program", ["-O2", "-fsplit-stack", "-static"])
    result = run(program, engine=engine)
    assert (result.ended, result.exit_code) == ("exit", 0)
    assert result.figures.switches > 0
    assert result.figures.violations == 0
    assert result.figures.returns_verified == result.figures.returns
    assert result.findings == ()
    if engine == "reference":
        (bottom,) = snapshots(program, at="at_bottom")
        names = bottom.functions
        # The stack begins where __morestack moved to the newest piece.
        assert names[0] == "at_bottom"
        assert set(names[1:-1]) == {"down"}
        assert names[-1] == "__morestack"


@pytest.fixture
def plugin(toolchain: Toolchain, tmp_path: Path) -> tuple[Path, Path]:
    """The host and what it loads."""
    flags = ["-O2", "-g", "-Wall", "-Werror"]
    host = toolchain.compile([SITUATIONS / "plugin" / "host.c"], tmp_path / "host", flags)
    library = toolchain.compile(
        [SITUATIONS / "plugin" / "plugin.c"], tmp_path / "plugin.so", [*flags, "-shared", "-fPIC"]
    )
    return host, library


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_calls_through_a_plugin(plugin: tuple[Path, Path], engine: str) -> None:
    host, library = plugin
    stdout = io.BytesIO()
    result = run(host, args=[str(library)], stdout=stdout, engine=engine)
    assert (result.ended, result.exit_code) == ("exit", 0)
    assert stdout.getvalue() == b"16 16 2\n"
    assert result.figures.violations == 0
    assert result.figures.returns_verified == result.figures.returns
    # Loaded twice, and both times with a table.
    loaded = [module for module in result.modules if module.path == str(library)]
    assert [module.sframe for module in loaded] == ["present", "present"]
    found = {(finding.key.verdict, finding.key.function) for finding in result.findings}
    assert found == {(Verdict.WRONG, "__cxa_finalize@plt")}


def test_a_plugin_s_table_is_there_while_it_is_loaded(plugin: tuple[Path, Path]) -> None:
    host, library = plugin
    places = ["before", "in_plugin", "in_host", "after"]
    seen = []
    extent = None
    for snapshot in snapshots(host, args=[str(library)], at=places):
        names = snapshot.functions
        if names[0] == "in_plugin":
            # The row of the frame in the plugin is used, and it is right.
            assert names[:5] == ("in_plugin", "middle", "enter", "use", "main")
            assert [snapshot.outcome(frame).verdict for frame in range(4)] == [Verdict.OK] * 4
            record = snapshot.store.record_for(snapshot.pc)
            assert record is not None
            extent = record
        elif names[0] == "in_host":
            assert names[:6] == ("in_host", "callback", "middle", "enter", "use", "main")
            assert [snapshot.outcome(frame).verdict for frame in range(5)] == [Verdict.OK] * 5
        tables = len(snapshot.store)
        there = extent is not None and snapshot.store.record_for(extent.text_start) is not None
        seen.append((names[0], tables, there))
    assert seen == [
        ("before", 1, False),
        ("in_plugin", 2, True),
        ("in_host", 2, True),
        ("after", 1, False),
        ("in_plugin", 2, True),
        ("in_host", 2, True),
    ]
