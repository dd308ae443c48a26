"""The server: what it refuses at start, whom it answers, what it leaves behind."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import signal
import socket
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from gradio_client.exceptions import AuthenticationError

from app import PATIENCE_S, PYTHON, ROOT, App, client, get, launch, post, run, start, until
from edge_app.server.guard import MAX_BODY
from edge_app.server.server import listen

SEVEN = [[[10, 10], [90, 10], [40, 100]]]
CLASSIFY = "/gradio_api/run/classify"
WATCH = ROOT / "tests" / "watch"
"""On PYTHONPATH, has every contact with another machine noted in the file that $CONTACTS names."""


def classify(app: App) -> dict[str, Any]:
    [answers] = post(app.url + CLASSIFY, {"data": [SEVEN, "int8"]}).json()["data"]
    assert isinstance(answers, dict)
    return answers


def ask(app: App, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Send a request as it is, which better clients would mend; returns status and content.

    The body is sent without its end: nothing is left over that could cut the answer off.
    """
    address = urlsplit(app.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    connection.send(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content


def test_answers_are_sent_at_once() -> None:
    """And not only once the client has confirmed the headers, which takes it 40 ms."""

    async def options() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            told.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listen("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            async with await asyncio.start_server(look, sock=listener):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return await told

    assert asyncio.run(options()) == 1


# Command line


@pytest.fixture
def without_gradio(tmp_path: Path) -> Path:
    """A folder whose Gradio ends the program: what is found in time is found without it."""
    folder = tmp_path / "packages" / "gradio"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('Gradio was imported.')")
    return folder.parent


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The sentence that a command line was refused with."""
    assert done.returncode == 1
    assert done.stdout == ""
    sentences = [line for line in done.stderr.splitlines() if not line.startswith("INFO: ")]
    assert len(sentences) == 1, done.stderr
    assert sentences[0].startswith("edge_app: ")
    return sentences[0]


def test_a_port_in_use_is_said_before_gradio_is_imported(
    tmp_path: Path, without_gradio: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(tmp_path, "--host", "127.0.0.1", "--port", str(port), PYTHONPATH=without_gradio)
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use;" in refusal(done)


@pytest.mark.parametrize("port", ["65536", "-1"])
def test_a_port_that_there_is_not_is_refused(
    tmp_path: Path, without_gradio: Path, port: str
) -> None:
    done = run(tmp_path, "--host", "127.0.0.1", f"--port={port}", PYTHONPATH=without_gradio)
    assert f"Port {port} is out of range; expected 0 to 65535." in refusal(done)


def test_an_address_of_another_device_is_refused(tmp_path: Path, without_gradio: Path) -> None:
    done = run(tmp_path, "--host", "192.0.2.77", "--port", "0", PYTHONPATH=without_gradio)
    assert "Cannot listen on 192.0.2.77 port 0: Cannot assign requested address;" in refusal(done)


def test_a_missing_models_folder_is_named(tmp_path: Path, without_gradio: Path) -> None:
    folder = tmp_path / "nowhere"
    done = run(tmp_path, "--models", folder, PYTHONPATH=without_gradio)
    assert f"The models folder {folder} cannot be read (No such file" in refusal(done)


def test_a_models_folder_without_models_is_named(tmp_path: Path, without_gradio: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    done = run(tmp_path, "--models", folder, PYTHONPATH=without_gradio)
    assert f"No model to serve in {folder}; expected folders with a card.json" in refusal(done)


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        (None, 0o600, "cannot be read"),
        ("anna:password", 0o644, "Others can read the passwords"),
        ("anna\n", 0o600, "Line 1 of "),
        ("", 0o600, "is empty; expected lines of user:password"),
    ],
)
def test_a_file_of_users_that_cannot_be_used_is_refused(
    tmp_path: Path, without_gradio: Path, content: str | None, mode: int, sentence: str
) -> None:
    path = tmp_path / "users"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    done = run(tmp_path, "--auth-file", path, PYTHONPATH=without_gradio)
    assert sentence in refusal(done)
    assert str(path) in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--variant", "int4"], "argument --variant: invalid choice: 'int4' (choose from "),
        (["--port", "high"], "argument --port: invalid int value: 'high'"),
        (["--upload"], "unrecognized arguments: --upload"),
    ],
)
def test_an_unknown_option_or_value_is_refused(
    tmp_path: Path, without_gradio: Path, arguments: list[str], sentence: str
) -> None:
    done = run(tmp_path, *arguments, PYTHONPATH=without_gradio)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"python -m edge_app: error: {sentence}" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_option(tmp_path: Path, without_gradio: Path) -> None:
    done = run(tmp_path, "--help", PYTHONPATH=without_gradio)
    assert (done.returncode, done.stderr) == (0, "")
    options = ("--host", "--port", "--models", "--variant", "--auth-file", "--save-drawings")
    for option in (*options, "--save-limit", "--results", "examples:"):
        assert option in done.stdout


# From start to stop


def test_what_is_printed_names_runtime_models_and_address(app: App) -> None:
    lines = app.printed("stdout").splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "Runtime",
        "Models",
        "Open",
        "Ctrl-C stops.",
    ]
    assert lines[1] == "Models:  Simple Dense, Multi-layer Perceptron, Convolutional Network"
    assert lines[2] == f"Open:    {app.url}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order_and_nothing_is_left(
    tmp_path: Path, number: signal.Signals
) -> None:
    gradio_s = ROOT / ".gradio"
    before = gradio_s.exists()
    with start(tmp_path) as app:
        assert app.files()  # Temporary ones.
        assert get(app.url).status_code == 200
        assert classify(app)["mlp"]["digit"] == 7
        # A page that is open keeps a connection, and does not keep the server.
        with httpx.stream("GET", f"{app.url}/gradio_api/heartbeat/page", trust_env=False) as page:
            assert next(page.iter_lines()) == "data: ALIVE"
            assert app.stop(number) == 0
        assert app.files() == set()
        assert "Traceback" not in app.printed("stderr")
    assert gradio_s.exists() == before


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
    """Imports are where that time goes; here one of them lasts until the signal comes."""
    module = tmp_path / "packages" / f"{package}.py"
    module.parent.mkdir()
    module.write_text("print('Importing', flush=True)\nimport time\ntime.sleep(600)\n")
    arguments = ("--host", "127.0.0.1", "--port", "0")
    with launch(tmp_path, *arguments, PYTHONPATH=module.parent) as process:
        until(lambda: "Importing" in (tmp_path / "stdout").read_text() or process.poll())
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == status
        assert App("", process, tmp_path).files() == set()
    errors = (tmp_path / "stderr").read_text().splitlines()
    assert [line for line in errors if not line.startswith("INFO: ")] == []


def test_a_signal_that_got_lost_while_it_started_stops_it(tmp_path: Path) -> None:
    """Python, and libraries, can swallow what a handler raises; here the page's builder does."""
    script = """
        import os, signal, sys
        import edge_app.page.layout as page
        from edge_app.command import main

        def build(*arguments, build=page.build_page):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except BaseException as error:
                print("Lost:", type(error).__name__, flush=True)
            return build(*arguments)

        page.build_page = build
        sys.exit(main())
    """
    done = subprocess.run(
        [PYTHON, "-c", textwrap.dedent(script), "--host", "127.0.0.1", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=True,
    )
    assert "Lost: SystemExit" in done.stdout
    assert "Ctrl-C stops." not in done.stdout


def test_no_other_machine_is_contacted(tmp_path: Path) -> None:
    contacts = tmp_path / "contacts"
    with start(tmp_path, PYTHONPATH=WATCH, CONTACTS=contacts) as app:
        assert get(app.url).status_code == 200
        assert classify(app)["mlp"]["digit"] == 7
        # Nor for somebody else.
        address = "http://example.invalid/x.png"
        assert ask(app, "GET", f"/gradio_api/file={address}")[0] == 404
        file = {"path": address, "meta": {"_type": "gradio.FileData"}}
        for data in ([None, "int8", file], [[[file]], "int8"], [{"x": file}]):
            answer = post(app.url + CLASSIFY, {"data": data})
            assert answer.status_code == 500
            assert answer.json()["error"].startswith("A file was named; expected strokes or a PNG")
        assert app.stop() == 0
        assert "Traceback" not in app.printed("stderr")
    assert contacts.read_text(encoding="utf-8").splitlines() == ["watching"]


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("socket.create_connection(('192.0.2.1', 80))", "getaddrinfo 192.0.2.1"),
        ("socket.socket().connect(('192.0.2.1', 80))", "connect ('192.0.2.1', 80)"),
        ("urllib.request.urlopen('http://example.invalid')", "getaddrinfo example.invalid"),
        ("asyncio.run(asyncio.open_connection('192.0.2.1', 80))", "connect ('192.0.2.1', 80)"),
    ],
)
def test_a_contact_with_another_machine_would_be_noticed(
    tmp_path: Path, statement: str, line: str
) -> None:
    contacts = tmp_path / "contacts"
    code = f"import asyncio, socket, urllib.request\ntry: {statement}\nexcept OSError: pass"
    variables = {"PYTHONPATH": str(WATCH), "CONTACTS": str(contacts)}
    subprocess.run([PYTHON, "-c", code], env=variables, check=True)
    assert contacts.read_text(encoding="utf-8").splitlines() == ["watching", line]


def test_ipv6_is_served_as_well(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("This machine has no IPv6.")
    with start(tmp_path, "--host", "::1") as app:
        assert app.url.startswith("http://[::1]:")
        assert classify(app)["mlp"]["digit"] == 7


# Damaged models, and another variant at first


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[App]:
    """The app with a model of which one byte is wrong."""
    folder = tmp_path_factory.mktemp("damaged")
    file = shutil.copytree(models_folder, folder / "models") / "dense" / "int8.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with start(folder, "--models", folder / "models", "--variant", "float32") as running:
        yield running


def test_a_damaged_model_is_left_out_and_the_others_answer(damaged: App) -> None:
    file = damaged.folder / "models" / "dense" / "int8.tflite"
    assert f"edge_app: Model 'dense' is left out: {file} is corrupt" in damaged.printed("stderr")
    left = "Models:  Multi-layer Perceptron, Convolutional Network\n"
    assert left in damaged.printed("stdout")
    assert {name: answer["digit"] for name, answer in classify(damaged).items()} == {
        "mlp": 7,
        "cnn": 7,
    }
    assert [model["name"] for model in canvas(damaged)["models"]] == ["mlp", "cnn"]


def test_the_page_starts_with_the_variant_that_was_asked_for(damaged: App, app: App) -> None:
    for running, variant in ((damaged, "float32"), (app, "int8")):
        variants = canvas(running)["variants"]
        assert [each["name"] for each in variants if each["chosen"]] == [variant]


def canvas(app: App) -> dict[str, Any]:
    """What the page gives its canvas."""
    components = get(f"{app.url}/config").json()["components"]
    [component] = [each["props"] for each in components if each["props"].get("elem_id") == "canvas"]
    properties = component["props"]
    assert isinstance(properties, dict)
    return properties


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


def test_without_a_password_the_page_asks_for_one_and_shows_nothing(locked: App) -> None:
    page = get(locked.url)
    assert '"auth_required":true' in page.text
    assert "js_on_load" not in page.text
    for path in ("/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x"):
        assert get(locked.url + path).status_code == 401
    for path in ("run/classify", "api/classify", "call/classify", "queue/join"):
        refused = post(f"{locked.url}/gradio_api/{path}", {"data": [SEVEN, "int8"]})
        assert refused.status_code == 401
    call = {"component_id": 1, "fn_name": "answer", "session_hash": "x", "data": {}}
    assert post(f"{locked.url}/gradio_api/component_server/", call).status_code == 401
    with pytest.raises(AuthenticationError):
        client(locked.url)


@pytest.mark.parametrize("pair", [("anna", "pass:word"), ("zoë", "übermäßig")])
def test_who_has_a_password_may_enter(locked: App, pair: tuple[str, str]) -> None:
    gradio = client(locked.url, auth=pair)
    assert gradio.predict(SEVEN, api_name="/classify")["mlp"]["digit"] == 7
    gradio.close()


@pytest.mark.parametrize("pair", [("anna", "übermäßig"), ("anna", ""), ("bo", "pass:word")])
def test_a_wrong_password_does_not_open(locked: App, pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="Could not login"):
        client(locked.url, auth=pair)


def test_passwords_are_printed_nowhere(locked: App) -> None:
    assert "word" not in locked.printed("stdout") + locked.printed("stderr")


# What may be sent

FILE = (
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="f.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
)
"""A file of one byte, in a form: Gradio's own bound on a file's size lets it through."""


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/upload/",
        "/gradio_api//upload",
        "//gradio_api/upload",
        "/gradio_api/./upload",
        "/gradio_api/run/../upload",
        "/gradio_api/UPLOAD",
        "/gradio_api/%75pload",
        "/gradio_api/upload%2F",
        "/gradio_api/upload%0A",
        "/gradio_api/upload?upload_id=x",
        "/upload",
        "http://127.0.0.1/gradio_api/upload",
    ],
)
def test_nothing_can_be_uploaded(app: App, path: str) -> None:
    files = app.files()
    kind = "multipart/form-data; boundary=b"
    status, content = ask(app, "POST", path, FILE, content_type=kind, content_length=str(len(FILE)))
    assert status == 403
    assert b"Nothing can be uploaded or changed here; send a drawing." in content
    assert app.files() == files
    assert classify(app)["mlp"]["digit"] == 7


def test_no_file_gets_in_by_the_routes_that_are_open(app: App) -> None:
    files = app.files()
    for route in ("gradio_api/component_server", "gradio_api/run/classify", "login"):
        form = {"files": ("f.txt", b"two")}
        answer = httpx.post(f"{app.url}/{route}", files=form, trust_env=False)
        assert answer.status_code in {413, 422}
    assert app.files() == files
    assert classify(app)["mlp"]["digit"] == 7


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "post"])
@pytest.mark.parametrize("path", ["/", CLASSIFY, "/gradio_api/upload"])
def test_nothing_can_be_changed(app: App, method: str, path: str) -> None:
    assert ask(app, method, path)[0] == 403
    assert classify(app)["mlp"]["digit"] == 7


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
    assert classify(app)["mlp"]["digit"] == 7


