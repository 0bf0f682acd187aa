"""What a case file says about its own run: `#@ key: value`.

Header keys are about the whole run, body keys about the next instruction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from emu.asm.errors import AsmError
from emu.asm.literals import parse_string
from emu.sframe import Rules, SFrameError

BODY_KEYS = frozenset({"stack", "row", "verdict"})

StepVerdict = Literal[
    "ok",
    "wrong",
    "gap",
    "refused",
    "corrupt",
    "outermost",
    "truncated",
    "overrun",
    "unsettled",
]
Field = Literal["pc", "sp", "fp"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One name of a `stack:` line; `?name` says that no row covers the frame."""

    function: str
    has_row: bool = True

    def __str__(self) -> str:
        return self.function if self.has_row else f"?{self.function}"


@dataclass(frozen=True, slots=True)
class ExpectedStack:
    """`stack: leaf main _start*`: the true stack before the instruction at `address` executes.

    Innermost frame first. `whole`: the stack ends after the last name (`*`); otherwise only the
    innermost frames are said. `line` is where it is written.
    """

    address: int
    line: int
    frames: tuple[Frame, ...]
    whole: bool

    def __str__(self) -> str:
        return " ".join(map(str, self.frames)) + ("*" if self.whole else "")


@dataclass(frozen=True, slots=True)
class Anything:
    """`stack: ...`: executions after those of the lines before are not compared."""

    address: int
    line: int

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """`row: CFA=rsp+8 RA=*(CFA-8)`: the row in force at `address`; None (`row: none`) for none."""

    address: int
    line: int
    rules: Rules | None


@dataclass(frozen=True, slots=True)
class ExpectedVerdict:
    """`verdict: 1 wrong fp`: a step verdict of frame `frame` (0 is the top) at `address`.

    `field` only with `wrong`.
    """

    address: int
    line: int
    frame: int
    verdict: StepVerdict
    field: Field | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.frame), self.verdict, self.field)))


@dataclass(frozen=True, slots=True)
class Header:
    """Expectations of the run as a whole.

    `exit_status` None if a `signal` (by name) is to end it. `stdout` None: anything.
    `instructions`: the run is cut off after so many. `findings`: distinct findings; None: none
    unless there are verdict lines. `violations`: broken conventions that the truth is to notice.
    `defects`: names of what is made wrong in the section, see `emu.asm.defects`.
    """

    title: str = ""
    exit_status: int | None = 0
    signal: str | None = None
    stdout: bytes | None = None
    instructions: int | None = None
    policy: str | None = None
    findings: int | None = None
    violations: int = 0
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectations:
    """All `#@` lines of a case, those of the body in source order."""

    header: Header = field(default_factory=Header)
    stacks: tuple[ExpectedStack | Anything, ...] = ()
    rows: tuple[ExpectedRow, ...] = ()
    verdicts: tuple[ExpectedVerdict, ...] = ()

    def stack_at(self, address: int, execution: int) -> ExpectedStack | None:
        """What the `execution`-th time (from 0) at `address` must show; None: nothing said.

        Several lines at one instruction are its executions in order. The last line also stands
        for all further ones, unless it is `...`.
        """
        lines = [one for one in self.stacks if one.address == address]
        if not lines:
            return None
        line = lines[min(execution, len(lines) - 1)]
        return line if isinstance(line, ExpectedStack) else None


def parse_stack(text: str, address: int, line: int) -> ExpectedStack | Anything:
    """The value of a `stack:` line. Raises `AsmError`."""
    if text == "...":
        return Anything(address, line)
    names = text.split()
    whole = text.endswith("*")
    if whole:
        names[-1] = names[-1].removesuffix("*")
    if not names or not all(name.strip("?") and "*" not in name for name in names):
        raise AsmError("stack: names of functions, innermost first, * after the last", line)
    frames = tuple(Frame(name.removeprefix("?"), not name.startswith("?")) for name in names)
    return ExpectedStack(address, line, frames, whole)


