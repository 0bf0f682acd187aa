"""The tracker on short scripted executions: where each rule of the true stack decides.

A script is a list of steps, each the state just before one instruction: its address and length,
rsp, other registers that changed, and words stored since the step before.
"""

from dataclasses import dataclass, field

import pytest

from emu.truth import Function, Settlement, Stack, Suspended, Tracker, same_function
from emu.unwind import MemoryFault

STACK = 0x7000_0000
CODE = range(0x1000, 0x9000)
RCX, RBX, RSI, RBP, RSP = 2, 3, 4, 6, 7

MOV_RSP_RAX = bytes.fromhex("4889c4")
MOV_RSP_RDI = bytes.fromhex("4889fc")
MOV_RAX_RSP = bytes.fromhex("4889e0")
SUB_RAX_RCX = bytes.fromhex("4829c8")
RET_16 = bytes.fromhex("c21000")
NOP = b"\x90"


@dataclass
class FakeMemory:
    """Stack words and code bytes."""

    words: dict[int, int] = field(default_factory=dict)
    code: dict[int, bytes] = field(default_factory=dict)
    gone: range = range(0)

    def word(self, address: int, /) -> int:
        if address not in self.words:
            raise MemoryFault(address)
        return self.words[address]

    def read(self, address: int, size: int, /) -> bytes:
        return self.code.get(address, NOP).ljust(size, NOP)

    def executable(self, address: int) -> bool:
        return address in CODE

    def writable(self, address: int) -> bool:
        return address not in CODE and address not in self.gone


@dataclass
class FakeFunctions:
    """Functions of 0x100 bytes, named by their start; `parts` belong to another one."""

    parts: dict[int, int] = field(default_factory=dict)

    def function_at(self, pc: int) -> Function | None:
        start = pc & ~0xFF
        name = f"f{self.parts.get(start, start):x}" + (".cold" if start in self.parts else "")
        return Function(start, start + 0x100, name)


class Script:
    """Drives a tracker; keeps registers and memory between steps."""

    def __init__(self, begin: int = STACK) -> None:
        self.memory = FakeMemory()
        self.functions = FakeFunctions()
        self.tracker = Tracker(self.memory, self.functions)
        self.settled: list[Settlement] = []
        self.tracker.on_settled = self.settled.append
        self.registers = [0] * 17
        self.tracker.begin(begin)

    def code(self, address: int, instruction: bytes) -> None:
        self.memory.code[address] = instruction

    def at(self, pc: int, rsp: int, *, size: int = 5, **registers: int) -> None:
        names = {"rax": 0, "rcx": RCX, "rbx": RBX, "rbp": RBP, "rdi": 5}
        for name, value in registers.items():
            self.registers[names[name]] = value
        self.registers[RSP] = rsp
        self.registers[16] = pc
        self.tracker.step(pc, size, self.registers[:])

    def call(self, pc: int, rsp: int, target: int) -> None:
        """The instruction at `pc`, 5 bytes long, calls `target`."""
        self.at(pc, rsp)
        self.memory.words[rsp - 8] = pc + 5
        self.at(target, rsp - 8, size=1)

    @property
    def stack(self) -> list[int]:
        return [entry.return_address for entry in self.tracker.entries]


def test_call_and_return_are_recognised_by_effect() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    assert script.stack == [0x1005]
    script.at(0x1005, STACK)
    assert script.stack == []
    assert script.tracker.figures.returns_verified == 1


def test_call_to_the_next_instruction_is_no_call() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1005)
    assert script.stack == []


def test_a_push_of_the_next_address_without_a_transfer_is_no_call() -> None:
    script = Script()
    script.at(0x1000, STACK, size=5)
    script.memory.words[STACK - 8] = 0x1005
    script.at(0x1005, STACK - 8)
    assert script.stack == []


def test_an_instruction_that_is_run_again_changes_nothing() -> None:
    script = Script()
    script.at(0x1000, STACK)
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1100, STACK - 8, size=1)
    assert script.stack == [0x1005]


def test_recursion_matches_by_stack_pointer_not_by_address() -> None:
    script = Script()
    for depth in range(3):
        script.call(0x1010, STACK - 8 * depth, 0x1000)
    script.at(0x1015, STACK - 16)
    assert script.stack == [0x1015, 0x1015]


