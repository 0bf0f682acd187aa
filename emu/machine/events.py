"""What a process tells those who watch it."""

from enum import Enum


class MappingEvent(Enum):
    """What happened to a module."""

    LOADED = "loaded"
    UNLOADED = "unloaded"


class SignalEvent(Enum):
    """A handler is about to start, or has returned."""

    DELIVERED = "delivered"
    RETURNED = "returned"


class ThreadEvent(Enum):
    """What happened to a thread."""

    STARTED = "started"
    SWITCHED = "switched"
    ENDED = "ended"
