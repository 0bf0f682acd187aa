"""The text of `perf script`, and of a raw dump's callchain (kernel behaviour: 13.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from emu.profile.contexts import CONTEXT_MAX, MODES, Context, Mode, context_name
from emu.profile.merging import Delivery
from emu.profile.records import DeferredRecord, Sample

UNKNOWN = "[unknown]"


@dataclass(frozen=True, slots=True)
class Location:
    """What is at an address; None for what is not known."""

    symbol: str | None
    offset: int = 0
    """From the symbol's start."""
    dso: str | None = None
    """Path of the file, or `[kernel.kallsyms]`."""

    def __str__(self) -> str:
        name = UNKNOWN if self.symbol is None else f"{self.symbol}+{self.offset:#x}"
        return f"{name} ({self.dso or UNKNOWN})"


class Symbols(Protocol):
    """Names for addresses."""

    def locate(self, pid: int, address: int, mode: Mode, /) -> Location:
        """What is there in a process, or in the kernel."""
        ...


def resolved(chain: Iterable[int]) -> list[tuple[int, Mode]]:
    """The addresses of a chain, each with where it belongs; marks are gone.

    An entry where only marks may be, and which is none of the tool's, spoils the whole chain:
    nothing is left. A user stack with such a return address on it does that.
    """
    mode = Mode.USER
    found = []
    for entry in chain:
        if entry < CONTEXT_MAX:
            found.append((entry, mode))
        elif entry in MODES:
            mode = MODES[Context(entry)]
        else:
            return []
    return found


def perf_script(
    deliveries: Iterable[Delivery | DeferredRecord], symbols: Symbols, *, name_width: int = 0
) -> Iterator[str]:
    """One text for each delivery, with the empty line after it.

    `name_width` is that of the longest event name of the recording.
    """
    for delivery in deliveries:
        if isinstance(delivery, DeferredRecord):
            head = f"{_start(delivery)}DEFERRED CALLCHAIN [cookie: {delivery.cookie:x}]\n"
            yield head + _chain(delivery.addresses, delivery.pid, None, symbols) + "\n"
        else:
            sample = delivery.sample
            head = f"{_start(sample)}{sample.event.period:10} {sample.event.name:>{name_width}}: \n"
            yield head + _chain(delivery.chain, sample.pid, delivery.cookie, symbols) + "\n"


def _start(record: Sample | DeferredRecord) -> str:
    """Command, thread, CPU if it is told, and time."""
    seconds, nanoseconds = divmod(record.time, 1_000_000_000)
    cpu = "" if record.cpu is None else f"[{record.cpu:03}] "
    return f"{record.comm} {record.tid:7} {cpu}{seconds:5}.{nanoseconds // 1000:06}: "


def _chain(chain: Iterable[int], pid: int, cookie: int | None, symbols: Symbols) -> str:
    lines = ""
    for address, mode in resolved(chain):
        location = symbols.locate(pid, address, mode)
        text = f"(cookie) ({location.dso or UNKNOWN})" if address == cookie else str(location)
        lines += f"\t{address:16x} {text}\n"
    return lines


def raw_chain(sample: Sample) -> str:
    """The callchain as `perf report -D` and `perf script -D` print it."""
    lines = f"... FP chain: nr:{len(sample.chain)}\n"
    for number, entry in enumerate(sample.chain):
        name = context_name(entry)
        lines += f"..... {number:2}: {entry:016x}{f' ({name})' if name else ''}\n"
    return lines + ("...... (deferred)\n" if sample.deferred else "")
