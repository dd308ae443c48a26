"""The edge app's command line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TextIO

from edge_app.device.addresses import urls
from edge_app.device.history import History
from edge_app.device.invitation import invitation
from edge_app.digits.collection import DEFAULT_LIMIT, Collection
from edge_app.models.answers import choices
from edge_app.models.card import CARD, VARIANTS, record_file
from edge_app.models.classifier import Model
from edge_app.models.folder import ModelError, load_folder
from edge_app.models.interpreter import RUNTIMES, choose_runtime, find_runtime
from edge_app.page.tabs.benchmark import benchmark_sheet
from edge_app.page.tabs.content import Sheets
from edge_app.page.tabs.device import device_sheet
from edge_app.page.tabs.invite import invite_sheet
from edge_app.page.tabs.models import models_sheet
from edge_app.paths import MODELS, results_path
from edge_app.server.access.access import Access
from edge_app.server.access.certificate import read_certificate
from edge_app.server.access.credentials import read_credentials
from edge_app.server.access.hosts import Hosts
from edge_app.server.memory import give_back_freed_memory
from edge_app.server.server import listen, serve
from edge_app.service import install, notify_ready, unit

DESCRIPTION = """\
Serve a canvas to draw digits on, to every phone and computer on the local network. Each model says
what it reads as you draw. Nothing leaves this device, and nothing is stored unless you ask for it.
"""

EXAMPLES = """\
examples:
  python -m edge_app                        the LAN, port 7860
  python -m edge_app --host 127.0.0.1       this device only
  python -m edge_app --auth-file users.txt  require a login (one user:password per line)
  sudo .venv/bin/python -m edge_app service --install
                                            start it now and at every boot, with systemd
"""

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def main() -> None:
    """Parse the command line, check everything that can be wrong, quick checks first, and serve.

    Raises:
        UserError: the app cannot start.
    """
    arguments = _parse()
    if arguments.command == "service":
        text = unit(arguments)
        if arguments.install:
            install(text)
        else:
            print(text, end="")
        return
    give_back_freed_memory()
    access = Access(
        Hosts(arguments.allow_host),
        read_credentials(arguments.auth_file) if arguments.auth_file else None,
        read_certificate(arguments.certificate, arguments.key),
    )
    collection = None
    if arguments.save_drawings:
        collection = Collection(arguments.save_drawings, arguments.save_limit, _report)
    listener = listen(arguments.host, arguments.port)
    host, port = listener.getsockname()[:2]
    if arguments.runtime:
        choose_runtime(arguments.runtime)
    runtime = find_runtime()
    models = load_folder(arguments.models, _report)
    cards = {
        name: record_file(arguments.models / name / CARD).sha256
        for name, model in models.items()
        if isinstance(model, Model)
    }
    if not models:
        raise ModelError(
            f"No model to serve in {arguments.models}; expected folders with a card.json, "
            "as python -m convert makes them, or .tflite files."
        )

    _say(f"Runtime: {runtime.name} {runtime.version}")
    _say(f"Models:  {', '.join(model.title for model in models.values())}")
    if collection:
        _say(f"Stores:  drawings in {collection.path}, {collection.count:,} so far")

    if arguments.variant not in (variants := choices(models)):  # No model may have it.
        arguments.variant = variants[0]
    addresses = partial(urls, host, port, "https" if access.certificate else "http")
    history = History()
    sheets: Sheets = {
        "models": partial(models_sheet, models),
        "device": partial(device_sheet, addresses, history),
        "invite": partial(invite_sheet, addresses),
        "benchmark": partial(benchmark_sheet, arguments.results, cards),
    }

    def ready() -> None:
        _say(invitation(addresses(), sys.stdout))
        _say("Ctrl-C stops.")
        notify_ready()

    with listener:
        serve(listener, models, arguments.variant, access, collection, sheets, ready, history)


def _report(sentence: str) -> None:
    _say(f"edge_app: {sentence}", sys.stderr)


def _say(text: str, stream: TextIO | None = None) -> None:
    """Print, as long as someone reads; the app goes on without."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except OSError:  # As after "| head -1". Python complains at its end unless it can write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m edge_app",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        metavar="service",
        help="print a systemd unit that runs the app with these options",
    )
    parser.add_argument(
        "--install", action="store_true", help="with service: install and start it, as root"
    )
    parser.add_argument(
        "--user", metavar="NAME", help="with service: who runs it (default: a user of its own)"
    )
    parser.add_argument(
        "--host",
        default="0.0.0.0",  # noqa: S104 - It serves the LAN.
        help="address to listen on (default: 0.0.0.0, every network of this device)",
    )
    parser.add_argument("--port", type=int, default=7860, help="port (default: 7860; 0: any free)")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name by which browsers reach this device, such as a reverse proxy's; "
        "can be given several times",
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=MODELS,
        metavar="DIR",
        help="folder with a folder per model, or .tflite files (default: the project's models)",
    )
    parser.add_argument(
        "--variant",
        choices=VARIANTS,
        default="int8",
        help="quantization the page starts with (default: int8); visitors can change it",
    )
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        help="what runs the models (default: the first one of these that is installed)",
    )
    parser.add_argument(
        "--auth-file",
        type=Path,
        metavar="FILE",
        help="require a login; one user:password per line, in a file only you can read (chmod 600)",
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="serve https with this certificate (PEM)"
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="the certificate's private key (PEM)"
    )
    parser.add_argument(
        "--save-drawings",
        type=Path,
        metavar="FILE",
        help="let visitors store labelled drawings in this file (JSON Lines); "
        "without this option nothing is stored",
    )
    parser.add_argument(
        "--save-limit",
        type=parse_size,
        default=DEFAULT_LIMIT,
        metavar="SIZE",
        help=f"largest size of that file (default: {DEFAULT_LIMIT // 10**6}MB)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=results_path(),
        metavar="FILE",
        help="benchmark result to show in the page (default: the latest one on this device)",
    )
    arguments = parser.parse_args()
    # Not argparse's choices: they would blame the 3 of "--prot 3".
    if arguments.command not in {None, "service"}:
        parser.error(f"unknown command {arguments.command!r}; the only one is service")
    if (arguments.install or arguments.user) and not arguments.command:
        parser.error("--install and --user go with service: python -m edge_app service --install")
    return arguments


def parse_size(text: str) -> int:
    """Bytes from a number with or without a unit: "50 MB", "1.5GB", "200000".

    Raises:
        ArgumentTypeError: the text is something else, or less than one byte.
    """
    number = r"([0-9]{1,15}(?:\.[0-9]{1,15})?)"
    match = re.fullmatch(rf"{number} *([kMG]?)B?", text.strip(), re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if size < 1:
        raise argparse.ArgumentTypeError(
            f"invalid size {text!r}; expected something like 50MB, 1.5GB or 200kB"
        )
    return size
