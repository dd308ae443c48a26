"""Connections: that neither many nor slow ones keep the others out."""

from __future__ import annotations

import contextlib
import re
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app import App, get, start

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def impatient(folder: Path, files: int = 1024, patience_s: float = 3600) -> Iterator[App]:
    """The app with so many descriptors, and so much patience with its clients."""
    script = f"""
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))
        import edge_app.server.connections as connections
        connections.PATIENCE_S = {patience_s}
        from edge_app.command import main
        main()
    """
    with start(folder, script=textwrap.dedent(script)) as app:
        yield app


@pytest.fixture(scope="module")
def patient_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Waits an hour for what a client does not send."""
    with impatient(tmp_path_factory.mktemp("patient")) as app:
        yield app


@pytest.fixture(scope="module")
def impatient_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Waits a tenth of a second."""
    with impatient(tmp_path_factory.mktemp("impatient"), patience_s=0.1) as app:
        yield app


def connect(app: App, sent: bytes = b"", source: str = "") -> socket.socket:
    """A connection that takes little of an answer before it is read."""
    address = urlsplit(app.url)
    connection = socket.socket()
    connection.settimeout(60)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((source, 0))
    connection.connect((address.hostname, address.port))
    connection.sendall(sent)
    return connection


def test_more_connections_than_descriptors_do_not_keep_others_out(tmp_path: Path) -> None:
    with impatient(tmp_path, files=300) as app, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connect(app)) for _ in range(400)]
        for _ in range(3):
            assert get(app.url).status_code == 200
        assert idle[0].recv(1) == b""  # The one that has waited longest is closed.
        lines = app.printed("stderr").splitlines()
        told = [line for line in lines if "INFO: " not in line]
        assert told == ["edge_app: There are too many connections; the idlest are closed."]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: loc",
        b"POST /gradio_api/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    ],
)
def test_a_request_that_does_not_come_is_not_waited_for(impatient_app: App, sent: bytes) -> None:
    with connect(impatient_app, sent) as connection:
        assert connection.recv(1000) == b""
        assert get(impatient_app.url).status_code == 200
        assert "Traceback" not in impatient_app.printed("stderr")


def test_an_answer_that_is_not_taken_is_not_kept(impatient_app: App) -> None:
    requests = b"GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10**6
    with connect(impatient_app) as connection, pytest.raises(ConnectionError):
        connection.sendall(requests)  # Nothing is read, so the app stops reading as well.
    assert get(impatient_app.url).status_code == 200


ENDLESS_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "
ENDLESS_TRAILER = (
    b"POST /gradio_api/cancel HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n{}\r\n0\r\nX: "
)


@pytest.mark.parametrize(
    "sent",
    [
        ENDLESS_HEAD + b"x" * 10**6,
        ENDLESS_TRAILER + b"x" * 10**6,
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
    ],
    ids=["a head without end", "a trailer without end", "a hundred requests ahead"],
)
def test_what_a_client_sends_ahead_is_bounded(patient_app: App, sent: bytes) -> None:
    with connect(patient_app) as connection:
        answer = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
            while received := connection.recv(10_000):
                answer += received
    assert answer.startswith(b"HTTP/1.1 400") or not answer
    assert get(patient_app.url).status_code == 200
    assert "Traceback" not in patient_app.printed("stderr")


def test_files_that_are_sent_count_as_well(tmp_path: Path) -> None:
    with impatient(tmp_path, files=600) as app, contextlib.ExitStack() as stack:
        script = re.search(r"/assets/index-[\w-]+\.js", get(app.url).text)
        assert script
        requests = f"GET {script[0]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 10
        opened = [
            stack.enter_context(connect(app, requests, f"127.0.0.{place % 3 + 2}"))
            for place in range(360)
        ]
        for connection in opened:  # Nobody reads further, so the app keeps the file open.
            with contextlib.suppress(ConnectionError):
                connection.recv(1)
        assert get(app.url).status_code == 200
        assert "Too many open files" not in app.printed("stderr")
