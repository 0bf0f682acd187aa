"""One walk of a stack, explained: every fact that a consumer used, as values.

`emu.lesson.explain` makes an `Explanation`; text, terminal, JSON and page are made from it. Frames
are numbered from 0, the topmost. Addresses are run-time addresses unless they are said to be
offsets; an `Address` is a number that documents show in hexadecimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emu.check.verdict import Field, Verdict
from emu.lesson.entries import FunctionRows, Lookup
from emu.lesson.evaluation import Check, Equation, FrameState, StackWord
from emu.lesson.locations import Address, CodeLine, Location


class Unwinder(StrEnum):
    """Who walks."""

    SFRAME = "sframe"
    """The consumer that the policy names, with the tables the process has registered."""
    FRAME_POINTERS = "frame-pointers"
    """The chain of saved rbp alone."""
    DWARF = "dwarf"
    """Call frame information of `.eh_frame`."""


class Method(StrEnum):
    """How a step was made."""

    SFRAME = "sframe"
    FRAME_POINTER = "frame-pointer"
    SIGNAL = "signal-frame"
    """The frame of a signal was recognised by its restorer (policies with `signal-frames`)."""
    DWARF = "dwarf"
    NONE = "none"
    """No step was made."""


class Relation(StrEnum):
    """Where a frame of the walk stands to the truth."""

    TRUE = "true"
    """Right so far, and this step is right."""
    DEPARTS = "departs"
    """The frame itself is true, and here the walk and the truth part."""
    ASTRAY = "astray"
    """The walk left the truth at an earlier frame."""


class EndKind(StrEnum):
    """Why a walk made no further step."""

    OUTERMOST = "outermost"
    """A row says that nothing called this function."""
    ZERO_FP = "zero-fp"
    """No row, and rbp is 0 (policies that end there)."""
    REFUSED = "refused"
    """There is a row, but it may not be used or cannot be evaluated."""
    LOST = "lost"
    """No row, and no other way on."""
    LIMIT = "limit"
    """As many frames as one walk records."""


@dataclass(frozen=True, slots=True)
class CfiInstruction:
    """One call frame instruction."""

    address: Address | None
    """Link-time address it applies from; None if it stands in the CIE."""
    text: str
    in_effect: bool
    """Whether it is executed for the address looked up."""


@dataclass(frozen=True, slots=True)
class CfiRow:
    """The row of `.eh_frame` in force; addresses in it are link-time addresses."""

    table: str
    """Section that the FDE stands in."""
    fde_offset: Address
    """Of the FDE from the start of that section."""
    start: Address
    """Where the function of the FDE begins."""
    end: Address
    row_start: Address
    """The first address the row covers."""
    looked_up: Address
    instructions: tuple[CfiInstruction, ...]
    """Those of the CIE, then those of the FDE up to the first that is beyond `looked_up`."""
    rules: str
    signal: bool
    """Augmentation `S`: below this frame the pc is an interrupted instruction."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One value of the state handed on, beside the true one."""

    field: Field
    got: Address | None
    expected: Address | None
    """None where the stack began: there is no caller."""
    same: bool


@dataclass(frozen=True, slots=True)
class FrameStep:
    """One frame of a walk, and the step from it towards its caller."""

    number: int
    state: FrameState
    """What the walk believes; the registers of the topmost frame are the thread's own."""
    location: Location
    """Of `state.ip`; below the top that is a return address."""
    return_address: bool
    """Whether `state.ip` is the address behind a call (else an instruction)."""
    code: tuple[CodeLine, ...]
    """The instruction with its neighbours; empty if there is no code."""
    method: Method
    lookup: Lookup | None
    """The search for a row in `.sframe`, if one was made."""
    function: FunctionRows | None
    """The function found there with its rows."""
    cfi: CfiRow | None
    """The row of `.eh_frame`, for that unwinder."""
    rules: str
    """The equations in force; empty if there are none."""
    equations: tuple[Equation, ...]
    """Those equations with numbers, in the order of their evaluation."""
    checks: tuple[Check, ...]
    """What the consumer demands of the numbers, up to the first demand that fails."""
    stack: tuple[StackWord, ...]
    """Words of the frame, lowest address first, those that were read among them."""
    following: FrameState | None
    """The state handed to the next frame, None if the walk ends here."""
    refusal: str
    """Why the rules could not be used; empty if they could."""
    true_state: FrameState | None
    """The true state of the frame of this number; None if the true stack is not so deep."""
    true_caller: FrameState | None
    """The true state of the frame above; None where the stack began."""
    true_location: Location | None
    """Of `true_state.ip`."""
    true_number: int | None
    """Number of the true frame with this pc, if possible with this sp too; None if none has it.
    A walk that has skipped a frame is on another one than its own number says."""
    compared: tuple[Compared, ...]
    """`following` beside `true_caller`; empty if there is no state handed on."""
    relation: Relation
    verdict: Verdict
    """Of the step: `ok`, or as `emu check` calls what is wrong. For an astray frame that of the
    frame where the walk departed."""
    contradiction: str
    """One sentence that says how the row and the truth contradict each other, where they do."""
    remarks: tuple[str, ...]
    """What else a reader should know."""


@dataclass(frozen=True, slots=True)
class End:
    """How a walk ended."""

    kind: EndKind
    frame: int
    """Number of the last frame."""
    text: str
    """Why, in one sentence."""
    errno: str
    """The errno of the lookup that failed at the last frame, as a name; empty if none did."""
    right: bool
    """Whether it ended where the stack began, on a true frame."""
    judgement: str
    """Why that is right or wrong, in one sentence."""


@dataclass(frozen=True, slots=True)
class TrueFrame:
    """One frame of the true stack."""

    state: FrameState
    location: Location
    kind: str
    """`call`, `signal`, `handler` or `switch`: what put this frame below the one above it; empty
    for the topmost frame."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One walk from one snapshot, by one unwinder."""

    program: str
    unwinder: Unwinder
    policy: str
    instruction: int
    """How many instructions were executed before the snapshot."""
    location: Location
    """Of the instruction about to execute."""
    registers: tuple[Address, ...]
    """The sixteen general registers by DWARF number."""
    true_frames: tuple[TrueFrame, ...]
    frames: tuple[FrameStep, ...]
    end: End
    process: int = 0
    """Which process of the run: 0 the program, then what is forked, in that order."""
    remark: str = ""
    """What makes the true stack itself unsure here; nearly always empty."""

    @property
    def departure(self) -> FrameStep | None:
        """The frame where the walk and the truth part; None if they never do."""
        return next((step for step in self.frames if step.relation is Relation.DEPARTS), None)

    @property
    def right(self) -> bool:
        """Every pc, sp and fp is right and the walk ended where the stack began."""
        return self.end.right and self.departure is None
