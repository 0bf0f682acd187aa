"""docs/system-calls.md names exactly the calls there are."""

import re
from pathlib import Path

from emu.machine.linux.numbers import name_of
from emu.machine.linux.table import HANDLERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "system-calls.md"


def test_the_document_names_exactly_the_handled_calls() -> None:
    named: list[str] = []
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and cells[2] in ("real", "simple", "refused"):
            named += re.findall(r"`(\w+)`", cells[1])
    assert sorted(named) == sorted(name_of(number) for number in HANDLERS)
