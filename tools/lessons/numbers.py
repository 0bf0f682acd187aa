"""Numbers that print as documents show them, and stay so when computed with."""

from __future__ import annotations

MASK64 = (1 << 64) - 1


class Address(int):
    """An unsigned 64-bit number that prints in hexadecimal.

    A sum or difference with a plain number is an address again; a difference of two addresses is a
    plain number.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return f"{int(self):#x}"

    __format__ = object.__format__

    def __add__(self, other: int) -> Address:
        return Address((int(self) + int(other)) & MASK64)

    __radd__ = __add__

    def __sub__(self, other: int) -> int:
        if isinstance(other, Address):
            return int(self) - int(other)
        return Address((int(self) - other) & MASK64)

    def __and__(self, other: int) -> Address:
        return Address(int(self) & int(other))
