"""The callchain perf takes at once, by frame pointers alone (kernel behaviour: 13.1).

It shares nothing with the deferred walk: no SFrame, and no check that frames grow or are
aligned. Only the limit ends a chain that runs in a circle.
"""

from emu.unwind import Memory, MemoryFault, Registers
from emu.unwind.lookup import USER_LIMIT
from emu.unwind.walk import at_function_entry

_SP, _FP = 7, 6


def immediate_chain(
    registers: Registers,
    memory: Memory,
    limit: int,
    *,
    word_size: int = 8,
    probed: bytes | None = None,
) -> tuple[int, ...]:
    """At most `limit` addresses, the interrupted one first.

    `word_size` is 4 for a 32-bit task. `probed` is the original instruction while a uprobe is
    handled: at a function's entry the return address is still on top of the stack.
    """
    addresses = [registers.ip][:limit]

    def word(address: int) -> int:
        return int.from_bytes(memory.read(address, word_size), "little")

    try:
        if probed is not None and len(addresses) < limit and at_function_entry(probed, word_size):
            addresses.append(word(registers[_SP]))
    except MemoryFault:
        pass
    frame = registers[_FP]
    while len(addresses) < limit and frame + 2 * word_size <= USER_LIMIT:
        try:
            following, caller = word(frame), word(frame + word_size)
        except MemoryFault:
            break
        addresses.append(caller)
        frame = following
    return tuple(addresses)
