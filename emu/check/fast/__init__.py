"""The fast engine: the ordinary instruction is followed and checked in compiled code.

`hook` is that code. It knows plain calls and returns, rows that are plain stack slots, and
outcomes that were seen before; it changes nothing for an instruction that it cannot do whole.
For those `engine` calls the reference engine on the same state, and writes down what it learns:
`codemap` by address, `sites` by row and function, `mirror` the true stack. `layout` is the memory
they share with the hook, `native` and `compile` make machine code of it.
"""

from emu.check.fast.engine import FastEngine

__all__ = ["FastEngine"]
