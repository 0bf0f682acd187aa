"""Signals before arbitrary instructions of a threaded program: the truth stays clean."""

from pathlib import Path

import pytest

from emu.check import GuestOptions, Verdict, run
from emu.toolchain import Toolchain

SOURCE = r"""
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>
static volatile sig_atomic_t ticks;
__attribute__((noinline)) static int inner(int n)
{
    volatile char kept[32];
    kept[0] = n;
    return n ? inner(n - 1) + kept[0] - n : 0;
}
static void on_tick(int, siginfo_t *, void *) { ticks = ticks + 1; inner(2); }
__attribute__((noinline)) static int work(int n)
{
    if (n == 0)
        throw std::runtime_error("bottom");
    return n < 2 ? n : work(n - 1) + 1;
}
int main()
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_tick;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGPROF, &action, nullptr);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++)
        threads.emplace_back([] {
            for (int i = 0; i < 4; i++)
                try { work(i % 4); } catch (std::exception &) { inner(1); }
        });
    for (auto &thread : threads)
        thread.join();
    return ticks > 100 ? 0 : 1;
}
"""

KNOWN = {
    # The linker's row, and what libgcc does when it enters a landing pad: docs/found.md.
    (Verdict.WRONG, "__cxa_finalize@plt"),
    (Verdict.WRONG, "_Unwind_RaiseException"),
    (Verdict.WRONG, "_Unwind_Resume"),
}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_threaded_program(toolchain: Toolchain, tmp_path: Path, seed: int) -> None:
    source = tmp_path / "program.cc"
    source.write_text(SOURCE)
    program = toolchain.compile([source], tmp_path / "program", ["-O2", "-g", "-pthread"])
    result = run(
        program,
        convert=["all"],
        options=GuestOptions(seed=seed, signal_every=150, signal_seed=seed),
    )
    assert (result.ended, result.exit_code) == ("exit", 0)
    # Two seeds, more than a thousand handlers that ran and returned.
    assert result.system_calls["rt_sigreturn"].count > 500
    assert result.figures.violations == 0
    assert result.figures.returns_verified == result.figures.returns > 10_000
    assert result.tally.unsettled == 0
    wrong = {
        (finding.key.verdict, finding.key.function)
        for finding in result.findings
        # Refused and dropped rows (lazy binding, the restorer) are the consumer's.
        if finding.key.verdict not in (Verdict.REFUSED, Verdict.CORRUPT)
    }
    assert wrong <= KNOWN
