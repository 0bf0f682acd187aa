"""`emu profile`: sample a program with deferred unwinding, as perf would."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack

from emu.cli.check_one import never_loaded
from emu.cli.guest import configure_convert, configure_guest, start_guest
from emu.cli.report_file import ReportFile
from emu.cli.usage import UsageError

HELP = "sample a program with deferred unwinding, as perf does"

EPILOG = """\
examples:
  emu profile --every 1000 ./prog -- ARG...
  emu profile --every 50us --convert all --folded --output stacks.txt ./prog
  emu profile --every 0 --on-system-call --no-merge --verify ./prog

The guest's output is the command's own; the profile goes to standard error. With `--output -` it
goes to standard output and the guest's standard output to standard error. If the program cannot be
started, an older file of that name stays as it is.

exit status:
  0  done      1  --verify found walks that neither a missing row nor the limit explains
  2  usage, or the program cannot be started      130  interrupted, after the profile so far
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Run PROGRAM under the emulator and sample it: a timer interrupts it, or a system call"
        " ends; on the way back to user space its stack is walked as the kernel does, and what"
        " `perf script` makes of the records is printed."
    )
    parser.epilog = EPILOG
    configure_guest(parser)
    parser.add_argument(
        "--every",
        default="1000",
        metavar="N[us]",
        help="the timer's period: N instructions (default 1000), or N microseconds of guest time;"
        " 0: no timer",
    )
    parser.add_argument(
        "--on-system-call", action="store_true", help="sample at the end of every system call"
    )
    parser.add_argument(
        "--policy",
        default="kernel-v15",
        metavar="P",
        help="which consumer walks: kernel-v15 (default), kernel-v14, format or glibc, with"
        " ,+switch or ,-switch",
    )
    configure_convert(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--folded", action="store_true", help="one line for each distinct stack, for flame graphs"
    )
    form.add_argument(
        "--no-merge",
        action="store_true",
        help="samples and deferred callchains apart, as perf script --no-merge-callchains",
    )
    parser.add_argument(
        "--verify", action="store_true", help="compare every walk with the true stack (slower)"
    )
    parser.add_argument("--output", metavar="FILE", help="write the profile there (- for stdout)")


def run(arguments: argparse.Namespace) -> int:
    """Run the program and write its profile."""
    from emu.check.conversion import unmatched
    from emu.machine import OutcomeKind
    from emu.profile import Form, ProfileError, ProfileOutput, Sampler, period
    from emu.unwind import PolicyError, policy

    try:
        timer = period(arguments.every)
        consumer = policy(arguments.policy)
    except ProfileError as error:
        raise UsageError(f"--every: {error}") from error
    except PolicyError as error:
        raise UsageError(str(error)) from error
    if timer is None and not arguments.on_system_call:
        raise UsageError("--every 0 samples nothing without --on-system-call")
    form = Form.FOLDED if arguments.folded else Form.UNMERGED if arguments.no_merge else Form.MERGED
    profile = None if arguments.output is None else ReportFile(arguments.output)
    to_stdout = profile is not None and profile.is_stdout
    guest_output = (sys.stderr if to_stdout else sys.stdout).buffer
    with ExitStack() as files:
        sampler = Sampler(
            start_guest(arguments, files, guest_output),
            period=timer,
            on_system_call=arguments.on_system_call,
            policy=consumer,
            verify=arguments.verify,
            convert=arguments.convert,
        )
        write = sys.stderr.write if profile is None else _writer(profile)
        output = ProfileOutput(form, sampler.symbols, sampler.event_names, write)
        sampler.on_record.append(output.add)
        outcome = sampler.run(arguments.max_instructions)
        guest_output.flush()
        output.finish()
        if profile is not None:
            profile.finish()
    if outcome.message:
        print(f"emu: {outcome.message}", file=sys.stderr)
    modules = (*sampler.modules.modules, *sampler.modules.unloaded)
    names = unmatched(arguments.convert, (module.path for module in modules))
    if names:
        print(f"emu: {never_loaded(names)}", file=sys.stderr)
    if arguments.output is not None:
        print(
            f"emu: {sampler.samples:,} samples, {sampler.walks:,} walks,"
            f" {sampler.instructions:,} instructions",
            file=sys.stderr,
        )
    verification = sampler.verification
    if verification is not None:
        print(f"emu: {verification}", file=sys.stderr)
    if outcome.kind is OutcomeKind.INTERRUPTED:
        return 130
    return 1 if verification is not None and verification.faults else 0


def _writer(profile: ReportFile) -> Callable[[str], object]:
    # Names may be anything.
    return lambda text: profile.append(text.encode(errors="backslashreplace"))
