"""The file of users and passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_app.server.credentials import CredentialsError, read_credentials


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An empty one that only its owner can read."""
    path = tmp_path / "users.txt"
    path.touch(mode=0o600)
    return path


def test_each_line_is_a_user_and_a_password(file: Path) -> None:
    file.write_text("anna:one\n\n  \nbo:two words, and a blank at the end \n", encoding="utf-8")
    assert read_credentials(file) == [
        ("anna", "one"),
        ("bo", "two words, and a blank at the end "),
    ]


def test_a_password_may_hold_colons_and_any_letters(file: Path) -> None:
    file.write_text("anna:a:b::\nzoë:übermäßig", encoding="utf-8")
    assert read_credentials(file) == [("anna", "a:b::"), ("zoë", "übermäßig")]


def test_a_file_from_windows_is_read_alike(file: Path) -> None:
    file.write_bytes("\ufeffanna:one\r\nbo:two\r\n".encode())
    assert read_credentials(file) == [("anna", "one"), ("bo", "two")]


def test_blanks_around_a_user_s_name_are_left_out_as_they_are_at_the_login(file: Path) -> None:
    file.write_text(" anna : one", encoding="utf-8")
    assert read_credentials(file) == [("anna", " one")]


@pytest.mark.parametrize("line", ["anna", "anna:", ":one", ":", " :one"])
def test_another_kind_of_line_is_named_by_its_number_without_what_it_holds(
    file: Path, line: str
) -> None:
    file.write_text(f"\nbo:two\n{line}\n", encoding="utf-8")
    with pytest.raises(CredentialsError) as refusal:
        read_credentials(file)
    assert str(refusal.value) == f"Line 3 of {file} is not of the form user:password."


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_users_lets_nobody_in_by_mistake(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CredentialsError, match=r"is empty; expected lines of user:password\.$"):
        read_credentials(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    file.write_text("anna:one", encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(CredentialsError, match=rf"^Others can read .*; run: chmod 600 {file}$"):
        read_credentials(file)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_its_owner_can_read_is_taken(file: Path, mode: int) -> None:
    file.write_text("anna:one", encoding="utf-8")
    file.chmod(mode)
    assert read_credentials(file) == [("anna", "one")]


def test_what_is_no_readable_text_is_named(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"anna:\xff\xfe")
    for path in (tmp_path / "missing", tmp_path, file):
        with pytest.raises(CredentialsError, match=rf"^The file {path} cannot be read \(.*\)\.$"):
            read_credentials(path)
