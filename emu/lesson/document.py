"""Explanations as one JSON document.

Every dataclass becomes an object with its fields' names; addresses are strings with `0x`, bytes
are hexadecimal with blanks, enumerations their values, absent values null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, get_args, get_type_hints

from emu.lesson.explanation import Explanation

SCHEMA = 1


def document(explanations: Sequence[Explanation]) -> dict[str, Any]:
    """All walks from one snapshot: `schema`, `program`, and `walks` in the order given."""
    walks = []
    for explanation in explanations:
        walk = _value(explanation, hexadecimal=False)
        departure = explanation.departure
        walk["right"] = explanation.right
        walk["departs_at"] = None if departure is None else departure.number
        walks.append(walk)
    return {"schema": SCHEMA, "program": explanations[0].program, "walks": walks}


def _value(value: Any, *, hexadecimal: bool) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        kinds = _addresses(type(value))
        return {
            one.name: _value(getattr(value, one.name), hexadecimal=one.name in kinds)
            for one in fields(value)
        }
    if isinstance(value, tuple):
        return [_value(one, hexadecimal=hexadecimal) for one in value]
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, Enum):
        return value.value
    if hexadecimal and isinstance(value, int):
        return f"{value:#x}"
    return value


@cache
def _addresses(kind: type) -> frozenset[str]:
    """The fields of a dataclass that are declared as addresses."""
    hints = get_type_hints(kind, include_extras=True)
    return frozenset(name for name, hint in hints.items() if _is_address(hint))


def _is_address(hint: Any) -> bool:
    if "hexadecimal" in getattr(hint, "__metadata__", ()):
        return True
    return any(_is_address(argument) for argument in get_args(hint))
