"""The rows of .sframe and .eh_frame that a recording needs, with their rules taken apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emu.cfi import RBP, RIP, CfiError, DwarfMatch, DwarfRow, DwarfRule, RuleKind
from emu.check.modules import LoadedModule
from emu.lesson.entries import ByteField, Lookup
from emu.lesson.explanation import Unwinder
from emu.lesson.recording import Recording
from emu.sframe import Fde, SFrameError
from emu.unwind import CfaBase, Frame, LookupFailure, ValueBase, ValueRule

MOST_ROWS = 400
"""Rows of one function that the page holds; what lies beyond is said to be left out."""
OF_CFA = -1
RETAINED = -2
TEXT_ONLY = -3

Term = list[Any]
"""[base, offset, dereferenced, text]: base is a DWARF register, `OF_CFA`, `RETAINED` or
`TEXT_ONLY` (then only the text says what the rule is)."""


@dataclass(slots=True)
class RowTables:
    """Functions with their rows, and the row in force by address looked up."""

    functions: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, list[Any]] = field(default_factory=dict)
    """Address in hexadecimal -> [function, row, terms, way], or [reason] if there is no row."""
    ways: list[dict[str, Any]] = field(default_factory=list)
    """How rows are found and what their bytes say."""
    _known: dict[tuple[str, int], int] = field(default_factory=dict)
    _known_ways: dict[int, int] = field(default_factory=dict)

    def way(self, lookup: Lookup | None) -> int:
        """The number of a lookup in `ways`, -1 for none."""
        if lookup is None:
            return -1
        known = self._known_ways.get(id(lookup))
        if known is None:
            known = self._known_ways[id(lookup)] = len(self.ways)
            self.ways.append(_way(lookup))
        return known

    def number(self, key: tuple[str, int], make: Any) -> int:
        """The number of a function, made when it is first needed."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = len(self.functions)
            self.functions.append(make())
        return known


def sframe_tables(recording: Recording) -> RowTables:
    """Rows as the kernel model finds them; the table around them as the format library reads it."""
    tables = RowTables()
    for address, found in recording.rows.items():
        if isinstance(found, LookupFailure):
            tables.found[f"{address:x}"] = [str(found)]
            continue
        function = found.function
        module = _module_at(recording, address)
        number = tables.number(
            ("", function.start),
            lambda function=function, module=module, found=found: _sframe_function(
                module, function.start, found.frame
            ),
        )
        way = tables.way(recording.lookups.get((function.start, found.index)))
        terms = kernel_terms(found.frame)
        tables.found[f"{address:x}"] = [number, max(found.index, 0), terms, way]
    return tables


def _way(lookup: Lookup) -> dict[str, Any]:
    """How the search came to a row, and its bytes field by field."""
    fde, row = lookup.fde, lookup.row
    return {
        "probes": [
            [probe.index, str(probe.location), int(probe.at_or_below)] for probe in lookup.probes
        ],
        "index": lookup.section.num_fdes if lookup.section is not None else 0,
        "entry": _fields(fde.entry if fde is not None else ()),
        "attributes": _fields(fde.attributes if fde is not None else ()),
        "row": _fields(row.fields if row is not None else ()),
    }


def _fields(fields: tuple[ByteField, ...]) -> list[list[str]]:
    return [[one.raw.hex(" "), one.name, one.meaning] for one in fields]


def _sframe_function(module: LoadedModule | None, start: int, frame: Frame) -> dict[str, Any]:
    fde = None
    if module is not None and module.section is not None:
        fde = module.section.fdes.find(start - module.bias)
    if fde is None or module is None:
        rows = [[0, str(frame), ""]]
        return {"start": f"{start:x}", "size": 0, "kind": "", "rows": rows, "more": 0}
    rows = []
    try:
        for row in fde.iter_rows():
            if len(rows) >= MOST_ROWS:
                break
            encoded = bytes(fde_bytes(module, row.offset, row.end)).hex(" ")
            rows.append([row.start, str(row.body.outcome), encoded])
    except SFrameError as error:
        rows.append([0, str(error), ""])
    return {
        "start": f"{start:x}",
        "size": fde.size,
        "kind": _kind(fde),
        "rows": rows,
        "more": max(fde.attributes.num_fres - len(rows), 0),
    }


