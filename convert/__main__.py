"""The converter's command line: ``python -m convert train``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from convert.architectures import ARCHITECTURES
from edge_app.errors import UserError
from edge_app.interpreter import find_runtime

DESCRIPTION = """\
Train the models with full TensorFlow and export each as a folder that the edge app serves:
the original (model.keras), its quantized variants (float32, float16, dynamic and int8 .tflite),
the original's answers on the test set (reference.npz) and a card (card.json) that says how all of
it was made. Every file is tried in the edge interpreter before it replaces an older one.
"""

EXAMPLES = """\
examples:
  python -m convert train                     every model, on MNIST as Keras downloads it
  python -m convert train dense --data DIR    one model, on the IDX files in DIR
  python -m convert train --drawings FILE     every model, on MNIST and drawn digits
"""


def main() -> int:
    """Run the command; returns its exit status."""
    arguments = _parser().parse_args()
    # TensorFlow's start-up notes are no news to a user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        # Before TensorFlow: some versions of it, imported first, break the edge runtime.
        find_runtime()
        pipeline = _import_pipeline()
        names = list(dict.fromkeys(arguments.names or ARCHITECTURES))
        pipeline.train(
            names,
            arguments.data,
            arguments.drawings,
            arguments.out,
            allow_other=arguments.allow_other_data,
        )
    except UserError as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        place = error.filename or arguments.out
        print(f"convert: {place} cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _import_pipeline() -> ModuleType:
    try:
        return importlib.import_module("convert.pipeline")
    except ModuleNotFoundError as error:
        if error.name not in {"keras", "tensorflow"}:
            raise
        raise UserError(
            f"{error.name} is not installed; run: pip install -r requirements-dev.txt"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m convert",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="train")
    train = commands.add_parser(
        "train",
        help="train models and export them",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        type=_architecture,
        help=f"models to train: {', '.join(ARCHITECTURES)} (default: all of them)",
    )
    train.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST's four IDX files, plain or .gz "
        "(default: download what Keras downloads, once, into its cache)",
    )
    train.add_argument(
        "--drawings",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="files of drawn digits to train on besides: UCI's pendigits-orig.tra, or JSON Lines "
        '({"label": 3, "strokes": [[[x, y], ...], ...]}); plain or .gz',
    )
    train.add_argument(
        "--allow-other-data",
        action="store_true",
        help="train on IDX files that are not MNIST; the card will name them",
    )
    train.add_argument(
        "--out",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="models' folder to write to; a model of the same name is replaced (default: models)",
    )
    return parser


def _architecture(name: str) -> str:
    if name not in ARCHITECTURES:
        raise argparse.ArgumentTypeError(
            f"unknown model {name!r}; expected {' or '.join(ARCHITECTURES)}"
        )
    return name


if __name__ == "__main__":
    sys.exit(main())
