"""Walking a user stack (kernel behaviour: 9)."""

from dataclasses import dataclass
from enum import Enum, IntFlag

from emu.unwind.errors import Errno, LookupFailure
from emu.unwind.evaluate import Reason, Refusal, State, evaluate
from emu.unwind.frame import RETAIN, CfaBase, CfaRule, Frame, ValueBase, ValueRule
from emu.unwind.protocols import Memory, Registers
from emu.unwind.signal_frame import interrupted_state
from emu.unwind.store import SectionStore


class Method(IntFlag):
    """How a step was made, and which ways a walk may use."""

    NONE = 0
    SFRAME = 1
    FRAME_POINTER = 2
    SIGNAL = 4
    """Not the kernel's: the frame of a signal was recognised (policy `signal-frames`)."""


class Ending(Enum):
    """How a walk ended."""

    OUTERMOST = "outermost"
    """A row said that nothing called this function."""
    ZERO_FP = "zero-fp"
    """No row, and rbp is 0 (policies that end there)."""
    REFUSED = "refused"
    """A row was found but could not be used; frame pointers are not tried then."""
    LOST = "lost"
    """No row, and frame pointers led nowhere or may not be used."""
    LIMIT = "limit"
    """The caller's limit was reached."""
    NO_USER = "no-user"
    """A kernel thread, or registers that are not from 64- or 32-bit user mode."""


@dataclass(frozen=True, slots=True)
class End:
    """How a walk ended, with what was found there.

    `lookup` is why there was no row (LOST, ZERO_FP); `refusal` why the row (REFUSED) or the
    frame pointer (LOST, if it was tried) could not be used.
    """

    ending: Ending
    lookup: LookupFailure | None = None
    refusal: Refusal | None = None

    def __str__(self) -> str:
        parts = [str(part) for part in (self.lookup, self.refusal) if part is not None]
        return f"{self.ending.value} ({'; '.join(parts)})" if parts else self.ending.value


@dataclass(frozen=True, slots=True)
class Trace:
    """What `unwind_user` recorded: its result, every frame's state, and how it ended."""

    ret: int
    frames: tuple[State, ...]
    end: End

    @property
    def ips(self) -> tuple[int, ...]:
        """The recorded addresses, innermost first."""
        return tuple(state.ip for state in self.frames)


def _pointer_frame(word_size: int) -> Frame:
    return Frame(
        CfaRule(CfaBase.FP, 2 * word_size),
        ValueRule(ValueBase.CFA, -word_size, deref=True),
        ValueRule(ValueBase.CFA, -2 * word_size, deref=True),
    )


def _entry_frame(word_size: int) -> Frame:
    return Frame(
        CfaRule(CfaBase.SP, word_size), ValueRule(ValueBase.CFA, -word_size, deref=True), RETAIN
    )


POINTER_FRAMES = {size: _pointer_frame(size) for size in (4, 8)}
"""Rules of a function with a frame pointer, by word size."""
ENTRY_FRAMES = {size: _entry_frame(size) for size in (4, 8)}
"""Rules at the first instruction of a function, by word size."""

_PUSH_RBP = b"\x55"
_ENDBR64 = b"\xf3\x0f\x1e\xfa"

_NO_RA_REGISTER = "unwind_user_get_ra_reg() not implemented"
_ONCE = {
    (Reason.VALUE_IS_CFA, "RA"): "UNWIND_USER_RULE_CFA_OFFSET invalid for RA",
    (Reason.VALUE_IS_CFA, "FP"): "UNWIND_USER_RULE_CFA_OFFSET unsupported for FP",
}


def at_function_entry(probed: bytes, word_size: int) -> bool:
    """Whether a uprobe's original instruction begins a function (kernel behaviour: 9.2)."""
    return probed.startswith(_PUSH_RBP) or (word_size == 8 and probed.startswith(_ENDBR64))


