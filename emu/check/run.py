"""Check a program, or look at its snapshots, from Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from emu.check.cfi import NAME as DWARF
from emu.check.error import CheckError
from emu.check.fast import FastEngine
from emu.check.guest_options import GuestOptions, start_guest
from emu.check.listing import listing
from emu.check.modules import LoadedModule
from emu.check.reference import ReferenceEngine
from emu.check.repeat import Repeat
from emu.check.result import CheckedModule, Coverage, Result, SystemCall
from emu.check.selection import Selection
from emu.check.snapshot import Snapshot
from emu.check.verdict import Verdict
from emu.machine import Image, Outcome, Process
from emu.unwind import Policy, PolicyError
from emu.unwind import policy as policy_named

ENGINES: dict[str, type[ReferenceEngine]] = {
    FastEngine.name: FastEngine,
    ReferenceEngine.name: ReferenceEngine,
}

USABLE = frozenset({"present", "converted"})
"""What `sframe` of a module says if walks can use its table."""


def run(
    program: str | Path | Image,
    *,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes | BinaryIO | None = None,
    stdout: BinaryIO | None = None,
    stderr: BinaryIO | None = None,
    at: str | Iterable[str] = (),
    policy: str | Policy = "kernel-v15",
    engine: str = "fast",
    max_instructions: int | None = None,
    strict: bool = False,
    convert: Collection[str] = (),
    root: str | Path = "/",
    options: GuestOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
    watch_stores: bool = False,
    exhaustive: bool = False,
) -> Result:
    """Run `program` to its end and check every instruction, or those named by `at`.

    `args` follow the program's name. `env` is added to a fixed environment. The guest's output
    goes to `stdout` and `stderr`, or nowhere. `at` names places as `SYMBOL[+OFFSET]`. With
    `strict`, gaps are findings too. `convert` names modules (by path or file name, or `all`)
    whose missing rows are made from .eh_frame. `engine` is `fast` or `reference`; both give the
    same result, and a policy that the fast one does not know is left to the other. `progress` is
    called now and then with the numbers of instructions and findings so far. With `watch_stores`
    the check of an older frame is made again when something has changed that it depends on; with
    `exhaustive` all frames are checked anew at every instruction, and must come to the same if
    nothing has. Raises `CheckError` if the program cannot be started, a place does not exist, or
    an exhaustive check contradicts the other one; whatever the guest does is in the result.
    """
    consumer = _policy(policy)
    chosen = _engine(engine, consumer)
    process = start_guest(
        program,
        args=args,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        root=root,
        options=options or GuestOptions(),
    )
    selection = _selection(at)
    runner = chosen(
        process,
        consumer,
        selection=selection,
        strict=strict,
        convert=convert,
        repeat=_repeat(watch_stores=watch_stores, exhaustive=exhaustive),
    )
    runner.progress = progress
    _demand(process, selection)
    outcome = runner.run(max_instructions)
    return _result(runner, outcome)


def prepare(
    engine: str = "fast", policy: str | Policy = "kernel-v15", *, stores: bool = False
) -> None:
    """Do now what the first run does once: import libraries, load or compile the hook.

    With `stores` that for stores, too. For a process that goes on as several, or one that says
    what takes so long. Raises `CheckError` for an unknown engine or policy.
    """
    if _engine(engine, _policy(policy)) is FastEngine:
        from emu.check.fast.compile import hook_address, store_hook_address

        hook_address()
        if stores:
            store_hook_address()


def snapshots(
    program: str | Path | Image,
    *,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes | BinaryIO | None = None,
    at: str | Iterable[str] = (),
    policy: str | Policy = "kernel-v15",
    max_instructions: int | None = None,
    root: str | Path = "/",
    options: GuestOptions | None = None,
) -> Iterator[Snapshot]:
    """Run `program` and yield it just before each chosen instruction (all of them by default).

    A snapshot's memory is the live memory of the process: use it before asking for the next one.
    Raises `CheckError` like `run`.
    """
    process = start_guest(
        program,
        args=args,
        env=env,
        stdin=stdin,
        stdout=None,
        stderr=None,
        root=root,
        options=options or GuestOptions(),
    )
    selection = _selection(at)
    runner = ReferenceEngine(process, _policy(policy), selection=selection)
    _demand(process, selection)
    yield from runner.snapshots(max_instructions)


def _repeat(*, watch_stores: bool, exhaustive: bool) -> Repeat:
    if exhaustive:
        return Repeat.ALWAYS
    return Repeat.STORES if watch_stores else Repeat.TABLES


def _engine(name: str, policy: Policy) -> type[ReferenceEngine]:
    """The engine of that name, or the reference engine if it cannot follow the policy."""
    engine = ENGINES.get(name)
    if engine is None:
        raise CheckError(f"unknown engine {name!r} (known: {', '.join(ENGINES)})")
    if engine is FastEngine and (policy.name == DWARF or not FastEngine.supports(policy)):
        return ReferenceEngine
    return engine


def _policy(policy: str | Policy) -> Policy:
    if policy == DWARF:
        return replace(policy_named("format"), name=DWARF)
    try:
        return policy_named(policy) if isinstance(policy, str) else policy
    except PolicyError as error:
        raise CheckError(str(error)) from error


def _selection(at: str | Iterable[str]) -> Selection | None:
    places = [at] if isinstance(at, str) else list(at)
    return Selection(places) if places else None


def _demand(process: Process, selection: Selection | None) -> None:
    """A place that a program without libraries does not have will never come."""
    if selection is None:
        return
    for module in process.modules:
        selection.resolve(module)
    if selection.unresolved and process.image.interpreter is None:
        raise CheckError(f"--at {selection.unresolved[0]}: no such symbol in the program")


def _result(runner: ReferenceEngine, outcome: Outcome) -> Result:
    process, tally = runner.process, runner.tally
    findings = tuple(sorted(tally.findings.values(), key=lambda finding: -finding.count))
    return Result(
        program=process.image.path,
        engine=runner.name,
        policy=str(runner.policy),
        seconds=runner.seconds,
        instructions=runner.instructions,
        ended=outcome.kind.value,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        message=outcome.message,
        tally=tally,
        figures=runner.tracker.figures,
        coverage=_coverage(runner),
        system_calls={
            name: SystemCall(call.count, call.unsupported)
            for name, call in process.system_calls.items()
        },
        modules=_modules(runner),
        findings=findings,
        listings={
            finding.key: runner.family.listings.get(finding.key)
            or listing(finding, runner.modules, runner.tables, process.memory)
            for finding in findings
        },
        remarks=_remarks(runner),
    )


def _coverage(runner: ReferenceEngine) -> Coverage:
    fdes = rows = 0
    for module in _all_modules(runner):
        if module.section is not None and module.sframe in USABLE:
            fdes += module.section.header.num_fdes
            rows += module.section.header.num_fres
    fdes_hit, rows_hit = runner.tables.hit()
    return Coverage(fdes, fdes_hit, rows, rows_hit)


def _modules(runner: ReferenceEngine) -> tuple[CheckedModule, ...]:
    gaps = sorted(runner.tally.gaps.items(), key=lambda gap: -gap[1])
    return tuple(
        CheckedModule(
            path=module.path,
            bias=module.bias,
            sframe=module.sframe,
            functions_without_sframe=tuple(
                function for (path, function), _ in gaps if path == module.path
            ),
        )
        for module in _all_modules(runner)
    )


def _all_modules(runner: ReferenceEngine) -> list[LoadedModule]:
    """Those of the first process, and what children had besides."""
    own = [*runner.modules.modules, *runner.modules.unloaded]
    known = {(module.path, module.bias) for module in own}
    return own + [one for key, one in runner.family.modules.items() if key not in known]


def _remarks(runner: ReferenceEngine) -> tuple[str, ...]:
    remarks = []
    modules = _all_modules(runner)
    if not any(module.sframe in USABLE for module in modules):
        remarks.append("no module has an .sframe section that can be used: every frame is a gap")
    remarks += [
        f"{module.path}: {module.sframe}"
        for module in modules
        if module.sframe.startswith("rejected")
    ]
    if runner.dropped_at is not None:
        remarks.append(
            f"from instruction {runner.dropped_at:,} on walks had no table: a lookup failed"
            " and the section was dropped, as the kernel would"
        )
    family = runner.family
    if family.count:
        many = "a child process" if family.count == 1 else f"{family.count} child processes"
        remarks.append(f"{many} checked too: instructions, frames and findings are those of all")
    if family.lost_tables:
        remarks.append(
            f"{family.lost_tables} of the child processes had no table at some time, likewise"
        )
    if runner.selection is not None:
        missing = [place for place in runner.selection.unresolved if place not in family.found]
        if missing:
            remarks.append(f"never found: {', '.join(missing)}")
    if runner.tally.unsettled and runner.tally.steps[Verdict.UNSETTLED]:
        remarks.append(
            "unsettled checks were made while a return address was in a register only, or behind"
            " a push and a jump that never came back"
        )
    remarks += [
        f"{function} moves to another stack by itself: its rows that lead back to the one it came"
        " from are unsettled"
        for function in sorted(runner.moved | family.moved)
    ]
    return tuple(remarks)
