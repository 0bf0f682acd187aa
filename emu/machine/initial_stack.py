"""What a new process finds on its stack: argc, argv, envp, the auxiliary vector, strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from os import fsencode
from struct import pack

from emu.machine.errors import MachineError
from emu.machine.memory import AddressSpace

MAX_STRINGS = 1 << 20
"""Bytes of arguments and environment, with their pointers; Linux grants a quarter of the stack."""


class Auxiliary(IntEnum):
    """Keys of the auxiliary vector (AT_* of <elf.h>)."""

    NULL = 0
    PHDR = 3
    PHENT = 4
    PHNUM = 5
    PAGESZ = 6
    BASE = 7
    FLAGS = 8
    ENTRY = 9
    UID = 11
    EUID = 12
    GID = 13
    EGID = 14
    PLATFORM = 15
    HWCAP = 16
    CLKTCK = 17
    SECURE = 23
    RANDOM = 25
    HWCAP2 = 26
    EXECFN = 31
    MINSIGSTKSZ = 51


def push_start(
    memory: AddressSpace,
    top: int,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    path: str,
    random: bytes,
    vector: Mapping[Auxiliary, int],
) -> int:
    """Write everything below `top` and return rsp, 16-byte aligned, at argc.

    `random` is 16 bytes; PLATFORM, RANDOM and EXECFN of the vector are added here.
    """
    blob = bytearray()

    def add(text: bytes) -> int:
        """Offset of a string in the blob."""
        offset = len(blob)
        blob.extend(text + b"\0")
        return offset

    argument_offsets = [add(_string(text)) for text in arguments]
    environment_offsets = [add(_string(f"{k}={v}")) for k, v in environment.items()]
    platform, file_name = add(b"x86_64"), add(_string(path))
    random_offset = len(blob)
    blob += random
    if len(blob) + 8 * (len(arguments) + len(environment)) > MAX_STRINGS:
        raise MachineError("arguments and environment are too long")
    base = (top - 8 - len(blob)) & -16
    memory.write(base, bytes(blob))
    pairs = {
        **vector,
        Auxiliary.RANDOM: base + random_offset,
        Auxiliary.EXECFN: base + file_name,
        Auxiliary.PLATFORM: base + platform,
        Auxiliary.NULL: 0,
    }
    words = [
        len(arguments),
        *(base + offset for offset in argument_offsets),
        0,
        *(base + offset for offset in environment_offsets),
        0,
        *(word for pair in pairs.items() for word in pair),
    ]
    rsp = (base - 8 * len(words)) & -16
    memory.write(rsp, pack(f"<{len(words)}Q", *words))
    return rsp


def _string(text: str) -> bytes:
    encoded = fsencode(text)
    if b"\0" in encoded:
        raise MachineError(f"argument or environment with a zero byte: {text!r}")
    return encoded
