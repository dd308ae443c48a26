"""Several processes behind nginx, with the configuration of ``edge_app/README.md``."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from app import App, client, component, get, start, until

pytestmark = pytest.mark.slow
SEVEN = [[[10, 10], [90, 10], [40, 100]]]
CLIENTS = 16


class Site(NamedTuple):
    """nginx, and the two processes behind it."""

    proxy: App
    apps: tuple[App, App]


@pytest.fixture
def nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("nginx is not installed")
    return found


@pytest.fixture
def site(tmp_path: Path, root: Path, nginx: str) -> Iterator[Site]:
    with contextlib.ExitStack() as stack:
        apps = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir()
            drawings = ("--save-drawings", folder / "drawings.jsonl")
            apps.append(stack.enter_context(start(folder, *drawings)))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        ports = [urlsplit(app.url).port or 0 for app in apps]
        command = [nginx, *options(tmp_path, configuration(root, port, *ports))]
        with (tmp_path / "stderr").open("wb") as stderr:
            process = subprocess.Popen(command, stderr=stderr)
        try:
            proxy = App(f"http://localhost:{port}", process, tmp_path)
            until(lambda: process.poll() is not None or answers(proxy))
            assert process.poll() is None, proxy.printed("stderr")
            yield Site(proxy, (apps[0], apps[1]))
        finally:
            process.terminate()
            process.wait()


def options(folder: Path, text: str) -> list[str]:
    """Those of an nginx with this configuration, which writes to the folder alone."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = " ".join(f"{kind}_temp_path {kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        "daemon off; worker_processes 1; pid nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {folders}\n{text} }}\n",
        encoding="utf-8",
    )
    return ["-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]


def configuration(root: Path, port: int, *apps: int) -> str:
    """The README's, with the ports of this test."""
    readme = (root / "edge_app" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.*?)```", readme, re.DOTALL)
    assert found
    text = found[1]
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:7861": f"127.0.0.1:{apps[0]}",
        "127.0.0.1:7862": f"127.0.0.1:{apps[1]}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    return text


def answers(proxy: App) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return get(f"{proxy.url}/health").status_code == 200
    return False


def test_page_tabs_storing_and_api_work_through_it(site: Site) -> None:
    page = get(site.proxy.url)
    assert page.status_code == 200
    assert "content-security-policy" in page.headers
    tabs = component(site.proxy, "tabs")["id"]
    canvas = component(site.proxy, "canvas")["id"]
    address = f"{site.proxy.url}/gradio_api/component_server/"
    drawings = [(canvas, "save", {"label": label, "strokes": SEVEN}) for label in range(10)]
    with httpx.Client(trust_env=False, timeout=120) as browser:
        for place, name, data in [(tabs, "sheet", "device"), *drawings]:
            asked = {"component_id": place, "fn_name": name, "data": data}
            headers = {"Origin": site.proxy.url}
            assert browser.post(address, json=asked, headers=headers).status_code == 200
    files = [app.folder / "drawings.jsonl" for app in site.apps]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 10
    assert all(file.stat().st_size for file in files)
    with contextlib.closing(client(site.proxy.url)) as program:
        for _ in range(4):  # Asks and fetches in two requests, which must reach one process.
            assert program.predict(SEVEN, api_name="/classify")["mlp"]["digit"] == 7


def test_who_draws_hardly_notices_that_a_process_dies(site: Site) -> None:
    call = {
        "component_id": component(site.proxy, "canvas")["id"],
        "fn_name": "answer",
        "data": {"strokes": SEVEN, "variant": "int8"},
    }
    failures = [0] * CLIENTS
    answered = [0] * CLIENTS
    ended = threading.Event()

    def draw(number: int) -> None:
        address = f"{site.proxy.url}/gradio_api/component_server/"
        with httpx.Client(trust_env=False, timeout=120) as browser:
            while not ended.is_set():
                try:
                    right = "answers" in browser.post(address, json=call).json()
                except (httpx.HTTPError, ValueError):
                    right = False
                answered[number] += right
                failures[number] += not right

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: min(answered) >= 5)
        site.apps[0].process.send_signal(signal.SIGKILL)
        before = [*answered]
        until(lambda: all(now >= then + 20 for now, then in zip(answered, before, strict=True)))
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert max(failures) <= 1
    assert get(site.proxy.url).status_code == 200


def test_https_and_a_login_at_the_proxy_can_be_turned_on(
    tmp_path: Path, root: Path, nginx: str
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("openssl is not installed")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *request.split(), *files], check=True, capture_output=True)
    text = configuration(root, 8080, 1, 2)
    text = re.sub(r"(?m)^( +)# (listen 443|ssl_|auth_)", r"\1\2", text)
    text = text.replace("/etc/nginx/", f"{tmp_path}/")
    tried = subprocess.run(
        [nginx, "-t", *options(tmp_path, text)], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr
    assert text.count("ssl_certificate") == 2
    assert "# auth" not in text
