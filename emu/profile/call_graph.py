"""`perf record --call-graph` (kernel behaviour: 13.2)."""

from dataclasses import dataclass
from enum import Enum

from emu.profile.errors import ProfileError


class Recording(Enum):
    """How perf records callchains."""

    FP = "fp"
    DWARF = "dwarf"
    LBR = "lbr"


@dataclass(frozen=True, slots=True)
class CallGraph:
    """What to record; `defer` asks the kernel to unwind user stacks later."""

    recording: Recording
    defer: bool = False


def call_graph(text: str) -> CallGraph:
    """The option's value `fp`, `fp,defer`, `dwarf` or `lbr`; ProfileError for anything else."""
    name, *options = text.split(",")
    try:
        recording = Recording(name)
    except ValueError:
        known = ", ".join(recording.value for recording in Recording)
        raise ProfileError(f"callchain: unknown mode {name!r} (known: {known})") from None
    for option in options:
        if option != "defer":
            raise ProfileError(f"callchain: unknown option {option!r} (known: defer)")
    if options and recording is not Recording.FP:
        raise ProfileError("callchain: deferred callchain only works with FP")
    return CallGraph(recording, defer=bool(options))
