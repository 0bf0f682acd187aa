"""Real programs at every instruction: run natively and under `emu check`, and compared.

    python tools/programs.py [--short] [--jobs N] [--json FILE] [NAME...]
    python tools/programs.py --list

Programs that are not on PATH come privately from the machine's own suites; the C cases and a
threaded C++ program are built here, dynamically and statically. Each is run natively and under
the check of every instruction, with the same arguments, environment and standard input. What must
hold: equal output, error output and exit status; a true call stack without violations, every return
verified; every instruction checked, fewer than one in a thousand unsettled; no system call that the
emulated kernel does not know; and no finding but of the kinds listed here, each proven in
docs/found.md. Names ending in `+convert` have the rows they lack made from .eh_frame. Exit
status 1 if anything of this does not hold.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from emu.check import Result, run
from emu.check.finding import Finding
from emu.check.guest_options import ENVIRONMENT
from emu.toolchain import Toolchain, ToolchainError, install
from emu.toolchain.c_case import build_case, read_c_cases
from emu.toolchain.programs import Program, Wanted, provide

REPOSITORY = Path(__file__).resolve().parent.parent
NATIVE_SECONDS = 120
OLD = 981_173_106
"""When the files that are listed were made (2001-02-03), so that no clock changes the listing."""

WORDS = [
    f"{name}{number * 7919 % 1009} {other}{number * 104_729 % 997}"
    for number, (name, other) in enumerate(
        [("frame", "sp"), ("row", "fp"), ("stack", "ra"), ("cfa", "pc"), ("slot", "rule")] * 40
    )
]
TEXT = ("\n".join(WORDS) + "\n").encode()

AWK = """
{ count[substr($1, 1, 3)]++; total += length($0) }
END {
    for (name in count) print name, count[name] | "sort"
    close("sort")
    printf "%d %.3f %s\\n", total, sin(1), toupper("done")
    exit total % 256
}
"""

BC = b"""scale = 30
4 * a(1)
2 ^ 200
define f(n) {
    if (n < 2) return 1
    return n * f(n - 1)
}
f(40)
sqrt(2)
1 / 0
"""

SQL = b"""create table row(pc integer primary key, cfa text, size real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
  insert into row select i, 'rsp+' || i * 8, i * 1.5 from n;
create index by_cfa on row(cfa);
select count(*), sum(size), max(cfa) from row where pc % 3 = 0;
select cfa, printf('%.3f', size) from row order by cfa desc limit 5;
begin; delete from row where pc > 100; select count(*) from row; rollback;
select group_concat(pc) from row where cfa like 'rsp+12%';
select no_such_column from row;
"""

LUA = b"""local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(14))
local t = {}
for i = 1, 200 do t[i] = i * 7919 % 1009 end
table.sort(t)
print(table.concat(t, ",", 1, 10))
print(pcall(error, "caught"))
local words = coroutine.wrap(function()
  for word in ("frame row rule"):gmatch("%a+") do coroutine.yield(word) end
end)
print(words(), words())
print(string.format("%5.2f %q", math.pi, "x\\ny"))
os.exit(7)
"""

PERL = r"""
use strict;
my %count;
$count{$_ % 7}++ for 1 .. 300;
print join(",", map { "$_=$count{$_}" } sort keys %count), "\n";
eval { die "caught\n" };
print $@, scalar reverse("emarf"), sprintf(" %.3f\n", atan2(1, 1) * 4);
my $text = "CFA=rsp+16 RA=*(CFA-8)";
$text =~ s/(\w+)=(\S+)/$2=$1/g;
print "$text\n";
exit 3;
"""

PYTHON = """
class Row:
    def __init__(self, start, offset):
        self.start, self.offset = start, offset

    def __repr__(self):
        return f"{self.start:#x}: CFA = rsp+{self.offset}"

def numbers():
    try:
        yield from (n * n % 97 for n in range(50))
    finally:
        print("closed")

print(sorted(set(numbers())))
print({n: Row(n, 8 * n) for n in range(3)})
try:
    {}["none"]
