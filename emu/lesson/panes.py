"""What a stepper shows, pane by pane, in as many lines as there is room for."""

from __future__ import annotations

from itertools import pairwise

from emu.check.verdict import Verdict
from emu.lesson.evaluation import Equation
from emu.lesson.explanation import FrameStep, Unwinder
from emu.lesson.locations import file_name
from emu.lesson.spans import Line, Role, Span, columns
from emu.lesson.stepper import Stepper
from emu.unwind import DWARF_NAMES, MemoryFault

WORD = 8
RED_ZONE = 128
LARGEST_FRAME = 1 << 20
"""A CFA further from rsp is not shown with it."""
_FIELDS = {"CFA": "sp", "RA": "pc", "FP": "fp"}
"""What of the caller's state each equation gives."""


def title_line(stepper: Stepper) -> Line:
    """The program, where in its run, and who walks."""
    recording = stepper.recording
    last = recording.first + len(recording) - 1
    extent = f"{recording.first:,}-{last:,}"
    extent = f"of {extent}" if recording.complete else f"of {extent} recorded"
    who = {
        Unwinder.SFRAME: f"sframe, {recording.policy}",
        Unwinder.FRAME_POINTERS: "frame pointers",
        Unwinder.DWARF: "dwarf",
    }[stepper.unwinder]
    program = file_name(recording.program)
    if recording.process:
        program += f" (process {recording.process})"
    return (
        Span(f"{program}  instruction {stepper.instruction:,} {extent}"),
        Span(f"  walk by {who}", Role.STRONG),
    )


