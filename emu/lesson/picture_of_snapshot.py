"""The picture of a snapshot's stack.

The truth says where frames begin and where return addresses are, the rows say where they look for
the CFA and the frame pointer. Where the two differ both are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from emu.check import Field, Snapshot, Verdict
from emu.check.tables import Place
from emu.lesson.picture_model import Band, Gap, Measure, Picture, Pointer, Role, Word
from emu.truth import Entry, EntryKind
from emu.unwind import CfaBase, Frame, LookupFailure, MemoryFault, State, ValueBase, ValueRule

WORD = 8
SHOWN_ABOVE = 2
"""Words of the outermost frame, whose end nobody knows."""
KEPT_AT_ENDS = 2
"""Words shown at either end of a run that is otherwise left out."""
SHORTEST_GAP = 3
"""Fewer unremarkable words than this are not worth leaving out."""
_FP_REGISTER, _SP_REGISTER = 6, 7
_READABLE = 16
_MASK = (1 << 64) - 1


def picture_of(snapshot: Snapshot, *, frames: int | None = None, below: int = 0) -> Picture:
    """The stack of a snapshot; at most `frames` of them, the outermost always among them.

    `below` adds so many words under rsp: red zone, or what was popped. The snapshot must be the
    current one, as its memory is that of the running process.
    """
    count = len(snapshot.entries) + 1
    shown = list(range(count))
    if frames is not None and count > frames:
        shown = [*range(max(frames - 1, 1)), count - 1]
    pointers = list(_pointers(snapshot))
    marked = {pointer.address for pointer in pointers}
    bands = tuple(_band(snapshot, number, marked) for number in shown)
    sp = snapshot.registers[_SP_REGISTER]
    under = tuple(
        _plain(snapshot, address) for address in range(sp - WORD * below, sp, WORD) if below
    )
    drawn = {one.address for band in bands for one in band.words} | {one.address for one in under}
    return Picture(
        bands=bands,
        below=under,
        pointers=tuple(pointer for pointer in pointers if pointer.address in drawn),
        measure=_measure(snapshot, drawn),
        hidden=count - len(shown),
    )


def _pointers(snapshot: Snapshot) -> Iterator[Pointer]:
    """rsp and rbp, the CFA of the topmost frame, and where its row looks if that is wrong."""
    yield Pointer("rsp", snapshot.registers[_SP_REGISTER])
    yield Pointer("rbp", snapshot.registers[_FP_REGISTER])
    if not snapshot.entries:
        return
    truth = snapshot.entries[-1].slot + WORD
    yield Pointer("CFA", truth)
    outcome = snapshot.outcome(0)
    found = snapshot.place(0).found
    if outcome.got is None or isinstance(found, LookupFailure):
        return
    if outcome.got.sp != truth:
        yield Pointer("row's CFA", outcome.got.sp, wrong=True)
    for field, name, rule in (
        (Field.PC, "row's RA", found.frame.ra),
        (Field.FP, "row's FP", found.frame.fp),
    ):
        if field in outcome.fields and rule.deref:
            yield Pointer(name, _loaded_from(snapshot, rule, outcome.got.sp), wrong=True)


def _loaded_from(snapshot: Snapshot, rule: ValueRule, cfa: int) -> int:
    """Where the topmost row looks for a value."""
    base = cfa if rule.reg is None else snapshot.registers[rule.reg]
    return (base + rule.offset) & _MASK


def _measure(snapshot: Snapshot, drawn: set[int]) -> Measure | None:
    """The topmost row's CFA, if it is a register plus an offset and both ends are drawn."""
    found = snapshot.place(0).found
    if isinstance(found, LookupFailure) or found.frame.outermost or not snapshot.entries:
        return None
    rule = found.frame.cfa
    number = {CfaBase.SP: _SP_REGISTER, CfaBase.FP: _FP_REGISTER}.get(rule.base, rule.reg)
    if rule.deref or number is None or number >= _READABLE:
        return None
    base = snapshot.registers[number]
    cfa = (base + rule.offset) & _MASK
    if base == cfa or not {base, cfa} <= drawn:
        return None
    return Measure(base, cfa, cfa != snapshot.entries[-1].slot + WORD)


