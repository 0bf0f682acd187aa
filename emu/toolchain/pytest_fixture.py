"""Fixtures of the test suites: imported by a conftest.py, by nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.toolchain.c_case import CCase, build_case
from emu.toolchain.prebuilt import unpack_programs
from emu.toolchain.toolchain import Toolchain, find, install

PREBUILT = "prebuilt"
"""The directory of prebuilt programs, beside the C cases."""


def _installed() -> Toolchain | None:
    """A toolchain that writes SFrame V3, installed if need be; None only where apt is missing."""
    found = find()
    if found.ready:
        return found
    return None if shutil.which("apt-get") is None else install()


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """A toolchain that writes SFrame V3; skips only where there is no apt to install it with."""
    found = _installed()
    if found is None:
        pytest.skip("as and ld >= 2.46 are not on PATH, and there is no apt to get them with")
    return found


@pytest.fixture(scope="session")
def c_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[CCase, str], Path]:
    """Gives the program of a C case at a level: built now or, without a toolchain, prebuilt."""
    directory = tmp_path_factory.mktemp("c_cases")
    found = _installed()

    def program(case: CCase, level: str) -> Path:
        path = directory / case.program_name(level)
        if not path.exists():
            if found is not None:
                build_case(found, case, level, path)
            else:
                unpack_programs(case.path.parent / PREBUILT, directory)
        return path

    return program
