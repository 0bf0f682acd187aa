"""The style sheet of stack pictures, for a page or inside the picture itself.

Colours only repeat what labels, dashes and hatching say. A page is dark if an element around the
picture says `data-md-color-scheme="slate"`, or, without any such element, if the system is.
"""

FRAME_COLOURS = 6
"""Frames further out begin again with the first colour."""

_LIGHT = {
    "paper": "#ffffff", "ink": "#1c2733", "soft": "#566373", "line": "#b9c4d0", "bad": "#b3151f",
    "f0": "#d8e8fb", "f1": "#fde6c3", "f2": "#d7f0da", "f3": "#ecdff8", "f4": "#cdeeee",
    "f5": "#fbdde4", "e0": "#1a5fa8", "e1": "#8f5400", "e2": "#1f7031", "e3": "#6d3a9c",
    "e4": "#0c6d70", "e5": "#a82c52",
}  # fmt: skip
_DARK = {
    "paper": "#1b2028", "ink": "#e8edf4", "soft": "#aab6c5", "line": "#4a5666", "bad": "#ff8a8a",
    "f0": "#17395e", "f1": "#4d3510", "f2": "#1a4425", "f3": "#3d2656", "f4": "#0f4346",
    "f5": "#552236", "e0": "#8cc0f7", "e1": "#f2bd6b", "e2": "#86d698", "e3": "#cfa9f2",
    "e4": "#74d5d6", "e5": "#f6a3ba",
}  # fmt: skip


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--sp-{name}: {value};" for name, value in colours.items())


_COLOURED = ":is(.stack-picture, .stack-colours)"
"""Pictures, and text about their frames that shows the same colours."""

_FRAMES = "\n".join(
    f"{_COLOURED} .f{n} {{ --sp-fill: var(--sp-f{n}); --sp-edge: var(--sp-e{n}); }}"
    for n in range(FRAME_COLOURS)
)

STYLE = f"""\
{_COLOURED} {{ {_variables(_LIGHT)} }}
[data-md-color-scheme="slate"] {_COLOURED} {{ {_variables(_DARK)} }}
@media (prefers-color-scheme: dark) {{
  :root:not(:has([data-md-color-scheme])) {_COLOURED} {{ {_variables(_DARK)} }}
}}
{_FRAMES}
.stack-picture {{ font-family: ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace; }}
.stack-picture text {{
  font-size: 13px; fill: var(--sp-ink);
  paint-order: stroke; stroke: var(--sp-paper); stroke-width: 4px; stroke-linejoin: round;
}}
.stack-picture .box ~ text {{ stroke: none; }}
.stack-picture .soft {{ fill: var(--sp-soft); }}
.stack-picture .name {{ font-weight: bold; fill: var(--sp-edge); }}
.stack-picture .strong {{ font-weight: bold; }}
.stack-picture .box {{ fill: var(--sp-fill); stroke: var(--sp-edge); stroke-width: 1; }}
.stack-picture .box.free {{ fill: none; stroke: var(--sp-line); stroke-dasharray: 3 3; }}
.stack-picture .bar {{ fill: var(--sp-edge); }}
.stack-picture .slot {{ stroke-width: 2.5; }}
.stack-picture .arc {{ fill: none; stroke: var(--sp-edge); stroke-width: 1.75; }}
.stack-picture .arc.fp {{ stroke-dasharray: 5 3; }}
.stack-picture .head {{ fill: var(--sp-edge); }}
.stack-picture .pointer {{ stroke: var(--sp-ink); stroke-width: 1.75; fill: none; }}
.stack-picture .tip {{ fill: var(--sp-ink); }}
.stack-picture .bad {{ fill: var(--sp-bad); font-weight: bold; }}
.stack-picture .pointer.bad {{ stroke: var(--sp-bad); stroke-dasharray: 4 3; fill: none; }}
"""
