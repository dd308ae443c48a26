"""Provenance: which state of the code made a model."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from convert.export import provenance
from convert.export.provenance import code_sha256, commit


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the code seems to lie in."""
    folder = tmp_path / "convert"
    folder.mkdir()
    (folder / "provenance.py").write_text("")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    # The folder may lie within another checkout.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return folder


def git(folder: Path, *words: str) -> str:
    names = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = [shutil.which("git") or "git", *names, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_commit_is_told_whole_whatever_tags_there_are(checkout: Path) -> None:
    git(checkout.parent, "init", "--quiet")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "One")
    git(checkout, "tag", "--annotate", "v1", "--message", "One")
    expected = git(checkout, "rev-parse", "HEAD").strip()
    assert re.fullmatch("[0-9a-f]{40}", expected)
    assert commit() == expected
    code = code_sha256()
    model = checkout.parent / "models" / "card.json"
    model.parent.mkdir()
    model.write_text("{}")
    assert (commit(), code_sha256()) == (expected, code)  # What is made is not what makes it.
    (checkout / "provenance.py").write_text("# Changed\n")
    assert commit() == f"{expected}-dirty"
    assert code_sha256() != code


@pytest.mark.usefixtures("checkout")
def test_outside_of_a_checkout_it_is_unknown() -> None:
    assert commit() == "unknown"


@pytest.mark.usefixtures("checkout")
def test_without_git_it_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == "unknown"
