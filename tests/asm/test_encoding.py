"""Single instructions: what Keystone gets wrong is put right or refused, with the line."""

import pytest

from emu.asm import AsmError, assemble
from emu.asm.encoder import encode
from emu.asm.instructions import parse_instruction


def encoded(text: str, address: int = 0x401000) -> str:
    symbols = {"label": 0x402000, "number": 8}
    instruction = parse_instruction(text, 1)
    return encode(instruction, address, symbols.__getitem__, "label".__eq__).hex(" ")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Keystone alone: a move through a 64-bit address, or rip-relative.
        ("mov rax, fs:[0x28]", "64 48 8b 04 25 28 00 00 00"),
        ("mov fs:[0x28], rbx", "64 48 89 1c 25 28 00 00 00"),
        # Keystone alone: rsp is lost.
        ("lea rax, [rax+rsp]", "48 8d 04 04"),
        # Keystone alone: 0f 18, a prefetch.
        ("nop dword ptr [rax]", "0f 1f 00"),
        # Unknown to Keystone.
        ("endbr64", "f3 0f 1e fa"),
        ("notrack jmp rax", "3e ff e0"),
        # Decimal numbers stay decimal.
        ("and rsp, -64", "48 83 e4 c0"),
        ("sub rsp, 128", "48 81 ec 80 00 00 00"),
        ("mov rax, 0xffffffff", "48 b8 ff ff ff ff 00 00 00 00"),
        # Relative to the end of the instruction, with an immediate behind the displacement.
        ("mov dword ptr [rip+label], 5", "c7 05 f6 0f 00 00 05 00 00 00"),
        ("lea rax, [rip+8]", "48 8d 05 08 00 00 00"),
        ("lea rax, [rip+number]", "48 8d 05 08 00 00 00"),
        ("jmp [rax*8+label]", "ff 24 c5 00 20 40 00"),
        ("push [rax]", "ff 30"),
        ("shl rax", "48 d1 e0"),
        ("rep ret", "f3 c3"),
    ],
)
def test_bytes(text: str, code: str) -> None:
    assert encoded(text) == code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mov al, 300", "reads back as|rejects"),
        ("and rax, 0xffffffff", "reads back as|rejects"),
        ("add rsp, 0x123456789", "reads back as|rejects"),
        ("mov eax, rbx", "rejects"),
        ("mov [rax], 5", "ambiguous operand size for mov"),
        ("inc [rax]", "ambiguous operand size for inc"),
        ("shl [rax], cl", "ambiguous operand size for shl"),
        ("frobnicate rax", "unknown instruction 'frobnicate'"),
        ("mov rax, [rax+0x80000000]", "does not fit in 32 bits"),
        ("mov rax, 0x10000000000000000", "does not fit in 64 bits"),
        ("lock", "prefix lock without an instruction"),
        (".cfi_nothing", "cannot read"),
        ("mov", "rejects"),
        ("lock mov eax, ebx", "reads back as|rejects"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(AsmError, match=reason):
        encoded(text)


def wrong(body: str) -> str:
    with pytest.raises(AsmError) as caught:
        assemble(f"#@ title: t\n.intel_syntax noprefix\n_start:\n{body}\n")
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("mov eax, nowhere", "4: 'nowhere' is no number: write `offset nowhere` for its address, "
                             "`[rip+nowhere]` for what is there"),
        ("nop\nmov rax, [rip+nowhere]", "5: undefined symbol 'nowhere'"),
        ("jmp nowhere", "4: undefined symbol 'nowhere'"),
        ("jmp 1b", "4: no label 1: before 1b"),
        ("jmp 1f", "4: no label 1: after 1f"),
        ("_start: nop", "4: symbol '_start' is defined twice"),
        ("word: nop", "4: 'word' is a word of Intel syntax and no symbol"),
        ("x = y\ny = x\n.long x", "6: symbol 'x' is defined in terms of itself"),
        (".byte 256", "4: 0x100 does not fit in 1 byte"),
        (".skip -1", "4: cannot fill -1 times 1 bytes"),
        (".skip 1 << 40", "4: cannot fill 1099511627776 times 1 bytes"),
        (".org 0x10\n.org 0x8", "5: .org cannot move backwards or beyond 16 MiB"),
        (".p2align 40", "4: an alignment is a power of two up to 65536"),
        (".section .interp", "4: section '.interp': only .text, .rodata, .data, .bss and .note "
                             "with endings"),
        (".bss\n.long 1", "section .bss holds something other than zeros"),
        (".frob", "4: directive .frob is not supported"),
        (".data\nnop", "5: instruction in .data"),
        ("loop away\n.skip 200\naway: nop", "4: branch target is 200 bytes away: out of reach"),
        ("/* never closed", "4: end of file inside a /* comment"),
        ("#@ stack: _start*", "4: no instruction follows this expectation"),
        (".cfi_startproc\nnop\n.cfi_frob\n.cfi_endproc", "6: .cfi_frob is not supported"),
        (".cfi_startproc\nnop", "4: procedure without .cfi_endproc"),
        ("a: .skip b - a\nb: nop\n.skip 2 * (b - a)", None),
    ],
)  # fmt: skip
def test_errors_name_the_line(body: str, message: str | None) -> None:
    if message is None:
        assemble(f"#@ title: t\n.intel_syntax noprefix\n_start:\n{body.replace('b - a', '3')}\n")
    else:
        prefix = "<source>: " if message.startswith("section") else "<source>:"
        assert wrong(body) == prefix + message


def test_syntax_must_be_intel() -> None:
    with pytest.raises(AsmError, match="Intel syntax only"):
        assemble("#@ title: t\n_start: nop\n")
    with pytest.raises(AsmError, match="without register prefixes"):
        assemble("#@ title: t\n.intel_syntax\n_start: nop\n")


def test_start_and_title_are_needed() -> None:
    with pytest.raises(AsmError, match="no label _start"):
        assemble("#@ title: t\n.intel_syntax noprefix\nnop\n")
    with pytest.raises(AsmError, match="the case has no `#@ title:`"):
        assemble(".intel_syntax noprefix\n_start: nop\n")


def test_a_size_that_depends_on_itself() -> None:
    message = wrong("a: .skip (b - a) + 1\nb: nop")
    assert "do not settle" in message or "cannot fill" in message or "16 MiB" in message
