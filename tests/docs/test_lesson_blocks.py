"""Blocks and numbers of lessons: they come from runs, and what cannot be made is an error."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

LESSONS = Path(__file__).parents[2] / "docs" / "lessons"
CHAPTERS = sorted(LESSONS.glob("[0-9][0-9]-*.md"))
Render: TypeAlias = Callable[[str], str]

MOMENTS = """
```moments
inside = leaf @ leaf
wrong = wrong_cfa @ liar
```
"""


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Render]:
    from lessons.commands import Commands
    from lessons.moments import Moments
    from lessons.page import Renderer
    from lessons.programs import Programs
    from lessons.results import Results

    programs = Programs(tmp_path_factory.mktemp("programs"))
    with closing(Moments(programs)) as moments:
        directory = tmp_path_factory.mktemp("lessons")
        renderer = Renderer(moments, Commands(programs), Results(programs), directory)
        yield lambda text: renderer.render(MOMENTS + text, "page.md")


def test_numbers_are_those_of_the_run(render: Render) -> None:
    text = render(
        "{{ inside.rsp }} {{ inside.word(inside.rsp) }} {{ inside.cfa - inside.rsp }}"
        " {{ inside.rsp + 8 }} {{ inside.cfa }} {{ inside.row }}"
    )
    rsp, ra, distance, sum_, cfa, row = text.split(maxsplit=5)
    assert int(ra, 16) - 5 == int(ra, 16) & ~0xFF  # `_start` begins with the call
    assert distance == "8"
    assert sum_ == cfa == hex(int(rsp, 16) + 8)
    assert row.strip() == "CFA = rsp+8, RA = *(CFA-8)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ nowhere.rsp }}", "'nowhere' is undefined"),
        ("{{ inside.nothing }}", "no attribute 'nothing'"),
        ("```stack-picture\nnowhere\ncaption\n```", "page.md:6: no moment 'nowhere'"),
        ("```stack-picture\ninside\n```", "page.md:6: a stack-picture block says in its second"),
        ("```stack-picture frames=x\ninside\nx\n```", "page.md:6: frames=x is no number"),
        ("```listing frame\ninside\nx\n```", "page.md:6: 'frame' are no options"),
        ("```emu\nemu check ./wrong_cfa\n```", "page.md:6: 'emu check ./wrong_cfa' ended with 1"),
        ("```emu exit=1\nemu check ./leaf\n```", "ended with 0, expected 1"),
        ("```emu\nls\n```", "page.md:6: 'ls' is not an emu command"),
        ("```emu\nemu check ./no_such_case\n```", "page.md:6: no program no_such_case"),
        ("```moments\nx = leaf\n```", "page.md:6: 'x = leaf' is not NAME = PROGRAM @ PLACE"),
        ("```moments\nx = leaf @ leaf #2\n```", "page.md:6: leaf does not come to leaf 2 times"),
        ("```moments\nx = leaf @ leaf/push\n```", "page.md:6: leaf has no such instruction"),
        ("```source\nasm_cases/leaf.s gone\n```", "page.md:6: asm_cases/leaf.s has no gone"),
        ("```emu\nemu check ./leaf\n", "page.md:6: a block without end"),
    ],
)
def test_what_cannot_be_made_fails_with_its_place(render: Render, text: str, problem: str) -> None:
    from lessons.errors import LessonError

    with pytest.raises(LessonError, match=re.escape(problem)):
        render(f"{text}\n")


def test_output_of_a_command_is_shown_without_its_duration(render: Render) -> None:
    text = render("```emu exit=1\nemu check ./wrong_cfa\n```\n")
    assert "$ emu check ./wrong_cfa" in text
    assert "wrong pc  liar" in text
    assert re.search(r"^checked .* frames; policy kernel-v15", text, re.MULTILINE)


def test_output_can_be_cut(render: Render) -> None:
    shown = render("```emu from=2 to=3\nemu dump ./leaf\n```\n").strip().splitlines()
    assert shown == ["```console", "$ emu dump ./leaf", "…", "  Header :", "", "…", "```"]


def test_places_follow_the_code(render: Render) -> None:
    text = render(
        "```moments\nret = leaf @ leaf/ret\nafter = leaf @ _start/call+1\n```\n"
        "{{ ret.pc - inside.pc }} {{ inside.word(inside.rsp) == after.pc }}"
    )
    assert text.split() == ["2", "True"]  # `xor eax, eax` is two bytes


def test_a_wrong_row_looks_wrong(render: Render) -> None:
    text = render(
        "```stack-picture\nwrong\nx\n```\n```comparison\nwrong\nx\n```\n```equations\nwrong\nx\n```\n"
    )
    picture, comparison, equations = re.findall(r"<figure.*?</figure>", text)
    assert "row&#x27;s CFA" in picture
    assert "✗ 0x55 (wrong pc, sp)" in comparison
    assert "RA = *(CFA-8) = " in equations
    assert "= 0x55" in equations


def test_the_row_in_force_is_marked(render: Render) -> None:
    (marked,) = re.findall(
        r'<tr class="here">(.*?)</tr>', render("```listing\ninside\nx\n```\n"), re.DOTALL
    )
    assert re.findall(r"<code>(.*?)</code>", marked) == [
        f"→ {render('{{ inside.pc }}').strip()}",
        "xor eax, eax",
        "CFA = rsp+8, RA = *(CFA-8)",
        "31 c0",
    ]


def test_the_plt_has_a_row_for_every_offset(render: Render) -> None:
    text = render("```emu\nemu check ./plt\n```\n```emu\nemu dump ./plt\n```\n")
    assert "nothing wrong" in text
    assert "STARTPC[m]" in text


def test_there_are_twelve_chapters() -> None:
    assert len(CHAPTERS) >= 12
    assert [path.name[:2] for path in CHAPTERS] == [
        f"{number:02}" for number in range(1, len(CHAPTERS) + 1)
    ]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_figures_from_runs_and_an_exercise(path: Path) -> None:
    text = path.read_text()
    blocks = re.findall(r"^```([a-z-]+)", text, re.MULTILINE)
    assert {"stack-picture", "equations", "comparison", "emu"} & set(blocks)
    question, _, answer = text.partition("\n## Try it\n")[2].partition("<summary>Answer</summary>")
    assert "?" in question
    assert "{{" in answer or "```" in answer


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_address_is_typed_by_hand(path: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"\{\{.*?\}\}", "", prose)
    assert not re.findall(r"0x[0-9a-f]{3,}|\b(?:4[0-9a-f]{5}|7ff[0-9a-f]+)\b", prose)
