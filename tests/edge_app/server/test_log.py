"""The log: that it stays short whatever happens."""

from __future__ import annotations

import logging
import time

import pytest

from edge_app.server.log import KINDS, PAUSE_S, Once


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def logger(lines: list[str]) -> logging.Logger:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Handler()
    handler.addFilter(Once())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger


def test_each_kind_of_message_is_printed_once_an_hour(
    logger: logging.Logger, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> None:
        try:
            raise ValueError(number) if number % 2 else OSError(number)
        except Exception:
            logger.exception("Failed %s", number)

    for number in range(6):
        fail(number)
        logger.warning("Full %s", number)
    assert lines == ["Failed 0", "Full 0", "Failed 1"]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + PAUSE_S + 1)
    fail(6)
    assert lines[3:] == ["Failed 6"]


def test_many_kinds_are_too_many(logger: logging.Logger, lines: list[str]) -> None:
    for number in range(KINDS + 50):
        code = compile(f"logger.error('{number}')", f"file-{number}", "exec")
        exec(code, {"logger": logger})  # noqa: S102 - Each line of code is a kind of its own.
    assert len(lines) == KINDS
