"""Names and sources of a program are text on the page, whatever they look like."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from emu.asm import assemble
from emu.lesson.page import case_lines, page
from emu.lesson.recording import record
from emu.machine import Image

NAME = b"</script><img src=x onerror=document.title=1>"
SOURCE = """#@ title: A function whose name is changed in the executable
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call %s # </script><script>document.title = 1</script> \xff \u202e
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
%s: .cfi_startproc
        nop
        ret
        .cfi_endproc
"""


def test_markup_in_names_and_sources(opened: Callable[..., Page], tmp_path: Path) -> None:
    plain = "f" * len(NAME)
    source = tmp_path / "<b>'\"&amp;.s"
    source.write_text(SOURCE % (plain, plain))
    elf = assemble(source).elf.replace(plain.encode(), NAME)
    lines = case_lines(source)
    # A source need not be UTF-8, nor what it was when the program was made.
    source.write_bytes(source.read_bytes() + b"# \xff\xfe")
    recording = record(Image.from_bytes(elf, str(source)), step=2)
    path = tmp_path / "page.html"
    path.write_text(page(recording, source=source, lines=lines))
    shown = opened(path)
    name = NAME.decode()
    assert shown.locator("#place").inner_text().startswith(name)
    assert name in shown.locator("#stack .frame-name").all_inner_texts()
    assert "<script>document.title = 1" in shown.locator("#source").inner_text()
    assert shown.title().startswith("<b>'\"&amp;.s")
    assert shown.evaluate("[document.images.length, document.scripts.length]") == [0, 2]
