"""String operands of `.ascii` and its relatives."""

import re

from emu.asm.errors import AsmError

_STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|[xX][0-9a-fA-F]+|.)")
_NAMED = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, "\\": 92, '"': 34}


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if code in _NAMED:
        return chr(_NAMED[code])
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    if code[0] in "xX" and len(code) > 1:
        return chr(int(code[1:], 16) & 0xFF)
    raise AsmError(f"unknown escape \\{code} in a string")


def parse_string(operand: str) -> bytes:
    """The bytes of a quoted string; characters are written as UTF-8.

    Raises `AsmError` without a place.
    """
    match = _STRING.fullmatch(operand.strip())
    if not match:
        raise AsmError(f"a string in double quotes expected, not {operand[:40]!r}")
    parts: list[bytes] = []
    at = 0
    for escape in _ESCAPE.finditer(match[1]):
        parts.append(match[1][at : escape.start()].encode())
        parts.append(_escape(escape).encode("latin-1"))
        at = escape.end()
    parts.append(match[1][at:].encode())
    return b"".join(parts)
