"""One instruction to bytes: Keystone encodes, capstone reads back, and both must agree.

Keystone 0.9.2 has defects (segment-relative stores come out rip-relative, `[rax+rsp]` loses
rsp, numbers change their base with the syntax option); every encoding is therefore disassembled
and compared with the source. Where Keystone picks another of two right encodings, GNU as's is
produced.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from emu.asm.errors import AsmError
from emu.asm.expressions import Resolve
from emu.asm.instructions import ParsedInstruction, canonical
from emu.asm.operands import SIZES, Immediate, Memory, Operand, Register, width

_MASK = (1 << 64) - 1
_SIZE_NAMES = {size: name for name, size in reversed(SIZES.items())}
_UNKNOWN_TO_KEYSTONE = {"endbr64": bytes.fromhex("f30f1efa")}
_PREFIX_BYTES = {"notrack": b"\x3e"}
_ABSOLUTE_SIB = 0x25  # no base, no index: a plain 32-bit address


@cache
def _assembler() -> Any:
    import keystone

    # The syntax option is left alone: setting it makes Keystone read decimals as hexadecimal.
    return keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64)


@cache
def _disassembler() -> Any:
    import capstone

    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    return engine


@lru_cache(maxsize=1 << 16)
def _keystone_bytes(text: str) -> bytes:
    import keystone

    try:
        encoding, _ = _assembler().asm(text, 0)
    except keystone.KsError as error:
        raise AsmError(f"Keystone rejects {text!r}: {error.message}") from None
    if not encoding:
        raise AsmError(f"Keystone gives no bytes for {text!r}")
    return bytes(encoding)


def _hexadecimal(value: int) -> str:
    """Signed 64-bit, in the only base that Keystone reads the same way everywhere."""
    value = ((value + (1 << 63)) & _MASK) - (1 << 63)
    return f"-{-value:#x}" if value < 0 else f"{value:#x}"


class _Values:
    """An instruction's operands with all expressions evaluated."""

    def __init__(self, operands: Sequence[Operand], resolve: Resolve) -> None:
        self.operands = operands
        self.numbers: list[int] = []
        for operand in operands:
            number = 0
            if isinstance(operand, Immediate):
                number = operand.value.value(resolve)
                if not -(1 << 63) <= number < 1 << 64:
                    raise AsmError(f"{number:#x} does not fit in 64 bits")
            elif isinstance(operand, Memory) and operand.displacement is not None:
                number = operand.displacement.value(resolve)
                if not -(1 << 31) <= number < 1 << 31:
                    raise AsmError(f"displacement {number:#x} does not fit in 32 bits")
            self.numbers.append(number)

    def text(self) -> str:
        return ", ".join(
            _operand_text(operand, number)
            for operand, number in zip(self.operands, self.numbers, strict=True)
        )


def _is_absolute(operand: Operand) -> bool:
    return isinstance(operand, Memory) and operand.base is None and operand.index is None


def _operand_text(operand: Operand, number: int) -> str:
    if isinstance(operand, Register):
        return operand.name
    if isinstance(operand, Immediate):
        return _hexadecimal(number)
    parts = [operand.base] if operand.base else []
    if operand.index:
        parts.append(f"{operand.index}*{operand.scale}")
    elif not parts:
        # Keystone has no plain 32-bit address: take an index to get the same form, and take it
        # out of the SIB byte afterwards.
        parts.append("rcx*2")
    size = f"{_SIZE_NAMES[operand.size]} ptr " if operand.size else ""
    segment = f"{operand.segment}:" if operand.segment not in {None, "ds"} else ""
    sign, digits = ("-", number) if number < 0 else ("+", number)
    return f"{size}{segment}[{'+'.join(parts)}{sign}{abs(digits):#x}]"


def encode(
    instruction: ParsedInstruction,
    address: int,
    resolve: Resolve,
    is_place: Callable[[str], bool],
) -> bytes:
    """Bytes of any instruction but a direct branch, at `address`.

    `is_place` tells symbols that are addresses from those that are numbers: `[rip+place]` is
    that place, `[rip+number]` so many bytes further on.

    Raises `AsmError` without a file if it has no encoding or Keystone's does not mean what the
    source says.
    """
    if not instruction.operands and instruction.mnemonic in _UNKNOWN_TO_KEYSTONE:
        return _UNKNOWN_TO_KEYSTONE[instruction.mnemonic]
    values = _Values(instruction.operands, resolve)
    relative = _rip_relative(instruction.operands, is_place)
    if relative is not None:
        # The displacement counts from the instruction's end; its length does not depend on it.
        target = values.numbers[relative]
        values.numbers[relative] = 0
        length = len(_bytes(instruction, values))
        values.numbers[relative] = target - (address + length)
        if not -(1 << 31) <= values.numbers[relative] < 1 << 31:
            raise AsmError(f"{target:#x} is out of reach of a 32-bit displacement")
    code = _bytes(instruction, values)
    _check(instruction, values, code, address)
    return code


def _rip_relative(operands: Sequence[Operand], is_place: Callable[[str], bool]) -> int | None:
    """Which operand is `[rip+place]`."""
    for position, operand in enumerate(operands):
        if isinstance(operand, Memory) and operand.base == "rip" and operand.displacement:
            return position if any(map(is_place, operand.displacement.symbols())) else None
    return None


