"""Options and fixtures of the emulator-driven suite."""

import pytest

from emu.toolchain.pytest_fixture import toolchain, toolchain_with_gcc_16

__all__ = ["toolchain", "toolchain_with_gcc_16"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites the stacks that case files expect."""
    parser.addoption(
        "--update",
        action="store_true",
        help="rewrite the `stack:` lines of asm_cases with the true stacks seen",
    )
