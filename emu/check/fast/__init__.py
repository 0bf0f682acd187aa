"""The fast engine: the ordinary instruction is followed and checked in compiled code.

`hook` is that code: it follows plain calls and returns, and has `checks`, `steps` and `walks` make
the checks of outcomes that were seen before. It changes nothing for an instruction that it cannot
do whole. For those `engine` calls the reference engine on the same state, and `knowledge` writes
down what there is to learn: in `codemap` by address, with `facts` about instructions and `extents`
of rows, in `sites` by row and function. `mirror` hands the true stack over and back. `layout` is
the memory that both sides share, `unsigned` its numbers; `native` and `compile` make machine code
of the hook.
"""

from emu.check.fast.engine import FastEngine

__all__ = ["FastEngine"]