def _bytes(instruction: ParsedInstruction, values: _Values) -> bytes:
    front = _PREFIX_BYTES.get(instruction.prefix, b"")
    words = "" if front else instruction.prefix
    code = _keystone_bytes(f"{words} {instruction.mnemonic} {values.text()}".strip())
    if any(_is_absolute(operand) for operand in instruction.operands):
        code = _without_index(code)
    if instruction.mnemonic == "nop" and instruction.operands:
        # Keystone takes a prefetch opcode that processors treat as a nop, not the documented one.
        at = code.index(b"\x0f\x18")
        code = code[:at] + b"\x0f\x1f" + bytes([code[at + 2] & 0xC7]) + code[at + 3 :]
    return front + code


def _without_index(code: bytes) -> bytes:
    decoded = next(_disassembler().disasm(code, 0), None)
    if decoded is None or not decoded.modrm or decoded.disp_offset < 2:
        raise AsmError("Keystone has no form of this instruction with a plain address")
    sib = decoded.disp_offset - 1
    return code[:sib] + bytes([_ABSOLUTE_SIB]) + code[sib + 1 :]


def encode_branch(
    instruction: ParsedInstruction, address: int, target: int, *, near: bool
) -> bytes:
    """Bytes of a direct branch with a displacement of 8 or (`near`) 32 bits.

    Raises `AsmError` if the target is out of reach.
    """
    # Keystone chooses the size by the distance; ask for a distance of that size, then put the
    # real displacement in.
    pretended = 0x100000 if near else 0x2
    text = f"{instruction.prefix} {instruction.mnemonic} {pretended:#x}".strip()
    code = _keystone_bytes(text)
    size = 4 if near else 1
    distance = target - (address + len(code))
    if not -(1 << (8 * size - 1)) <= distance < 1 << (8 * size - 1):
        raise AsmError(f"branch target is {distance} bytes away: out of reach")
    code = code[:-size] + distance.to_bytes(size, "little", signed=True)
    decoded = list(_disassembler().disasm(code, address))
    if (
        len(decoded) != 1
        or canonical(decoded[0].mnemonic.split()[-1]) != instruction.mnemonic
        or decoded[0].operands[-1].imm & _MASK != target & _MASK
    ):
        raise AsmError(f"Keystone encodes {instruction.mnemonic} as {code.hex(' ')}")
    return code


def _check(instruction: ParsedInstruction, values: _Values, code: bytes, address: int) -> None:
    decoded = list(_disassembler().disasm(code, address))
    if len(decoded) == 1 and _agrees(instruction, values, decoded[0]):
        return
    read_back = "; ".join(f"{one.mnemonic} {one.op_str}".strip() for one in decoded) or "nothing"
    raise AsmError(
        f"Keystone encodes `{instruction.mnemonic} {values.text()}` as {code.hex(' ')}, "
        f"which reads back as `{read_back}`; write the bytes with .byte"
    )


def _agrees(instruction: ParsedInstruction, values: _Values, decoded: Any) -> bool:
    *prefixes, mnemonic = decoded.mnemonic.split()
    found = {"repe": "rep", "repz": "rep", "repnz": "repne"}
    wanted_prefix = [instruction.prefix] if instruction.prefix else []
    if [found.get(prefix, prefix) for prefix in prefixes] != wanted_prefix:
        return False
    same = {canonical(mnemonic), instruction.mnemonic}
    if len(same) == 2 and same not in ({"mov", "movabs"}, {"sysret", "sysretq"}):
        return False
    if not instruction.operands:
        return True  # string instructions: capstone names operands that the source implies
    pairs = list(zip(instruction.operands, values.numbers, strict=True))
    theirs = list(decoded.operands)
    if instruction.mnemonic == "imul" and len(pairs) == 2 and len(theirs) == 3:
        pairs.insert(0, pairs[0])
    if len(pairs) != len(theirs):
        return False
    bits = 8 * _operation_size(instruction.operands)

    def alike(ours: list[tuple[Operand, int]]) -> bool:
        return all(
            _same_operand(operand, number, their, decoded, bits)
            for (operand, number), their in zip(ours, theirs, strict=True)
        )

    commutes = instruction.mnemonic in {"xchg", "test"}
    return alike(pairs) or (commutes and alike(pairs[::-1]))


def _operation_size(operands: Sequence[Operand]) -> int:
    """Bytes an immediate is compared in: those of the operand it works with."""
    first = operands[0]
    if isinstance(first, Register):
        return width(first.name)
    if isinstance(first, Memory) and first.size:
        return first.size
    return 8


def _same_operand(operand: Operand, number: int, theirs: Any, decoded: Any, bits: int) -> bool:
    from capstone import x86

    def name(register: int) -> str | None:
        return str(decoded.reg_name(register)) if register else None

    if isinstance(operand, Register):
        return bool(theirs.type == x86.X86_OP_REG and name(theirs.reg) == operand.name)
    if isinstance(operand, Immediate):
        fits = -(1 << (bits - 1)) <= number < 1 << bits
        return bool(
            theirs.type == x86.X86_OP_IMM and fits and not (theirs.imm - number) % (1 << bits)
        )
    if theirs.type != x86.X86_OP_MEM:
        return False
    memory = theirs.mem

    # ds is the segment without a prefix; capstone also shows the byte of notrack as ds.
    segment = operand.segment if operand.segment != "ds" else None
    theirs_segment = name(memory.segment) if name(memory.segment) != "ds" else None
    registers = (theirs_segment, name(memory.base), name(memory.index))
    ours = (segment, operand.base, operand.index)
    if operand.index and operand.scale == 1 and not operand.base:
        # `[rcx*1]` and `[rcx]` differ in bytes only; capstone shows both as a base.
        same_registers = registers in {ours, (segment, operand.index, None)}
    else:
        same_registers = registers == ours
    if operand.size is not None and theirs.size != operand.size:
        return False
    scale_agrees = not operand.index or memory.scale == operand.scale
    return bool(same_registers and scale_agrees and memory.disp == number)
