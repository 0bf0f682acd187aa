"""axe-core finds nothing on a walkthrough, whatever the theme and the width."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

RUN = """() => axe.run(document, { resultTypes: ["violations"] }).then((found) =>
  found.violations.map((one) => `${one.id}: ${one.help}: ${
    one.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("realignment-O2", ""),
        ("realignment-O2", "#step=15000&frame=1&unwinder=frame-pointers"),
        ("signal_handler.s", "#step=14&frame=1&unwinder=dwarf"),
    ],
)
def test_no_violation(
    walkthrough: Callable[[str], Any],
    opened: Callable[..., Page],
    axe: str,
    name: str,
    address: str,
    width: int,
    scheme: str,
) -> None:
    page = opened(
        walkthrough(name).path, address, viewport={"width": width, "height": 800}, scheme=scheme
    )
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    page.keyboard.press("?")
    assert page.evaluate(RUN) == []
