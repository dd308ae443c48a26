"""The systemd service: its unit file, its installation, and the message that it has started."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from app import PATIENCE_S, PYTHON, ROOT, start
from edge_app import service
from edge_app.service import ServiceError, install, notify_ready


def printed(*options: str | Path) -> str:
    """The unit that the command prints."""
    command = [PYTHON, "-m", "edge_app", "service", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def line(text: str, name: str) -> str:
    [found] = re.findall(f"^{name}=(.*)$", text, re.MULTILINE)
    return str(found)


def analyze(text: str, folder: Path, *words: str) -> str:
    """What systemd says of a unit."""
    if shutil.which("systemd-analyze") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("systemd is not installed")
    path = folder / "digit-canvas.service"
    path.write_text(text, encoding="utf-8")
    command = ["systemd-analyze", *words, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_systemd_finds_no_fault_in_it_and_little_exposed(tmp_path: Path) -> None:
    text = printed()
    assert analyze(text, tmp_path, "verify") == ""
    report = analyze(text, tmp_path, "security", "--offline=yes")
    exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", report)
    assert exposure
    assert float(exposure[1]) <= 1.5
    assert line(text, "DynamicUser") == "yes"
    assert line(text, "WorkingDirectory") == str(ROOT)


def test_options_paths_and_secrets_are_passed_on(tmp_path: Path) -> None:
    odd = tmp_path / "odd 5%"
    odd.mkdir()
    text = printed(
        *("--port", "80", "--allow-host", "a.example", "--allow-host", "b.example"),
        *("--auth-file", tmp_path / "users", "--save-drawings", "mine.jsonl", "--user", "pi"),
        *("--models", odd, "--runtime", "tflite-runtime"),
    )
    assert analyze(text, tmp_path, "verify") == ""
    command = line(text, "ExecStart")
    for words in (
        *("--port 80", "--allow-host a.example --allow-host b.example", "--runtime tflite-runtime"),
        *("--auth-file %d/auth_file", "--save-drawings /var/lib/digit-canvas/mine.jsonl"),
    ):
        assert words in command
    assert f'"{tmp_path}/odd 5%%"' in command
    assert line(text, "LoadCredential") == f"auth_file:{tmp_path}/users"
    assert line(text, "User") == "pi"
    assert line(text, "CapabilityBoundingSet") == "CAP_NET_BIND_SERVICE"
    assert f'"{tmp_path}/odd 5%%"' in line(text, "BindReadOnlyPaths")


def test_drawings_are_stored_only_where_the_service_may_write(tmp_path: Path) -> None:
    command = [PYTHON, "-m", "edge_app", "service", "--save-drawings", str(tmp_path / "d.jsonl")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "can write only to /var/lib/digit-canvas; give --save-drawings a name" in done.stderr


def test_the_service_s_options_need_the_service() -> None:
    command = [PYTHON, "-m", "edge_app", "--install"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--install and --user go with service" in done.stderr


def test_it_is_written_enabled_and_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, calls = tmp_path / "systemctl", tmp_path / "calls"
    fake.write_text(f'#!/bin/sh\necho "$@" >>{calls}\n[ "$1" != "$FAILS" ]\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(service, "FOLDER", tmp_path)
    install("the unit")
    assert (tmp_path / "digit-canvas.service").read_text() == "the unit"
    done = calls.read_text().splitlines()
    assert done == ["daemon-reload", "enable digit-canvas", "restart digit-canvas"]
    monkeypatch.setenv("FAILS", "enable")
    with pytest.raises(ServiceError, match=r"^systemctl enable failed; "):
        install("the unit")
    fake.unlink()
    with pytest.raises(ServiceError, match=r"^systemctl cannot be used \(No such file"):
        install("the unit")
    monkeypatch.setattr(service, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(ServiceError, match=r"is installed by root on a system with systemd: sudo"):
        install("the unit")


@pytest.mark.parametrize("name", ["{folder}/notify", "@digits-{process}"])
def test_systemd_is_told_when_it_has_started(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = name.format(folder=tmp_path, process=os.getpid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address.replace("@", "\0"))
        supervisor.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify_ready()
        assert supervisor.recv(100) == b"READY=1"


@pytest.mark.slow
def test_the_app_tells_it(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(PATIENCE_S)
        with start(tmp_path, NOTIFY_SOCKET=address):
            assert supervisor.recv(100) == b"READY=1"
