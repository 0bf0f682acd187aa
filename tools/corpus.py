"""Real programs, built statically with SFrame V3 from the distribution's sources, and checked.

    python tools/corpus.py build [NAME...]    fetch and build what is not there yet
    python tools/corpus.py check [NAME...]    the same, then run each natively and under `emu check`
    python tools/corpus.py list               programs and runs, one run a line

The sources come through apt, from the archive the machine is configured for, verified by its
signatures, and are kept with the programs below the user's cache directory. `check` compares
standard output and exit status of both runs and asks for a true call stack without violations;
its exit status is 1 if anything differs. What `emu check` finds in the tables is shown.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emu.toolchain import Toolchain, ToolchainError, compiler_command, install
from emu.toolchain.apt import PrivateApt, machine_archives
from emu.toolchain.cache import Copy, find_copy, locked, publish, under_construction

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/", "LC_ALL": "C"}
"""What the guest's environment is too."""

FLAGS = ["-O2", "-g", "-w", "-static"]
BUILD_SECONDS = 600
RUN_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Run:
    """One command line; `prepared_by` are arguments with which the program makes the input."""

    arguments: tuple[str, ...] = ()
    stdin: bytes = b""
    prepared_by: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A program of a source package: compiled in one go from `sources` (globs, `!` excludes), or
    with configure and make, which leave it at `made`."""

    name: str
    package: str
    runs: tuple[Run, ...]
    sources: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    made: str = ""


@dataclass(slots=True)
class Outcome:
    """What both runs of one command line gave; `differences` is empty if they agree."""

    instructions: int = 0
    frames: dict[str, int] = field(default_factory=dict)
    findings: int = 0
    differences: list[str] = field(default_factory=list)


NUMBERS = "".join(f"{n}\n" for n in range(1, 41)).encode()

LUA = b"""
local squares = {}
for i = 1, 20 do squares[#squares + 1] = i * i end
table.sort(squares, function(a, b) return a > b end)
print(table.concat(squares, " "))
print(pcall(error, "caught"))
local words = coroutine.wrap(function()
  for word in ("one two"):gmatch("%a+") do coroutine.yield(word) end
end)
print(words(), words())
os.exit(4)
"""

SHELL = (
    'count() { [ "$1" -gt 0 ] && count $(($1 - 1)) && echo "$1"; return 0; }; count 5; '
    'for word in stack frame row; do case $word in f*) echo "${word#f}";; esac; done; '
    'trap "echo bye" EXIT; exit 7'
)

AWK = (
    "{ sum += $1; seen[$1 % 3]++ } END { for (i = 0; i < 3; i++) print i, seen[i]; exit sum % 256 }"
)

SCHEME = b"(define (fact n) (if (< n 2) 1 (* n (fact (- n 1)))))\n(display (fact 10))\n(newline)\n"

PROGRAMS = (
    Program(
        "bzip2",
        "bzip2",
        (Run(("-1c",), NUMBERS), Run(("-dc",), NUMBERS, ("-1c",)), Run(("-tv",), b"not bzip2\n")),
        sources=("*.c", "!dlltest.c", "!mk251.c", "!spewG.c", "!unzcrash.c", "!bzip2recover.c"),
    ),
    Program(
        "lua",
        "lua5.4",
        (Run(("-",), LUA), Run(("-e", "error('uncaught')")), Run(("-v",))),
        sources=("src/*.c", "!src/luac.c"),
        flags=("-DLUA_USE_POSIX",),
        libraries=("-lm",),
    ),
    Program(
        "minigzip",
        "zlib",
        (Run((), NUMBERS), Run(("-d",), NUMBERS, ())),
        sources=("*.c", "test/minigzip.c"),
        flags=("-DHAVE_UNISTD_H", "-I."),
    ),
    Program(
        "ed",
        "ed",
        (
            Run(("-s",), b"a\nhello\nworld\n.\n1,$s/o/0/g\n,p\nQ\n"),
            Run(("-s",), b"g/x/p\nnonsense\n"),
        ),
        sources=("*.c",),
        flags=('-DPROGVERSION="corpus"',),
    ),
    Program(
        "tinyscheme",
        "tinyscheme",
        (Run(("-",), SCHEME),),
        sources=("scheme.c",),
        flags=("-DSTANDALONE=1", "-DUSE_DL=0", "-DUSE_ASCII_NAMES=1"),
        libraries=("-lm",),
    ),
    Program(
        "lz4",
        "lz4",
        (Run(("-1c",), NUMBERS), Run(("-9c",), NUMBERS), Run(("-dc",), NUMBERS, ("-1c",))),
        sources=("lib/*.c", "programs/*.c"),
        flags=("-Ilib",),
    ),
    Program(
        "lzip",
        "lzip",
        (
            Run(("-0c",), NUMBERS),
            Run(("-dc",), NUMBERS, ("-0c",)),
            Run(("-tv",), b"not an archive\n"),
        ),
        sources=("*.cc",),
        flags=('-DPROGVERSION="corpus"',),
    ),
    Program("dash", "dash", (Run(("-c", SHELL)), Run((), b"echo $((6 * 7))\n")), made="src/dash"),
    Program("mawk", "mawk", (Run((AWK,), NUMBERS), Run(("BEGIN { printf",))), made="mawk"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build and check real programs.")
    parser.add_argument("action", choices=["build", "check", "list"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs (default: all)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {program.name for program in PROGRAMS}
    if unknown:
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    chosen = [p for p in PROGRAMS if not arguments.names or p.name in arguments.names]
    if arguments.action == "list":
        for program in chosen:
            for run in program.runs:
                print(shlex.join([program.name, *run.arguments]))
        return 0
    try:
        paths = build_all(chosen)
    except (ToolchainError, OSError) as error:
        print(f"corpus: {error}", file=sys.stderr)
        return 2
    if arguments.action == "build":
        for path in paths:
            print(path)
        return 0
    return check_all(chosen, paths)


def build_all(programs: Sequence[Program]) -> list[Path]:
    """The programs' paths in the cache, built there if they are not."""
    toolchain = install()
    with locked(lambda: print("corpus: waiting for another build", file=sys.stderr)):
        missing = [program for program in programs if find_copy(copy_name(program)) is None]
        if missing:
            build_missing(missing, toolchain)
    paths = []
    for program in programs:
        copy = find_copy(copy_name(program))
        assert copy is not None
        paths.append(copy.directory / program.name)
    return paths


def copy_name(program: Program) -> str:
    return f"corpus-{program.name}"


def build_missing(programs: Sequence[Program], toolchain: Toolchain) -> None:
    archives, release = machine_archives()
    # The machine's own release: its sources build with its own compiler.
    suite = release.codename or release.rolling_suites[0]
    with tempfile.TemporaryDirectory() as scratch:
        source = PrivateApt(Path(scratch) / "apt", archives[0], suite)
        (Path(scratch) / "apt").mkdir()
        source.update()
        for program in programs:
            with under_construction(copy_name(program)) as directory:
                version = fetch(program, source, Path(scratch) / program.name, directory / "source")
                build(program, toolchain, directory / "source", directory / program.name)
                packages = ((program.package, version),)
                publish(Copy(copy_name(program), directory, suite, packages))
                print(f"{program.name}: built from {program.package} {version}", file=sys.stderr)


def fetch(program: Program, source: PrivateApt, into: Path, tree: Path) -> str:
    """Unpack the package's original sources into `tree`; the package's version."""
    files = source.source(program.package, into)
    archive = next(path for path in files if ".orig.tar." in path.name and path.suffix != ".asc")
    tree.mkdir()
    run_quietly(["tar", "-xf", str(archive), "--strip-components=1", "-C", str(tree)], tree)
    description = next(path for path in files if path.suffix == ".dsc")
    return description.stem.partition("_")[2]


def build(program: Program, toolchain: Toolchain, tree: Path, output: Path) -> None:
    if program.made:
        # configure wants a compiler that is one command; the options for as and ld are part of it.
        compiler = shlex.join(compiler_command([]))
        settings = [f"CC={compiler}", "CFLAGS=-O2 -g -w", "LDFLAGS=-static"]
        run_quietly(["./configure", *settings], tree)
        run_quietly(["make", "-j2"], tree)
        (tree / program.made).rename(output)
        return
    excluded = {path for glob in program.sources if glob[0] == "!" for path in tree.glob(glob[1:])}
    sources = {path for glob in program.sources if glob[0] != "!" for path in tree.glob(glob)}
    names = [str(path.relative_to(tree)) for path in sorted(sources - excluded)]
    flags = [*FLAGS, *program.flags]
    toolchain.compile([*names, *program.libraries], output, flags, directory=tree)


def run_quietly(command: Sequence[str], directory: Path) -> None:
    try:
        result = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=BUILD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(f"{directory}: {command[0]}: {error}") from error
    if result.returncode != 0:
        last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        raise ToolchainError(f"{directory}: {command[0]}: {''.join(last)}")


def check_all(programs: Sequence[Program], paths: Sequence[Path]) -> int:
    print(f"{'program':<12}{'instructions':>12}{'ok':>10}{'gap':>10}{'findings':>10}  same  run")
    differing = 0
    for program, path in zip(programs, paths, strict=True):
        for run in program.runs:
            outcome = compare(path, run)
            line = shlex.join(run.arguments)
            ok, gap = outcome.frames.get("ok", 0), outcome.frames.get("gap", 0)
            print(
                f"{program.name:<12}{outcome.instructions:>12,}{ok:>10,}{gap:>10,}"
                f"{outcome.findings:>10}  {'no ' if outcome.differences else 'yes'}   {line[:48]}",
                flush=True,
            )
            for difference in outcome.differences:
                print(f"    {difference}")
            differing += bool(outcome.differences)
    print(f"{differing} runs differ" if differing else "every run is the same as the native one")
    return 1 if differing else 0


def compare(program: Path, run: Run) -> Outcome:
    """Run natively and under `emu check`."""
    stdin = run.stdin
    if run.prepared_by is not None:
        stdin = native(program, run.prepared_by, stdin).stdout
    expected = native(program, run.arguments, stdin)
    with tempfile.TemporaryDirectory() as scratch:
        given, result = Path(scratch) / "stdin", Path(scratch) / "result.json"
        given.write_bytes(stdin)
        options = ["--stdin", str(given), "--json", str(result)]
        command = [sys.executable, "-m", "emu", "check", *options, str(program)]
        words = ["--", *run.arguments] if run.arguments else []
        checked = subprocess.run(
            [*command, *words], capture_output=True, timeout=RUN_SECONDS, check=False
        )
        outcome = Outcome()
        try:
            report = json.loads(result.read_text())
        except (OSError, ValueError):
            said = checked.stderr.decode(errors="replace").strip().splitlines()[-1:]
            outcome.differences.append(f"emu check gave no report: {''.join(said)}")
            return outcome
    outcome.instructions = report["instructions"]
    outcome.frames = report["steps"]
    outcome.findings = len(report["findings"])
    if checked.stdout != expected.stdout:
        outcome.differences.append(f"output: {expected.stdout!r} natively, {checked.stdout!r} here")
    if report["exit_code"] != expected.returncode:
        ended = f"{report['ended']} {report['exit_code']} {report['message']}"
        outcome.differences.append(f"status: {expected.returncode} natively, {ended} here")
    if report["truth"]["violations"]:
        outcome.differences.append(f"true stack: {report['truth']['violations']} violations")
    return outcome


def native(
    program: Path, arguments: Sequence[str], stdin: bytes
) -> subprocess.CompletedProcess[bytes]:
    # A file, as in the guest: some programs behave otherwise on a pipe.
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        return subprocess.run(
            [program, *arguments],
            stdin=file,
            env=ENVIRONMENT,
            cwd="/",
            capture_output=True,
            timeout=RUN_SECONDS,
            check=False,
        )


if __name__ == "__main__":
    sys.exit(main())
