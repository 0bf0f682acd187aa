"""The C cases: small programs that each show one situation, and how they are built.

A case begins with a comment whose lines say `key: value`: `title`, `shows` (continued on
further lines), `exit` (the status it ends with) and, if it needs any, `flags`. `finds` lists what
a check of it must report, as `FUNCTION VERDICT [FIELD]` separated by commas; with a `?` in front,
what it reports at some levels only. `linked: dynamic` if it cannot be linked statically. Each
`stack` says the true stack whenever the function that it names first is entered, innermost frame
first; `...` stands for any frames, `*` after the last one for the end of the stack. Several for
one function are its executions in order; the last one also stands for all further ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain.error import ToolchainError
from emu.toolchain.toolchain import Toolchain

LEVELS = ("-O0", "-O2", "-Os")
"""Every case is built at each of these."""

KEYS = frozenset({"title", "shows", "exit", "flags", "finds", "linked", "stack"})


@dataclass(frozen=True, slots=True)
class CCase:
    """One C case; `flags` are those it needs besides the optimisation level."""

    path: Path
    title: str
    shows: str
    exit_status: int
    flags: tuple[str, ...]
    finds: tuple[str, ...] = ()
    """Findings as `FUNCTION VERDICT [FIELD]`, those that depend on the level with a `?`."""
    static: bool = True
    stacks: tuple[str, ...] = ()
    """True stacks, each beginning with the function at whose entry it is."""

    @property
    def name(self) -> str:
        return self.path.stem

    def program_name(self, level: str) -> str:
        """What the program built at a level is called: `realignment-O2`."""
        return self.name + level


def read_c_case(path: Path) -> CCase:
    """Read a case's header. Raises `ToolchainError` if it has none or a key is wrong."""
    found = re.match(r"/\*(.*?)\*/", path.read_text("utf-8"), re.DOTALL)
    values: dict[str, str] = {}
    stacks: list[str] = []
    key = ""
    for raw in (found[1] if found else "").splitlines():
        line = raw.strip().removeprefix("*").strip()
        entry = re.fullmatch(r"([a-z]+):\s+(.*)", line)
        if entry:
            key = entry[1]
            if key not in KEYS:
                raise ToolchainError(f"{path}: '{key}' is no key of a C case's header")
            if key == "stack":
                stacks.append(entry[2])
            else:
                values[key] = entry[2]
        elif not line:
            key = ""
        elif key == "stack":
            stacks[-1] += f" {line}"
        elif key:
            values[key] += f" {line}"
    for needed in ("title", "shows", "exit"):
        if needed not in values:
            raise ToolchainError(f"{path}: the header says no '{needed}'")
    if not re.fullmatch(r"\d{1,3}", values["exit"]):
        raise ToolchainError(f"{path}: exit: '{values['exit']}' is no exit status")
    if values.get("linked", "dynamic") != "dynamic":
        raise ToolchainError(f"{path}: linked: '{values['linked']}' is not 'dynamic'")
    return CCase(
        path,
        values["title"],
        values["shows"],
        int(values["exit"]),
        flags=tuple(values.get("flags", "").split()),
        finds=tuple(item.strip() for item in values.get("finds", "").split(",") if item.strip()),
        static="linked" not in values,
        stacks=tuple(stacks),
    )


def read_c_cases(directory: Path) -> list[CCase]:
    """All cases of a directory, by name."""
    paths = [*directory.glob("*.c"), *directory.glob("*.cc")]
    return [read_c_case(path) for path in sorted(paths)]


def case_flags(case: CCase, level: str, *, static: bool = True) -> tuple[str, ...]:
    """How a case is built: with line numbers, nothing in it that differs every time."""
    linked = ("-static",) if static and case.static else ()
    language = ("-std=gnu11",) if case.path.suffix == ".c" else ()
    return (level, *case.flags, *language, "-g", *linked, "-Wl,--build-id=none")


def build_case(
    toolchain: Toolchain,
    case: CCase,
    level: str,
    output: Path,
    extra: Sequence[str] = (),
    *,
    static: bool = True,
) -> Path:
    """Build a case at a level with gcc; `extra` flags come last. Raises `ToolchainError`.

    Not `static`: as gcc links by default, with shared libraries.
    """
    directory = case.path.parent.resolve()
    # The same bytes wherever the cases lie.
    mapped = f"-ffile-prefix-map={directory}=c_cases"
    flags = [*case_flags(case, level, static=static), mapped, *extra]
    return toolchain.compile([case.path.name], output.resolve(), flags, directory=directory)