def code_lines(stepper: Stepper, height: int) -> list[Line]:
    """The instructions around the chosen frame's pc."""
    state, true = stepper.state, stepper.true_frame
    inside = state.ip
    if stepper.frame:
        on_truth = stepper.on_truth and true is not None
        inside = true.inside if on_truth and true is not None else state.ip - 1
    before = max((height - 1) // 2, 0)
    lines = stepper.replay.names.code(
        state.ip, inside, lambda _: "", before=before, after=max(height - 1 - before, 0)
    )
    if not lines:
        return [(Span(f"no code at {state.ip:#x}", Role.BAD),)]
    rows = []
    for line in lines:
        if line.foreign and not line.here:
            continue
        role = Role.HERE if line.here else Role.PLAIN
        rows.append(
            [Span(">" if line.here else " ", role), Span(f"{line.address:x}", role),
             Span(line.text, role)]
        )  # fmt: skip
    return columns(rows)


def register_lines(stepper: Stepper) -> list[Line]:
    """All registers in the topmost frame (`*`: changed by the last step), below it three."""
    if stepper.frame:
        return _frame_registers(stepper)
    recording, step = stepper.recording, stepper.step
    registers = recording.registers_at(step)
    previous = recording.registers_at(step - 1) if step else registers
    cells = []
    for number in range(16):
        value = registers[number]
        changed = value != previous[number]
        text = f"{DWARF_NAMES[number]:<3}{'*' if changed else ' '}{value:#x}"
        cells.append(Span(text, Role.STRONG if changed else Role.PLAIN))
    return columns([[cells[row], cells[row + 8]] for row in range(8)])


def _frame_registers(stepper: Stepper) -> list[Line]:
    state, true = stepper.state, stepper.true_frame
    rows = []
    for index, (name, value) in enumerate((("pc", state.ip), ("rsp", state.sp), ("rbp", state.fp))):
        row = [Span(name), Span(f"{value:#x}")]
        if true is None:
            row.append(Span("no such frame", Role.BAD))
        elif value == true.state[index] or (name == "rbp" and not true.fp_known):
            row.append(Span("true", Role.GOOD))
        else:
            row.append(Span(f"TRUE: {true.state[index]:#x}", Role.BAD))
        rows.append(row)
    return [*columns(rows), (Span("as the walk has them", Role.DIM),)]


def stack_lines(stepper: Stepper, height: int) -> list[Line]:
    """Words from the chosen frame's rsp on, with what they are.

    Of a frame with more words than lines both ends, so that its return address is there.
    """
    memory = stepper.recording.step(stepper.step).memory
    notes = _stack_notes(stepper)
    rows: list[list[Span]] = []
    gap = None
    for at in _stack_addresses(stepper, notes, height):
        if at is None:
            gap = len(rows)
            continue
        try:
            value = f"{memory.word(at):#x}"
        except MemoryFault:
            value = "not recorded"
        note = notes.get(at, "")
        role = Role.STRONG if note else Role.PLAIN
        rows.append([Span(f"{at:x}", role), Span(value, role), Span(note, role)])
    lines = columns(rows)
    if gap is not None:
        lines.insert(gap, (Span("...", Role.DIM),))
    return lines


def _stack_addresses(stepper: Stepper, notes: dict[int, str], height: int) -> list[int | None]:
    """The words to show, lowest first; None where some are left out."""
    state = stepper.state
    start = state.sp & -WORD
    below = [at for at, note in notes.items() if "read " in note and start - RED_ZONE <= at]
    start = min([start, *(at & -WORD for at in below)])
    step = stepper.explanation()
    end = None
    if step is not None and step.following is not None:
        end = step.following.sp
    elif stepper.on_truth and stepper.frame + 1 < len(stepper.true_frames):
        end = stepper.true_frames[stepper.frame + 1].state.sp
    words: list[int | None] = list(range(start, start + WORD * height, WORD))
    if end is None or not start + WORD * height <= end < start + LARGEST_FRAME:
        return words
    first = max(height // 3, 1)
    last = height - first - 1
    end &= -WORD
    return [*words[:first], None, *range(end - WORD * (last - 1), end + WORD, WORD)]


def _stack_notes(stepper: Stepper) -> dict[int, str]:
    notes: dict[int, list[str]] = {}
    state = stepper.state
    notes.setdefault(state.sp, []).append("rsp")
    notes.setdefault(state.fp, []).append("rbp")
    step = stepper.explanation()
    if step is not None:
        for word in step.stack:
            if word.read_as:
                notes.setdefault(word.address, []).append(f"read {', '.join(word.read_as)}")
        if step.following is not None:
            notes.setdefault(step.following.sp, []).append("CFA")
    frames = stepper.true_frames
    for above, frame in pairwise(frames):
        if frame.kind is not None and frame.kind.value != "signal":
            slot = frame.state.sp - WORD
            notes.setdefault(slot, []).append(f"return of {above.number}")
    return {address: ", ".join(texts) for address, texts in notes.items()}


def frame_lines(stepper: Stepper, height: int) -> list[Line]:
    """The frames of the walk around the chosen one, and how it ends."""
    walk, states = stepper.walk, stepper.states
    total = len(states) + 1
    first = max(0, min(stepper.frame - height // 2, total - height))
    rows = []
    for number in range(first, min(total, first + height)):
        if number == len(states):
            rows.append([Span("end"), *_end(stepper)])
            break
        chosen = number == stepper.frame
        role = Role.HERE if chosen else Role.PLAIN
        departs = walk.departs
        if departs is None or number < departs:
            status = Span("true", Role.GOOD)
        elif number == departs:
            wrong = stepper.recording.wrong_fields(stepper.unwinder, stepper.step)
            fields = "".join(f" {field}" for field in wrong)
            status = Span(f"PARTS {walk.verdict}{fields}", Role.BAD)
        else:
            status = Span("astray", Role.BAD)
        rows.append(
            [
                Span(f"{'>' if chosen else ' '} {number}", role),
                status,
                Span(_name(stepper, number), role),
            ]
        )
    return columns(rows)


def _name(stepper: Stepper, number: int) -> str:
    departs = stepper.walk.departs
    frames = stepper.true_frames
    ip = stepper.states[number].ip
    inside = None
    if number and number < len(frames) and (departs is None or number <= departs):
        inside = frames[number].inside
    return str(stepper.replay.names.location(ip, inside))


def _end(stepper: Stepper) -> list[Span]:
    walk = stepper.walk
    right = walk.departs is None and walk.verdict.right
    return [
        Span("right" if right else "wrong", Role.GOOD if right else Role.BAD),
        Span(str(walk.hops[-1].kind)),
    ]


def equation_lines(stepper: Stepper) -> list[Line]:
    """The rules of the chosen frame, the three equations with numbers, and a verdict."""
    step = stepper.explanation()
    if step is None:
        hop = stepper.walk.hops[min(stepper.frame, len(stepper.walk.hops) - 1)]
        reason = hop.reason or f"step by {hop.kind}"
        return [
            (Span(reason),),
            (Span("more is not recorded: emu walk --step explains it", Role.DIM),),
        ]
    lines = [_rules_line(stepper, step)]
    compared = {one.field.value: one for one in step.compared}
    for equation in step.equations:
        field = _FIELDS.get(equation.name)
        if field is None:
            continue
        one = compared.get(field)
        line: Line = (Span(short_equation(equation)),)
        if one is not None and one.same:
            line = (*line, Span("  true", Role.GOOD))
        elif one is not None and one.expected is not None:
            line = (*line, Span(f"  TRUE: {one.expected:#x}", Role.BAD))
        lines.append(line)
    lines += _verdict_lines(step)
    return lines


def _rules_line(stepper: Stepper, step: FrameStep) -> Line:
    if step.lookup is not None and step.lookup.errno:
        text = f"{step.lookup.errno}: {step.lookup.reason}"
        if step.rules:
            text += "; by frame pointers"
        return (Span(text, Role.BAD),)
    where = ""
    if step.lookup is not None and step.lookup.row is not None and step.lookup.fde is not None:
        where = f"FDE {step.lookup.fde.index} row {step.lookup.row.index}: "
    rules = step.rules or step.refusal or "no row"
    if stepper.unwinder is Unwinder.FRAME_POINTERS:
        where = "saved rbp: "
    return (Span(where, Role.DIM), Span(rules, Role.STRONG))


def _verdict_lines(step: FrameStep) -> list[Line]:
    lines: list[Line] = []
    failed = [check for check in step.checks if not check.passed]
    if failed:
        lines.append((Span(f"refused: {failed[-1].text}: no", Role.BAD),))
    if step.contradiction:
        lines.append((Span(step.contradiction, Role.BAD),))
    elif step.following is None and step.verdict in {Verdict.OK, Verdict.OUTERMOST}:
        lines.append((Span("the walk ends where the stack began", Role.GOOD),))
    return lines


def short_equation(equation: Equation) -> str:
    """An equation without the step in its middle, for narrow places."""
    text = (
        f"{equation.name} {equation.rule}"
        if equation.unchanged
        else (f"{equation.name} = {equation.rule}")
    )
    if equation.loads and equation.address is not None:
        text += f" = *({equation.address:#x})"
    if equation.value is None:
        return f"{text}: {equation.failure}"
    text += f" = {equation.value:#x}"
    if equation.location is not None and equation.location.known:
        text += f" {equation.location}"
    return text


def equations_title(stepper: Stepper) -> str:
    """Which frame the equations are of."""
    return f"frame {stepper.frame} of {len(stepper.states)}"