def test_a_tail_jump_changes_the_function_and_not_the_entry() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1200, STACK - 8)
    assert script.stack == [0x1005]
    script.at(0x1005, STACK)
    assert script.stack == []


def test_ret_n_releases_arguments() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.code(0x1100, RET_16)
    script.at(0x1005, STACK + 16)
    assert script.stack == []
    assert script.tracker.figures.dropped == 0


def test_a_return_that_clobbers_rbx_is_a_violation() -> None:
    script = Script()
    script.at(0x1000, STACK, rbx=1)
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1005, STACK, rbx=2)
    figures = script.tracker.figures
    assert (figures.returns, figures.returns_verified, figures.violations) == (1, 0, 1)
    assert figures.witnesses[0].register == "rbx"


def test_a_return_address_in_a_register_is_pending_until_control_returns() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1101, STACK, size=1, rcx=0x1005)
    assert script.tracker.pending
    assert script.stack == [0x1005]
    script.at(0x1005, STACK)
    assert script.stack == []
    assert script.settled == [Settlement.RETURNED]


def test_a_return_address_that_no_register_holds_is_dropped() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1101, STACK, size=1, rcx=0x1005)
    script.at(0x1102, STACK, size=1, rcx=0)
    assert script.stack == []
    assert script.settled == [Settlement.DROPPED]
    assert script.tracker.figures.dropped == 1


def test_a_return_address_pushed_into_another_slot_lives_there() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1101, STACK, size=1, rcx=0x1005)
    script.at(0x1102, STACK - 16, size=1)
    assert script.tracker.pending
    script.memory.words[STACK - 24] = 0x1005
    script.at(0x1103, STACK - 24, size=1, rcx=0)
    assert not script.tracker.pending
    assert script.tracker.entries[0].slot == STACK - 24
    script.at(0x1005, STACK - 16)
    assert script.stack == []


def test_a_register_saved_by_a_callee_still_holds_the_return_address() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1101, STACK, size=1, rbx=0x1005)
    script.call(0x1102, STACK, 0x1200)
    script.at(0x1201, STACK - 8, size=1, rbx=0)
    assert script.stack == [0x1005, 0x1107]


def test_a_local_call_that_returns_was_a_call() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1080)
    assert script.tracker.doubt is not None
    second = script.tracker.second_reading()
    assert second is not None
    assert len(second) == 0
    script.at(0x1005, STACK)
    assert script.settled == [Settlement.FIRST]


def test_a_local_call_whose_slot_is_overwritten_was_none() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1080)
    script.memory.words[STACK - 8] = 0x2000
    script.at(0x1084, STACK - 8, size=1)
    assert script.settled == [Settlement.SECOND]
    assert script.stack == []
    assert script.tracker.doubt is None


def test_a_call_to_its_own_function_s_start_is_no_local_call() -> None:
    script = Script()
    script.call(0x1080, STACK, 0x1000)
    assert script.tracker.doubt is None
    assert script.stack == [0x1085]


def deep(script: Script, depth: int = 4) -> None:
    """`depth` nested calls, each frame 0x20 bytes: f1000 -> f1100 -> f1200 ..."""
    for level in range(depth):
        pc = 0x1000 + 0x100 * level
        script.call(pc, STACK - 0x20 * level, pc + 0x100)
        script.at(pc + 0x101, STACK - 0x20 * (level + 1), size=3)


def test_longjmp_to_a_frame_drops_the_entries_above_it() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    # f1100 has rsp = STACK - 0x20 at its calls.
    script.at(0x1404, STACK - 0x20, size=2)
    assert script.stack == [0x1005]
    assert script.tracker.figures.dropped == 3
    assert script.tracker.doubt is None


def test_longjmp_to_another_depth_of_a_frame_is_settled_by_where_it_lands() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.at(0x1404, STACK - 0x18, size=2)
    assert script.tracker.doubt is not None
    script.at(0x1150, STACK - 0x18)
    assert script.settled == [Settlement.FIRST]
    assert script.stack == [0x1005]


def test_a_landing_in_the_cold_part_of_the_frame_s_function_is_a_jump() -> None:
    script = Script()
    script.functions.parts[0x8000] = 0x1100
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.at(0x1404, STACK - 0x18, size=2)
    script.at(0x8010, STACK - 0x18)
    assert script.settled == [Settlement.FIRST]


