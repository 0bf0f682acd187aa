"""What a check must say of a table, worked out with the plain kernel of tools/plain_kernel.py.

Nothing of emu.unwind and no verdict of emu.check goes into it: only the true stack, which does not
depend on the table, and the lookups and rules as they are described. One run of a program serves
all of its damaged tables, because only where a lookup gives something else is there anything to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from plain_kernel import ENOENT, PlainKernel

from emu.check import Result, snapshots
from emu.machine import Image
from emu.machine.image import PT_GNU_SFRAME
from emu.truth import Entry
from emu.unwind import MemoryFault

DEFECTS = frozenset({"wrong", "refused", "corrupt", "truncated", "overrun"})
PAGE = 0x1000


class Found(NamedTuple):
    """What a lookup gave: errno (0 if there is a row), the rules, and where the row begins."""

    errno: int
    rules: Any
    row_start: int | None


class Key(NamedTuple):
    """What makes findings equal; `row_pc` is a link-time address."""

    verdict: str
    field: str | None
    row_pc: int | None
    function: str


class Seen(NamedTuple):
    """The first time that something was found."""

    pc: int
    snapshot_pc: int
    frame: int
    expected: int | None
    got: int | None


class Frame(NamedTuple):
    """A true frame; `caller` is the entry of the call that made it."""

    pc: int
    sp: int
    fp: int
    number: int
    function: str
    caller: Entry | None


class Judged(NamedTuple):
    """A step check: the wrong fields, and the caller's pc, sp and fp by the row."""

    verdict: str
    fields: tuple[str, ...] = ()
    got: tuple[int, int, int] | None = None


