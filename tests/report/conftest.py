"""Results to report: of real runs, and one in which everything has a name that nobody expects."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import (
    Blame,
    Check,
    CheckedModule,
    Field,
    Finding,
    Key,
    Line,
    Result,
    Verdict,
    Witness,
    run,
)
from emu.machine import Image
from emu.toolchain.prebuilt import unpack_programs

ROOT = Path(__file__).parent.parent.parent
HOSTILE = "</td></style><img src=x onerror=alert(1)>\n\x1b[31m\"'&\u202e\udcff]]>%00"
"""Markup, a terminal's control sequence, text that turns around, a byte that is not UTF-8."""


@pytest.fixture(scope="session")
def realigned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Result]:
    """The check of a C program with wrong and refused rows, by an engine's name."""
    directory = tmp_path_factory.mktemp("programs")
    unpack_programs(ROOT / "c_cases" / "prebuilt", directory)
    known: dict[str, Result] = {}

    def result(engine: str) -> Result:
        if engine not in known:
            known[engine] = run(directory / "realignment-O2", engine=engine)
        return known[engine]

    return result


@pytest.fixture(scope="session")
def right() -> Result:
    """A run with nothing wrong."""
    case = ROOT / "asm_cases" / "leaf.s"
    return run(Image.from_bytes(assemble(case).elf, "./leaf"))


@pytest.fixture(scope="session")
def hostile(right: Result) -> Result:
    """A result in which every text that a file can bring along is hostile."""
    key = Key(Check.STEP, Verdict.WRONG, Field.FP, HOSTILE, 0x1000, HOSTILE)
    witness = Witness(
        pc=0x1004,
        snapshot_pc=0x1004,
        frame=0,
        row=HOSTILE,
        expected=1,
        got=2,
        blame=Blame.COMPILER,
        reason=HOSTILE,
        source=f"{HOSTILE}:7",
        row_address=0x1000,
    )
    return replace(
        right,
        program=HOSTILE,
        ended="signal",
        signal="SIGSEGV",
        message=HOSTILE,
        modules=(CheckedModule(HOSTILE, 0, f"rejected: {HOSTILE}", (HOSTILE,)),),
        findings=(Finding(key, witness, 3),),
        listings={key: (Line(0x1004, HOSTILE, HOSTILE, here=True),)},
        remarks=(HOSTILE,),
    )
