"""The server: from start to stop, whom it answers, what it lets in, and what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import shutil
import signal
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from gradio_client.exceptions import AuthenticationError

from app import PYTHON, ROOT, App, call, client, component, get, launch, post, start, until
from edge_app.server.guard import MAX_BODY
from edge_app.server.server import listen

pytestmark = pytest.mark.slow

SEVEN = [[[10, 10], [90, 10], [40, 100]]]
CLASSIFY = "/gradio_api/run/classify"
WATCH = ROOT / "tests" / "watch"
"""On PYTHONPATH, notes every contact with another machine in the file that $CONTACTS names."""


def classify(app: App) -> dict[str, int]:
    """The digit that each model reads in a seven."""
    [answers] = post(app.url + CLASSIFY, {"data": [SEVEN, "int8"]}).json()["data"]
    return {name: answer["digit"] for name, answer in answers.items()}


def ask(app: App, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Send a request as it is, which better clients would mend; returns status and content.

    The body is sent without its end, so that nothing is left over that could cut the answer off.
    """
    address = urlsplit(app.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_accept_encoding=True, skip_host="host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        connection.send(body)
        response = connection.getresponse()
        return response.status, response.read()


@contextlib.contextmanager
def half_a_request(app: App) -> Iterator[socket.socket]:
    """A connection whose request has begun, and has not ended."""
    address = urlsplit(app.url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=60) as connection:
        connection.sendall(b"POST /gradio_api/run/classify HTTP/1.1\r\nHost: localhost\r\n")
        yield connection


# From start to stop


def test_it_prints_runtime_models_and_address(app: App) -> None:
    runtime, models, *rest = app.printed("stdout").splitlines()
    assert runtime.startswith("Runtime: ")
    assert models == "Models:  Simple Dense, Multi-layer Perceptron, Convolutional Network"
    assert rest == [f"Open:    {app.url}", "Ctrl-C stops."]


def test_it_sleeps_while_nobody_asks(tmp_path: Path) -> None:
    with start(tmp_path) as app:
        assert get(app.url).status_code == 200  # Gradio's tasks start with the first request.

        def wakings() -> int:
            status = Path(f"/proc/{app.process.pid}/task/{app.process.pid}/status").read_text()
            return int(status.partition("nonvoluntary")[0].split()[-1])

        before = wakings()
        time.sleep(3)  # Uvicorn looks ten times a second.
        assert wakings() - before < 100


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_while_a_page_is_open_leaves_nothing_and_contacts_nobody(
    tmp_path: Path, number: signal.Signals
) -> None:
    gradio_s = ROOT / ".gradio"
    before, contacts = gradio_s.exists(), tmp_path / "contacts"
    with start(tmp_path, PYTHONPATH=WATCH, CONTACTS=contacts) as app:
        assert app.files()  # Temporary ones.
        assert get(app.url).status_code == 200
        assert classify(app)["mlp"] == 7
        # Nor does it contact anyone for somebody else.
        address = "http://example.invalid/x.png"
        assert ask(app, "GET", f"/gradio_api/file={address}")[0] == 404
        file = {"path": address, "meta": {"_type": "gradio.FileData"}}
        for data in ([None, "int8", file], [[[file]], "int8"], [{"x": file}]):
            assert post(app.url + CLASSIFY, {"data": data}).status_code == 422
        # An open page keeps a connection, and a slow one may be in the middle of a request.
        with httpx.Client(trust_env=False) as page, half_a_request(app) as slow:
            assert page.get(app.url).status_code == 200
            assert app.stop(number) == 0
            assert slow.recv(1) == b""
        errors = app.printed("stderr").splitlines()
        assert [line for line in errors if line and not line.startswith("INFO: ")] == []
        assert app.files() == set()
    assert contacts.read_text(encoding="utf-8").splitlines() == ["watching"]
    assert gradio_s.exists() == before


def test_a_request_that_never_ends_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    script = """
        import edge_app.server.connections
        edge_app.server.connections.PATIENCE_S = 10**6
        from edge_app.command import main
        main()
    """
    with start(tmp_path, script=textwrap.dedent(script)) as app, half_a_request(app) as slow:
        slow.sendall(b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert get(app.url).status_code == 200  # By then it has begun to wait for the rest.
        assert app.stop() == 0
        assert slow.recv(1) == b""


def test_a_contact_with_another_machine_would_be_noticed(tmp_path: Path) -> None:
    contacts = tmp_path / "contacts"
    code = """
        import asyncio, contextlib, socket
        address = ("192.0.2.1", 80)
        with contextlib.suppress(OSError): socket.create_connection(address)
        with contextlib.suppress(OSError): socket.socket().connect(address)
        with contextlib.suppress(OSError): asyncio.run(asyncio.open_connection(*address))
    """
    variables = {"PYTHONPATH": str(WATCH), "CONTACTS": str(contacts)}
    subprocess.run([PYTHON, "-c", textwrap.dedent(code)], env=variables, check=True)
    connect = "connect ('192.0.2.1', 80)"
    noted = contacts.read_text(encoding="utf-8").splitlines()
    assert noted == ["watching", "getaddrinfo 192.0.2.1", connect, connect]


@contextlib.contextmanager
def importing(folder: Path, package: str = "gradio") -> Iterator[subprocess.Popen[bytes]]:
    """The app while it starts: the import of a package lasts until a signal comes."""
    module = folder / "packages" / f"{package}.py"
    module.parent.mkdir(exist_ok=True)
    module.write_text("print('Importing', flush=True)\nimport time\ntime.sleep(600)\n")
    with launch(folder, PYTHONPATH=module.parent) as process:
        until(lambda: "Importing" in (folder / "stdout").read_text() or process.poll())
        yield process


@pytest.mark.parametrize(
    ("package", "number", "status"),
    [
        ("gradio", signal.SIGTERM, 0),
        ("gradio", signal.SIGINT, 130),
        ("numpy", signal.SIGTERM, -signal.SIGTERM),
        ("numpy", signal.SIGINT, 130),
        ("argparse", signal.SIGINT, 130),
    ],
)
def test_a_signal_while_it_starts_stops_it_too(
    tmp_path: Path, package: str, number: signal.Signals, status: int
) -> None:
    with importing(tmp_path, package) as process:
        starting = App("", process, tmp_path)
        assert starting.stop(number) == status
        assert starting.files() == set()
    errors = (tmp_path / "stderr").read_text().splitlines()
    assert [line for line in errors if not line.startswith("INFO: ")] == []


def test_a_signal_that_gets_lost_while_it_starts_stops_it(tmp_path: Path) -> None:
    """Python, and libraries, can swallow what a handler raises; here the page's builder does."""
    script = """
        import os, signal
        from edge_app.command import main
        from edge_app.server.gradio_import import leaner_gradio
        with leaner_gradio():
            import edge_app.page.layout as page

        def build(*arguments, build=page.build_page):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except BaseException as error:
                print("Lost:", type(error).__name__, flush=True)
            return build(*arguments)

        page.build_page = build
        main()
    """
    with launch(tmp_path, script=textwrap.dedent(script)) as process:
        until(lambda: process.poll() is not None)
        assert process.returncode == 0
        printed = (tmp_path / "stdout").read_text()
    assert "Lost: SystemExit" in printed
    assert "Ctrl-C stops." not in printed


def test_only_folders_of_apps_that_died_are_removed(app: App, tmp_path: Path) -> None:
    [live] = [path for path in app.files() if path.name.startswith("digits-")]
    foreign, locked = live.with_name("digits-2024-holidays"), live.with_name("digits-9-abcdefgh")
    name = next(path.name for path in live.iterdir() if path.name.startswith("locked"))
    try:
        foreign.mkdir(0o700)
        (foreign / "beach.jpg").touch()
        locked.mkdir(0o700)
        with (locked / name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # As an app in another container does.
            with importing(tmp_path) as process:
                process.kill()
                process.wait()
            left = App("", process, tmp_path).files()
            assert left
            with importing(tmp_path) as process:
                assert not {path for path in left if path.exists() and "digits-" in str(path)}
            assert live.exists()
            assert locked.exists()
            assert (foreign / "beach.jpg").exists()
        with importing(tmp_path):
            assert not locked.exists()
    finally:
        for path in (foreign, locked):
            shutil.rmtree(path, ignore_errors=True)


def test_answers_are_sent_at_once() -> None:
    """And not only once the client has confirmed the headers, which takes it 40 ms: asyncio sets
    TCP_NODELAY for sockets that name their protocol."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


# A damaged model, a file without a card, another variant at first, and IPv6


def test_a_damaged_model_is_left_out_and_the_others_answer(
    tmp_path: Path, models_folder: Path, app: App
) -> None:
    dense = shutil.copytree(models_folder, tmp_path / "models") / "dense"
    (dense / "int8.tflite").rename(dense.with_name("my.tflite"))
    (dense / "card.json").write_text("[" * 5000)
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        host = "::1"
    except OSError:
        host = "127.0.0.1"  # This machine has no IPv6.

    def chosen(app: App) -> list[str]:
        variants = component(app, "canvas")["props"]["props"]["variants"]
        return [each["name"] for each in variants if each["chosen"]]

    options = ("--models", dense.parent, "--variant", "float32", "--host", host)
    with start(tmp_path, *options) as damaged:
        assert damaged.url.startswith("http://[::1]:" if host == "::1" else "http://127.")
        assert f"edge_app: Model 'dense' is left out: {dense / 'card.json'}" in damaged.printed(
            "stderr"
        )
        left = "Models:  Multi-layer Perceptron, Convolutional Network, my (no card)\n"
        assert left in damaged.printed("stdout")
        assert classify(damaged) == {"mlp": 7, "cnn": 7, "my": 7}
        assert (chosen(damaged), chosen(app)) == (["float32"], ["int8"])


# Who may enter


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with two users."""
    folder = tmp_path_factory.mktemp("locked")
    users = folder / "users.txt"
    users.touch(mode=0o600)
    users.write_text("anna:pass:word\nzoë:übermäßig\n", encoding="utf-8")
    with start(folder, "--auth-file", users) as running:
        yield running


def test_without_a_password_nothing_is_shown_or_answered(locked: App) -> None:
    page = get(locked.url)
    assert '"auth_required":true' in page.text
    assert "js_on_load" not in page.text
    for path in ("/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x"):
        assert get(locked.url + path).status_code == 401
    asked = {"component_id": 1, "fn_name": "answer", "session_hash": "x", "data": [SEVEN, "int8"]}
    for path in ("run/classify", "api/classify", "call/classify", "queue/join", "component_server"):
        assert post(f"{locked.url}/gradio_api/{path}", asked).status_code == 401
    with pytest.raises(AuthenticationError):
        client(locked.url)


def test_a_password_opens_and_is_printed_nowhere(locked: App) -> None:
    for pair in (("anna", "pass:word"), ("zoë", "übermäßig")):
        gradio = client(locked.url, auth=pair)
        assert gradio.predict(SEVEN, api_name="/classify")["mlp"]["digit"] == 7
        gradio.close()
    for pair in (("anna", "übermäßig"), ("anna", ""), ("bo", "pass:word")):
        with pytest.raises(ValueError, match="Could not login"):
            client(locked.url, auth=pair)
    assert "word" not in locked.printed("stdout") + locked.printed("stderr")


def test_guessing_passwords_gets_slow_at_one_address_and_not_at_others(locked: App) -> None:
    address = urlsplit(locked.url)

    def log_in(password: str, source: str) -> int:
        with httpx.Client(
            transport=httpx.HTTPTransport(local_address=source), trust_env=False
        ) as visitor:
            data = {"username": "anna", "password": password}
            return visitor.post(f"{locked.url}/login", data=data).status_code

    assert address.hostname == "127.0.0.1"
    statuses = [log_in("wrong", "127.0.0.2") for _ in range(20)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert log_in("pass:word", "127.0.0.2") == 429
    assert log_in("pass:word", "127.0.0.3") == 200


def test_logging_out_somewhere_leaves_others_logged_in(locked: App) -> None:
    with httpx.Client(trust_env=False) as here, httpx.Client(trust_env=False) as there:
        for visitor in (here, there):
            data = {"username": "anna", "password": "pass:word"}
            visitor.post(f"{locked.url}/login", data=data).raise_for_status()
        here.get(f"{locked.url}/logout?all_session=true")
        assert here.get(f"{locked.url}/config").status_code == 401
        assert there.get(f"{locked.url}/config").status_code == 200
        body = {"data": [SEVEN, "int8"]}
        assert there.post(locked.url + CLASSIFY, json=body).status_code == 200


# What may be sent and seen


def test_another_name_is_let_in_if_it_is_allowed(app: App, tmp_path: Path) -> None:
    for method, path in (("GET", "/"), ("GET", "/config"), ("POST", CLASSIFY)):
        status, content = ask(app, method, path, host="digits.example")
        assert status == 403
        assert b"This device is not known as 'digits.example'" in content
    with start(tmp_path, "--allow-host", "other.example", "--allow-host", "digits.example") as own:
        assert ask(own, "GET", "/", host="digits.example")[0] == 200
        assert ask(own, "GET", "/", host="evil.example")[0] == 403


def test_no_file_gets_in(app: App) -> None:
    files = app.files()
    for path, content, statuses in [
        ("/gradio_api/upload", b"x", {403}),  # One byte: Gradio's own bound lets it through.
        ("/upload", b"x", {403}),
        ("/gradio_api/component_server", b"two", {400}),
        (CLASSIFY, b"two", {400}),
        ("/login", b"two", {413, 422}),
    ]:
        form = {"files": ("f.txt", content)}
        refused = httpx.post(app.url + path, files=form, trust_env=False)
        assert refused.status_code in statuses
    assert app.files() == files


def test_a_request_may_be_as_large_as_the_bound_and_no_larger(app: App) -> None:
    body = b'{"data":[[],"int8"]}'.ljust(MAX_BODY)
    json = "application/json"
    taken = ask(app, "POST", CLASSIFY, body, content_type=json, content_length=str(len(body)))
    assert taken[0] == 200
    announced = ask(app, "POST", CLASSIFY, content_type=json, content_length=str(len(body) + 1))
    chunk = f"{len(body) + 1:x}\r\n".encode() + body + b" "
    chunked = ask(app, "POST", CLASSIFY, chunk, content_type=json, transfer_encoding="chunked")
    for status, content in (announced, chunked):
        assert status == 413
        assert b"The request is too large; expected at most 65,536 bytes." in content


def test_only_the_page_and_the_api_can_be_seen(app: App) -> None:
    for path in (
        f"/gradio_api/file={ROOT / 'README.md'}",
        "/static/../../../../edge_app/page/layout.py",
        "/static/..%2F..%2F..%2Fblocks.py",
        "/gradio_api/%66ile=http://192.0.2.1/x.png",
    ):
        assert ask(app, "GET", path)[0] == 404, path
    api = get(f"{app.url}/gradio_api/info").json()
    assert list(api["named_endpoints"]) == ["/classify", "/explain", "/read"]
    assert api["unnamed_endpoints"] == {}
    parameters = api["named_endpoints"]["/classify"]["parameters"]
    defaults = {each["parameter_name"]: each["parameter_default"] for each in parameters}
    assert defaults == {"strokes": None, "variant": "int8", "image": None}
    config = get(f"{app.url}/config").json()
    assert (config["footer_links"], config["title"]) == ([], "Draw a digit")
    assert config["analytics_enabled"] is config["run_history"] is False


def test_the_page_comes_compressed_and_answers_as_they_are(app: App) -> None:
    page = get(f"{app.url}/")
    assert page.headers["content-encoding"] == "gzip"
    assert 2 * int(page.headers["content-length"]) < len(page.content)
    assert "content-encoding" not in get(f"{app.url}/config").headers


def test_a_client_s_mistakes_are_no_server_s_errors_and_leave_no_trace(
    app: App, locked: App
) -> None:
    """Each of these once printed a traceback."""
    deep = "[" * 1000 + "]" * 1000
    for running in (app, locked):
        printed = running.printed("stderr")
        for method, path, body in [
            ("POST", "/gradio_api/reset", '{"session_hash":NaN}'),
            ("POST", "/gradio_api/cancel", '{"session_hash":NaN}'),
            ("GET", "/?page=x", ""),
            ("GET", "/config?page=x", ""),
            ("GET", "/?deep_link=x", ""),
            ("GET", "/gradio_api/info?page=x", ""),
            ("POST", "/gradio_api/run/nope", '{"data":[]}'),
            ("POST", "/gradio_api/component_server", "--x"),
            ("GET", f"/static/{'x' * 300}", ""),
            ("GET", "/static/fonts", ""),
            ("GET", "/gradio_api/queue/data?session_hash=zz", ""),
            ("POST", CLASSIFY, f'{{"data":[[],{deep}]}}'),
            ("POST", CLASSIFY, '{"data":[[],"\\ud800"]}'),
            ("POST", "/login", "--x"),
        ]:
            length = {"content_length": str(len(body)), "content_type": "multipart/form-data"}
            status, _ = ask(running, method, path, body.encode(), host="localhost", **length)
            assert status < 500, (path, status)
            assert status >= 400 or path.partition("?")[1], (path, status)
        assert running.printed("stderr") == printed


def test_no_request_loads_pandas(app: App) -> None:
    """It takes 31 MB, and failed where two threads loaded it at once."""
    caller = client(app.url)
    assert caller.predict(SEVEN, api_name="/classify")["mlp"]["digit"] == 7
    caller.close()
    call(app, "tabs", "sheet", "device")
    libraries = Path(f"/proc/{app.process.pid}/maps").read_text(encoding="utf-8")
    assert "numpy" in libraries
    assert "pandas" not in libraries


def test_sheets_are_read_by_name(app: App) -> None:
    def sheet(name: object) -> Any:
        return call(app, "tabs", "sheet", name).json()

    assert sheet("models")["title"] == "Models"
    # A sample was taken when the app started, and one is taken now.
    drawings = [
        each for section in sheet("device")["sections"] for each in section.get("drawings", [])
    ]
    assert drawings
    assert all("<polyline" in each["svg"] for each in drawings)
    for name in ("benchmark", "../models", None, ["models"], {"a": 1}):
        assert sheet(name) is None