def test_a_stack_inside_a_caller_s_array_is_a_new_stack() -> None:
    script = Script()
    deep(script)
    before = script.stack
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[STACK - 0x18] = 0
    script.at(0x1404, STACK - 0x18, size=2)
    script.at(0x5000, STACK - 0x18, size=3)
    assert script.settled == [Settlement.SECOND]
    assert script.stack == []
    assert script.tracker.figures.dropped == 0
    script.code(0x5000, MOV_RSP_RDI)
    script.at(0x5003, STACK - 0x80)
    assert script.stack == before
    assert script.tracker.figures.switches == 2


def test_a_switch_to_other_memory_begins_with_the_word_there_if_it_is_code() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[0x5000_0000] = 0x3000
    script.at(0x1404, 0x5000_0000, size=2)
    assert script.stack == [0x3000]
    script.at(0x4000, 0x5000_0000, rbp=7)
    script.at(0x3000, 0x5000_0008)
    assert script.stack == []
    assert script.tracker.figures.violations == 0


def test_a_function_pointer_prepared_for_a_register_is_no_return_address() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[0x5000_0000] = 0x3000
    script.at(0x1404, 0x5000_0000, size=1)
    script.at(0x1405, 0x5000_0008, size=1, rbx=0x3000)
    assert script.stack == []
    assert not script.tracker.pending


def test_a_parked_stack_is_resumed_where_it_was_left() -> None:
    script = Script()
    deep(script)
    before = script.stack
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[0x5000_0000] = 0
    script.at(0x1404, 0x5000_0000, size=2)
    script.at(0x4000, 0x5000_0000, size=3)
    script.code(0x4000, MOV_RSP_RDI)
    script.at(0x4003, STACK - 0x80)
    assert script.stack == before


def test_a_context_made_anew_where_the_last_one_went_away() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[0x5000_0000] = 0x3000
    script.at(0x1404, 0x5000_0000, size=2)
    script.at(0x4000, 0x5000_0000)
    script.at(0x3000, 0x5000_0008)
    script.call(0x3000, 0x5000_0008, 0x4100)
    assert script.stack == [0x3005]
    script.code(0x4100, MOV_RSP_RDI)
    script.at(0x4103, STACK - 0x80)
    script.memory.words[0x5000_0000] = 0x3000
    script.at(0x1401, STACK - 0x80)
    script.at(0x1404, 0x5000_0000, size=2)
    assert script.stack == [0x3000]
    script.at(0x4000, 0x5000_0000)
    script.at(0x3000, 0x5000_0008)
    assert script.stack == []
    assert script.tracker.figures.violations == 0


def test_a_parked_stack_goes_with_its_memory() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[0x5000_0000] = 0
    script.at(0x1404, 0x5000_0000, size=2)
    script.memory.gone = range(STACK - 0x1000, STACK + 0x1000)
    script.tracker.mappings_changed()
    script.at(0x4000, 0x5000_0000, size=3)
    script.code(0x4000, MOV_RSP_RDI)
    script.at(0x4003, STACK - 0x80)
    assert script.stack == []


def test_an_alloca_through_a_register_stays_on_its_stack() -> None:
    script = Script()
    deep(script)
    before = script.stack
    for pc, instruction in ((0x1401, MOV_RAX_RSP), (0x1404, SUB_RAX_RCX), (0x1407, MOV_RSP_RAX)):
        script.code(pc, instruction)
        script.at(pc, STACK - 0x80, size=3)
    script.memory.words[STACK - 0x400] = 0x1105  # a stale return address
    script.at(0x140A, STACK - 0x400)
    assert script.stack == before
    assert script.tracker.figures.switches == 0


@pytest.mark.parametrize("rsp", [STACK - 0x78, STACK - 0x68])
def test_restoring_rsp_within_the_frame_is_nothing(rsp: int) -> None:
    script = Script()
    deep(script)
    before = script.stack
    script.code(0x1401, MOV_RSP_RDI)
    script.at(0x1404, rsp)
    assert script.stack == before


