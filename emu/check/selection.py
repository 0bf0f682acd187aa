"""Where to check: `--at SYMBOL[+OFFSET]`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from emu.check.error import CheckError
from emu.machine import Module

_PLACE = re.compile(
    r"(?:(?P<address>0x[0-9a-fA-F]{1,16})"
    r"|(?P<symbol>[^+\s]+)(?:\+(?:(?P<whole>\*)|(?P<offset>0x[0-9a-fA-F]{1,16}|[0-9]{1,18})))?)"
)


class Selection:
    """Chosen instructions, resolved as modules are loaded.

    A place is `SYMBOL`, `SYMBOL+OFFSET` (decimal or 0x...), `SYMBOL+*` for every byte of the
    function, or a run-time address `0x...`. Raises `CheckError` for anything else.
    """

    def __init__(self, places: Iterable[str]) -> None:
        self.places = tuple(places)
        self.addresses: set[int] = set()
        self._wanted: dict[str, re.Match[str]] = {}
        for place in self.places:
            match = _PLACE.fullmatch(place)
            if match is None:
                raise CheckError(f"--at {place}: not SYMBOL, SYMBOL+OFFSET, SYMBOL+* or 0xADDRESS")
            if match["address"]:
                self.addresses.add(int(match["address"], 16))
            else:
                self._wanted[place] = match

    def resolve(self, module: Module) -> None:
        """Look for the symbols that no earlier module had."""
        image = module.image
        for place, match in tuple(self._wanted.items()):
            start = image.address_of(match["symbol"])
            if start is None:
                continue
            start += module.bias
            if match["whole"]:
                symbol = image.symbol_at(start - module.bias)
                size = symbol.end - symbol.start if symbol else 1
                self.addresses.update(range(start, start + size))
            else:
                self.addresses.add(start + int(match["offset"] or "0", 0))
            del self._wanted[place]

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Places whose symbol no module has had so far."""
        return tuple(self._wanted)
