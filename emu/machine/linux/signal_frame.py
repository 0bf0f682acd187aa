"""The frame the kernel pushes for a signal handler: struct rt_sigframe of x86-64.

    +0    return address: the restorer of the action
    +8    struct ucontext, 304 bytes: flags, link, stack_t, registers, signal mask
    +312  siginfo_t, 128 bytes
Above it, aligned to 64 bytes, the floating-point state in FXSAVE form.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, pack, unpack

from emu.machine.memory import AddressSpace
from emu.machine.registers import RIP, RSP
from emu.machine.state import FXSAVE_SIZE, UserState

CONTEXT, INFO, SIZE = 8, 312, 440
RED_ZONE = 128
SIG_DFL, SIG_IGN = 0, 1
SA_NOCLDWAIT, SA_SIGINFO, SA_RESTORER, SA_ONSTACK = 2, 4, 0x0400_0000, 0x0800_0000
SA_RESTART, SA_NODEFER, SA_RESETHAND = 0x1000_0000, 0x4000_0000, 0x8000_0000
SS_ONSTACK, SS_DISABLE, SS_AUTODISARM = 1, 2, 1 << 31
_UC_SIGCONTEXT_SS_STRICT = 6
_ORDER = (8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16)
"""DWARF numbers in the order of struct sigcontext: r8-r15 rdi rsi rbp rbx rdx rax rcx rsp rip."""
_REGISTERS = Struct("<17QQHHHHQQQQQ64x")
_USER_CS, _USER_SS = 0x33, 0x2B
_DIRECTION_TRAP = 0x500
_RDX, _RAX, _RSI, _RDI = 1, 0, 4, 5


@dataclass(frozen=True, slots=True)
class Action:
    """struct sigaction as the guest gave it to the kernel, 32 bytes."""

    handler: int = 0
    flags: int = 0
    restorer: int = 0
    mask: int = 0

    @classmethod
    def unpack(cls, data: bytes) -> Action:
        return cls(*unpack("<4Q", data))

    def pack(self) -> bytes:
        return pack("<4Q", self.handler, self.flags, self.restorer, self.mask)


@dataclass(frozen=True, slots=True)
class AlternateStack:
    """stack_t, 24 bytes."""

    start: int = 0
    flags: int = SS_DISABLE
    size: int = 0

    @classmethod
    def unpack(cls, data: bytes) -> AlternateStack:
        return cls(*unpack("<QI4xQ", data))

    def pack(self, flags: int | None = None) -> bytes:
        return pack("<QI4xQ", self.start, self.flags if flags is None else flags, self.size)

    @property
    def usable(self) -> bool:
        return not self.flags & SS_DISABLE

    def holds(self, rsp: int) -> bool:
        """Whether a thread with `rsp` runs on this stack."""
        return self.usable and self.start < rsp <= self.start + self.size


@dataclass(frozen=True, slots=True)
class SignalInfo:
    """siginfo_t: who sent it, or which address faulted."""

    number: int
    code: int = 0
    sender: int = 0
    user: int = 0
    address: int | None = None
    trap: int = 0
    """Vector of the exception, for sigcontext."""
    status: int = 0
    """Exit code or signal of a child."""
    value: int | None = None
    """What sigqueue or a timer passes on; `sender` and `user` are timer and overruns then."""

    def pack(self) -> bytes:
        if self.address is not None:
            fields = pack("<Q", self.address)
        else:
            last = self.status if self.value is None else self.value
            fields = pack("<IIQ", self.sender, self.user, last)
        return (pack("<iii4x", self.number, 0, self.code) + fields).ljust(128, b"\0")


_ADDRESS = (1 << 64) - 1


def push_frame(
    memory: AddressSpace,
    state: UserState,
    action: Action,
    stack: AlternateStack,
    blocked: int,
    info: SignalInfo,
) -> UserState:
    """Write the frame below the interrupted state and give the state the handler starts with.

    Raises MemoryFault if there is no room for it.
    """
    rsp = state.general[RSP]
    top = rsp - RED_ZONE
    if action.flags & SA_ONSTACK and stack.usable and not stack.holds(rsp):
        top = stack.start + stack.size
    # Addresses wrap around, as the stack pointer of a guest gone wild may be anywhere.
    floating = (top - FXSAVE_SIZE) & _ADDRESS & -64
    frame = (((floating - SIZE) & -16) - 8) & _ADDRESS
    on_stack = SS_ONSTACK if stack.holds(rsp) else stack.flags
    registers = _REGISTERS.pack(
        *(state.general[number] for number in _ORDER), state.flags,
        _USER_CS, 0, 0, _USER_SS, 0, info.trap, blocked, info.address or 0, floating,
    )  # fmt: skip
    context = (
        pack("<QQ", _UC_SIGCONTEXT_SS_STRICT, 0)
        + stack.pack(on_stack)
        + registers
        + pack("<Q", blocked)
    )
    memory.write(floating, state.floating)
    memory.write(frame, pack("<Q", action.restorer) + context + info.pack())
    general = list(state.general)
    general[RSP] = frame
    general[RIP] = action.handler
    general[_RAX] = 0
    general[_RDI] = info.number
    general[_RSI] = frame + INFO
    general[_RDX] = frame + CONTEXT
    return UserState(general, state.flags & ~_DIRECTION_TRAP, state.floating)


def pop_frame(memory: AddressSpace, rsp: int) -> tuple[UserState, int, AlternateStack]:
    """What rt_sigreturn with `rsp` goes back to: state, signal mask, alternate stack."""
    context = rsp - 8 + CONTEXT
    stack = AlternateStack.unpack(memory.read(context + 16, 24))
    fields = _REGISTERS.unpack(memory.read(context + 40, _REGISTERS.size))
    general = [0] * 17
    for number, value in zip(_ORDER, fields, strict=False):
        general[number] = value
    floating = bytes(FXSAVE_SIZE)
    if fields[-1]:
        floating = memory.read(fields[-1], FXSAVE_SIZE)
    blocked = memory.word(context + 40 + _REGISTERS.size)
    return UserState(general, fields[17], floating), blocked, stack
