"""Fixtures of the library's tests."""

from emu.toolchain.pytest_fixture import toolchain, toolchain_with_gcc_16

__all__ = ["toolchain", "toolchain_with_gcc_16"]
