"""The GNU toolchain that writes SFrame V3: found on this machine or installed privately."""

from emu.toolchain.error import ToolchainError
from emu.toolchain.install import Extra, Progress
from emu.toolchain.toolchain import Toolchain, compiler_command, find, install
from emu.toolchain.tools import Origin, Tool

__all__ = [
    "Extra",
    "Origin",
    "Progress",
    "Tool",
    "Toolchain",
    "ToolchainError",
    "compiler_command",
    "find",
    "install",
]
