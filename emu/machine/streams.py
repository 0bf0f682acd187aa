"""The guest's standard input, output and error over what the caller has."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import BinaryIO

from emu.machine.linux import DescriptorTable, Output, standard_input

Source = bytes | BinaryIO | None
"""What the guest reads; None: nothing."""
Sink = BinaryIO | Callable[[bytes], object] | None
"""Where its output goes; None: to the same stream of this program."""


def standard_streams(stdin: Source, stdout: Sink, stderr: Sink) -> DescriptorTable:
    """Descriptors 0, 1 and 2."""
    descriptors = DescriptorTable()
    source = io.BytesIO(stdin or b"") if isinstance(stdin, bytes | None) else stdin
    descriptors.put(0, standard_input(source))
    descriptors.put(1, Output(1, _sink(stdout, "stdout")))
    descriptors.put(2, Output(2, _sink(stderr, "stderr")))
    return descriptors


def _sink(target: Sink, name: str) -> Callable[[bytes], object]:
    if callable(target):
        return target
    file: BinaryIO = getattr(sys, name).buffer if target is None else target

    def write(data: bytes) -> None:
        file.write(data)
        file.flush()

    return write
