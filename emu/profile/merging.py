"""The perf tool's side: putting samples and later callchains together.

Kernel behaviour: 13.2.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emu.profile.records import DeferredRecord, Record, Sample


@dataclass(frozen=True, slots=True)
class Delivery:
    """A sample as the tool hands it to its commands."""

    sample: Sample
    chain: tuple[int, ...]
    """The sample's own, or that with the user's part in the cookie's place."""
    cookie: int | None = None
    """An entry to be shown as a cookie: the sample still counts as deferred."""


class Merger:
    """Deliveries with `--merge-callchains`, the default of `perf script`, as records come.

    Deferred samples wait for the next callchain of their thread. With their cookie they are
    merged, with another they are delivered as they are, like those left at the end.
    """

    def __init__(self) -> None:
        self._held: list[Sample] = []

    def add(self, record: Record) -> list[Delivery]:
        """What can be delivered once `record` is there, in order."""
        if isinstance(record, DeferredRecord):
            waiting = [sample for sample in self._held if sample.tid == record.tid]
            self._held = [sample for sample in self._held if sample.tid != record.tid]
            return [_joined(sample, record) for sample in waiting]
        if record.deferred:
            self._held.append(record)
            return []
        return [Delivery(record, record.chain)]

    def finish(self) -> list[Delivery]:
        """What is left at the end of the data."""
        held, self._held = self._held, []
        return [Delivery(sample, sample.chain, sample.cookie) for sample in held]


def merged(records: Iterable[Record]) -> Iterator[Delivery]:
    """The deliveries of a whole recording, as `Merger` makes them."""
    merger = Merger()
    for record in records:
        yield from merger.add(record)
    yield from merger.finish()


def _joined(sample: Sample, record: DeferredRecord) -> Delivery:
    if sample.cookie != record.cookie:
        return Delivery(sample, sample.chain)
    return Delivery(sample, (*sample.chain[:-1], *record.addresses), sample.cookie)


def as_written(record: Record) -> Delivery | DeferredRecord:
    """The delivery of one record with `--no-merge-callchains`."""
    if isinstance(record, DeferredRecord):
        return record
    return Delivery(record, record.chain, record.cookie)


def unmerged(records: Iterable[Record]) -> Iterator[Delivery | DeferredRecord]:
    """Deliveries with `--no-merge-callchains`: everything in its order."""
    return map(as_written, records)
