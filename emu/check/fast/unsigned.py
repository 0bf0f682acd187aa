"""The numbers of `layout` as the compiled code needs them: unsigned, 64 bits wide.

numba makes a float of an unsigned and a signed number, and a plain number in the source is a
signed one.
"""

import numpy as np

from emu.check.fast.layout import WATCHED, Base, Code, Disturbance, SiteKind

MANY = 1 << 40
"""Length of arrays whose length only Python knows."""

ZERO, ONE, TWO, SEVEN = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(7)
EIGHT, SIXTEEN = np.uint64(8), np.uint64(16)
MINUS_EIGHT, MINUS_SIXTEEN = np.uint64(2**64 - 8), np.uint64(2**64 - 16)
NOTHING = np.uint32(0)
"""The index of no site, and of no function."""

OK, WRONG, WRONG_PC = np.uint64(Code.OK), np.uint64(Code.WRONG_PC), np.uint64(Code.WRONG_PC)
WRONG_SP, WRONG_FP = np.uint64(Code.WRONG_SP), np.uint64(Code.WRONG_FP)
GAP, REFUSED, TRUNCATED = np.uint64(Code.GAP), np.uint64(Code.REFUSED), np.uint64(Code.TRUNCATED)
OVERRUN, OUTERMOST = np.uint64(Code.OVERRUN), np.uint64(Code.OUTERMOST)
SLOW, LIMIT = np.uint64(Code.SLOW), np.uint64(Code.LIMIT)

IS_GAP, IS_ROW = np.uint64(SiteKind.GAP), np.uint64(SiteKind.ROW)
IS_OUTERMOST, IS_SLOW = np.uint64(SiteKind.OUTERMOST), np.uint64(SiteKind.SLOW)

BASE_FP, BASE_REGISTER = np.uint64(Base.FP), np.uint64(Base.REGISTER)
BASE_RETAIN = np.uint64(Base.RETAIN)

READ, FAULT, UNSURE = ZERO, ONE, TWO
"""How a read or an evaluation went; UNSURE is for Python."""

SOME, ANYTHING = np.uint64(Disturbance.SOME), np.uint64(Disturbance.ANYTHING)
WORDS = np.uint64(WATCHED)
