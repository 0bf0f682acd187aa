"""The interactive stepper: a recorded run in a terminal, with textual.

Five panes over a `Stepper`: code, registers, stack, the frames of the walk, the equations of one
frame. Everything fits into 80 columns and 24 lines; more room shows more lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, ScrollableContainer
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from emu.lesson import panes
from emu.lesson.error import LessonError
from emu.lesson.spans import Line
from emu.lesson.stepper import Stepper
from emu.lesson.terminal import STYLES, UNCOLOURED, frame_heading, frame_text, styled

HELP = """\
through execution
  right, space    next instruction
  left            previous instruction
  page down, up   ten instructions on, back
  home, end       first, last recorded instruction
  o, O            over calls: next, previous one here or in a caller
  r, R            out of this function: next, previous one of a caller
  w, W            next, previous place where this walk is wrong
  g               go to 1234, SYMBOL, SYMBOL+0x10 or 0x401000

through the unwind
  down, up        to the frame of the caller, back to the frame it called
  u               next unwinder: .sframe, frame pointers, .eh_frame
  enter           all about this frame: the search, the bytes, the checks

what is shown
  code            around the chosen frame's pc
  registers       of the topmost frame (* changed by the last step); of
                  another frame what the walk believes, and what is true
  stack           from the chosen frame's rsp on
  frames          of the walk, and where it and the truth part
  frame N         its rules, the equations with numbers, what is true

?  this help     q  quit     escape  back
"""

MARGIN = 5
"""Columns of the border and the scroll bar around details."""


class Pane(Static):
    """A titled area whose lines are made anew for its size."""

    def __init__(
        self, name: str, lines: Callable[[Stepper, int], Sequence[Line]], stepper: Stepper
    ) -> None:
        super().__init__(id=name)
        self.border_title = name
        self._lines = lines
        self._stepper = stepper

    def on_resize(self) -> None:
        """Another height has room for other lines."""
        self.show()

    def show(self) -> None:
        """Show where the stepper is now."""
        height = max(self.size.height, 1)
        styles = UNCOLOURED if self.app.no_color else STYLES
        lines = [styled(line, styles) for line in self._lines(self._stepper, height)[:height]]
        self.update(Text("\n").join(lines))


class Details(ModalScreen[None]):
    """Text over the whole screen, to be scrolled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "back"),
    ]

    def __init__(self, title: Text, text: Text) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The text, and the keys."""
        with ScrollableContainer(id="details") as scroll:
            scroll.border_title = self._title
            scroll.border_subtitle = "arrows and page keys scroll"
            yield Static(self._text, id="details-text")
        yield Footer()


class GoTo(ModalScreen[str]):
    """Asks for an instruction."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "back")]

    def compose(self) -> ComposeResult:
        """One line to type into."""
        yield Input(placeholder="1234, SYMBOL, SYMBOL+0x10 or 0x401000", id="where")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand what was typed to the stepper."""
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Stay where we are."""
        self.dismiss("")


