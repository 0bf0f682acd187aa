"""Everything the page shows, as one JSON document in compressed text.

64-bit values are numbers into `values`; columns by step hold changes only, so that a run of tens
of thousands of instructions stays small and any step is found by bisection.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from emu.lesson.explanation import Unwinder
from emu.lesson.page.columns import Values, changes, differences, runs
from emu.lesson.page.listing import Sources, functions
from emu.lesson.page.tables import RowTables, cfi_tables, sframe_tables
from emu.lesson.recording import Recording, Walks

VERDICTS = (
    "ok", "gap", "wrong", "refused", "truncated", "overrun", "corrupt", "limit", "unsettled",
)  # fmt: skip
"""Numbers of verdicts in the document."""


def document(
    recording: Recording, sources: Sources, lines: dict[int, int], source: str, unwinder: str
) -> dict[str, Any]:
    """The recording as plain values."""
    values = Values()
    registers = []
    for number in range(17):
        steps, column = changes(recording.registers[:, number])
        registers.append([differences(steps), values.numbers(column)])
    return {
        "program": recording.program,
        "process": recording.process,
        "pid": recording.pid,
        "forks": [[fork.number, fork.pid, fork.step, fork.ended] for fork in recording.forks],
        "policy": recording.policy,
        "first": recording.first,
        "count": len(recording),
        "opening": recording.opening,
        "unwinder": unwinder,
        "ended": recording.ended,
        "complete": recording.complete,
        "registers": registers,
        "threads": runs(recording.threads.tolist()),
        "stack": _stack(recording, values),
        "extents": [
            [f"{extent.low:x}", f"{extent.high:x}", extent.step]
            for extent in recording.stack.extents
        ],
        "calls": [
            [
                call.older,
                values.number(call.slot),
                values.number(call.return_address),
                values.number(call.rbp),
                int(call.rbp_known),
                call.kind.value,
                values.number(call.caller_pc),
            ]
            for call in recording.calls
        ],
        "callAt": runs(recording.call_at.tolist()),
        "unwinders": {
            unwinder.value: _walks(recording.walks[unwinder], values) for unwinder in Unwinder
        },
        "functions": functions(recording, sources, lines, source),
        "sources": [
            {"name": name, "text": text}
            for name, text in zip(sources.names, sources.texts, strict=True)
        ],
        "names": {
            f"{address:x}": [location.function, location.offset, location.module]
            for address, location in recording.locations.items()
        },
        "sframe": _tables(sframe_tables(recording)),
        "cfi": _tables(cfi_tables(recording)),
        "values": values.texts,
    }


def packed(document: dict[str, Any]) -> str:
    """The document as JSON, compressed with zlib, in base64."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _stack(recording: Recording, values: Values) -> list[Any]:
    """[address, steps, values] for every word that ever changed."""
    history = recording.stack
    words: list[Any] = []
    steps: list[int] = []
    contents: list[int] = []
    last = None
    for address, step, value in zip(history.addresses, history.steps, history.values, strict=True):
        if address != last:
            steps, contents = [], []
            words.append([f"{address:x}", steps, contents])
            last = address
        steps.append(step)
        contents.append(values.number(value))
    for word in words:
        word[1] = differences(word[1])
    return words


def _walks(walks: Walks, values: Values) -> dict[str, Any]:
    links: list[Any] = []
    reasons: list[str] = []
    known: dict[str, int] = {}
    for link in walks.links:
        hop = link.hop
        reason = -1
        if hop.reason:
            reason = known.setdefault(hop.reason, len(known))
            if reason == len(reasons):
                reasons.append(hop.reason)
        row: list[Any] = [link.further, hop.kind.value, reason]
        if hop.state is not None:
            row += [
                *values.numbers((hop.state.ip, hop.state.sp, hop.state.fp)),
                int(hop.state.interrupted),
                -1 if hop.cfa is None else values.number(hop.cfa),
            ]
        links.append(row)
    return {
        "links": links,
        "reasons": reasons,
        "at": runs(walks.at.tolist()),
        "departs": runs(walks.departs.tolist()),
        "verdicts": runs([VERDICTS.index(verdict) for verdict in walks.verdicts]),
    }


def _tables(tables: RowTables) -> dict[str, Any]:
    return {"functions": tables.functions, "found": tables.found, "ways": tables.ways}
