"""The functions of one module by link-time address, found once for a stretch of addresses.

A function is found by comparing the address with where functions of the table and of the symbols
begin and end, and with nothing else. So the answer is the same for all addresses between two such
places, and is remembered for them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from functools import cached_property

from emu.machine import Image
from emu.sframe import Section, SFrameError
from emu.truth import Function

_MASK = (1 << 64) - 1


class FunctionMap:
    """The function that contains an address, by the table or else by the symbols."""

    def __init__(self, image: Image, section: Section | None) -> None:
        self._image = image
        self._section = section
        self._known: dict[int, Function | None] = {}
        """By number of the stretch."""

    def at(self, address: int) -> Function | None:
        """The function at link-time `address`, with the extent that the table gives it."""
        stretch = bisect_right(self._bounds, address)
        try:
            return self._known[stretch]
        except KeyError:
            found = self._known[stretch] = self._find(address)
            return found

    def stretch(self, address: int) -> tuple[int, int]:
        """Addresses around `address`, first and end, for which `at` gives the same."""
        number, bounds = bisect_right(self._bounds, address), self._bounds
        return (
            bounds[number - 1] if number else self._image.start,
            bounds[number] if number < len(bounds) else self._image.end,
        )

    def _find(self, address: int) -> Function | None:
        symbol = self._image.symbol_at(address)
        name = symbol.name if symbol else ""
        if self._section is not None:
            try:
                fde = self._section.fdes.find(address)
            except SFrameError:
                fde = None
            if fde is not None:
                return Function(fde.start, fde.end, name)
        return None if symbol is None else Function(symbol.start, symbol.end, name)

    @cached_property
    def _bounds(self) -> array[int]:
        bounds: set[int] = set()
        for symbol in self._image.functions:
            bounds |= {symbol.start, symbol.end}
        if self._section is not None:
            for fde in self._section.fdes:
                bounds |= {fde.start, fde.end & _MASK}
        start, end = self._image.start, self._image.end
        return array("Q", sorted(bound for bound in bounds if start <= bound <= end))
