"""The app as a systemd service: its unit file, and the message that it has started."""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

from edge_app.errors import UserError
from edge_app.paths import ROOT

NAME = "digit-canvas"
FOLDER = Path("/etc/systemd/system")
STATE = Path("/var/lib") / NAME
"""Where the service may write: systemd's StateDirectory."""
_UNIT = Path(__file__).parent / "service.ini"
_SECRETS = ("auth_file", "certificate", "key")
"""Options whose files systemd reads as root, and hands to the service alone (LoadCredential)."""


class ServiceError(UserError):
    """A service that cannot be installed."""


def unit(arguments: argparse.Namespace) -> str:
    """The text of the unit file for this installation (systemd.service(5), systemd.exec(5)).

    Args:
        arguments: the app's own, and ``user``: who runs it, None for a user that systemd makes up.

    Raises:
        ServiceError: drawings are to be stored where the service may not write.
    """
    secrets = {name: path for name in _SECRETS if (path := getattr(arguments, name))}
    options = {
        "--host": [arguments.host],
        "--port": [str(arguments.port)],
        "--allow-host": arguments.allow_host,
        "--models": [str(arguments.models.resolve())],
        "--variant": [arguments.variant],
        "--runtime": [arguments.runtime] if arguments.runtime else [],
        "--save-limit": [str(arguments.save_limit)],
        "--results": [str(STATE / "benchmark.json")],
    }
    if arguments.save_drawings:
        drawings = STATE / arguments.save_drawings  # An absolute path stays as it is.
        if not drawings.is_relative_to(STATE):
            raise ServiceError(
                f"The service can write only to {STATE}; give --save-drawings a name in it, such "
                f"as {drawings.name}."
            )
        options["--save-drawings"] = [str(drawings)]
    words = [word for name, values in options.items() for each in values for word in (name, each)]
    command = [sys.executable, "-m", "edge_app", *words]
    # These begin with a specifier, %d, which must stay as it is.
    credentials = "".join(f" --{name.replace('_', '-')} %d/{name}" for name in secrets)
    # Of home folders it sees what it needs: the project, the models, and Python.
    visible = {ROOT, arguments.models.resolve(), Path(sys.prefix), Path(sys.base_prefix)}
    private = arguments.port == 0 or arguments.port >= 1024
    return _UNIT.read_text(encoding="utf-8").format(
        command=" ".join(map(_quote, command)) + credentials,
        credentials="\n".join(
            f"LoadCredential={name}:{_escape(str(path.resolve()))}"
            for name, path in secrets.items()
        ),
        project=_escape(str(ROOT)),
        visible=" ".join(sorted(_quote(str(path)) for path in visible)),
        state=STATE.name,
        user=f"User={arguments.user}" if arguments.user else "DynamicUser=yes",
        # Ports below 1024 take a capability of the host's own users.
        private_users="yes" if private else "no",
        capabilities="" if private else "CAP_NET_BIND_SERVICE",
    )


def install(text: str) -> None:
    """Write the unit file, and start the service now and at every boot.

    Raises:
        ServiceError: it cannot be written, or systemd refuses it.
    """
    try:
        (FOLDER / f"{NAME}.service").write_text(text, encoding="utf-8")
        for words in (["daemon-reload"], ["enable", NAME], ["restart", NAME]):
            subprocess.run(["systemctl", *words], check=True)  # noqa: S607 - Wherever it is.
    except OSError as error:
        command = shlex.join(["sudo", *sys.orig_argv])
        raise ServiceError(
            f"{error.filename} cannot be used ({error.strerror}); a service is installed by root "
            f"on a system with systemd: {command}"
        ) from error
    except subprocess.CalledProcessError as error:
        raise ServiceError(
            f"systemctl {error.cmd[1]} failed; journalctl -u {NAME} says why."
        ) from error


def notify_ready() -> None:
    """Tell systemd, if it started this process, that browsers are answered (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.sendto(b"READY=1", address.replace("@", "\0", 1))


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quote(word: str) -> str:
    """A word of a command or a list, where quotes, dollars and percent signs have a meaning."""
    escaped = _escape(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"' if escaped != word or set(word) & set(" '\t") else word