def test_a_signal_handler_is_called_by_its_restorer_and_that_by_the_interrupted_frame() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.at(0x1105, STACK - 0x20, size=3, rbp=77)
    interrupted = script.registers[:]
    script.tracker.signal_delivered(interrupted)
    script.memory.words[STACK - 0x400] = 0x3000  # the restorer
    script.at(0x2000, STACK - 0x400, size=1)
    assert [(e.return_address, e.slot + 8, e.rbp) for e in script.tracker.entries[1:]] == [
        (0x1105, STACK - 0x20, 77),
        (0x3000, STACK - 0x3F8, 77),
    ]
    assert script.tracker.entries[1].caller_state().interrupted
    script.call(0x2001, STACK - 0x400, 0x2100)
    script.at(0x2006, STACK - 0x400, size=1)
    script.at(0x3000, STACK - 0x3F8, size=7)
    assert script.stack == [0x1005, 0x1105]
    script.tracker.signal_returned(interrupted)
    script.at(0x1105, STACK - 0x20, size=3)
    assert script.stack == [0x1005]
    assert script.tracker.figures.violations == 0
    assert script.tracker.figures.dropped == 0


@pytest.mark.parametrize("handler_stack", [0x5000_0000, 0x9000_0000])
def test_a_handler_on_its_own_stack_says_nothing_about_older_slots(handler_stack: int) -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    interrupted = script.registers[:]
    script.tracker.signal_delivered(interrupted)
    script.memory.words[handler_stack] = 0x3000
    script.at(0x2000, handler_stack, size=1)
    script.call(0x2001, handler_stack, 0x2100)
    script.at(0x2006, handler_stack, size=1)
    script.at(0x3000, handler_stack + 8, size=7)
    assert script.stack == [0x1005, 0x1100]
    script.tracker.signal_returned(interrupted)
    script.at(0x1101, STACK - 8, size=1)
    assert script.stack == [0x1005]


@pytest.mark.parametrize("handler_stack", [0x5000_0000, 0x9000_0000])
def test_a_jump_out_of_a_handler_drops_what_it_interrupted(handler_stack: int) -> None:
    script = Script()
    deep(script)
    script.tracker.signal_delivered(script.registers[:])
    script.memory.words[handler_stack] = 0x3000
    script.at(0x2000, handler_stack, size=3)
    script.code(0x2000, MOV_RSP_RDI)
    script.at(0x2003, STACK - 0x20, size=2)
    assert script.stack == [0x1005]
    assert script.tracker.figures.switches == 0


