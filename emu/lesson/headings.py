"""What stands around the frames of an explained walk: its beginning, titles, its end."""

from __future__ import annotations

from emu.lesson.explanation import Explanation, FrameStep, Relation, Unwinder
from emu.lesson.locations import Location, file_name
from emu.lesson.spans import Line, Role, Span, columns, shortened
from emu.unwind import DWARF_NAMES


def heading(explanation: Explanation) -> list[Line]:
    """What is walked, by whom, and whether it comes out right."""
    who = {
        Unwinder.SFRAME: f"by .sframe, policy {explanation.policy}",
        Unwinder.FRAME_POINTERS: "by frame pointers",
        Unwinder.DWARF: "by .eh_frame",
    }[explanation.unwinder]
    lines: list[Line] = [
        (Span(f"{file_name(explanation.program)}: walk {who}", Role.STRONG),),
        (
            Span(f"from {place(explanation.location)}, before instruction"),
            Span(f" {explanation.instruction:,}"),
            Span(f" of process {explanation.process}" if explanation.process else ""),
        ),
    ]
    names = [str(frame.location) for frame in explanation.true_frames]
    lines.append((Span("true stack: "), Span(", ".join(shortened(names, 8)))))
    if explanation.remark:
        lines.append((Span(f"note: {explanation.remark}", Role.DIM),))
    return [*lines, (Span("registers"),), *_registers(explanation)]


def frame_title(step: FrameStep) -> Line:
    """The line that begins a frame, with a word about where it stands to the truth."""
    title: Line = (Span(f"frame {step.number}  {place(step.location)}", Role.STRONG),)
    mark = frame_mark(step)
    return (*title, Span("  "), mark) if mark.text else title


def frame_mark(step: FrameStep) -> Span:
    """Where a frame stands to the truth, in words; empty where walk and truth are one."""
    match step.relation:
        case Relation.TRUE:
            return Span("")
        case Relation.DEPARTS:
            return Span("HERE THE WALK AND THE TRUTH PART", Role.BAD)
        case Relation.ASTRAY:
            return Span(_astray(step), Role.BAD)


def end_lines(explanation: Explanation) -> list[Line]:
    """Why the walk ended, whether that is right, and where it left the truth."""
    end = explanation.end
    errno = f" [{end.errno}]" if end.errno else ""
    lines: list[Line] = [
        (
            Span(f"end  {end.kind}", Role.STRONG),
            Span(f" at frame {end.frame}{errno}: {end.text}"),
        ),
        (Span("     "), Span(end.judgement, Role.GOOD if end.right else Role.BAD)),
    ]
    departure = explanation.departure
    if departure is None:
        count = len(explanation.frames)
        frames = "1 frame is" if count == 1 else f"all {count} frames are"
        lines.append((Span("     "), Span(f"{frames} right", Role.GOOD)))
    else:
        text = f"frame {departure.number} ({departure.location}): {departure.verdict}"
        wrong = [str(one.field) for one in departure.compared if not one.same]
        if wrong:
            text += f" {', '.join(wrong)}"
        lines.append((Span("     the walk and the truth part at "), Span(text, Role.BAD)))
        if departure.contradiction:
            lines.append((Span("     "), Span(departure.contradiction, Role.BAD)))
    return lines


def place(location: Location) -> str:
    """Function, module and source line of an address."""
    text = str(location)
    if location.source:
        text += f" at {location.source}"
    if location.module:
        return f"{text} ({file_name(location.module)})"
    return f"{text} (no module)"


def _astray(step: FrameStep) -> str:
    """How a frame behind the departure stands to the true frames."""
    true, state, number = step.true_state, step.state, step.true_number
    if number is not None and number != step.number:
        skipped = number - step.number
        if skipped > 0:
            frames = "1 frame is" if skipped == 1 else f"{skipped} frames are"
            return f"astray: pc is that of the true frame {number}, {frames} missing"
        return f"astray: pc is that of the true frame {number} again"
    if true is None:
        return f"astray: the true stack has no frame {step.number}"
    differing = [
        name
        for name, got, expected in (
            ("pc", state.ip, true.ip),
            ("rsp", state.sp, true.sp),
            ("rbp", state.fp, true.fp),
        )
        if got != expected
    ]
    if not differing:
        return "on the true frame again, by luck"
    return f"astray: {', '.join(differing)} of the true frame {step.number} differ"


def _registers(explanation: Explanation) -> list[Line]:
    """The general registers, four to a line."""
    cells = [
        Span(f"{DWARF_NAMES[number]:<3} {value:#x}")
        for number, value in enumerate(explanation.registers)
    ]
    return columns([[Span(""), *cells[at : at + 4]] for at in range(0, len(cells), 4)])