except KeyError as error:
    print("caught", error)
raise SystemExit(6)
"""

SHELL = """
count() { [ "$1" -gt 0 ] && count $(($1 - 1)) && echo "$1"; return 0; }
count 5
printf '%s\\n' row frame stack | sort | while read -r word; do echo "<$word>"; done
trap 'echo bye' EXIT
(exit 3) || echo "status $?"
exit 7
"""

THREADS = """
#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::mutex lock;
static std::condition_variable turn;
static std::map<int, std::string> said;
static int next_one;
thread_local int depth;

struct Cleanup {
    ~Cleanup() { --depth; }
};

static int deeper(int left, int who)
{
    Cleanup cleanup;
    ++depth;
    if (left == 0)
        throw std::runtime_error("worker " + std::to_string(who) + " at " + std::to_string(depth));
    std::vector<int> on_heap(left, who);
    return deeper(left - 1, who) + static_cast<int>(on_heap.size());
}

static void work(int who)
{
    for (int round = 0; round < 3; round++) {
        try {
            try {
                deeper(5 + who, who);
            } catch (const std::logic_error &) {
                std::abort();
            } catch (const std::runtime_error &) {
                throw;
            }
        } catch (const std::exception &error) {
            std::unique_lock<std::mutex> held(lock);
            said[who] += error.what();
            said[who] += depth ? "!" : ".";
        }
    }
    std::unique_lock<std::mutex> held(lock);
    turn.wait(held, [who] { return next_one == who; });
    std::cout << said[who] << std::endl;
    next_one++;
    turn.notify_all();
}

int main()
{
    std::vector<std::thread> threads;
    for (int who = 0; who < 6; who++)
        threads.emplace_back(work, who);
    for (auto &thread : threads)
        thread.join();
    std::cerr << next_one << " threads" << std::endl;
    return 5;
}
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A kind of finding that is proven, with its section in docs/found.md."""

    name: str
    blame: str
    verdict: str
    shows: Callable[[str, str], bool]
    """Whether a function's name and a reason are those of this kind."""