@pytest.mark.parametrize("length", ["-5", "five", "1e3", "9" * 30])
def test_a_length_that_is_no_length_is_refused(app: App, length: str) -> None:
    status, _ = ask(app, "POST", CLASSIFY, content_length=length)
    assert status in {400, 413}
    assert classify(app)["mlp"]["digit"] == 7


# What may be seen


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/monitoring/summary",
        "/monitoring/x",
        "/gradio_api/runs",
        "/gradio_api/run-history/buckets",
        "/gradio_api/mcp/sse",
        "/gradio_api/vibe-code",
        "/docs",
        "/gradio_api/file=/etc/hostname",
        "/gradio_api/file=README.md",
        f"/gradio_api/file={ROOT / 'README.md'}",
        f"/gradio_api/file={ROOT / 'models' / 'mlp' / 'card.json'}",
        "/gradio_api/file/README.md",
        "/static/../../../../edge_app/page/layout.py",
        "/static/..%2F..%2F..%2Fblocks.py",
        "/gradio_api/proxy=http://192.0.2.1/",
        "/gradio_api/file=http://192.0.2.1/x.png",
        "/gradio_api//file=http://192.0.2.1/x.png",
        "/gradio_api/%66ile=http://192.0.2.1/x.png",
    ],
)
def test_nothing_but_the_page_and_the_api_can_be_seen(app: App, path: str) -> None:
    status, content = ask(app, "GET", path)
    assert status == 404
    assert b"There is nothing here; the page is at /." in content


