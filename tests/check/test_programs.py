"""Programs that nobody wrote for this: native output, every instruction accounted for.

`make programs` runs the whole table; these are its short ones.
"""

import dataclasses
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from emu.toolchain import ToolchainError
from emu.toolchain.programs import Wanted

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("programs", ROOT / "tools" / "programs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules.setdefault("programs", module)
    spec.loader.exec_module(module)
    return module


PROGRAMS = load()
SHORT = [case.name for case in PROGRAMS.table(Path("/nonexistent"), []) if case.short]


@pytest.mark.parametrize("name", SHORT)
def test_program_is_the_same_and_every_instruction_checked(name: str) -> None:
    with PROGRAMS.prepared([name], short=True) as (directory, (case,)):
        try:
            PROGRAMS.located(case, directory)
        except ToolchainError:
            if shutil.which("apt-get") is not None:
                raise
            pytest.skip("it is not on PATH, and there is no apt to get it with")
        outcome = PROGRAMS.examine(case, directory)
    assert outcome.differences == []
    assert outcome.instructions > 10_000
    assert outcome.returns > 100


def test_differences_are_seen(tmp_path: Path) -> None:
    """The comparison itself: a program that says where and when it runs is not the same."""
    words = ("-c", 'echo $$; echo "$0" >&2; exit $(($(date +%s) % 2 + 1))')
    case = PROGRAMS.Case("differs", Wanted(("sh",), "dash"), words)
    outcome = PROGRAMS.examine(case, tmp_path)
    assert any(line.startswith("output: b'") for line in outcome.differences)


def test_finding_of_no_known_kind_is_a_difference(tmp_path: Path) -> None:
    with PROGRAMS.prepared(["realignment-O2-static"], short=False) as (directory, (case,)):
        outcome = PROGRAMS.examine(case, directory)
        assert outcome.differences == []
        assert outcome.known["its own"] > 0
        outcome = PROGRAMS.examine(dataclasses.replace(case, finds=()), directory)
    assert any("realigned row 0x" in line for line in outcome.differences)
