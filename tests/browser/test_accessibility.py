"""axe-core finds nothing on a walkthrough, whatever the theme and the width."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

RUN = """() => axe.run(document, { resultTypes: ["violations"] }).then((found) =>
  found.violations.map((one) => `${one.id}: ${one.help}: ${
    one.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`))"""


@pytest.mark.parametrize(
    ("scheme", "width", "name", "address"),
    [
        ("light", 1440, "realignment-O2", ""),
        ("dark", 1440, "realignment-O2", "#step=15000&frame=1&unwinder=frame-pointers"),
        ("light", 360, "signal_handler.s", "#step=14&frame=1&unwinder=dwarf"),
        ("dark", 360, "realignment-O2", ""),
    ],
)
def test_no_violation(
    walkthrough: Callable[[str], Any],
    opened: Callable[..., Page],
    axe: str,
    scheme: str,
    width: int,
    name: str,
    address: str,
) -> None:
    page = opened(
        walkthrough(name).path, address, viewport={"width": width, "height": 800}, scheme=scheme
    )
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    page.keyboard.press("?")
    assert page.evaluate(RUN) == []
