"""Serving: the clients count what goes wrong, the servers are real, and none is left running."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from benchmarks.report.serving_tables import serving_tables
from benchmarks.report.terminal import print_parts
from benchmarks.serving import browser as browsing
from benchmarks.serving import servers
from benchmarks.serving.clients import Percentiles, Task, percentiles, send
from benchmarks.serving.serving import Amount, Serving, drawing_task, measure_serving
from edge_app.models.interpreter import find_runtime
from edge_app.paths import MODELS

FEW = Amount(starts=1, rounds=1, turn=64, openings=1, drawings=1)

RIGHT = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"answers":{}}'
ERROR = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"error":"!"}'
REFUSED = b'HTTP/1.1 500 No\r\nContent-Length: 14\r\n\r\n{"answers":{}}'
CUT_OFF = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"answers":{}}'
NOTHING = b""
"""What a server says before it closes the connection."""


@contextlib.contextmanager
def server(answers: Sequence[bytes]) -> Iterator[int]:
    """A server that gives answers in turn, one connection at a time; its port."""

    def serve() -> None:
        left = list(answers)
        while left:
            connection, _ = listener.accept()
            with connection:
                while left and connection.recv(65536):
                    answer = left.pop(0)
                    connection.sendall(answer)
                    if answer in {CUT_OFF, NOTHING}:
                        break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])


def task(port: int, requests: int, clients: int = 1) -> Task:
    return Task(port, "/", ["{}"], '{"answers":', clients, requests)


def test_percentiles_are_interpolated_linearly() -> None:
    assert percentiles([float(time) for time in range(101)]) == Percentiles(50.0, 95.0, 99.0, 101)
    assert percentiles([3.0, 1.0]) == Percentiles(2.0, 2.9, 2.98, 2)


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        ([RIGHT, ERROR, RIGHT, REFUSED, CUT_OFF, RIGHT, NOTHING, RIGHT], 4),
        ([RIGHT] * 20, 0),  # A second connection would wait for the end of the first one.
    ],
)
def test_clients_keep_their_connections_and_time_only_right_answers(
    answers: Sequence[bytes], errors: int
) -> None:
    with server(answers) as port:
        load = send(task(port, len(answers)))
    assert (load.errors, len(load.times_ms)) == (errors, len(answers) - errors)
    assert all(0 < time_ms <= load.seconds * 1000 for time_ms in load.times_ms)


def test_clients_count_a_missing_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    load = send(task(port, requests=5, clients=2))
    assert (load.errors, load.times_ms) == (5, [])


@pytest.mark.slow
def test_a_server_ends_when_its_user_is_interrupted() -> None:
    with contextlib.suppress(KeyboardInterrupt), servers.empty() as server:
        drawings = drawing_task(server, 2, 10, "int8")
        assert len(send(drawings).times_ms) == 10
        assert send(dataclasses.replace(drawings, path="/nowhere")).errors == 10
        raise KeyboardInterrupt
    assert server.process.poll() is not None
    assert server.resident_bytes() is None
    assert not server.folder.exists()


@pytest.mark.slow
def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(servers.ServingError, match=r"edge_app does not start: .*[Nn]o model"),
        servers.app(tmp_path, "int8"),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("start", [servers.app, servers.sketchpad])
def test_servers_use_the_runtime_of_the_benchmark(
    start: Callable[[Path, str], AbstractContextManager[servers.Server]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = find_runtime()._replace(name="no-such-runtime")
    monkeypatch.setattr(servers, "find_runtime", lambda: runtime)
    with pytest.raises(servers.ServingError, match="no-such-runtime"), start(MODELS, "int8"):
        pass


@pytest.mark.parametrize(("name", "reason"), [("false", "fails"), ("no-such", "none of no-such")])
def test_without_a_working_browser_the_reason_is_given(
    name: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("playwright", reason="a browser needs Playwright, which is not installed")
    monkeypatch.setattr(browsing, "NAMES", (name,))
    with pytest.raises(browsing.NoBrowserError, match=reason), browsing.open_browser():
        pass


@pytest.fixture(scope="module")
def result(models_folder: Path) -> Serving:
    """A run with little of everything."""
    done: list[int] = []
    measured = measure_serving(models_folder, done.append, FEW)
    assert sum(done) == FEW.steps
    return measured


@pytest.mark.slow
def test_the_real_servers_are_measured(result: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    assert [each.clients for each in result.concurrency] == [1, 4, 16, 64, 256]
    for each in result.concurrency:
        for server in (each.app, each.empty):
            assert server.errors == 0
            assert server.times
            assert server.times.count == FEW.rounds * FEW.drawings_of(each.clients)
            assert server.per_second > 0
            assert server.cpu_ms is None or server.cpu_ms > 0
    assert len(result.app_start_s) == len(result.empty_start_s) == FEW.starts
    assert result.memory
    assert result.memory.drawings == [0, 64 + 64 + 64 + 256 + 1024]
    assert min(result.memory.app_bytes + result.memory.empty_bytes) > 50e6
    json.dumps(dataclasses.asdict(result), allow_nan=False)
    print_parts(serving_tables(dataclasses.replace(result, app_page=None, no_browser="no luck")))
    printed = capsys.readouterr().out
    assert f"{result.memory.app_bytes[-1] / 1e6:.1f}" in printed
    assert "Clients at once" in printed
    assert "Not measured: no luck." in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.slow
def test_the_browser_sees_both_pages(result: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("playwright", reason="a browser needs Playwright, which is not installed")
    if not any(map(shutil.which, browsing.NAMES)) and "CI" not in os.environ:
        pytest.skip(result.no_browser or "there is no browser")
    app, sketchpad = result.app_page, result.sketchpad_page
    assert app, result.no_browser
    assert sketchpad
    for page in (app, sketchpad):
        assert page.answer.count == page.settled.count == FEW.drawings
        assert 0 <= page.answer.median_ms <= page.settled.median_ms > 0
    assert app.update.requests == 1 < sketchpad.update.requests
    assert 0 < app.update.bytes_up <= 3000
    assert 0 < app.update.bytes_down <= 6000
    assert 0 < app.load.requests <= 45
    assert 0 < app.load.bytes_down <= 280_000 < sketchpad.load.bytes_down
    print_parts(serving_tables(result))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    requests = ["requests", "per", "stroke", "1", f"{sketchpad.update.requests}"]
    assert requests in lines
