"""Is the .sframe of this binary right?

A program runs under an emulator that knows the true call stack; every executed instruction is
unwound with SFrame V3 as the Linux kernel would, and compared.

Packages, lowest first: `sframe` (the format), `cfi` and `unwind` (rows from CFI; consumers),
`asm`, `machine` and `truth` (guests and what is known of their stacks), `check` (the comparison),
`report` and `cli`.
"""