@pytest.mark.parametrize("handler_stack", [0x5000_0000, 0x9000_0000])
@pytest.mark.parametrize("rsp", [STACK - 0x18, STACK - 0x38])
def test_a_jump_out_of_a_handler_to_another_depth_of_a_frame(handler_stack: int, rsp: int) -> None:
    script = Script()
    deep(script)
    script.tracker.signal_delivered(script.registers[:])
    script.memory.words[handler_stack] = 0x3000
    script.at(0x2000, handler_stack, size=3)
    script.call(0x2003, handler_stack - 0x10, 0x2100)
    script.code(0x2101, MOV_RSP_RDI)
    script.at(0x2101, handler_stack - 0x18, size=3)
    script.at(0x2104, rsp, size=2)
    frame = 0x1100 if rsp == STACK - 0x18 else 0x1200
    script.at(frame + 0x50, rsp)
    assert script.stack == [0x1005, 0x1105][: (frame - 0x1000) // 0x100]
    assert script.tracker.figures.switches == 0
    assert script.tracker.doubt is None


@pytest.mark.parametrize("handler_stack", [0x5000_0000, 0x9000_0000])
def test_a_handler_that_switches_to_a_stack_in_an_interrupted_frame(handler_stack: int) -> None:
    script = Script()
    deep(script)
    script.tracker.signal_delivered(script.registers[:])
    script.memory.words[handler_stack] = 0x3000
    script.at(0x2000, handler_stack, size=3)
    before = script.stack
    script.code(0x2000, MOV_RSP_RDI)
    script.memory.words[STACK - 0x18] = 0
    script.at(0x2003, STACK - 0x18, size=2)
    script.at(0x5000, STACK - 0x18, size=3)
    assert script.settled == [Settlement.SECOND]
    assert script.stack == []
    script.code(0x5000, MOV_RSP_RDI)
    script.at(0x5003, handler_stack)
    assert script.stack == before
    assert len(script.tracker.stack.interruptions) == 1
    assert script.tracker.figures.dropped == 0


def test_two_signals_delivered_at_once_nest() -> None:
    script = Script()
    script.at(0x1000, STACK)
    script.tracker.signal_delivered(script.registers[:])
    script.memory.words[STACK - 0x400] = 0x3000
    script.registers[RSP], script.registers[16] = STACK - 0x400, 0x2000
    script.tracker.signal_delivered(script.registers[:])
    script.memory.words[STACK - 0x800] = 0x3000
    script.at(0x2100, STACK - 0x800)
    assert script.stack == [0x1000, 0x3000, 0x2000, 0x3000]


def test_threads_have_their_own_stacks() -> None:
    script = Script()
    deep(script)
    before = script.stack
    first = script.tracker.suspend()
    script.tracker.resume(Suspended(Stack(begin=0x6000_0000), rsp=0x6000_0000))
    script.call(0x5000, 0x6000_0000, 0x5100)
    assert script.stack == [0x5005]
    second = script.tracker.suspend()
    script.tracker.resume(first)
    script.at(0x1404, STACK - 0x80, size=1)
    assert script.stack == before
    script.tracker.resume(second)
    script.at(0x5005, 0x6000_0000)
    assert script.stack == []
    assert script.tracker.figures.violations == 0


def test_a_signal_between_a_call_and_the_first_instruction_of_the_function() -> None:
    script = Script()
    script.at(0x1000, STACK)
    script.memory.words[STACK - 8] = 0x1005
    script.registers[RSP], script.registers[16] = STACK - 8, 0x1100
    interrupted = script.registers[:]
    script.tracker.signal_delivered(interrupted)
    script.memory.words[STACK - 0x400] = 0x3000
    script.at(0x2000, STACK - 0x400, size=1)
    assert script.stack == [0x1005, 0x1100, 0x3000]
    script.at(0x3000, STACK - 0x3F8, size=7)
    script.tracker.signal_returned(interrupted)
    script.at(0x1100, STACK - 8, size=1)
    assert script.stack == [0x1005]
    script.at(0x1005, STACK)
    assert script.stack == []
    assert script.tracker.figures.violations == 0


def test_a_signal_between_a_return_and_what_follows() -> None:
    script = Script()
    script.call(0x1000, STACK, 0x1100)
    script.registers[RSP], script.registers[16] = STACK, 0x1005
    script.tracker.signal_delivered(script.registers[:])
    assert script.stack == [0x1005]
    assert script.tracker.entries[0].caller_state().interrupted


PUSH_RCX_RET = bytes.fromhex("51c3")


def test_a_return_to_a_pushed_address_after_a_switch_returns_from_the_call_that_went_away() -> None:
    script = Script()
    deep(script)
    before = script.stack
    slot = script.tracker.entries[-1].slot
    script.code(0x1401, MOV_RSP_RDI)
    script.memory.words[0x5000_0000] = 0
    script.at(0x1404, 0x5000_0000, size=3)
    script.at(0x4000, 0x5000_0000, size=3)
    script.code(0x4000, MOV_RSP_RDI)
    script.code(0x4003, PUSH_RCX_RET)
    script.at(0x4003, slot + 8, size=1, rcx=0x1305)
    assert script.stack == before
    assert script.tracker.pending
    script.at(0x4004, slot, size=1)
    assert script.stack == before
    assert not script.tracker.pending
    script.at(0x1305, slot + 8)
    assert script.stack == before[:-1]
    figures = script.tracker.figures
    assert (figures.dropped, figures.returns_verified, figures.violations) == (0, 1, 0)


def test_a_return_to_a_pushed_address_up_the_stack_is_a_return() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.code(0x1404, PUSH_RCX_RET)
    script.at(0x1404, STACK - 0x20, size=1, rcx=0x1150)
    assert script.stack == [0x1005, 0x1150]
    script.memory.words[STACK - 0x28] = 0x1150
    script.at(0x1405, STACK - 0x28, size=1)
    assert script.stack == [0x1005, 0x1150]
    entry = script.tracker.entries[-1]
    assert (entry.slot, entry.rbp_known) == (STACK - 0x28, True)
    script.at(0x1150, STACK - 0x20)
    assert script.stack == [0x1005]
    assert script.tracker.figures.returns == 1


def test_a_handler_in_front_of_a_pushed_address_changes_nothing() -> None:
    script = Script()
    deep(script)
    script.code(0x1401, MOV_RSP_RDI)
    script.code(0x1404, PUSH_RCX_RET)
    script.at(0x1404, STACK - 0x20, size=1, rcx=0x1150)
    interrupted = script.registers[:]
    script.tracker.signal_delivered(interrupted)
    script.memory.words[STACK - 0x400] = 0x3000
    script.at(0x2000, STACK - 0x400, size=1, rcx=0)
    script.at(0x3000, STACK - 0x3F8, size=7)
    script.tracker.signal_returned(interrupted)
    script.at(0x1404, STACK - 0x20, size=1, rcx=0x1150)
    script.memory.words[STACK - 0x28] = 0x1150
    script.at(0x1405, STACK - 0x28, size=1)
    assert script.stack == [0x1005, 0x1150]
    script.at(0x1150, STACK - 0x20)
    assert script.stack == [0x1005]
    assert script.tracker.stack.promise is None


def copied(script: Script) -> None:
    """f1100, called by f1000, copies its return address to STACK - 0x40 and moves there."""
    script.at(0x1000, STACK - 0x100)
    script.call(0x1000, STACK - 0x100, 0x1100)
    script.code(0x1100, bytes.fromhex("488b0424"))  # mov rax, [rsp]
    script.at(0x1100, STACK - 0x108, size=4)
    script.code(0x1104, bytes.fromhex("48894708"))  # mov [rdi+8], rax
    script.at(0x1104, STACK - 0x108, size=4, rdi=STACK - 0x48)
    script.memory.words[STACK - 0x40] = 0x1005
    script.code(0x1108, MOV_RSP_RDI)
    script.at(0x1108, STACK - 0x108, size=3)


CALL_RAX = bytes.fromhex("ffd0")


def test_a_function_that_goes_on_by_a_copy_of_its_return_address() -> None:
    script = Script()
    copied(script)
    script.code(0x110B, CALL_RAX)
    script.at(0x110B, STACK - 0x48, size=2)
    assert [entry.slot for entry in script.tracker.entries] == [STACK - 0x40]
    script.at(0x110D, STACK - 0x40, size=1)
    script.at(0x1005, STACK - 0x38)
    assert script.stack == []
    figures = script.tracker.figures
    assert (figures.dropped, figures.returns_verified, figures.switches) == (0, 1, 0)


def test_without_a_copy_the_same_is_a_stack_in_the_caller_s_frame() -> None:
    script = Script()
    script.call(0x1000, STACK - 0x100, 0x1100)
    script.memory.words[STACK - 0x40] = 0x1005
    script.code(0x1108, MOV_RSP_RDI)
    script.at(0x1108, STACK - 0x108, size=3, rdi=STACK - 0x48)
    script.code(0x110B, CALL_RAX)
    script.at(0x110B, STACK - 0x48, size=2)
    assert script.stack == []
    assert script.tracker.doubt is not None


def test_a_copy_is_in_doubt_until_rsp_tells() -> None:
    script = Script()
    copied(script)
    registers = script.registers
    assert not script.tracker.returns_by_copy(STACK - 0x48, registers)
    assert script.tracker.returns_by_copy(STACK - 0x40, registers)
    second = script.tracker.second_reading()
    assert second is not None
    assert [entry.slot for entry in second] == [STACK - 0x40]
    script.code(0x110B, CALL_RAX)
    script.at(0x110B, STACK - 0x48, size=2)
    assert script.settled == [Settlement.SECOND]


def test_a_copy_that_is_not_returned_by() -> None:
    script = Script()
    copied(script)
    assert script.tracker.returns_by_copy(STACK - 0x40, script.registers)
    script.at(0x110B, STACK - 0x108, size=1)
    script.at(0x1005, STACK - 0x100)
    assert script.settled == [Settlement.FIRST]
    assert script.tracker.doubt is None


def test_functions_without_a_name_are_not_all_the_same() -> None:
    class Nameless(FakeFunctions):
        def function_at(self, pc: int) -> Function | None:
            start = pc & ~0xFF
            return Function(start, start + 0x100, "")

    functions = Nameless()
    assert same_function(functions, 0x1000, 0x1080)
    assert not same_function(functions, 0x1000, 0x1100)


def test_two_parts_of_a_symbol_are_one_function_if_they_touch() -> None:
    class Static(FakeFunctions):
        def function_at(self, pc: int) -> Function | None:
            start = pc & ~0xFF
            return Function(start, start + 0x100, "helper")

    functions = Static()
    assert same_function(functions, 0x1000, 0x1100)
    assert not same_function(functions, 0x1000, 0x1200)
