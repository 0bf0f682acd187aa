"""A profile as text, written while the program runs."""

from collections.abc import Callable, Iterable
from enum import Enum

from emu.profile.folded import FoldedStacks
from emu.profile.merging import Delivery, Merger, as_written
from emu.profile.records import DeferredRecord, Record
from emu.profile.script import Symbols, perf_script


class Form(Enum):
    """What is written."""

    MERGED = "merged"
    """`perf script`: samples with the callchains that came for them."""
    UNMERGED = "unmerged"
    """`perf script --no-merge-callchains`."""
    FOLDED = "folded"
    """Folded stacks, at the end."""


class ProfileOutput:
    """Gives `write` the text for records; `event_names` are those of the recording.

    Names are looked up when a record comes: later its module may be gone. Nothing is kept but
    samples that wait for their callchain and the distinct stacks.
    """

    def __init__(
        self,
        form: Form,
        symbols: Symbols,
        event_names: Iterable[str],
        write: Callable[[str], object],
    ) -> None:
        self._form = form
        self._symbols = symbols
        self._name_width = max(map(len, event_names), default=0)
        self._write = write
        self._merger = Merger()
        self._folded = FoldedStacks(symbols)

    def add(self, record: Record) -> None:
        """The next record of the recording."""
        if self._form is Form.UNMERGED:
            self._script([as_written(record)])
        else:
            self._deliver(self._merger.add(record))

    def finish(self) -> None:
        """There are no more."""
        self._deliver(self._merger.finish())
        for line in self._folded.lines():
            self._write(line)

    def _deliver(self, deliveries: list[Delivery]) -> None:
        if self._form is Form.FOLDED:
            for delivery in deliveries:
                self._folded.add(delivery)
        else:
            self._script(deliveries)

    def _script(self, deliveries: Iterable[Delivery | DeferredRecord]) -> None:
        for text in perf_script(deliveries, self._symbols, name_width=self._name_width):
            self._write(text)
