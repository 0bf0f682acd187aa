"""The strict grammar of an instruction: prefix, mnemonic, operands.

Nothing that does not pass through here reaches Keystone: it crashes the process on some input.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from emu.asm.errors import AsmError
from emu.asm.operands import Immediate, Memory, Operand, Register, parse
from emu.asm.source import split_top


def _names(pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs.split())


_CONDITIONS = _names(
    "z=e nz=ne c=b nae=b nc=ae nb=ae na=be nbe=a pe=p po=np nge=l nl=ge ng=le nle=g"
)
CONDITION_CODES = frozenset(
    ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g")
)
_OTHER_NAMES = _names(
    "sal=shl loopz=loope loopnz=loopne retn=ret retq=ret callq=call jmpq=jmp leaveq=leave "
    "iret=iretd wait=fwait"
)
_SHORT_ONLY = frozenset({"loop", "loope", "loopne", "jrcxz", "jecxz"})
_PREFIXES = _names("rep=rep repe=rep repz=rep repne=repne repnz=repne lock=lock notrack=notrack")
_WORD = re.compile(r"[a-z][a-z0-9]*")


class Branch(Enum):
    """Direct branches, by the displacements they have an encoding for."""

    RELAXABLE = "8 or 32 bits"
    SHORT = "8 bits"
    NEAR = "32 bits"


def canonical(mnemonic: str) -> str:
    """The name capstone prints for a mnemonic that has several."""
    for stem in ("cmov", "set", "j"):
        if mnemonic.startswith(stem) and (code := _CONDITIONS.get(mnemonic[len(stem) :])):
            return stem + code
    return _OTHER_NAMES.get(mnemonic, mnemonic)


@cache
def _known_mnemonics() -> frozenset[str]:
    import capstone
    from capstone import x86

    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    names = (engine.insn_name(number) for number in range(1, x86.X86_INS_ENDING))
    conditional = (stem + code for stem in ("cmov", "set", "j") for code in CONDITION_CODES)
    return frozenset({*filter(None, names), *conditional})


@dataclass(frozen=True, slots=True)
class ParsedInstruction:
    """`prefix mnemonic operands`; the mnemonic is canonical, `prefix` may be empty."""

    line: int
    prefix: str
    mnemonic: str
    operands: tuple[Operand, ...]

    @property
    def branch(self) -> Branch | None:
        """What kind of direct branch it is; None for everything else."""
        if len(self.operands) != 1 or not isinstance(self.operands[0], Immediate):
            return None
        if self.mnemonic in _SHORT_ONLY:
            return Branch.SHORT
        if self.mnemonic == "call":
            return Branch.NEAR
        if self.mnemonic == "jmp" or self.mnemonic[1:] in CONDITION_CODES:
            return Branch.RELAXABLE if self.mnemonic[0] == "j" else None
        return None


def parse_instruction(text: str, line: int) -> ParsedInstruction:
    """Parse one instruction. Raises `AsmError` without a file."""
    words = text.split(maxsplit=1)
    prefix = _PREFIXES.get(words[0].lower(), "")
    if prefix:
        if len(words) == 1:
            raise AsmError(f"prefix {words[0]} without an instruction", line)
        words = words[1].split(maxsplit=1)
    written = words[0].lower()
    if not _WORD.fullmatch(written):
        raise AsmError(f"cannot read {text!r}", line)
    mnemonic = canonical(written)
    if mnemonic not in _known_mnemonics():
        raise AsmError(f"unknown instruction {written!r}", line)
    operands = tuple(parse(part) for part in split_top(words[1], ",")) if len(words) > 1 else ()
    if mnemonic in _SHIFTS and len(operands) == 1:
        operands = (*operands, parse("1"))
    if mnemonic in _WORD_OF_STACK:
        operands = tuple(map(_as_quadword, operands))
    _check_sizes(mnemonic, operands)
    return ParsedInstruction(line, prefix, mnemonic, operands)


_SHIFTS = frozenset({"shl", "shr", "sar", "rol", "ror", "rcl", "rcr"})
_WORD_OF_STACK = frozenset({"call", "jmp", "push", "pop"})


def _as_quadword(operand: Operand) -> Operand:
    if isinstance(operand, Memory) and operand.size is None:
        return replace(operand, size=8)
    return operand


_WITHOUT_SIZE = re.compile(
    "lea|nop|fxsave|fxrstor|fxsave64|fxrstor64|ldmxcsr|stmxcsr|fnstcw|fstcw|fldcw|fnstenv|fldenv|"
    "fnsave|frstor|xsave|xsavec|xrstor|cmpxchg8b|cmpxchg16b"
)


def _check_sizes(mnemonic: str, operands: tuple[Operand, ...]) -> None:
    """As in GNU as: memory needs a size unless a register gives it."""
    if _WITHOUT_SIZE.fullmatch(mnemonic):
        return
    unsized = any(isinstance(operand, Memory) and operand.size is None for operand in operands)
    # The register of a shift count says nothing about what is shifted.
    last = len(operands) > 1 and operands[-1] == Register("cl")
    if unsized and (last or not any(isinstance(operand, Register) for operand in operands)):
        raise AsmError(f"ambiguous operand size for {mnemonic}: write byte/word/dword/qword ptr")
    if unsized and mnemonic in {"movzx", "movsx"}:
        raise AsmError(f"ambiguous operand size for {mnemonic}: write byte/word ptr")
