"""Fixtures of the library's tests."""

from emu.toolchain.pytest_fixture import toolchain

__all__ = ["toolchain"]