def test_the_page_links_to_nothing_of_gradio_s(app: App) -> None:
    config = get(f"{app.url}/config").json()
    assert config["footer_links"] == []
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
    assert config["title"] == "Draw a digit"


def test_the_page_comes_compressed_and_answers_as_they_are(app: App) -> None:
    page = get(f"{app.url}/")
    assert page.headers["content-encoding"] == "gzip"
    assert int(page.headers["content-length"]) < 30_000 < len(page.content)
    assert "content-encoding" not in get(f"{app.url}/config").headers


def call_sheet(app: App, name: object) -> httpx.Response:
    """Ask for a sheet as the page does."""
    components = get(f"{app.url}/config").json()["components"]
    number = next(each["id"] for each in components if each["props"].get("elem_id") == "tabs")
    content = {"session_hash": "x", "component_id": number, "fn_name": "sheet", "data": name}
    return post(f"{app.url}/gradio_api/component_server/", content)


def test_sheets_are_read_by_name(app: App) -> None:
    assert call_sheet(app, "models").json()["title"] == "Models"
    assert call_sheet(app, "device").json()["title"] == "Device"


@pytest.mark.parametrize("name", ["benchmark", "", "../models", None, 3, ["models"], {"a": 1}])
def test_a_sheet_that_there_is_not_is_null(app: App, name: object) -> None:
    answer = call_sheet(app, name)
    assert (answer.status_code, answer.json()) == (200, None)


def test_the_api_is_the_one_function(app: App) -> None:
    api = get(f"{app.url}/gradio_api/info").json()
    assert list(api["named_endpoints"]) == ["/classify"]
    assert api["unnamed_endpoints"] == {}
    parameters = api["named_endpoints"]["/classify"]["parameters"]
    assert {each["parameter_name"]: each["parameter_default"] for each in parameters} == {
        "strokes": None,
        "variant": "int8",
        "image": None,
    }
    assert all(each["parameter_has_default"] for each in parameters)