def _band(snapshot: Snapshot, number: int, marked: set[int]) -> Band:
    state = snapshot.state(number)
    place = snapshot.place(number)
    caller = snapshot.entries[-number - 1] if number < len(snapshot.entries) else None
    high = None if caller is None else caller.slot + WORD
    words = list(_words(snapshot, number, state, caller))
    return Band(
        number=number,
        function=snapshot.functions[number],
        pc=code_name(snapshot, number),
        low=state.sp,
        high=high,
        row=place.row or "no row",
        has_row=place.row is not None,
        words=tuple(_shortened(words, marked)),
        interrupted=state.interrupted,
        wrong=_contradiction(snapshot, number, caller),
    )


def _words(snapshot: Snapshot, number: int, state: State, caller: Entry | None) -> Iterator[Word]:
    """The words of a frame, lowest first."""
    end = state.sp + WORD * SHOWN_ABOVE if caller is None else caller.slot + WORD
    saved = _fp_slot(snapshot.place(number), state, caller)
    for address in range(state.sp, end, WORD):
        word = _plain(snapshot, address)
        if caller is not None and address == caller.slot and caller.kind is not EntryKind.SIGNAL:
            yield Word(address, word.value, Role.RETURN_ADDRESS, code_name(snapshot, number + 1))
        elif address == saved and caller is not None and word.value == caller.rbp:
            target = word.value if _on_stack(snapshot, word.value) else None
            yield Word(address, word.value, Role.FRAME_POINTER, target=target)
        else:
            yield word


def _plain(snapshot: Snapshot, address: int) -> Word:
    try:
        return Word(address, snapshot.memory.word(address))
    except MemoryFault:
        return Word(address, None)


def _on_stack(snapshot: Snapshot, address: int) -> bool:
    """Whether an address lies between rsp and the last word that could be drawn."""
    highest = max(state.sp for state in snapshot.frames) + WORD * SHOWN_ABOVE
    return snapshot.registers[_SP_REGISTER] <= address < highest


def _fp_slot(place: Place, state: State, caller: Entry | None) -> int | None:
    """Where the row looks for the caller's rbp."""
    if caller is None or isinstance(place.found, LookupFailure):
        return None
    frame: Frame = place.found.frame
    rule = frame.fp
    if frame.outermost or not rule.deref:
        return None
    if rule.base is ValueBase.CFA:
        return (caller.slot + WORD + rule.offset) & _MASK
    if rule.reg == _FP_REGISTER:
        return (state.fp + rule.offset) & _MASK
    return None


def _contradiction(snapshot: Snapshot, number: int, caller: Entry | None) -> str:
    outcome = snapshot.outcome(number)
    if outcome.verdict is Verdict.WRONG and outcome.got is not None and caller is not None:
        pairs = {
            "pc": (outcome.got.ip, caller.return_address),
            "sp": (outcome.got.sp, caller.slot + WORD),
            "fp": (outcome.got.fp, caller.rbp),
        }
        return "; ".join(
            f"{field.value} comes out as {pairs[field.value][0]:#x},"
            f" the caller's is {pairs[field.value][1]:#x}"
            for field in outcome.fields
        )
    if outcome.verdict in {Verdict.OK, Verdict.OUTERMOST, Verdict.GAP}:
        return ""
    return outcome.reason


def _shortened(words: list[Word], marked: set[int]) -> Iterator[Word | Gap]:
    """Runs of words that mean nothing in particular become gaps."""
    run: list[Word] = []
    for word in words:
        if word.role is Role.OTHER and word.address not in marked:
            run.append(word)
            continue
        yield from _shorten(run)
        run = []
        yield word
    yield from _shorten(run)


def _shorten(run: list[Word]) -> Iterator[Word | Gap]:
    left_out = len(run) - 2 * KEPT_AT_ENDS
    if left_out < SHORTEST_GAP:
        yield from run
        return
    yield from run[:KEPT_AT_ENDS]
    yield Gap(run[KEPT_AT_ENDS].address, left_out)
    yield from run[-KEPT_AT_ENDS:]


def code_name(snapshot: Snapshot, number: int) -> str:
    """Where a frame is, as `function+0x12`; below the top that is its return address."""
    place = snapshot.place(number)
    if place.module is None:
        return hex(snapshot.state(number).ip)
    inside = snapshot.entries[-number].caller_pc if number else snapshot.pc
    function = place.module.function_at(inside)
    if function is None:
        return hex(snapshot.state(number).ip)
    return f"{place.function}+{snapshot.state(number).ip - function.start:#x}"
