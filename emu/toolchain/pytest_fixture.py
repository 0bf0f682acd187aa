"""The `toolchain` fixture of the test suites: imported by a conftest.py, by nothing else."""

import shutil

import pytest

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
