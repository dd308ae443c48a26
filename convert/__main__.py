"""The converter's command line: ``python -m convert train``, ``add`` and ``report``."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from convert.training.architectures import ARCHITECTURES
from edge_app.digits.normalization import NORMALIZATIONS
from edge_app.errors import UserError
from edge_app.models.interpreter import PIXELS, find_runtime

DESCRIPTION = """\
Make models for the edge app with full TensorFlow, each as a folder: the original (model.keras), its
quantized variants (float32, float16, dynamic and int8 .tflite), the original's answers on the test
set (reference.npz) and a card (card.json) that says how all of it was made. Every file is tried in
the edge interpreter before it replaces an older one. "report" measures what the models can do.
"""

TRAIN = """\
Train the models that ship, each from three seeds, and export the best of each by validation data; a
model of the same name is replaced by a whole one. "mlp" learns from "cnn": from the one that stands
in the models' folder, unless both are trained. All of it takes over an hour on two cores. When it
is interrupted, the same command goes on with the last whole epoch.
"""

TRAIN_EXAMPLES = """\
examples:
  python -m convert train                     every model, on MNIST as Keras downloads it
  python -m convert train dense --data DIR    one model, on the IDX files in DIR
  python -m convert train --drawings FILE     every model, on MNIST and drawn digits
"""

ADD = """\
Add a classifier of digits of your own: a Keras model that takes 28x28, 28x28x1 or 784 pixels,
bright ink on dark, and gives ten logits or probabilities. What its file does not tell is found out
on MNIST's validation images. Only add models from people you trust: a model is a program.
"""

ADD_EXAMPLES = """\
examples:
  python -m convert add my.keras --name mine               a Keras file, .keras or .h5
  python -m convert add exported --name mine --replace     a SavedModel folder; model.export makes
                                                           one of any model, custom layers included
"""

REPORT = """\
Measure models as their files are, and print a Markdown table: int8, in the edge interpreter, beside
the original, in TensorFlow, on MNIST's test set. Drawings add the test part of each file: what
"train", given the same file, keeps from training. Where the file names people, they are others.
"""

REPORT_EXAMPLES = """\
examples:
  python -m convert report                    every model
  python -m convert report mlp                one model
  python -m convert report --drawings FILE    on drawn digits, too
  python -m convert report > table.md         the table in a file; all else is on standard error
"""


def main() -> int:
    """Run the command; returns its exit status."""
    arguments = _parser().parse_args()
    # TensorFlow's start-up notes are no news to a user, and that it compiles each of several models
    # is no warning.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        # Before TensorFlow: some versions of it, imported first, break the edge runtime.
        find_runtime()
        arguments.run(arguments)
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


def _train(arguments: argparse.Namespace) -> None:
    _import("convert.train").train(
        list(dict.fromkeys(arguments.names or ARCHITECTURES)),
        arguments.data,
        arguments.drawings,
        arguments.out,
        allow_other=arguments.allow_other_data,
    )


def _add(arguments: argparse.Namespace) -> None:
    addition = _import("convert.add")
    identity = addition.Identity(
        arguments.name,
        arguments.title or arguments.name,
        arguments.description or f"Brought as {arguments.model.name}.",
    )
    addition.add(
        arguments.model,
        identity,
        arguments.data,
        arguments.out,
        pixels=arguments.pixels,
        normalization=arguments.normalization,
        replace=arguments.replace,
        allow_other=arguments.allow_other_data,
    )


def _report(arguments: argparse.Namespace) -> None:
    _import("convert.report").report(
        arguments.names, arguments.models, arguments.data, arguments.drawings
    )


def _import(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in {"keras", "tensorflow"}:
            raise
        raise UserError(
            f"{error.name} is not installed; run: pip install -r requirements-dev.txt"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m convert", description=DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = _command(commands, "train", "train the models that ship", TRAIN, TRAIN_EXAMPLES)
    train.set_defaults(run=_train)
    train.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        type=_architecture,
        help=f"models to train: {', '.join(ARCHITECTURES)} (default: all of them)",
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
    _add_data_and_out(train)
    add = _command(commands, "add", "add a Keras model of your own", ADD, ADD_EXAMPLES)
    add.set_defaults(run=_add)
    add.add_argument(
        "model", type=Path, metavar="MODEL", help=".keras or .h5 file, or SavedModel folder"
    )
    add.add_argument(
        "--name",
        required=True,
        help="what programs call it: lower-case letters, digits and dashes",
    )
    add.add_argument("--title", help="what people call it (default: the name)")
    add.add_argument("--description", help="a sentence on what it is, for the card")
    add.add_argument(
        "--pixels",
        choices=PIXELS,
        help="scale of the pixels that it takes (default: the one with which it reads better)",
    )
    add.add_argument(
        "--normalization",
        choices=NORMALIZATIONS,
        help="what its images go through; box gives MNIST's own form (default: as above)",
    )
    add.add_argument(
        "--replace", action="store_true", help="replace a model of that name, if there is one"
    )
    _add_data_and_out(add)
    _add_report(commands)
    return parser


def _add_report(commands: Any) -> None:
    report = _command(commands, "report", "measure models", REPORT, REPORT_EXAMPLES)
    report.set_defaults(run=_report, out="standard output")
    report.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="models to measure, by their folders' names (default: all of them)",
    )
    report.add_argument(
        "--drawings",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="files of drawn digits, as for training",
    )
    report.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="models' folder to read (default: models)",
    )
    report.add_argument(
        "--data",
        type=Path,
        default=Path("benchmarks/mnist"),
        metavar="DIR",
        help="folder with MNIST's test set, two IDX files, plain or .gz "
        "(default: benchmarks/mnist)",
    )


def _command(
    commands: Any, name: str, summary: str, description: str, examples: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _add_data_and_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST's four IDX files, plain or .gz "
        "(default: download what Keras downloads, once, into its cache)",
    )
    parser.add_argument(
        "--allow-other-data",
        action="store_true",
        help="take IDX files that are not MNIST; the card will name them",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="models' folder to write to (default: models)",
    )


def _architecture(name: str) -> str:
    if name not in ARCHITECTURES:
        raise argparse.ArgumentTypeError(
            f"unknown model {name!r}; expected one of {', '.join(ARCHITECTURES)}"
        )
    return name


if __name__ == "__main__":
    sys.exit(main())
