"""The file of users and passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.server.access.credentials import CredentialsError, read_credentials


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An empty one that only its owner can read."""
    path = tmp_path / "users.txt"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("anna:one\n\n  \nbo:a blank at the end \n", "anna:one|bo:a blank at the end "),
        ("anna:a:b::\nzoë:übermäßig", "anna:a:b::|zoë:übermäßig"),
        ("\ufeffanna:one\r\nbo:two\r\n", "anna:one|bo:two"),  # From Windows.
        (" anna : one", "anna: one"),  # The login strips a user's name, too.
    ],
)
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_each_line_is_a_user_and_a_password(
    file: Path, content: str, pairs: str, mode: int
) -> None:
    file.write_bytes(content.encode())
    file.chmod(mode)
    assert [":".join(pair) for pair in read_credentials(file)] == pairs.split("|")


@pytest.mark.parametrize("line", ["anna", "anna:", ":one", " :one"])
def test_a_malformed_line_is_named_by_its_number_without_its_content(file: Path, line: str) -> None:
    file.write_text(f"\nbo:two\n{line}\n", encoding="utf-8")
    with pytest.raises(CredentialsError) as refusal:
        read_credentials(file)
    assert str(refusal.value) == f"Line 3 of {file} does not have the form user:password."


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_users_lets_nobody_in_by_mistake(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CredentialsError, match=r"is empty; expected lines of user:password\.$"):
        read_credentials(file)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    file.write_text("anna:one", encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(CredentialsError, match=rf"^Others can read .*; run: chmod 600 {file}$"):
        read_credentials(file)


def test_an_unreadable_file_is_named(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"anna:\xff\xfe")
    for path in (tmp_path / "missing", tmp_path, file):
        with pytest.raises(CredentialsError, match=rf"^The file {path} cannot be read \(.*\)\.$"):
            read_credentials(path)