class Walk:
    """A walk of one task's user stack, step by step.

    `store` or `registers` None is a kernel thread, or a task without saved user registers;
    `word_size` 0 a mode that cannot be unwound. `probed` is the original instruction while a
    uprobe is handled. The store says by which policy, and is consulted with its effects: a
    bad section is dropped during the walk.
    """

    __slots__ = (
        "_memory",
        "_minus_one",
        "_policy",
        "_probed",
        "_registers",
        "_store",
        "_try_pointer",
        "_try_sframe",
        "current_type",
        "done",
        "end",
        "ret",
        "state",
        "word_size",
    )

    def __init__(
        self,
        store: SectionStore | None,
        memory: Memory,
        registers: Registers | None,
        *,
        word_size: int = 8,
        probed: bytes | None = None,
    ) -> None:
        self._memory = memory
        self._probed = probed
        self.word_size = word_size
        self.current_type = Method.NONE
        self._try_sframe = False
        self._try_pointer = False
        self.done = False
        self.ret = 0
        self.end: End | None = None
        self.state = State(0, 0, 0, topmost=True)
        if store is None or registers is None:
            self._stop(-Errno.EINVAL, End(Ending.NO_USER))
            return
        self._store = store
        self._policy = policy = store.policy
        self._minus_one = policy.minus_one
        self._registers = registers
        self._try_sframe = len(store) > 0
        self._try_pointer = policy.frame_pointers
        self.state = State(registers.ip, registers[7], registers[6], topmost=True)
        if word_size == 0:
            self._stop(-Errno.EINVAL, End(Ending.NO_USER))

    @property
    def available(self) -> Method:
        """The ways this walk may use, decided at its start (kernel behaviour: 9.1)."""
        sframe = Method.SFRAME if self._try_sframe else Method.NONE
        return sframe | (Method.FRAME_POINTER if self._try_pointer else Method.NONE)

    @available.setter
    def available(self, methods: Method) -> None:
        self._try_sframe = Method.SFRAME in methods
        self._try_pointer = Method.FRAME_POINTER in methods

    def resume(self, state: State) -> None:
        """Go on from `state`, as if the walk had come there; the ways stay what they are."""
        self.state = state
        self.done = False
        self.ret = 0
        self.end = None

    def _stop(self, ret: int, end: End) -> int:
        self.done = True
        self.ret = ret
        if self.end is None:
            self.end = end
        return ret

    def step(self) -> int:
        """One step towards the caller: 0, or a negated errno (kernel behaviour: 9.2)."""
        if self.done:
            return -Errno.EINVAL
        lookup: LookupFailure | None = None
        if self._try_sframe:
            state = self.state
            before = self._minus_one and not state.topmost and not state.interrupted
            found = self._store.find(state.ip - 1 if before else state.ip)
            if isinstance(found, Frame):
                return self._apply(found)
            lookup = found
        if self._policy.signal_frames and self.word_size == 8:
            interrupted = interrupted_state(self.state, self._memory)
            if interrupted is not None:
                self.current_type = Method.SIGNAL
                self.state = interrupted
                return 0
        self.current_type = Method.NONE
        if self._policy.outermost_zero_fp and self.state.fp == 0:
            return self._stop(0, End(Ending.ZERO_FP, lookup))
        if not self._try_pointer:
            return self._stop(-Errno.EINVAL, End(Ending.LOST, lookup))
        return self._follow_pointer(lookup)

    def _apply(self, frame: Frame) -> int:
        """A row was found: it decides, for better or worse."""
        if frame.outermost:
            self.current_type = Method.SFRAME
            return self._stop(0, End(Ending.OUTERMOST))
        following = evaluate(
            frame,
            self.state,
            self._memory,
            self._registers,
            self._policy,
            word_size=self.word_size,
        )
        if isinstance(following, State):
            self.current_type = Method.SFRAME
            self.state = following
            return 0
        return self._refuse(following)

    def _follow_pointer(self, lookup: LookupFailure | None) -> int:
        following = evaluate(
            self._pointer_frame(),
            self.state,
            self._memory,
            self._registers,
            self._policy,
            word_size=self.word_size,
        )
        if isinstance(following, Refusal):
            return self._stop(-Errno.EINVAL, End(Ending.LOST, lookup, following))
        self.current_type = Method.FRAME_POINTER
        self.state = following
        return 0

    def _refuse(self, refusal: Refusal) -> int:
        text = _ONCE.get((refusal.reason, refusal.field))
        if refusal.reason is Reason.RA_RETAINED and self.state.topmost:
            text = _NO_RA_REGISTER
        if text is not None:
            self._store.log.once(text)
        self.current_type = Method.NONE
        return self._stop(-Errno.EINVAL, End(Ending.REFUSED, None, refusal))

    def _pointer_frame(self) -> Frame:
        if (
            self._probed is not None
            and self.state.topmost
            and at_function_entry(self._probed, self.word_size)
        ):
            return ENTRY_FRAMES[self.word_size]
        return POINTER_FRAMES[self.word_size]


def unwind_user(
    store: SectionStore | None,
    memory: Memory,
    registers: Registers | None,
    limit: int,
    *,
    word_size: int = 8,
    probed: bytes | None = None,
) -> Trace:
    """Walk until the end or until `limit` entries are recorded (kernel behaviour: 9.3).

    The interrupted address is always first; what follows the outermost function is not
    recorded. Arguments as for `Walk`.
    """
    if limit <= 0:
        return Trace(-Errno.EINVAL, (), End(Ending.LIMIT))
    walk = Walk(store, memory, registers, word_size=word_size, probed=probed)
    frames: list[State] = []
    while not walk.done:
        frames.append(walk.state)
        if len(frames) == limit:
            return Trace(0, tuple(frames), End(Ending.LIMIT))
        walk.step()
    assert walk.end is not None
    return Trace(0, tuple(frames), walk.end)
