"""The edge app's command line."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from edge_app.device.addresses import urls
from edge_app.device.invitation import invitation
from edge_app.digits.collection import DEFAULT_LIMIT, Collection, parse_size
from edge_app.errors import UserError
from edge_app.models.card import CARD, VARIANTS, record_file
from edge_app.models.classifier import Classifier, ModelError, load_models
from edge_app.models.folder import load_bare_models
from edge_app.models.interpreter import find_runtime
from edge_app.page.tabs.benchmark import benchmark_sheet
from edge_app.page.tabs.content import Sheets
from edge_app.page.tabs.device import device_sheet
from edge_app.page.tabs.models import models_sheet
from edge_app.paths import MODELS, results_path
from edge_app.server.credentials import read_credentials
from edge_app.server.server import listen, serve

DESCRIPTION = """\
Serve a canvas to draw digits on, to every phone and computer on the local network. Each model says
what it reads while you draw. Nothing is uploaded or sent elsewhere, and nothing is stored unless
you ask for it.
"""

EXAMPLES = """\
examples:
  python -m edge_app                        the LAN, port 7860
  python -m edge_app --host 127.0.0.1       this device only
  python -m edge_app --auth-file users.txt  only who has a password (lines of user:password)
"""


def main() -> int:
    """Run the command; returns its exit status."""
    arguments = _parser().parse_args()
    try:
        run(arguments)
    except UserError as error:
        print(f"edge_app: {error}", file=sys.stderr)
        return 1
    return 0


def run(arguments: argparse.Namespace) -> None:
    """Check everything that can be wrong, the quick things first; then serve."""
    collection = None
    if arguments.save_drawings:
        collection = Collection(arguments.save_drawings, arguments.save_limit, _report)
    credentials = read_credentials(arguments.auth_file) if arguments.auth_file else None
    runtime = find_runtime()
    models: dict[str, Classifier] = {**load_models(arguments.models, report=_report)}
    cards = {name: record_file(arguments.models / name / CARD).sha256 for name in models}
    models |= load_bare_models(arguments.models, models, _report)
    if not models:
        raise ModelError(
            f"No model to serve in {arguments.models}; expected folders with a card.json, "
            "as python -m convert makes them, or .tflite files."
        )
    listener = listen(arguments.host, arguments.port)
    host, port = listener.getsockname()[:2]

    print(f"Runtime: {runtime.name} {runtime.version}")
    print(f"Models:  {', '.join(model.title for model in models.values())}", flush=True)
    if collection:
        print(f"Stores:  drawings in {collection.path}, {collection.count:,} so far", flush=True)

    addresses = partial(urls, host, port)
    sheets: Sheets = {
        "models": partial(models_sheet, models),
        "device": partial(device_sheet, addresses),
        "benchmark": partial(benchmark_sheet, arguments.results, cards),
    }

    def ready() -> None:
        print(invitation(addresses(), sys.stdout))
        print("Ctrl-C stops.", flush=True)

    with listener:
        serve(listener, models, arguments.variant, credentials, collection, sheets, ready)


def _report(sentence: str) -> None:
    print(f"edge_app: {sentence}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edge_app",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host",
        default="0.0.0.0",  # noqa: S104 - The LAN is whom this serves.
        help="address to listen on (default: 0.0.0.0, every network of this device)",
    )
    parser.add_argument("--port", type=int, default=7860, help="port (default: 7860; 0: any free)")
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
        help="quantization that the page starts with (default: int8); it can be changed there",
    )
    parser.add_argument(
        "--auth-file",
        type=Path,
        metavar="FILE",
        help="file of lines user:password, readable by its owner only: who may open the page",
    )
    parser.add_argument(
        "--save-drawings",
        type=Path,
        metavar="FILE",
        help="offer in the page to store a drawing with its label, in this file (JSON Lines); "
        "without it nothing is stored",
    )
    parser.add_argument(
        "--save-limit",
        type=_size,
        default=DEFAULT_LIMIT,
        metavar="SIZE",
        help=f"largest size of that file (default: {DEFAULT_LIMIT // 10**6}MB)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=results_path(),
        metavar="FILE",
        help="what the page shows as the last benchmark, where there is such a file "
        "(default: where python -m benchmarks leaves it)",
    )
    return parser


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
