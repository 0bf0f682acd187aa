"""ELF files built in memory, a few keyword-only lines each."""

import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import settings

# A busy machine is no fault of the library.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

Build = Callable[..., bytes]


def build_elf(
    section: bytes | None,
    *,
    address: int = 0x402000,
    byte_order: str = "<",
    machine: int = 62,
    elf_type: int = 2,
    elf_class: int = 2,
    section_name: str = ".sframe",
    section_type: int = 0x6FFFFFF4,
    with_sections: bool = True,
    segment_size: int | None = None,
    symbols: Sequence[tuple[str, int, int]] = (),
    relocations: Sequence[tuple[int, int, int, int]] = (),
    text_address: int = 0x401000,
    text_size: int = 0x1000,
    debris: bytes = b"",
) -> bytes:
    """ELF64 with .text (no contents), .sframe and what tables the arguments ask for.

    `symbols` are (name, address, type), all in .text and numbered from 1; `relocations` are
    (offset, type, symbol number, addend); `segment_size` adds PT_GNU_SFRAME beside a PT_LOAD of
    the text and one of the section; `debris` follows the section's bytes.
    """
    names = b"\0.text\0.shstrtab\0.symtab\0.strtab\0.rela.sframe\0" + section_name.encode() + b"\0"

    def name(text: str) -> int:
        return names.index(b"\0" + text.encode() + b"\0") + 1

    segments = 0 if segment_size is None else 3
    body = bytearray(64 + 56 * segments)

    def place(data: bytes) -> tuple[int, int]:
        body.extend(bytes(-len(body) % 8))
        offset = len(body)
        body.extend(data)
        return offset, len(data)

    offset, size = place(section or b"")
    body.extend(debris)
    strings = b"\0" + b"".join(n.encode() + b"\0" for n, _, _ in symbols)
    table = bytes(24)
    at = 1
    for text, value, kind in symbols:
        table += struct.pack(byte_order + "IBBHQQ", at, 0x10 | kind, 0, 1, value, 0)
        at += len(text.encode()) + 1
    rela = b"".join(
        struct.pack(byte_order + "QQq", where, number << 32 | kind, addend)
        for where, kind, number, addend in relocations
    )
    # name, type, flags, address, offset, size, link, info, align, entry size
    headers = [
        (0,) * 10,
        (name(".text"), 8, 6, text_address, 0, text_size, 0, 0, 1, 0),
        (name(".shstrtab"), 3, 0, 0, *place(names), 0, 0, 1, 0),
        (name(".symtab"), 2, 0, 0, *place(table), 4, 1, 8, 24),
        (name(".strtab"), 3, 0, 0, *place(strings), 0, 0, 1, 0),
    ]
    if section is not None:
        headers.append(
            (name(section_name), section_type, 2, address, offset, size, 0, 0, 8, 0),
        )
    if rela:
        headers.append((name(".rela.sframe"), 4, 0, 0, *place(rela), 3, 5, 8, 24))
    shoff, _ = place(b"".join(struct.pack(byte_order + "IIQQQQIIQQ", *h) for h in headers))
    if not with_sections:
        del body[shoff:]
        shoff = 0
    ident = b"\x7fELF" + bytes((elf_class, 1 if byte_order == "<" else 2, 1)) + bytes(9)
    body[:64] = ident + struct.pack(
        byte_order + "HHIQQQIHHHHHH",
        *(elf_type, machine, 1, 0, 64 if segments else 0, shoff, 0, 64, 56, segments),
        *(64, len(headers) if shoff else 0, 2 if shoff else 0),
    )
    if segment_size is not None:
        body[64 : 64 + 56 * 3] = b"".join(
            struct.pack(byte_order + "IIQQQQQQ", *header)
            for header in (
                (1, 5, 0, text_address, 0, text_size, text_size, 4096),
                (1, 4, offset, address, 0, size + len(debris), size + len(debris), 4096),
                (0x6474E554, 4, offset, address, 0, segment_size, segment_size, 8),
            )
        )
    return bytes(body)


@pytest.fixture(scope="session")
def elf() -> Build:
    """`build_elf`, as test modules cannot import each other."""
    return build_elf
