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


def merged(records: Iterable[Record]) -> Iterator[Delivery]:
    """Deliveries with `--merge-callchains`, the default of `perf script`.

    Deferred samples wait for the next callchain of their thread. With their cookie they are
    merged, with another they are delivered as they are, like those left at the end.
    """
    held: list[Sample] = []
    for record in records:
        if isinstance(record, DeferredRecord):
            waiting = [sample for sample in held if sample.tid == record.tid]
            held = [sample for sample in held if sample.tid != record.tid]
            for sample in waiting:
                yield _joined(sample, record)
        elif record.deferred:
            held.append(record)
        else:
            yield Delivery(record, record.chain)
    for sample in held:
        yield Delivery(sample, sample.chain, sample.cookie)


def _joined(sample: Sample, record: DeferredRecord) -> Delivery:
    if sample.cookie != record.cookie:
        return Delivery(sample, sample.chain)
    return Delivery(sample, (*sample.chain[:-1], *record.addresses), sample.cookie)


def unmerged(records: Iterable[Record]) -> Iterator[Delivery | DeferredRecord]:
    """Deliveries with `--no-merge-callchains`: everything in its order."""
    for record in records:
        if isinstance(record, DeferredRecord):
            yield record
        else:
            yield Delivery(record, record.chain, record.cookie)
