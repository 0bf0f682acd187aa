"""Imports only point downward, and the two libraries stand on their own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EMU = Path(__file__).parent.parent / "emu"

LAYERS = (
    ("sframe", "toolchain"),
    ("cfi",),
    ("unwind",),
    ("asm", "machine", "truth"),
    ("check",),
    ("report",),
    ("profile", "lesson"),
    ("cli",),
)
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}


def imported_packages(module: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name.split(".")[1] for name in found if name.startswith("emu.")}


@pytest.mark.parametrize("package", sorted(LEVEL))
def test_imports_point_downward(package: str) -> None:
    modules = sorted((EMU / package).rglob("*.py"))
    assert modules, f"emu/{package} has no module"
    for module in modules:
        for target in imported_packages(module) - {package}:
            assert LEVEL[target] < LEVEL[package], f"{module} imports emu.{target}"


def test_every_package_has_a_level() -> None:
    assert {path.parent.name for path in EMU.glob("*/__init__.py")} == set(LEVEL)


@pytest.mark.parametrize("library", ["emu.sframe", "emu.unwind"])
def test_libraries_need_no_emulator(library: str) -> None:
    heavy = {"unicorn", "keystone", "capstone", "numba", "numpy", "elftools", "rich", "jinja2"}
    script = f"import sys, {library}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not heavy & set(loaded)
