"""The modules of tools/, imported as its scripts import each other, and a built site."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"


@pytest.fixture(scope="session", autouse=True)
def tools_path() -> Iterator[None]:
    sys.path.insert(0, str(TOOLS))
    try:
        yield
    finally:
        sys.path.remove(str(TOOLS))


def build_site(directory: Path) -> Path:
    """The whole site, built into a directory of its own."""
    site = directory / "site"
    command = [sys.executable, str(TOOLS / "build_docs.py")]
    command += ["--output", str(site), "--stage", str(directory / "docs")]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr
    return site


@pytest.fixture(scope="session")
def build() -> Callable[[Path], Path]:
    """Builds the site below a directory."""
    return build_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` makes it; its links have been checked."""
    return build_site(tmp_path_factory.mktemp("docs"))
