"""Every file of asm_cases/: its true stacks, rows and verdicts at every instruction."""

from pathlib import Path

import pytest

from emu.asm import assemble, rewrite
from emu.check.case import check_case, updated_lines

CASES = Path(__file__).parent.parent / "asm_cases"
FILES = sorted(CASES.glob("*.s"))


def test_there_are_cases() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path, request: pytest.FixtureRequest) -> None:
    case = assemble(path)
    report = check_case(case)
    if request.config.getoption("--update"):
        lines = updated_lines(case, report)
        path.write_text(rewrite(path.read_text("utf-8"), lines), "utf-8")
        case = assemble(path)
        report = check_case(case)
    assert not report.mismatches, "\n" + "\n".join(report.mismatches)
    assert report.result.tally.unsettled <= report.result.instructions