UNWINDER = ("_Unwind_RaiseException", "_Unwind_Resume", "_Unwind_ForcedUnwind")
KNOWN = (
    Known(".plt.got", "linker", "wrong", lambda function, _: function.endswith("@plt")),
    Known("landing pad", "compiler", "wrong", lambda function, _: function.startswith(UNWINDER)),
    Known(
        "lazy binding",
        "consumer",
        "refused",
        lambda _, reason: "CFA: register rbx below the topmost frame" in reason,
    ),
    Known(
        "signal frame without rows",
        "consumer",
        "corrupt",
        lambda _, reason: reason.endswith("has no FREs"),
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One program with its arguments. `built` is a file that `build` makes."""

    name: str
    program: Wanted | Path | str
    arguments: tuple[str, ...] = ()
    stdin: bytes = b""
    convert: bool = False
    short: bool = False
    """In the ordinary suite."""
    finds: tuple[str, ...] = ()
    """Findings that the header of a C case names, `FUNCTION VERDICT [FIELD]`."""


@dataclass(slots=True)
class Outcome:
    """What both runs gave; `differences` is empty if all that must hold does."""

    name: str
    instructions: int = 0
    seconds: float = 0.0
    """Processor time of the check."""
    megabytes: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    walks: dict[str, int] = field(default_factory=dict)
    returns: int = 0
    known: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def cases(directory: Path) -> list[Case]:
    """The table. `directory` has the files that some programs are given, and those built."""
    python = Path(sys.executable).resolve()
    listed = str(directory / "listed")
    xz = Wanted(("xz",), "xz-utils")
    return [
        Case("true", Wanted(("true",), "coreutils"), short=True),
        Case("ls", Wanted(("ls",), "coreutils"), ("-l", listed, "/nonexistent"), short=True),
        Case("sort", Wanted(("sort",), "coreutils"), ("-k2", "-u"), TEXT, short=True),
        Case("sed", Wanted(("sed",), "sed"), ("-E", SED), TEXT, short=True),
        Case("grep", Wanted(("grep",), "grep"), ("-nE", "sp[0-9]+ |stack1.* ra"), TEXT, short=True),
        Case("mawk", Wanted(("mawk",), "mawk"), (AWK,), TEXT, short=True),
        Case("gawk", Wanted(("gawk",), "gawk"), (AWK,), TEXT, short=True),
        Case("bc", Wanted(("bc",), "bc"), ("-l",), BC, short=True),
        Case("xz-small", xz, ("-9", "-c"), TEXT, short=True),
        Case("xz", xz, ("-9", "-c"), _mebibyte()),
        Case("sqlite3", Wanted(("sqlite3",), "sqlite3"), (":memory:",), SQL, short=True),
        Case("lua", Wanted(("lua5.4", "lua"), "lua5.4"), ("-",), LUA, short=True),
        Case("python3", python, ("-S", "-c", PYTHON), short=True),
        Case("perl", Wanted(("perl",), "perl"), ("-e", PERL), short=True),
        Case("sh", Wanted(("dash", "sh"), "dash"), ("-c", SHELL), short=True),
        Case("bash", Wanted(("bash",), "bash"), ("-c", SHELL)),
        Case("threads", "threads", short=True),
        Case("threads-static", "threads-static"),
    ]


def _mebibyte() -> bytes:
    """Words in an order that a compressor cannot foresee."""
    chosen = random.Random(1).choices(WORDS, k=1 << 17)
    return " ".join(chosen).encode()[: 1 << 20]


SED = r"s/([a-z]+)([0-9]+)/\2\1/g; 1~10{h;d}; 5~20G; y/xyz/XYZ/"
CONVERTED = ("true", "ls", "sort", "sqlite3", "python3", "threads", "threads-static", "xz-small")
"""Run a second time with the rows that are missing made from .eh_frame."""

CONVERTED_SHORT = ("threads",)


def table(directory: Path, c_cases: Sequence[Case]) -> list[Case]:
    """All cases: the programs, those again with converted rows, the C cases."""
    every = cases(directory)
    for case in list(every):
        if case.name in CONVERTED:
            every.append(
                Case(
                    f"{case.name}+convert",
                    case.program,
                    case.arguments,
                    case.stdin,
                    convert=True,
                    short=case.name in CONVERTED_SHORT,
                )
            )
    every += c_cases
    return every


LEVELS = ("-O0", "-O2")


def all_c_cases() -> list[Case]:
    """The C cases as they are built: `CASE-O2` dynamically, `CASE-O2-static`."""
    return [
        Case(f"{name}{suffix}", name, convert=bool(suffix), finds=finds)
        for case in read_c_cases(REPOSITORY / "c_cases")
        for finds in [tuple(item.removeprefix("?") for item in case.finds)]
        for level in LEVELS
        for name in (f"{case.name}{level}", f"{case.name}{level}-static")
        for suffix in ("", "+convert")
    ]


def build(toolchain: Toolchain, names: Sequence[str], directory: Path) -> None:
    """Build the programs that have these names."""
    c_cases = {case.name: case for case in read_c_cases(REPOSITORY / "c_cases")}
    for name in names:
        static = name.endswith("-static")
        stem = name.removesuffix("-static")
        if stem == "threads":
            source = directory / "threads.cc"
            source.write_text(THREADS)
            flags = ["-O2", "-g", "-pthread", *(["-static"] if static else [])]
            toolchain.compile([source], directory / name, flags)
        else:
            base, _, level = stem.rpartition("-")
            case = c_cases[base]
            build_case(toolchain, case, f"-{level}", directory / name, static=static)


@contextmanager
def prepared(chosen: Sequence[str] | None, *, short: bool) -> Iterator[tuple[Path, list[Case]]]:
    """The cases of these names (None: all, or the short ones), with a directory for them."""
    with tempfile.TemporaryDirectory(prefix="programs-") as name:
        directory = Path(name).resolve()
        listed = directory / "listed"
        listed.mkdir()
        for entry, size in (("frame", 8), ("row", 300), ("stack of frames", 70_000)):
            (listed / entry).write_bytes(bytes(size))
        (listed / "link").symlink_to("row")
        (listed / "below").mkdir(mode=0o750)
        for path in [*listed.iterdir(), listed]:
            os.utime(path, (OLD, OLD), follow_symlinks=False)
        every = table(directory, [] if short else all_c_cases())
        known = {case.name: case for case in every}
        if chosen:
            unknown = [word for word in chosen if word not in known]
            if unknown:
                raise ToolchainError(f"no such program: {', '.join(unknown)}")
            every = [known[word] for word in chosen]
        elif short:
            every = [case for case in every if case.short]
        built = dict.fromkeys(case.program for case in every if isinstance(case.program, str))
        if built:
            build(install(), list(built), directory)
        yield directory, every


def located(case: Case, directory: Path) -> Program | Path:
    """The program's file. Raises `ToolchainError` if it cannot be had."""
    if isinstance(case.program, Wanted):
        return provide(case.program)
    return directory / case.program if isinstance(case.program, str) else case.program


def examine(case: Case, directory: Path) -> Outcome:
    """Run a case both ways and compare."""
    outcome = Outcome(case.name)
    try:
        found = located(case, directory)
    except ToolchainError as error:
        outcome.differences.append(str(error))
        return outcome
    environment: Mapping[str, str] = ENVIRONMENT
    path = found
    if isinstance(found, Program):
        path = found.path
        environment = found.environment(ENVIRONMENT)
    assert isinstance(path, Path)
    native = run_natively(path, case, environment)
    stdout, stderr = io.BytesIO(), io.BytesIO()
    started = time.process_time()
    result = run(
        path,
        args=case.arguments,
        env=environment,
        stdin=case.stdin,
        stdout=stdout,
        stderr=stderr,
        convert=("all",) if case.convert else (),
    )
    outcome.seconds = time.process_time() - started
    outcome.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    compare(outcome, case, result, native, (stdout.getvalue(), stderr.getvalue()))
    return outcome


def run_natively(
    path: Path, case: Case, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """As the guest is run: the input a pipe's, in the root directory."""
    return subprocess.run(
        [path, *case.arguments],
        input=case.stdin,
        env=environment,
        cwd="/",
        capture_output=True,
        timeout=NATIVE_SECONDS,
        check=False,
    )


def compare(
    outcome: Outcome,
    case: Case,
    result: Result,
    native: subprocess.CompletedProcess[bytes],
    written: tuple[bytes, bytes],
) -> None:
    """Fill an outcome, with a line for everything that does not hold."""
    tally, figures = result.tally, result.figures
    outcome.instructions = result.instructions
    outcome.steps = {verdict.value: n for verdict, n in tally.steps.items() if n}
    outcome.walks = {verdict.value: n for verdict, n in tally.walks.items() if n}
    outcome.returns = figures.returns
    outcome.remarks = list(result.remarks)
    differ = outcome.differences.append
    if result.ended != "exit" or result.exit_code != native.returncode:
        ended = f"{result.ended} {result.signal or result.exit_code} {result.message}"
        differ(f"status: {native.returncode} natively, {ended.strip()} here")
    for name, expected, got in (
        ("output", native.stdout, written[0]),
        ("error output", native.stderr, written[1]),
    ):
        if expected != got:
            differ(f"{name}: {excerpt(expected, got)} natively, {excerpt(got, expected)} here")
    if figures.violations or figures.returns_verified != figures.returns:
        differ(
            f"true stack: {figures.violations} violations,"
            f" {figures.returns_verified} of {figures.returns} returns verified"
        )
    if tally.checked != result.instructions:
        differ(f"only {tally.checked} of {result.instructions} instructions checked")
    if tally.unsettled * 1000 > result.instructions:
        differ(f"{tally.unsettled} instructions unsettled")
    unknown = [name for name, call in result.system_calls.items() if call.unsupported]
    if unknown:
        differ(f"unsupported system calls: {', '.join(unknown)}")
    for finding in result.findings:
        kind = known_kind(finding, case)
        if kind is not None:
            outcome.known[kind] = outcome.known.get(kind, 0) + finding.count
            continue
        key, witness = finding.key, finding.witness
        row = f"row {key.row_pc:#x}" if key.row_pc is not None else "no row"
        differ(
            f"{key.check.value} {key.verdict.value} {key.field.value if key.field else ''}"
            f" {key.module} {key.function} {row}, {finding.count} times:"
            f" {witness.reason} (blame: {witness.blame.value})"
        )


def known_kind(finding: Finding, case: Case) -> str | None:
    """The name of the proven kind that a finding is of."""
    key, witness = finding.key, finding.witness
    # gcc names clones f.isra.0, f.part.0 ...
    function = (key.function or "").split(".")[0]
    if " ".join(filter(None, (function, key.verdict.value, key.field))) in case.finds:
        return "its own"
    for kind in KNOWN:
        expected = (kind.blame, kind.verdict) == (witness.blame.value, key.verdict.value)
        if expected and kind.shows(key.function or "", witness.reason):
            return kind.name
    return None


def excerpt(data: bytes, other: bytes) -> str:
    """A few bytes from the first that differs."""
    pairs = enumerate(zip(data, other, strict=False))
    first = next((n for n, (one, two) in pairs if one != two), min(len(data), len(other)))
    start = max(0, first - 20)
    return f"{data[start : start + 60]!r} from {start}"


HEADER = (
    f"{'program':<28}{'instructions':>14}{'seconds':>9}{'frames ok':>13}{'wrong':>8}{'refused':>9}"
    f"{'gap':>13}  held"
)


def line(outcome: Outcome) -> str:
    """One line of the table, and one more for each difference."""
    steps = outcome.steps
    ok = steps.get("ok", 0) + steps.get("outermost", 0)
    known = ", ".join(f"{name} {count:,}" for name, count in outcome.known.items())
    lines = [
        f"{outcome.name:<28}{outcome.instructions:>14,}{outcome.seconds:>9.1f}{ok:>13,}"
        f"{steps.get('wrong', 0):>8,}{steps.get('refused', 0):>9,}{steps.get('gap', 0):>13,}"
        f"  {'no' if outcome.differences else 'yes'}{f'   ({known})' if known else ''}"
    ]
    lines += [f"    {remark}" for remark in outcome.remarks if "no module has" not in remark]
    lines += [f"    DIFFERS {difference}" for difference in outcome.differences]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs (default: all)")
    parser.add_argument("--short", action="store_true", help="those of the ordinary suite")
    parser.add_argument("--jobs", type=int, default=2, help="at a time (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the table as JSON too")
    parser.add_argument("--list", action="store_true", help="only name them")
    arguments = parser.parse_args()
    if arguments.list:
        for case in table(Path("/nonexistent"), all_c_cases()):
            print(case.name)
        return 0
    outcomes = []
    try:
        with (
            prepared(arguments.names, short=arguments.short) as (directory, chosen),
            # One case a process, so that its peak memory is its own.
            ProcessPoolExecutor(arguments.jobs, max_tasks_per_child=1) as pool,
        ):
            for case in chosen:
                # One after the other: two processes would wait for each other's download.
                located(case, directory)
            print(HEADER)
            for outcome in pool.map(partial(examine, directory=directory), chosen):
                outcomes.append(outcome)
                print(line(outcome), flush=True)
    except ToolchainError as error:
        print(f"programs: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([asdict(one) for one in outcomes], indent=1))
    total = sum(outcome.instructions for outcome in outcomes)
    differing = sum(bool(outcome.differences) for outcome in outcomes)
    print(f"{len(outcomes)} programs, {total:,} instructions, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