def parse_row(text: str, address: int, line: int) -> ExpectedRow:
    """The value of a `row:` line. Raises `AsmError`."""
    if text == "none":
        return ExpectedRow(address, line, None)
    try:
        return ExpectedRow(address, line, Rules.parse(text))
    except SFrameError as error:
        raise AsmError(f"row: {error}", line) from None


def parse_verdict(text: str, address: int, line: int) -> ExpectedVerdict:
    """The value of a `verdict:` line. Raises `AsmError`."""
    frame, verdict, which, *more = [*text.split(), "", "", ""]
    if not frame.isdecimal() or len(frame) > 6 or any(more):
        raise AsmError("verdict: FRAME VERDICT [FIELD]", line)
    known: StepVerdict | None = next((v for v in get_args(StepVerdict) if v == verdict), None)
    if known is None:
        raise AsmError(f"verdict: one of {', '.join(get_args(StepVerdict))}", line)
    known_field: Field | None = next((f for f in get_args(Field) if f == which), None)
    if (known == "wrong") != (known_field is not None) or (which and not known_field):
        raise AsmError("verdict: `wrong` and only `wrong` names one of pc, sp, fp", line)
    return ExpectedVerdict(address, line, int(frame), known, known_field)


def _number(key: str, value: str, line: int) -> int:
    if not value.isdecimal() or len(value) > 18:
        raise AsmError(f"{key}: a number expected, not {value!r}", line)
    return int(value)


def parse_header(lines: Iterable[tuple[int, str, str]], known_defects: Sequence[str]) -> Header:
    """The header from (line, key, value). Raises `AsmError`, also without a title."""
    values: dict[str, tuple[int, str]] = {}
    for line, key, value in lines:
        if key in values:
            raise AsmError(f"{key}: given twice", line)
        if key not in _HEADER_KEYS:
            raise AsmError(f"unknown key {key!r} in an expectation", line)
        values[key] = (line, value)
    if not values.get("title", (0, ""))[1]:
        raise AsmError("the case has no `#@ title:`")

    def text(key: str) -> str | None:
        return values[key][1] if key in values else None

    def number(key: str) -> int | None:
        return _number(key, values[key][1], values[key][0]) if key in values else None

    if "exit" in values and "signal" in values:
        raise AsmError("exit: and signal: exclude each other", values["signal"][0])
    defects = tuple((text("sframe") or "").replace(",", " ").split())
    for name in defects:
        if name not in known_defects:
            choice = ", ".join(sorted(known_defects))
            raise AsmError(f"sframe: {name!r} is not one of {choice}", values["sframe"][0])
    quoted = text("stdout")
    try:
        stdout = None if quoted is None else parse_string(quoted)
    except AsmError as error:
        raise AsmError(f"stdout: {error.reason}", values["stdout"][0]) from None
    return Header(
        title=text("title") or "",
        exit_status=None if "signal" in values else number("exit") or 0,
        signal=text("signal"),
        stdout=stdout,
        instructions=number("instructions"),
        policy=text("policy"),
        findings=number("findings"),
        violations=number("violations") or 0,
        defects=defects,
    )


_HEADER_KEYS = frozenset(
    {
        "title",
        "exit",
        "signal",
        "stdout",
        "instructions",
        "policy",
        "findings",
        "violations",
        "sframe",
    }
)


def bind(lines: Iterable[tuple[int, str, str, int | None]], defects: Sequence[str]) -> Expectations:
    """Expectations from (line, key, value, address of the instruction or None for the header).

    Raises `AsmError` with the line.
    """
    header: list[tuple[int, str, str]] = []
    stacks: list[ExpectedStack | Anything] = []
    rows: list[ExpectedRow] = []
    verdicts: list[ExpectedVerdict] = []
    for line, key, value, address in lines:
        if address is None:
            header.append((line, key, value))
        elif key == "stack":
            if any(isinstance(one, Anything) and one.address == address for one in stacks):
                raise AsmError("stack: nothing can follow `...`", line)
            stacks.append(parse_stack(value, address, line))
        elif key == "row":
            rows.append(parse_row(value, address, line))
        else:
            verdicts.append(parse_verdict(value, address, line))
    return Expectations(parse_header(header, defects), tuple(stacks), tuple(rows), tuple(verdicts))
