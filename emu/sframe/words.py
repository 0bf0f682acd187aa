"""Data words of a row and the rules they stand for, both ways.

SFrame specification, 'Default FDE Type Interpretation': bare offsets whose meaning is the ABI's;
'Flexible FDE Type Interpretation': pairs of control word and offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from emu.sframe.constants import Abi, FdeType, Version
from emu.sframe.error import SFrameError
from emu.sframe.rules import UNDEFINED, Rule, Rules

_S390X_ADJUSTMENT: Final = 160
_S390X_SCALE: Final = 8

_REGISTER_BASE: Final = 0x1
_DEREF: Final = 0x2
_REGISTER_SHIFT: Final = 3

SP_BASED: Final = 0x01
"""Info byte: the CFA of a default row is based on the stack pointer."""
MANGLED: Final = 0x80
"""Info byte: the return address is signed."""

WORD_SIZES: Final = (1, 2, 4)
"""Bytes of a data word by the size code of the info byte; code 3 is none."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What the header says about data words: ABI, fixed offsets (0 = none), version."""

    abi: Abi
    fixed_fp_offset: int
    fixed_ra_offset: int
    version: Version = Version.V3

    @property
    def fixed_ra(self) -> Rule | None:
        return Rule(None, self.fixed_ra_offset, True) if self.fixed_ra_offset else None

    @property
    def fixed_fp(self) -> Rule | None:
        return Rule(None, self.fixed_fp_offset, True) if self.fixed_fp_offset else None


@dataclass(frozen=True, slots=True)
class Word:
    """One data word to be written: a control word (unsigned) or an offset (signed)."""

    value: int
    control: bool = False

    @property
    def size(self) -> int:
        """The fewest bytes that hold it: 1, 2, 4, or more for what no row can hold."""
        bits = self.value.bit_length() if self.control else _signed_bits(self.value)
        return next((size for size in WORD_SIZES if bits <= 8 * size), 8)


def word_count(info: int) -> int:
    """Number of data words according to an FRE's info byte."""
    return info >> 1 & 0xF


def word_size(info: int) -> int:
    """Bytes per data word according to an FRE's info byte; 0 for the reserved code."""
    code = info >> 5 & 0x3
    return WORD_SIZES[code] if code < len(WORD_SIZES) else 0


def signed(word: int, size: int) -> int:
    """The signed value of an unsigned data word of `size` bytes."""
    return word - (word >> 8 * size - 1 << 8 * size)


def cfa_offset(abi: Abi, word: int) -> int:
    """The CFA offset in bytes of a signed data word; s390x stores it adjusted and scaled."""
    return word * _S390X_SCALE + _S390X_ADJUSTMENT if abi is Abi.S390X else word


def stored_cfa_offset(abi: Abi, offset: int) -> int:
    """The inverse of `cfa_offset`. Raises `SFrameError` for an offset that s390x cannot store."""
    if abi is not Abi.S390X:
        return offset
    if (offset - _S390X_ADJUSTMENT) % _S390X_SCALE:
        raise SFrameError(f"s390x stores CFA offsets in units of 8, not {offset}")
    return (offset - _S390X_ADJUSTMENT) // _S390X_SCALE


def control_word(rule: Rule) -> int:
    """The control word of a rule: register, whether it is one, whether to dereference."""
    if rule.base is None:
        return _DEREF if rule.deref else 0
    return rule.base << _REGISTER_SHIFT | (_DEREF if rule.deref else 0) | _REGISTER_BASE


def controlled_rule(control: int, offset: int) -> Rule:
    """The rule of a control word and its offset (signed)."""
    base = control >> _REGISTER_SHIFT if control & _REGISTER_BASE else None
    return Rule(base, offset, bool(control & _DEREF))


def decode(
    convention: Convention, fde_type: int, info: int, words: Sequence[int], size: int
) -> Rules:
    """The rules of one row from its unsigned data words of `size` bytes each.

    Raises `SFrameError` (without a place) for an unknown FDE type and words no rule takes.
    """
    if not words:
        return UNDEFINED
    if fde_type == FdeType.DEFAULT:
        return _decode_default(convention, info, [signed(word, size) for word in words])
    if fde_type == FdeType.FLEXIBLE:
        return _decode_flexible(convention, info, words, size)
    raise SFrameError(f"FDE type {fde_type} is neither default nor flexible")


