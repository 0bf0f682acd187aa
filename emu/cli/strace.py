"""System calls of the guest, one a line, as strace prints them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TextIO

SMALLEST_ERROR = -4095


def strace_to(stream: TextIO) -> Callable[[str, tuple[int, ...], int], None]:
    """A log that writes `name(arguments) = result` to `stream`; large numbers in hexadecimal."""

    def log(name: str, arguments: tuple[int, ...], result: int) -> None:
        shown = ", ".join(map(_number, arguments))
        print(f"{name}({shown}) = {_result(result)}", file=stream)

    return log


def _number(value: int) -> str:
    signed = value - (1 << 64) if value >> 63 else value
    return str(signed) if abs(signed) < 1 << 16 else hex(value)


def _result(value: int) -> str:
    signed = value - (1 << 64) if value >> 63 else value
    if SMALLEST_ERROR <= signed < 0:
        return f"-1 {errno.errorcode.get(-signed, -signed)}"
    return _number(value)
