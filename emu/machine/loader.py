"""Mapping an image as execve does: segments, the zeroed rest of the last one, the bias."""

from __future__ import annotations

from emu.machine.image import Image, ImageType, Module, Segment
from emu.machine.mapping import PAGE, Buffer, Protection, page_up
from emu.machine.memory import AddressSpace

EXECUTABLE_BASE = 0x5555_5555_4000
"""Where Linux puts a position-independent program without address randomisation."""


def protection_of(segment: Segment) -> Protection:
    """PF_R, PF_W, PF_X as page protection."""
    flags = segment.flags
    return (
        (Protection.READ if flags & 4 else Protection.NONE)
        | (Protection.WRITE if flags & 2 else Protection.NONE)
        | (Protection.EXECUTE if flags & 1 else Protection.NONE)
    )


def load_image(memory: AddressSpace, image: Image, base: int) -> Module:
    """Map all segments; an image that can be moved has its lowest page at `base`."""
    bias = base - image.start if image.type is ImageType.SHARED else 0
    for segment in image.segments:
        if segment.memory_size:
            _load_segment(memory, image, segment, bias)
    return Module(image, bias)


def _load_segment(memory: AddressSpace, image: Image, segment: Segment, bias: int) -> None:
    slack = segment.address % PAGE
    start = segment.address - slack + bias
    size = page_up(segment.memory_size + slack)
    file_offset = segment.offset - slack
    # The pages before and after the data come from the file too, as with mmap; only a segment
    # with more memory than file data has the rest of the page zeroed.
    file_size = segment.file_size + slack
    if segment.memory_size == segment.file_size:
        file_size = page_up(file_size)
    buffer = Buffer(size)
    data = image.data[file_offset : file_offset + file_size]
    buffer.view[: len(data)] = data
    memory.map(
        start, size, protection_of(segment), image.path, buffer=buffer, file_offset=file_offset
    )
