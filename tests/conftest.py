"""Fixtures of the library's tests."""

from emu.toolchain.pytest_fixture import c_program, toolchain

__all__ = ["c_program", "toolchain"]
