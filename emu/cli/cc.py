"""`emu cc`: run a compiler so that its assembler and linker write SFrame V3."""

import argparse
import subprocess
from collections.abc import Sequence

from emu.cli.usage import UsageError
from emu.toolchain import ToolchainError, compiler_command

HELP = "run gcc (or g++, clang, gcc-16) so that as and ld write SFrame V3"

EPILOG = """\
example:
  emu cc -O2 -g prog.c -o prog && emu check ./prog

All arguments but a leading --compiler go to the compiler, whose output and exit status are the
command's own. g++ is run if a source file's ending, or -x, says C++.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run a compiler so that the assembler and linker write SFrame V3."
    parser.epilog = EPILOG
    parser.usage = "emu cc [-h] [--compiler COMPILER] ARG..."
    parser.add_argument(
        "--compiler", help="gcc (default), g++, gcc-12, gcc-16, clang, or a path to one"
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="ARG", help="for the compiler")
    parser.set_defaults(usage_text=parser.format_help())
    # The compiler's options are none of argparse's: from here on it takes no word for one.
    parser.prefix_chars = ""


def run(arguments: argparse.Namespace) -> int:
    compiler, words = split_compiler(arguments.words)
    if words[:1] in (["-h"], ["--help"]):
        print(arguments.usage_text, end="")
        return 0
    if not words:
        raise UsageError("cc: nothing to compile; see emu cc --help")
    try:
        command = compiler_command(words, compiler)
    except ToolchainError as error:
        raise UsageError(f"cc: {error}") from error
    try:
        status = subprocess.run(command, check=False).returncode  # noqa: S603 -- its very purpose
    except OSError as error:
        raise UsageError(f"cc: {command[0]}: {error.strerror}") from error
    return status if status >= 0 else 128 - status


def split_compiler(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of a leading `--compiler`, None without, and the words after it."""
    if words[:1] == ["--compiler"]:
        if len(words) == 1:
            raise UsageError("cc: --compiler needs the name of one; see emu cc --help")
        return words[1], list(words[2:])
    if words and words[0].startswith("--compiler="):
        return words[0].partition("=")[2], list(words[1:])
    return None, list(words)
