"""Folded stacks: one line for each distinct stack, as flame graphs are drawn from."""

from collections import Counter
from collections.abc import Iterator

from emu.profile.contexts import Mode
from emu.profile.merging import Delivery
from emu.profile.script import UNKNOWN, Symbols, resolved

KERNEL_SUFFIX = "_[k]"
"""Behind a kernel function, which flame graphs give another colour."""


class FoldedStacks:
    """Counts samples by command and names, outermost first.

    Names are those of the addresses as recorded: behind a call that ends its function stands
    the next function, as in `perf script`.
    """

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._counts: Counter[str] = Counter()

    def add(self, delivery: Delivery) -> None:
        """Count a sample; a cookie that no callchain came for is left out."""
        sample = delivery.sample
        names = [
            self._name(sample.pid, address, mode)
            for address, mode in resolved(delivery.chain)
            if address != delivery.cookie
        ]
        self._counts[";".join([_word(sample.comm), *reversed(names)])] += 1

    def lines(self) -> Iterator[str]:
        """`command;outermost;...;innermost COUNT`, in the order of the text."""
        for stack, count in sorted(self._counts.items()):
            yield f"{stack} {count}\n"

    def _name(self, pid: int, address: int, mode: Mode) -> str:
        name = self._symbols.locate(pid, address, mode).symbol
        if name is None:
            return UNKNOWN
        return _word(name) + (KERNEL_SUFFIX if mode is Mode.KERNEL else "")


def _word(name: str) -> str:
    return name.replace(";", ":")
