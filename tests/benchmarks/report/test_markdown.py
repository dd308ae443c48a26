"""Markdown: what stands between the marks is replaced, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report.markdown import BEGIN, END, MarkdownError, fill, read_marked
from benchmarks.report.tables import Part, Table


def part(value: str) -> Part:
    table = Table(("model",), ("p",))
    table.add("dense", value)
    return Part("Title", table, "Words.")


def test_the_marked_part_is_replaced_again_and_again() -> None:
    text = f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter \\1 `{BEGIN}`\n"
    for value in ("0.5", "0.25"):
        text = fill(text, [part(value)], [])
        head, _, rest = text.partition(f"{BEGIN}\n")
        block, _, tail = rest.partition(f"\n{END}\n")
        assert head == "# Before\n\n"
        assert tail == f"\nAfter \\1 `{BEGIN}`\n"
        lines = block.splitlines()
        assert (lines[0], lines[-1]) == ("```", "```")
        assert lines[1:2] + lines[-3:-1] == ["Title", f"dense  {value}", "Words."]
        assert not any(line.endswith(" ") for line in lines)


def test_a_warning_stands_below_the_tables() -> None:
    text = fill(f"{BEGIN}\n{END}\n", [part("1")], ["The machine was busy."])
    assert "Words.\n\nWarning: The machine was busy.\n```\n" in text


def test_text_between_two_marked_parts_stays() -> None:
    text = f"{BEGIN}\n{END}\nkept\n{BEGIN}\n{END}\n"
    assert "\nkept\n" in fill(text, [part("1")], [])


@pytest.mark.parametrize(
    "text", ["", BEGIN, f"{END}\n{BEGIN}", f"See {BEGIN} and {END}.", "\udc80"]
)
def test_a_file_without_a_place_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MarkdownError, match=r"README\.md (has no place|cannot be read)"):
        read_marked(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarkdownError, match=r"cannot be read \(No such file or directory\)"):
        read_marked(tmp_path / "README.md")
