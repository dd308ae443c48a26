"""Provenance: which state of the code made a model, and which changes end a training."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from convert.export import provenance
from convert.export.provenance import code_sha256, commit


@pytest.fixture
def checkout(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code that seems to be the code that runs."""
    for package in ("convert", "edge_app"):
        ignored = shutil.ignore_patterns("__pycache__", "*.jsonl")
        shutil.copytree(root / package, tmp_path / "code" / package, ignore=ignored)
    monkeypatch.setattr(provenance, "ROOT", tmp_path / "code")
    # That folder may lie within another checkout.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return tmp_path / "code"


def git(folder: Path, *words: str) -> str:
    names = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = [shutil.which("git") or "git", *names, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_commit_is_named_in_full_whatever_tags_there_are(checkout: Path) -> None:
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "One")
    git(checkout, "tag", "--annotate", "v1", "--message", "One")
    expected = git(checkout, "rev-parse", "HEAD").strip()
    assert re.fullmatch("[0-9a-f]{40}", expected)
    assert commit() == expected
    (checkout / "models").mkdir()
    (checkout / "models" / "card.json").write_text("{}")
    assert commit() == expected
    (checkout / "convert" / "train.py").write_text("# Changed\n")
    assert commit() == f"{expected}-dirty"


@pytest.mark.usefixtures("checkout")
def test_without_a_checkout_or_git_the_commit_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert commit() == "unknown"
    monkeypatch.setattr(provenance, "ROOT", Path(__file__).parent)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == "unknown"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "number"),
    [
        ("convert/train.py", "(0, 1, 2)"),
        ("convert/strokes/hand.py", "0.035"),
        ("convert/training/architectures.py", "dropout=0.3"),
        ("edge_app/models/acceptance.py", "answer + 1"),
    ],
)
def test_code_that_training_imports_counts_without_its_comments(
    file: str, number: str, checkout: Path
) -> None:
    before = code_sha256()
    path = checkout / file
    code = path.read_text()
    changed = code.replace('"""', '"""Changed. ', 1).replace('."""', '. Changed."""')
    path.write_text(f"{changed}\n\n# A comment.\n")
    assert code_sha256() == before
    assert code.count(number) == 1
    path.write_text(code.replace(number, f"{number} + 1"))
    assert code_sha256() != before


def test_code_that_training_does_not_import_does_not_count_until_it_does(checkout: Path) -> None:
    before = code_sha256()
    (checkout / "models").mkdir()
    (checkout / "models" / "card.json").write_text("{}")
    others = ("convert/report.py", "convert/add.py", "convert/command.py")
    for file in (*others, "edge_app/page/layout.py"):
        append("PI = 3", checkout / file)
    assert code_sha256() == before
    append("import convert.report", checkout / "convert" / "train.py")
    before = code_sha256()
    append("PI = 4", checkout / "convert" / "report.py")
    assert code_sha256() != before


def append(line: str, path: Path) -> None:
    path.write_text(f"{path.read_text()}{line}\n")
