"""Names that files bring along, made fit to be printed."""


def printable(text: str) -> str:
    """`text` on one line: what cannot be printed is written as Python would escape it.

    Anybody may have made a file: a symbol may hold a terminal's control sequences, a path
    line breaks, or bytes that are not UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