def _decode_default(convention: Convention, info: int, offsets: list[int]) -> Rules:
    abi = convention.abi
    base = abi.sp if info & SP_BASED else abi.fp
    rest = iter(offsets)
    offset = cfa_offset(abi, next(rest))
    ra = convention.fixed_ra or _slot(convention, next(rest, 0))
    fp = convention.fixed_fp
    if fp is None and (word := next(rest, None)) is not None:
        # Only the RA has a padding word: an FP word of 0 is the slot at the CFA.
        fp = _slot(convention, word) or Rule(None, 0, True)
    if next(rest, None) is not None:
        raise SFrameError(f"{len(offsets)} data words are more than a default row of {abi.name}")
    return Rules(Rule(base, offset), ra, fp, bool(info & MANGLED))


def _slot(convention: Convention, offset: int) -> Rule | None:
    if convention.abi is Abi.S390X and convention.version < Version.V3 and offset & 1:
        return Rule(offset >> 1, 0)
    return Rule(None, offset, True) if offset else None


def _decode_flexible(convention: Convention, info: int, words: Sequence[int], size: int) -> Rules:
    groups: list[Rule | None] = []
    rest = iter(words)
    for control in rest:
        if control == 0:
            groups.append(None)
            continue
        offset = next(rest, None)
        if offset is None:
            raise SFrameError(f"control word {control:#x} without its offset")
        groups.append(controlled_rule(control, signed(offset, size)))
    if len(groups) > 3:
        raise SFrameError(f"{len(groups)} rules in a flexible row of CFA, RA and FP")
    cfa, ra, fp = (*groups, None, None)[:3]
    if cfa is None or cfa.base is None:
        raise SFrameError("the CFA of a flexible row is not based on a register")
    cfa = Rule(cfa.base, cfa_offset(convention.abi, cfa.offset), cfa.deref)
    return Rules(cfa, ra or convention.fixed_ra, fp or convention.fixed_fp, bool(info & MANGLED))


def is_default(convention: Convention, rules: Rules) -> bool:
    """Whether a default FDE can hold the row."""
    cfa, ra, fp = rules.cfa, rules.ra, rules.fp
    if cfa is None:
        return True
    if cfa.deref or cfa.base not in {convention.abi.sp, convention.abi.fp}:
        return False
    if ra != convention.fixed_ra and not (
        convention.fixed_ra is None and _is_slot(ra) and ra.offset != 0
    ):
        return False
    return fp == convention.fixed_fp or (convention.fixed_fp is None and _is_slot(fp))


def encode(convention: Convention, fde_type: FdeType, rules: Rules) -> tuple[int, list[Word]]:
    """Base and mangled bits of the info byte and the data words of a row.

    Raises `SFrameError` for rules that an FDE of this type cannot hold.
    """
    if rules.cfa is None:
        return 0, []
    mangled = MANGLED if rules.mangled else 0
    if fde_type is FdeType.FLEXIBLE:
        return mangled, _encode_flexible(convention, rules)
    if not is_default(convention, rules):
        raise SFrameError(f"a default FDE cannot hold {rules.text(convention.abi)}")
    base = SP_BASED if rules.cfa.base == convention.abi.sp else 0
    return base | mangled, _encode_default(convention, rules.cfa, rules.ra, rules.fp)


def _encode_default(
    convention: Convention, cfa: Rule, ra: Rule | None, fp: Rule | None
) -> list[Word]:
    words = [Word(stored_cfa_offset(convention.abi, cfa.offset))]
    has_fp = fp is not None and convention.fixed_fp is None
    if convention.fixed_ra is None and (ra is not None or has_fp):
        words.append(Word(ra.offset if ra is not None else 0))
    if fp is not None and has_fp:
        words.append(Word(fp.offset))
    return words


def _encode_flexible(convention: Convention, rules: Rules) -> list[Word]:
    text = rules.text(convention.abi)
    cfa, ra, fp = rules.cfa, rules.ra, rules.fp
    if cfa is None or cfa.base is None:
        raise SFrameError(f"the CFA must be based on a register: {text}")
    words = _pair(cfa, stored_cfa_offset(convention.abi, cfa.offset))
    for name, rule, fixed in (
        ("RA", ra, convention.fixed_ra),
        ("FP", fp, convention.fixed_fp),
    ):
        if rule == fixed:
            words.append(Word(0, control=True))
        elif rule is None:
            raise SFrameError(f"{name} cannot be unchanged beside a fixed offset: {text}")
        elif control_word(rule) == 0:
            raise SFrameError(f"{name} = {rule} would be written as padding")
        else:
            words += _pair(rule, rule.offset)
    while words[-1] == Word(0, control=True):
        words.pop()
    return words


def _pair(rule: Rule, offset: int) -> list[Word]:
    return [Word(control_word(rule), control=True), Word(offset)]


def _is_slot(rule: Rule | None) -> TypeGuard[Rule]:
    return rule is not None and rule.base is None and rule.deref


def _signed_bits(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length() + 1
