"""Serving: the clients count what goes wrong, the servers are real, and none is left running."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.report.serving_tables import serving_tables
from benchmarks.report.serving_targets import targets
from benchmarks.report.terminal import print_parts
from benchmarks.serving import browser as browsing
from benchmarks.serving import servers
from benchmarks.serving.clients import Task, send
from benchmarks.serving.serving import Amount, Memory, Serving, drawing_task, measure_serving, steps
from benchmarks.serving.times import Times, summarize

FEW = Amount(starts=1, rounds=2, turn=64, work=10, drawings=2, openings=1)

RIGHT = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"answers":{}}'
ERROR = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"error":"!"}'
REFUSED = b'HTTP/1.1 500 No\r\nContent-Length: 14\r\n\r\n{"answers":{}}'
CUT_OFF = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"answers":{}}'
NOTHING = b""
"""What a server says before it closes the connection."""


@pytest.fixture
def serve() -> Iterator[Callable[[list[bytes]], int]]:
    """Starts a server that gives answers in turn, and gives its port."""
    listeners = []

    def started(answers: list[bytes]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_serve, args=(listener, answers), daemon=True).start()
        return int(listener.getsockname()[1])

    yield started
    for listener in listeners:
        listener.close()


def _serve(listener: socket.socket, answers: list[bytes]) -> None:
    left = list(answers)
    while left:
        connection, _ = listener.accept()
        with connection:
            while left and connection.recv(65536):
                answer = left.pop(0)
                connection.sendall(answer)
                if answer in {CUT_OFF, NOTHING}:
                    break


def task(port: int, requests: int, clients: int = 1) -> Task:
    return Task(port, "/", ["{}"], '{"answers":', clients, requests)


def test_percentiles_are_interpolated_linearly() -> None:
    assert summarize([float(time) for time in range(101)]) == Times(50.0, 95.0, 99.0, 101)
    assert summarize([3.0, 1.0]) == Times(2.0, 2.9, 2.98, 2)
    with pytest.raises(ValueError, match="No times"):
        summarize([])


def test_clients_time_right_answers_only_and_count_the_others(
    serve: Callable[[list[bytes]], int],
) -> None:
    answers = [RIGHT, ERROR, RIGHT, REFUSED, CUT_OFF, RIGHT, NOTHING, RIGHT]
    load = send(task(serve(answers), len(answers)))
    assert load.errors == 4
    assert len(load.times_ms) == 4
    assert all(0 < time_ms <= load.seconds * 1000 for time_ms in load.times_ms)


def test_clients_count_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    load = send(task(port, requests=5, clients=2))
    assert (load.errors, load.times_ms) == (5, [])


def test_clients_keep_their_connections(serve: Callable[[list[bytes]], int]) -> None:
    # This server takes a second connection only after the first one's end.
    assert send(task(serve([RIGHT] * 20), 20)).errors == 0


def interrupt(started: list[servers.Server]) -> None:
    with servers.trivial() as server:
        started.append(server)
        assert server.process.poll() is None
        task = drawing_task(server, 2, 10, "int8")
        assert len(send(task).times_ms) == 10
        assert send(dataclasses.replace(task, path="/nowhere")).errors == 10
        raise KeyboardInterrupt


def test_a_server_ends_however_what_uses_it_ends() -> None:
    started: list[servers.Server] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(started)
    [server] = started
    assert server.process.poll() is not None
    assert not server.folder.exists()


def test_a_server_that_has_ended_takes_no_memory(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # It is there yet, as a zombie.
    assert servers.Server(0, 0.0, process, tmp_path).resident_bytes() is None
    assert process.wait() == 0


def test_a_server_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(servers.ServingError, match=r"edge_app does not start: .*No model to serve"),
        servers.app(Path("here"), "int8"),
    ):
        pass


def test_a_browser_that_fails_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("playwright")
    monkeypatch.setattr(browsing, "NAMES", ("false",))
    with pytest.raises(browsing.NoBrowserError, match=r"false fails \("), browsing.open_browser():
        pass


@pytest.fixture(scope="module")
def result(models_folder: Path) -> Serving:
    """A run with little of everything."""
    done: list[int] = []
    result = measure_serving(models_folder, done.append, FEW)
    assert sum(done) == steps(FEW)
    return result


def test_the_real_servers_are_measured(result: Serving) -> None:
    assert [each.clients for each in result.concurrency] == [1, 4, 16, 64]
    for each in result.concurrency:
        for server in (each.app, each.trivial):
            assert server.errors == 0
            assert server.times
            assert server.times.count == FEW.rounds * FEW.turn
            assert server.per_second > 0
    assert len(result.start.app_s) == len(result.start.trivial_s) == FEW.starts
    assert result.work.drawing.count == FEW.work
    assert result.work.drawing.median_ms > result.work.inference.median_ms
    if Path("/proc/self/status").exists():
        assert result.memory
        assert result.memory.drawings == [0, 256, 512]
        assert min(result.memory.app_bytes) > 50e6


def test_the_browser_sees_both_pages(result: Serving) -> None:
    if result.no_browser:
        if "CI" in os.environ:
            pytest.fail(result.no_browser)
        pytest.skip(result.no_browser)
    app, sketchpad = result.app_page, result.sketchpad_page
    assert app
    assert sketchpad
    assert app.answer.count == sketchpad.answer.count == FEW.drawings
    assert app.update.requests == 1
    assert app.update.bytes_up <= 3000
    assert app.update.bytes_down <= 6000
    assert app.files_written == 0
    assert app.other_hosts == []
    assert app.load.requests <= 45
    assert app.load.bytes_down <= 280_000
    assert app.usable_ms
    assert sketchpad.update.requests > 1
    assert sketchpad.files_written > 0


def test_a_result_is_json_and_tables(result: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    json.dumps(dataclasses.asdict(result), allow_nan=False)
    print_parts(serving_tables(result))
    printed = capsys.readouterr().out
    assert "drawings per second, 16 clients" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_without_a_browser_the_rest_is_measured(
    result: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browsing, "NAMES", ("no-such-browser",))
    with (
        pytest.raises(browsing.NoBrowserError, match="no-such-browser") as reason,
        browsing.open_browser(),
    ):
        pass
    blind = dataclasses.replace(
        result, app_page=None, sketchpad_page=None, no_browser=str(reason.value)
    )
    unmeasured = [each for each in targets(blind) if each.reached is None]
    assert {each.measured for each in unmeasured} == {None}
    assert len(unmeasured) >= 11
    print_parts(serving_tables(dataclasses.replace(blind, targets=targets(blind))))
    assert "no-such-browser" in capsys.readouterr().out


def test_targets_are_reached_up_to_their_limit(result: Serving) -> None:
    memory = Memory([0, 10], [110, 110], [100, 99], 1.1, 110 / 99, 0.0)
    reached = {
        each.figure: each.reached for each in targets(dataclasses.replace(result, memory=memory))
    }
    assert reached["memory started, to trivial"] is True
    assert reached["memory after all drawings, to trivial"] is False
