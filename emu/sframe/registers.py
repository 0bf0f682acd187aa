"""Names of DWARF register numbers, by ABI."""

import re
from typing import Final

from emu.sframe.constants import Abi
from emu.sframe.error import SFrameError

_AMD64: Final = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *(f"r{n}" for n in range(8, 16)),
    "rip",
    *(f"xmm{n}" for n in range(16)),
)
_AARCH64: Final = (*(f"x{n}" for n in range(31)), "sp")
_S390X: Final = tuple(f"r{n}" for n in range(16))

_NAMES: Final = {
    Abi.AMD64: _AMD64,
    Abi.AARCH64_LE: _AARCH64,
    Abi.AARCH64_BE: _AARCH64,
    Abi.S390X: _S390X,
}
_NUMBERS: Final = {
    abi: {name: number for number, name in enumerate(names)} for abi, names in _NAMES.items()
}

_UNNAMED: Final = re.compile(r"reg(0|[1-9][0-9]{0,9})")


def register_name(number: int, abi: Abi = Abi.AMD64) -> str:
    """The ABI's name of a DWARF register; `reg<number>` for those without one here."""
    names = _NAMES[abi]
    return names[number] if 0 <= number < len(names) else f"reg{number}"


def register_number(name: str, abi: Abi = Abi.AMD64) -> int:
    """The inverse of `register_name`. Raises `SFrameError` for an unknown name."""
    number = _NUMBERS[abi].get(name)
    if number is not None:
        return number
    if _UNNAMED.fullmatch(name):
        return int(name[3:])
    raise SFrameError(f"no register {name!r} in the {abi.name} ABI")
