"""Draws slips of one line, such as an engineer makes, and says which of them the tests catch.

``python tests/slips.py --seed 7 --count 60`` draws 60 slips over the three packages and the page's
scripts, makes one after another in a copy of the project, and runs that module's tests. Some that
no test catches do not matter, because nobody could notice them: a person decides that.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("edge_app", "benchmarks", "convert")
PATIENCE_S = 900
"""A slip may make the code hang: it is caught then, too."""
SWAPS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "===": "!==",
    "!==": "===",
    " and ": " or ",
    " or ": " and ",
    "&&": "||",
    "||": "&&",
    " + ": " - ",
    " - ": " + ",
    " * ": " / ",
    " / ": " * ",
    " not ": " ",
    " is not ": " is ",
    "min(": "max(",
    "max(": "min(",
    "True": "False",
    "False": "True",
    "true": "false",
    "false": "true",
    "any(": "all(",
    "all(": "any(",
}
_SWAP = re.compile(
    "|".join(rf"(?<![<>=!]){re.escape(each)}(?![<>=])" for each in sorted(SWAPS, key=len)[::-1])
)
_NUMBER = re.compile(r"(?<![\w.])[01](?![\w.])")


class Slip(NamedTuple):
    """One changed line of a file; lines count from 0."""

    path: Path
    line: int
    text: str
    """The new line."""


def slips(path: Path) -> Iterator[Slip]:
    """Every slip that can be made in a file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    droppable, skipped = _statements(text) if path.suffix == ".py" else _js_statements(lines)
    for number, line in enumerate(lines):
        if number in skipped or not line.strip() or line.strip().startswith(("#", "//", "*", "/*")):
            continue
        code = re.split(r"  # | // ", line)[0]
        bare = re.sub(r"\"[^\"]*\"|'[^']*'", lambda found: "_" * len(found[0]), code)
        for found in _SWAP.finditer(bare):
            changed = line[: found.start()] + SWAPS[found[0]] + line[found.end() :]
            yield Slip(path, number, changed)
        for found in _NUMBER.finditer(bare):
            changed = line[: found.start()] + str(int(found[0]) + 1) + line[found.end() :]
            yield Slip(path, number, changed)
        if number in droppable:
            indent = line[: len(line) - len(line.lstrip())]
            yield Slip(path, number, indent + ("pass" if path.suffix == ".py" else ";"))


def _statements(text: str) -> tuple[set[int], set[int]]:
    """The lines of a Python file that are a whole call or assignment, and those to leave alone."""
    droppable, skipped = set[int](), set[int]()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        text_alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if text_alone or isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.AnnAssign):
            skipped |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped |= set(range(node.lineno - 1, node.body[0].lineno - 1))
        elif isinstance(node, ast.Expr | ast.AugAssign) and node.lineno == node.end_lineno:
            droppable.add(node.lineno - 1)
    return droppable, skipped


def _js_statements(lines: list[str]) -> tuple[set[int], set[int]]:
    call = re.compile(r"\s+[\w.]+\(.*\);$|\s+[\w.]+ [-+]?= .*;$")
    return {number for number, line in enumerate(lines) if call.match(line)}, set()


def tests_of(path: Path) -> list[str]:
    """The test files of a module: of its own name, or all those of its folder."""
    folder = Path("tests") / path.parent
    while not (ROOT / folder).is_dir():
        folder = folder.parent
    own = folder / f"test_{path.stem}.py"
    return [str(own)] if (ROOT / own).is_file() else [str(folder)]


def is_caught(slip: Slip, copy: Path) -> bool:
    """Whether the tests fail, or hang, with the slip made in the copy; it is taken back again."""
    target = copy / slip.path
    original = target.read_text(encoding="utf-8")
    lines = original.splitlines()
    lines[slip.line] = slip.text
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", "-n", "2"]
    try:
        run = subprocess.run(
            [*command, *tests_of(slip.path)],
            cwd=copy,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(original, encoding="utf-8")
    return run.returncode != 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which slips are drawn (default: 1)")
    parser.add_argument("--count", type=int, default=60, help="how many (default: 60)")
    parser.add_argument("--only", default="", metavar="PREFIX", help="files that begin so alone")
    arguments = parser.parse_args()
    paths = [
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.[pj][ys]"))
        if str(path.relative_to(ROOT)).startswith(arguments.only)
    ]
    choices = [slip for path in paths for slip in slips(path)]
    drawn = random.Random(arguments.seed).sample(choices, arguments.count)  # noqa: S311
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / ROOT.name
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "__pycache__"))
        for number, slip in enumerate(drawn, 1):
            found = is_caught(slip, copy)
            caught += found
            line = (ROOT / slip.path).read_text(encoding="utf-8").splitlines()[slip.line]
            print(f"{number:3} {'caught' if found else 'MISSED'} {slip.path}:{slip.line + 1}")
            print(f"    - {line.strip()}\n    + {slip.text.strip()}", flush=True)
    print(f"{caught} of {len(drawn)} caught")


if __name__ == "__main__":
    main()
