"""The toolchain fixtures of the test suites: imported by a conftest.py, by nothing else."""

import shutil

import pytest

from emu.toolchain.install import Extra
from emu.toolchain.toolchain import Toolchain, find, install


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """A toolchain that writes SFrame V3, installed if need be; skips only where apt is missing."""
    found = find()
    if found.ready:
        return found
    if shutil.which("apt-get") is None:
        pytest.skip("as and ld >= 2.46 are not on PATH, and there is no apt to get them with")
    return install()


@pytest.fixture(scope="session")
def toolchain_with_gcc_16(toolchain: Toolchain) -> Toolchain:
    """The same with gcc 16 among its compilers; skips only where apt is missing."""
    if Extra.GCC_16.value in toolchain.compilers:
        return toolchain
    if shutil.which("apt-get") is None:
        pytest.skip("gcc 16 is not on PATH, and there is no apt to get it with")
    return install([Extra.GCC_16])
