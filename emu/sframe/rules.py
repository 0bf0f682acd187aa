"""The rules of a row as values: where CFA, RA and FP are.

SFrame specification, 'Interpretation of SFrame FREs'. A rule is an equation and prints as one:
`CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)`.
"""

import re
from dataclasses import dataclass
from typing import Final

from emu.sframe.constants import Abi
from emu.sframe.error import SFrameError
from emu.sframe.registers import register_name, register_number


@dataclass(frozen=True, slots=True)
class Rule:
    """One equation: base + offset, or with `deref` the word stored at that address.

    `base` is a DWARF register number, None for the CFA. `offset` is in bytes.
    """

    base: int | None
    offset: int
    deref: bool = False

    def text(self, abi: Abi = Abi.AMD64) -> str:
        """The right-hand side of the equation, with the register names of `abi`."""
        base = "CFA" if self.base is None else register_name(self.base, abi)
        return f"*({base}{self.offset:+d})" if self.deref else f"{base}{self.offset:+d}"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one row.

    `ra` None: the return address is where it was at entry (AArch64, s390x: in its register).
    `fp` None: the frame pointer is unchanged. `cfa` None: the return address is undefined, the
    frame is outermost; `ra` and `fp` are None then. `mangled`: the return address is signed
    (AArch64 pointer authentication).
    """

    cfa: Rule | None
    ra: Rule | None = None
    fp: Rule | None = None
    mangled: bool = False

    @property
    def outermost(self) -> bool:
        """Whether the return address is undefined: no frame above this one."""
        return self.cfa is None

    def text(self, abi: Abi = Abi.AMD64) -> str:
        """The equations, with the register names of `abi`; what is unchanged is left out."""
        if self.cfa is None:
            return "RA undefined"
        parts = [f"CFA = {self.cfa.text(abi)}"]
        if self.ra is not None:
            parts.append(f"RA = {self.ra.text(abi)}")
        if self.fp is not None:
            parts.append(f"FP = {self.fp.text(abi)}")
        if self.mangled:
            parts.append("RA mangled")
        return ", ".join(parts)

    def __str__(self) -> str:
        return self.text()

    @classmethod
    def parse(cls, text: str, abi: Abi = Abi.AMD64) -> "Rules":
        """The inverse of `text`; blanks and commas are free, so `CFA=rsp+8 RA=*(CFA-8)` is too.

        Raises `SFrameError` for anything that is not the equations of one row.
        """
        if _UNDEFINED.fullmatch(text):
            return UNDEFINED
        found: dict[str, Rule] = {}
        mangled = False
        position = 0
        while position < len(text):
            match = _EQUATION.match(text, position)
            if match is None:
                raise SFrameError(f"no equation of CFA, RA or FP at {text[position:]!r}")
            position = match.end()
            if match["mangled"]:
                mangled = True
                continue
            name = match["name"]
            if name in found:
                raise SFrameError(f"two equations for {name} in {text!r}")
            found[name] = _rule(match, abi)
        cfa = found.get("CFA")
        if cfa is None or cfa.base is None:
            raise SFrameError(f"no CFA equation on a register in {text!r}")
        return cls(cfa, found.get("RA"), found.get("FP"), mangled)


UNDEFINED: Final = Rules(None)
"""The row of an outermost frame: `RA undefined`."""

_UNDEFINED: Final = re.compile(r"\s*RA\s+undefined\s*")
_NUMBER: Final = r"0x[0-9a-fA-F]{1,16}|[0-9]{1,20}"
_TERM: Final = rf"(?:CFA|[a-z][a-z0-9]*)(?:\s*[+-]\s*(?:{_NUMBER}))?"
_EQUATION: Final = re.compile(
    r"\s*(?:(?P<mangled>RA\s+mangled)"
    rf"|(?P<name>CFA|RA|FP)\s*=\s*(?:\*\s*\(\s*(?P<address>{_TERM})\s*\)|(?P<value>{_TERM})))"
    r"(?:\s*,\s*(?=\S)|\s+|$)"
)
_SPLIT: Final = re.compile(rf"(CFA|[a-z][a-z0-9]*)\s*(?:([+-])\s*({_NUMBER}))?")


def _rule(match: re.Match[str], abi: Abi) -> Rule:
    term = _SPLIT.fullmatch(match["address"] or match["value"])
    assert term is not None, "the equation matched the same pattern"
    name, sign, digits = term.groups()
    offset = int(digits, 16 if digits.startswith("0x") else 10) if digits else 0
    base = None if name == "CFA" else register_number(name, abi)
    return Rule(base, -offset if sign == "-" else offset, match["address"] is not None)
