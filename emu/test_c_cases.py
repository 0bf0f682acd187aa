"""Every C case at every level: the native run's output, clean truth, and only known findings."""

import io
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from emu.check import Result, Verdict, run, snapshots
from emu.toolchain import Toolchain
from emu.toolchain.c_case import LEVELS, CCase, build_case, read_c_cases
from emu.toolchain.prebuilt import read_manifest, unpack_programs

CASES = Path(__file__).parent.parent / "c_cases"
C_CASES = {case.name: case for case in read_c_cases(CASES)}
SITUATIONS = {case.name: case for case in read_c_cases(CASES / "situations")}
PREBUILT = [program.name for program in read_manifest(CASES / "prebuilt").programs]


def check_program(case: CCase, program: Path) -> Result:
    """Run the case under the check and compare with the native run."""
    native = subprocess.run([program], capture_output=True, check=False)
    stdout = io.BytesIO()
    result = run(program, stdout=stdout)
    assert (result.ended, result.exit_code) == ("exit", native.returncode), result.message
    assert native.returncode == case.exit_status
    assert stdout.getvalue() == native.stdout
    assert result.figures.violations == 0
    assert result.figures.returns_verified == result.figures.returns > 0
    assert result.tally.checked == result.instructions
    assert result.tally.unsettled < result.instructions / 1000
    found = {
        " ".join(
            filter(
                None,
                # gcc names clones f.isra.0, f.part.0 ...
                ((f.key.function or "").split(".")[0], f.key.verdict.value, f.key.field),
            )
        )
        for f in result.findings
    }
    always = {item for item in case.finds if not item.startswith("?")}
    sometimes = {item.removeprefix("?") for item in case.finds}
    assert always <= found <= always | sometimes
    return result


@pytest.fixture(scope="session")
def prebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("prebuilt")
    unpack_programs(CASES / "prebuilt", directory)
    return directory


@pytest.mark.parametrize("name", PREBUILT)
def test_prebuilt(prebuilt: Path, name: str) -> None:
    stem, _, _ = name.rpartition("-")
    check_program(C_CASES[stem], prebuilt / name)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", C_CASES)
def test_built_here(toolchain: Toolchain, tmp_path: Path, name: str, level: str) -> None:
    case = C_CASES[name]
    program = build_case(toolchain, case, level, tmp_path / case.program_name(level))
    result = check_program(case, program)
    assert result.coverage.rows_hit > 0
    assert result.tally.steps[Verdict.OK] > 0


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3", "-Os"])
def test_realignment(toolchain: Toolchain, tmp_path: Path, level: str) -> None:
    """gcc's CFI keeps FP = *(rbp+0) after rbp is the caller's again; pc and sp are right."""
    case = C_CASES["realignment"]
    program = build_case(toolchain, case, level, tmp_path / "program")
    result = check_program(case, program)
    wrong = [f for f in result.findings if f.key.verdict is Verdict.WRONG]
    refused = [f for f in result.findings if f.key.verdict is Verdict.REFUSED]
    assert {(f.key.field, f.key.function) for f in wrong} == {("fp", "realigned")}
    assert all(f.witness.frame == 0 for f in wrong)
    assert 1 <= len(wrong) <= 3
    assert {f.key.function for f in refused} == {"realigned"}
    assert all(f.witness.frame > 0 for f in refused)
    assert len(result.findings) == len(wrong) + len(refused)


def pattern(stack: str) -> str:
    """A regular expression for names of frames, each with a space behind it."""
    names = [
        r"(\S+ )*" if name == "..." else re.escape(f"{name} ")
        for name in stack.removesuffix("*").split()
    ]
    return "".join(names) + ("" if stack.endswith("*") else r"(\S+ )*")


def plain(name: str) -> str:
    """A function's name without what a compiler adds to it."""
    mangled = re.match(r"_Z(\d+)", name)
    if mangled is not None:
        return name[mangled.end() :][: int(mangled[1])]
    # gcc names clones f.isra.0, f.part.0 ...
    return name.split(".", maxsplit=1)[0].replace(" ", "_")


def check_stacks(case: CCase, program: Path) -> None:
    """Compare the true stacks at the places of the case's `stack` lines."""
    expected: dict[str, list[str]] = {}
    for stack in case.stacks:
        expected.setdefault(stack.split()[0], []).append(stack)
    reached: Counter[str] = Counter()
    for snapshot in snapshots(program, at=list(expected)):
        names = [plain(name) for name in snapshot.functions]
        place, shown = names[0], "".join(f"{name} " for name in names)
        stack = expected[place][min(reached[place], len(expected[place]) - 1)]
        reached[place] += 1
        assert re.fullmatch(pattern(stack), shown), f"expected {stack}, got {shown}"
    for place, stacks in expected.items():
        assert reached[place] >= len(stacks), f"{place} was entered {reached[place]} times"


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(toolchain: Toolchain, tmp_path: Path, name: str) -> None:
    case = SITUATIONS[name]
    program = build_case(toolchain, case, "-O2", tmp_path / name, ["-Wall", "-Werror"])
    check_program(case, program)
    check_stacks(case, program)
