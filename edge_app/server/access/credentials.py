"""Credentials: a file of ``user:password`` lines that says who may open the page."""

from __future__ import annotations

import stat
from pathlib import Path

from edge_app.errors import UserError


class CredentialsError(UserError):
    """A credentials file that is missing, malformed, or readable by others."""


def read_credentials(path: Path) -> list[tuple[str, str]]:
    """Read users and passwords.

    Args:
        path: a file of lines ``user:password`` that only its owner can read. Empty lines are
            ignored, and so are blanks around a user's name; passwords may contain colons.

    Raises:
        CredentialsError: the file cannot be read, others can read it, or a line is malformed.
    """
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # Notepad writes the "sig".
    except OSError as error:
        raise CredentialsError(f"The file {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise CredentialsError(f"The file {path} cannot be read ({error}).") from error
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        raise CredentialsError(f"Others can read the passwords in {path}; run: chmod 600 {path}")
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        user, _, password = line.partition(":")
        user = user.strip()  # As Gradio does with the name typed at the login.
        if not user or not password:
            raise CredentialsError(f"Line {number} of {path} does not have the form user:password.")
        pairs.append((user, password))
    if not pairs:
        raise CredentialsError(f"The file {path} is empty; expected lines of user:password.")
    return pairs