@dataclass
class Table:
    """A program's file with one state of its table, and what a check of it must say."""

    name: str
    image: Image
    bias: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    counts: Counter[Key] = field(default_factory=Counter)
    first: dict[Key, Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._found: dict[int, Found] = {}
        self.kernel = PlainKernel(self._read, self._vmas())
        self._register()
        self._records = list(self.kernel.records)

    def find(self, pc: int) -> Found:
        """The row for `pc`, in a store from which nothing was removed."""
        found = self._found.get(pc)
        if found is None:
            self.kernel.records = list(self._records)
            errno, rules = self.kernel.find(pc)
            row_start = None if errno or rules is None else self.kernel.row_start
            found = self._found[pc] = Found(-errno, rules, row_start)
        return found

    def count(self, found: Found, judged: Judged, frame: Frame, snapshot_pc: int) -> None:
        """A step check came to this."""
        self.steps[judged.verdict] += 1
        for key in self.keys(found, judged, frame):
            self.counts[key] += 1
            if key not in self.first:
                caller, place = frame.caller, {"sp": 1, "fp": 2}.get(key.field or "", 0)
                true = None if caller is None else _state(caller)[place]
                got = None if judged.got is None else judged.got[place]
                self.first[key] = Seen(frame.pc, snapshot_pc, frame.number, true, got)

    def uncount(self, found: Found, judged: Judged, frame: Frame) -> None:
        """The undamaged table comes to this where the damaged one does not."""
        self.steps[judged.verdict] -= 1
        for key in self.keys(found, judged, frame):
            self.counts[key] -= 1

    def keys(self, found: Found, judged: Judged, frame: Frame) -> Iterator[Key]:
        """The findings of a step check."""
        if judged.verdict in DEFECTS:
            row_pc = None if found.row_start is None else found.row_start - self.bias
            for name in judged.fields or (None,):
                yield Key(judged.verdict, name, row_pc, frame.function)

    def _register(self) -> None:
        header = self.image.header(PT_GNU_SFRAME)
        if header is None:
            return
        start = self.bias + header.address
        for segment in self.image.segments:
            if segment.executable:
                text = self.bias + segment.address
                end = start + header.memory_size
                self.kernel.add(start, end, text, text + segment.memory_size)

    def _read(self, address: int, size: int) -> bytes | None:
        data = self.image.bytes_at(address - self.bias, size)
        return data if len(data) == size else None

    def _vmas(self) -> list[tuple[int, int, bool]]:
        return [
            (
                self.bias + (segment.address & -PAGE),
                self.bias + (segment.end + PAGE - 1 & -PAGE),
                segment.executable,
            )
            for segment in self.image.segments
        ]


def predict(original: Table, damaged: Sequence[Table]) -> None:
    """Run the program once and count for every table what a check of it must find."""
    image, bias = original.image, original.bias
    start, end = image.start + bias, image.end + bias
    differing: dict[int, list[Table]] = {}
    live: dict[tuple[int, int], tuple[Entry, Entry | None]] = {}
    newest = None
    for snapshot in snapshots(image):
        entries = snapshot.entries
        inside = start <= snapshot.pc < end
        if not inside and newest is (entries[-1] if entries else None):
            continue
        registers = [snapshot.registers[number] for number in range(16)]
        stack = _reader(snapshot.memory)
        due = [0] if inside else []
        for number in range(1, len(entries) + 1):
            entry = entries[-number]
            older = entries[-number - 1] if number < len(entries) else None
            if (id(entry), id(older)) in live:
                break
            live[id(entry), id(older)] = entry, older
            due.append(number)
        newest = entries[-1] if entries else None
        for number in due:
            pc, sp, fp = snapshot.state(number)[:3]
            if not start <= pc < end:
                continue
            caller = entries[-number - 1] if number < len(entries) else None
            frame = Frame(pc, sp, fp, number, snapshot.functions[number], caller)
            found = original.find(pc)
            judged = judge(original.kernel, found, frame, registers, stack)
            original.count(found, judged, frame, snapshot.pc)
            if pc not in differing:
                differing[pc] = [table for table in damaged if table.find(pc) != found]
            for table in differing[pc]:
                table.uncount(found, judged, frame)
                other = table.find(pc)
                table.count(
                    other, judge(table.kernel, other, frame, registers, stack), frame, snapshot.pc
                )
    for table in damaged:
        table.steps.update(original.steps)
        table.counts.update(original.counts)
        table.first = {**original.first, **table.first}


def judge(
    kernel: PlainKernel,
    found: Found,
    frame: Frame,
    registers: list[int],
    stack: Callable[[int, int], bytes | None],
) -> Judged:
    """The step check of a frame whose lookup gave `found`."""
    caller = frame.caller
    if found.errno:
        return Judged("gap" if found.errno == ENOENT else "corrupt")
    if found.rules["outermost"]:
        return Judged("outermost" if caller is None else "truncated")
    if caller is None:
        return Judged("overrun")
    state = {"sp": frame.sp, "fp": frame.fp, "topmost": frame.number == 0, "available": 3}
    after = kernel.evaluate(state, found.rules, registers, stack, 8, 1)
    if after is None:
        return Judged("refused")
    got = after["ip"], after["sp"], after["fp"]
    wrong = [
        name
        for name, mine, true in zip(("pc", "sp", "fp"), got, _state(caller), strict=True)
        if mine != true and (name != "fp" or caller.rbp_known)
    ]
    return Judged("wrong", tuple(wrong), got) if wrong else Judged("ok", (), got)


def contradictions(table: Table, original: Table, result: Result) -> Iterator[str]:
    """Where a check says something else of a table than it must."""
    steps = {verdict.value: count for verdict, count in result.tally.steps.items()}
    for verdict in sorted({*steps, *table.steps} - {"gap"}):
        if steps.get(verdict, 0) != table.steps[verdict]:
            yield f"{verdict}: {steps.get(verdict, 0)}, must be {table.steps[verdict]}"
    reported = {}
    for finding in result.findings:
        key, witness = finding.key, finding.witness
        if key.module == table.image.path and key.check == "step":
            reported[Key(key.verdict, key.field, key.row_pc, key.function or "")] = finding.count
            mine = Key(key.verdict, key.field, key.row_pc, key.function or "")
            seen = Seen(
                witness.pc, witness.snapshot_pc, witness.frame, witness.expected, witness.got
            )
            # One that the undamaged table has too may have been seen first elsewhere.
            if mine in table.first and mine not in original.counts and seen != table.first[mine]:
                yield f"{mine}: {seen}, must be {table.first[mine]}"
    expected = {key: count for key, count in table.counts.items() if count}
    for missing in sorted({*reported, *expected}, key=str):
        if reported.get(missing, 0) != expected.get(missing, 0):
            yield f"{missing}: {reported.get(missing, 0)}, must be {expected.get(missing, 0)}"


def _state(caller: Entry) -> tuple[int, int, int]:
    return caller.return_address, caller.slot + 8, caller.rbp


def _reader(memory: Any) -> Callable[[int, int], bytes | None]:
    def read(address: int, size: int) -> bytes | None:
        try:
            return bytes(memory.read(address, size))
        except MemoryFault:
            return None

    return read
