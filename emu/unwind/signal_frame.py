"""The frame that signal delivery leaves, as consumers without a row for it recognise it.

x86-64 Linux: the handler returns to a restorer whose code is `mov rax, 15; syscall`
(rt_sigreturn), with rsp at a ucontext that holds the interrupted registers.
"""

from emu.unwind.evaluate import State
from emu.unwind.protocols import Memory, MemoryFault

RESTORER = b"\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05"

_RBP = 120
_RSP = 160
_RIP = 168


def interrupted_state(state: State, memory: Memory) -> State | None:
    """The interrupted frame, if `state` is at the restorer and its ucontext is readable."""
    try:
        if memory.read(state.ip, len(RESTORER)) != RESTORER:
            return None
        return State(
            memory.word(state.sp + _RIP),
            memory.word(state.sp + _RSP),
            memory.word(state.sp + _RBP),
            interrupted=True,
        )
    except MemoryFault:
        return None
