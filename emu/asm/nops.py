"""Padding of code: the long nops GNU as fills alignments with (generic 64-bit tuning)."""

_NOPS = tuple(
    bytes.fromhex(text)
    for text in (
        "90",
        "6690",
        "0f1f00",
        "0f1f4000",
        "0f1f440000",
        "660f1f440000",
        "0f1f8000000000",
        "0f1f840000000000",
        "660f1f840000000000",
        "662e0f1f840000000000",
        "66662e0f1f840000000000",
    )
)
_LONGEST = len(_NOPS)
_MOST = 7
"""More than so many of the longest nops are jumped over."""


def padding(count: int) -> bytes:
    """`count` bytes of code that does nothing."""
    if count // _LONGEST > _MOST:
        jump, width = (b"\xeb", 1) if count - 2 < 128 else (b"\xe9", 4)
        rest = count - len(jump) - width
        return jump + rest.to_bytes(width, "little") + _plain(rest)
    return _plain(count)


def _plain(count: int) -> bytes:
    """Longest nops first, the remainder last."""
    whole, rest = divmod(count, _LONGEST)
    return _NOPS[-1] * whole + (_NOPS[rest - 1] if rest else b"")
