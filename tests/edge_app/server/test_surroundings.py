"""The app where little is as usual: no PATH, nobody who reads, https, a supervisor."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import tempfile
import textwrap
from pathlib import Path

import httpx
import pytest

from app import App, get, launch, post, start, until
from edge_app.device.history import History
from edge_app.server.access.access import Access
from edge_app.server.access.certificate import CertificateError, read_certificate
from edge_app.server.access.hosts import Hosts
from edge_app.server.server import ServerError, listen, serve

pytestmark = pytest.mark.slow

CLASSIFY = "/gradio_api/run/classify"
SEVEN = {"data": [[[[10, 10], [90, 10], [40, 100]]]]}


@pytest.fixture(scope="module")
def certificate(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key, made by the command in the README."""
    if shutil.which("openssl") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("openssl is not installed")
    text = (root / "edge_app" / "README.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^openssl req (?:.*\\\n)*.*$", text, re.MULTILINE)
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        shlex.split(command.replace("\\\n", "")), cwd=folder, check=True, capture_output=True
    )
    return folder / "certificate.pem", folder / "key.pem"


def test_https_keeps_passwords_and_the_login_to_itself(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    users = tmp_path / "users.txt"
    users.touch(0o600)
    users.write_text("anna:secret")
    options = ("--certificate", certificate[0], "--key", certificate[1], "--auth-file", users)
    with start(tmp_path, *options) as app:
        assert app.url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(certificate[0]))
        trusted.check_hostname = False
        with httpx.Client(verify=trusted, trust_env=False) as visitor:
            assert visitor.post(app.url + CLASSIFY, json=SEVEN).status_code == 401
            login = {"username": "anna", "password": "secret"}
            answer = visitor.post(f"{app.url}/login", data=login)
            cookies = answer.headers.get_list("set-cookie")
            assert len(cookies) == 1
            assert "; Secure" in cookies[0]
            assert "; HttpOnly" in cookies[0]
            answers = visitor.post(app.url + CLASSIFY, json=SEVEN).json()["data"][0]
            assert answers["mlp"]["digit"] == 7


def test_a_certificate_that_cannot_be_used_is_refused(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    good, key = certificate
    assert read_certificate(None, None) is None
    assert read_certificate(good, key) == (good, key)
    locked = tmp_path / "locked.pem"
    command = f"openssl rsa -aes128 -passout pass:x -in {key} -out {locked}"
    subprocess.run(command.split(), check=True, capture_output=True)
    for first, second, sentence in [
        (good, None, "For https the app needs both --certificate FILE and --key FILE."),
        (None, key, "For https the app needs both"),
        (good, tmp_path / "none", "cannot be read (No such file or directory)."),
        (good, good, "are not a certificate and its key in PEM format"),
        (good, locked, "without a passphrase"),
    ]:
        with pytest.raises(CertificateError, match=re.escape(sentence)):
            read_certificate(first, second)


def test_a_supervisor_learns_which_models_serve(app: App) -> None:
    answer = get(f"{app.url}/health")
    assert answer.status_code == 200
    assert answer.json() == {"models": ["dense", "mlp", "cnn"]}


@pytest.mark.parametrize("closed", ["none", "stdout", "stderr", "pipe"])
def test_it_serves_without_a_path_and_without_a_reader(closed: str, tmp_path: Path) -> None:
    """What it prints goes nowhere, or to somebody who reads the first line only."""
    script = f"""
        import os, sys
        del os.environ["PATH"]
        if {closed!r} in ("stdout", "stderr"):
            os.close({"2" if closed == "stderr" else "1"})
        command = [sys.executable, "-m", "edge_app", *sys.argv[1:]]
        os.execv(sys.executable, command)
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
    reader, writer = os.pipe()
    program = textwrap.dedent(script)
    port, stdout = url.rpartition(":")[2], writer if closed == "pipe" else None
    with launch(tmp_path, "--port", port, script=program, stdout=stdout) as process:
        os.close(writer)
        with os.fdopen(reader) as lines:
            if closed == "pipe":
                assert lines.readline().startswith("Runtime: ")
        until(lambda: process.poll() is not None or answers(url))
        assert process.poll() is None
        process.terminate()
        assert process.wait() == 0
    printed = (tmp_path / "stdout").read_text() + (tmp_path / "stderr").read_text()
    assert "Error" not in printed


def answers(url: str) -> bool:
    try:
        return post(url + CLASSIFY, SEVEN).status_code == 200
    except httpx.TransportError:
        return False


def test_no_folder_for_temporary_files_is_an_error_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with (
        pytest.raises(ServerError, match="No folder for temporary files can be written to; set TM"),
        listen("127.0.0.1", 0) as listener,
    ):
        serve(listener, {}, "int8", Access(Hosts()), None, {}, lambda: None, History())
