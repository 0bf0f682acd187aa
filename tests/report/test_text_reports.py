"""The terminal's report and JUnit XML, whatever names they are given."""

import io
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

from rich.console import Console

from emu.check import Result, Verdict
from emu.report import junit, printable, write_report


def lines_of(result: Result) -> list[str]:
    text = io.StringIO()
    write_report(result, Console(file=text, highlight=False, soft_wrap=True))
    text.getvalue().encode()  # can be written
    return text.getvalue().splitlines()


def test_a_name_cannot_command_the_terminal(hostile: Result) -> None:
    text = "\n".join(lines_of(hostile))
    assert "wrong fp  </td></style><img src=x onerror=alert(1)>\\n\\x1b[31m" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_a_name_cannot_break_the_document(hostile: Result) -> None:
    suite = ET.fromstring(junit(hostile)).find("testsuite")
    assert suite is not None
    (case,) = suite.findall("testcase/failure/..")
    assert case.get("classname") == printable(hostile.program)
    assert "\\x1b[31m" in ET.tostring(case, encoding="unicode")


def test_printable_text_stays_and_everything_else_is_visible() -> None:
    assert printable("operator()<wchar_t> é → 語") == "operator()<wchar_t> é → 語"
    assert printable("a\tb\x00\x7f\u2028\udc80") == "a\\tb\\x00\\x7f\\u2028\\udc80"


def test_gaps_are_by_module_and_say_what_can_be_done(
    right: Result, realigned: Callable[[str], Result]
) -> None:
    program = realigned("fast")
    one = [line for line in lines_of(program) if "without a row" in line]
    assert one[0].startswith("gaps      121 functions without a row: ")
    hint = "          most frames could not be checked; --convert all makes rows from .eh_frame"
    assert hint in lines_of(program)
    assert hint not in lines_of(right)
    converted = tuple(replace(module, sframe="converted") for module in program.modules)
    assert hint not in lines_of(replace(program, modules=converted))
    gaps: dict[tuple[str | None, str], int]
    gaps = {("/lib/libc.so.6", "a"): 5, ("/bin/x", "b"): 7, ("/lib/libc.so.6", "c"): 1}
    gaps |= {(f"/lib/{number}", "d"): 1 for number in range(5)}
    several = lines_of(replace(program, tally=replace(program.tally, gaps=gaps)))
    start = several.index("gaps      8 functions without a row")
    assert several[start + 1 : start + 3] == [
        "          x: b 7",
        "          libc.so.6: a 5, c 1",
    ]
    assert several[start + 5] == "          and 3 more modules"


def test_something_seen_once_is_said_so(realigned: Callable[[str], Result]) -> None:
    result = realigned("fast")
    finding = next(one for one in result.findings if one.key.verdict is Verdict.WRONG)
    once = replace(result, findings=(replace(finding, count=1),))
    assert "(once, in the topmost frame)" in lines_of(once)[0]
    many = replace(result, findings=(replace(finding, count=1200),))
    assert "(1,200 times, first in the topmost frame)" in lines_of(many)[0]