class StepperApp(App[None]):
    """The whole application."""

    TITLE = "emu walk"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; }
    #title { height: 1; background: $primary; color: $text; text-style: bold; }
    Pane, #title { text-wrap: nowrap; text-overflow: ellipsis; }
    Pane { border-top: solid $secondary; border-title-color: $accent; height: 1fr; width: 1fr; }
    #upper { height: 30%; min-height: 9; }
    #middle { height: 1fr; }
    #equations { height: 6; width: 100%; }
    #code, #stack { width: 1fr; }
    #registers { width: 44; }
    .-narrow #registers { width: 24; }
    #frames { width: 45%; }
    #code { padding-right: 1; }
    #stack { padding-right: 1; }
    #details { border: solid $secondary; height: 1fr; border-title-color: $accent;
        border-subtitle-color: $text-muted; }
    #details-text { width: auto; text-wrap: nowrap; }
    GoTo { align: center middle; }
    #where { width: 60; }
    """
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 -- as textual has it
        (0, "-narrow"),
        (76, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "move(1)", "step", key_display="←→"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "quit", "quit"),
        Binding("left", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(1)", show=False),
        Binding("o", "over(1)", "over"),
        Binding("O", "over(-1)", show=False),
        Binding("r", "out(1)", show=False),
        Binding("R", "out(-1)", show=False),
        Binding("down", "deeper", "frame", key_display="↑↓"),
        Binding("up", "shallower", show=False),
        Binding("u", "unwinder", "unwinder"),
        Binding("w", "wrong(1)", "wrong"),
        Binding("W", "wrong(-1)", show=False),
        Binding("g", "find", "go to"),
        Binding("enter", "details", "more", key_display="⏎"),
    ]

    def __init__(self, stepper: Stepper) -> None:
        super().__init__()
        self.stepper = stepper

    def compose(self) -> ComposeResult:
        """Title, panes and keys."""
        stepper = self.stepper
        yield Static(id="title")
        with Horizontal(id="upper"):
            yield Pane("code", panes.code_lines, stepper)
            yield Pane("registers", lambda stepper, _: panes.register_lines(stepper), stepper)
        with Horizontal(id="middle"):
            yield Pane("stack", panes.stack_lines, stepper)
            yield Pane("frames", panes.frame_lines, stepper)
        yield Pane("equations", lambda stepper, _: panes.equation_lines(stepper), stepper)
        yield Footer()

    def on_mount(self) -> None:
        """Show the beginning."""
        self.show()

    def show(self, *, moved: bool = True) -> None:
        """Show where the stepper is; a move that led nowhere rings the bell."""
        if not moved:
            self.bell()
            return
        self.query_one("#title", Static).update(styled(panes.title_line(self.stepper)))
        for pane in self.query(Pane):
            pane.show()
        self.query_one("#equations").border_title = panes.equations_title(self.stepper)

    def action_move(self, distance: int) -> None:
        """So many instructions on."""
        self.show(moved=self.stepper.move(distance))

    def action_edge(self, end: int) -> None:
        """To the first or the last recorded instruction."""
        self.show(moved=self.stepper.go(len(self.stepper.recording) - 1 if end else 0))

    def action_over(self, direction: int) -> None:
        """Over a call."""
        self.show(moved=self.stepper.over(direction))

    def action_out(self, direction: int) -> None:
        """Out of the function."""
        self.show(moved=self.stepper.out(direction))

    def action_wrong(self, direction: int) -> None:
        """To where the walk is wrong."""
        moved = self.stepper.wrong(direction)
        if not moved:
            which = "next" if direction > 0 else "previous"
            self.notify(f"no {which} place where this walk is wrong")
        self.show(moved=moved)

    def action_deeper(self) -> None:
        """To the caller's frame."""
        self.show(moved=self.stepper.deeper())

    def action_shallower(self) -> None:
        """To the called frame."""
        self.show(moved=self.stepper.shallower())

    def action_unwinder(self) -> None:
        """The next unwinder."""
        self.stepper.switch()
        self.show()

    def action_find(self) -> None:
        """Ask where to go."""
        self.push_screen(GoTo(), self._found)

    def _found(self, text: str | None) -> None:
        if not text:
            return
        try:
            self.stepper.find(text)
        except LessonError as error:
            self.notify(str(error), severity="warning", markup=False)
        else:
            self.show()

    def action_details(self) -> None:
        """Everything about the chosen frame."""
        step = self.stepper.explanation()
        if step is None:
            self.notify("what this frame read is not recorded")
            return
        styles = UNCOLOURED if self.no_color else STYLES
        text = frame_text(step, self.size.width - MARGIN, styles)
        self.push_screen(Details(frame_heading(step), text))

    def action_help(self) -> None:
        """The keys."""
        self.push_screen(Details(Text("help"), Text(HELP)))