def fde_bytes(module: LoadedModule, start: int, end: int) -> memoryview:
    """Bytes of the module's section."""
    assert module.section is not None, "the row was found there"
    return module.section.data[start:end]


def _kind(fde: Fde) -> str:
    attributes = fde.attributes
    words = [f"FDE {fde.index}", "flexible" if attributes.flexible else "default"]
    words.append(f"PC type {attributes.pc_type.name}")
    if attributes.signal:
        words.append("signal frame")
    return ", ".join(words)


def kernel_terms(frame: Frame) -> list[Term]:
    """CFA, RA and FP of a row; nothing for an outermost one."""
    if frame.outermost:
        return []
    base = {CfaBase.SP: 7, CfaBase.FP: 6}.get(frame.cfa.base, frame.cfa.reg)
    cfa = [base, frame.cfa.offset, int(frame.cfa.deref), str(frame.cfa)]
    return [cfa, _value_term(frame.ra), _value_term(frame.fp)]


def _value_term(rule: ValueRule) -> Term:
    if rule.base is ValueBase.RETAIN:
        return [RETAINED, 0, 0, "unchanged"]
    base = OF_CFA if rule.base is ValueBase.CFA else rule.reg
    return [base, rule.offset, int(rule.deref), str(rule)]


def cfi_tables(recording: Recording) -> RowTables:
    """Rows of .eh_frame for every address that its unwinder looked up."""
    tables = RowTables()
    for address in sorted(_cfi_addresses(recording)):
        module = _module_at(recording, address)
        table = module.frame_table if module is not None else None
        if module is None or table is None:
            tables.found[f"{address:x}"] = ["no call frame information here"]
            continue
        try:
            match = table.lookup(address - module.bias)
        except CfiError as error:
            tables.found[f"{address:x}"] = [str(error)]
            continue
        if match is None:
            tables.found[f"{address:x}"] = ["no FDE contains this address"]
            continue
        rows = table.rows(match.fde)
        number = tables.number(
            (module.path, match.fde.start),
            lambda match=match, rows=rows, module=module: _cfi_function(match, rows, module),
        )
        tables.found[f"{address:x}"] = [number, rows.index(match.row), cfi_terms(match.row), -1]
    return tables


def _cfi_function(
    match: DwarfMatch, rows: tuple[DwarfRow, ...], module: LoadedModule
) -> dict[str, Any]:
    fde = match.fde
    return {
        "start": f"{fde.start + module.bias:x}",
        "size": fde.size,
        "kind": f"FDE at {fde.table}+{fde.offset:#x}" + (", signal frame" * fde.cie.signal),
        "rows": [[row.start, str(row), ""] for row in rows[:MOST_ROWS]],
        "more": max(len(rows) - MOST_ROWS, 0),
    }


def cfi_terms(row: DwarfRow) -> list[Term]:
    """CFA, RA and rbp of a row; nothing for an outermost one."""
    if row.outermost or row.cfa is None:
        return []
    cfa: Term = (
        [TEXT_ONLY, 0, 0, str(row.cfa)]
        if row.cfa.expression is not None
        else [row.cfa.register, row.cfa.offset, 0, str(row.cfa)]
    )
    return [cfa, _cfi_value(row.rule(RIP)), _cfi_value(row.rule(RBP))]


def _cfi_value(rule: DwarfRule | None) -> Term:
    if rule is None or rule.kind is RuleKind.SAME_VALUE:
        return [RETAINED, 0, 0, "unchanged"]
    match rule.kind:
        case RuleKind.OFFSET:
            return [OF_CFA, rule.value, 1, str(rule)]
        case RuleKind.VAL_OFFSET:
            return [OF_CFA, rule.value, 0, str(rule)]
        case RuleKind.REGISTER:
            return [rule.value, 0, 0, str(rule)]
        case _:
            return [TEXT_ONLY, 0, 0, str(rule)]


def _cfi_addresses(recording: Recording) -> set[int]:
    """Instructions that run, and the byte before each return address."""
    addresses = set(recording.registers[:, 16].tolist())
    for call in recording.calls:
        addresses.add(call.state().ip - (not call.state().interrupted))
    for link in recording.walks[Unwinder.DWARF].links:
        state = link.hop.state
        if state is not None:
            addresses.add(state.ip - (not state.interrupted))
    return addresses


def _module_at(recording: Recording, address: int) -> LoadedModule | None:
    return next((one for one in recording.modules if one.module.contains(address)), None)
