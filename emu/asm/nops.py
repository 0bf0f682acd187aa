"""Padding of code: the long nops GNU as 2.47 fills alignments with (generic 64-bit tuning)."""

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


def padding(count: int, *, after_data: bool) -> bytes:
    """`count` bytes of code that does nothing.

    After data the first is a nop of one byte: the data might read as a prefix.
    """
    if after_data and count:
        return _NOPS[0] + padding(count - 1, after_data=False)
    if count // _LONGEST <= _MOST:
        return _plain(count)
    jump, width = (b"\xeb", 1) if count - 2 < 128 else (b"\xe9", 4)
    rest = count - len(jump) - width
    return jump + rest.to_bytes(width, "little") + _plain(rest)


def _plain(count: int) -> bytes:
    """The remainder first, then the longest nops."""
    whole, rest = divmod(count, _LONGEST)
    return (_NOPS[rest - 1] if rest else b"") + _NOPS[-1] * whole
