"""The command line of the converter: ``python -m convert train``, ``add``, ``report`` and
``confusion``."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
from functools import partial
from pathlib import Path

from convert.training.architectures import ARCHITECTURES
from edge_app.digits.normalization import NORMALIZATIONS
from edge_app.errors import UserError
from edge_app.models.interpreter import PIXELS, find_runtime
from edge_app.paths import ROOT

TEST_SET = ROOT / "benchmarks" / "mnist"
"""MNIST's test set, which ships."""

DESCRIPTION = """\
Make models for the edge app with full TensorFlow. Each model is a folder: the original
(model.keras), its quantized variants (float32, float16, dynamic and int8 .tflite), the original's
answers on the test set (reference.npz) and a card (card.json) that says how they were made. Every
file is tried in the edge interpreter before it replaces an older one.
"""

TRAIN = """\
Train the models that ship, each with three seeds, and export the best of each by validation data. A
model of the same name is replaced. "mlp" learns from "cnn": from the one in the models folder, or
from the new one if both are trained. Training all models takes over an hour on two cores. If it is
interrupted, run the same command again: it resumes after the last finished epoch.
"""

TRAIN_EXAMPLES = """\
examples:
  python -m convert train                     every model, on MNIST as Keras downloads it
  python -m convert train dense --data DIR    one model, on the IDX files in DIR
  python -m convert train --drawings FILE     every model, on MNIST and drawn digits
"""

ADD = """\
Add your own digit classifier: a Keras model that takes 28x28, 28x28x1 or 784 pixels, bright ink on
dark, and gives ten logits or probabilities. What its file does not tell is found out on MNIST's
validation images. Only add models from people you trust: a model is a program.
"""

ADD_EXAMPLES = """\
examples:
  python -m convert add my.keras --name mine               a Keras file, .keras or .h5
  python -m convert add exported --name mine --replace     a SavedModel folder, which model.export
                                                           makes of any model, even with custom
                                                           layers
"""

REPORT = """\
Print a Markdown table of models: accuracies and sizes from their cards, and how many non-digits
they refuse. With drawings, it adds how they read the test part of each file, which "train" never
trains on. Where the file names its writers, that part is by other people.
"""

REPORT_EXAMPLES = """\
examples:
  python -m convert report                    every model
  python -m convert report mlp                one model
  python -m convert report --drawings FILE    on drawn digits too
  python -m convert report > table.md         the table in a file; progress is on standard error
"""

CONFUSION = """\
Count which digits each model takes for which on MNIST's test set, for the app's Models tab, and
record the result in the model's card. "train" and "add" do so by themselves; this is for models
that were made before they did.
"""


def main() -> None:
    """Run the command.

    Raises:
        UserError: its text tells the user what went wrong.
        SystemExit: the arguments are wrong, or only ask for help.
    """
    options = vars(_parser().parse_args())
    command = options.pop("command")
    # Hide TensorFlow's start-up notes, and its warning that every model is compiled.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        # Before TensorFlow: some versions of it, imported first, break the edge runtime.
        find_runtime()
        module = importlib.import_module(f"convert.{command}")
        getattr(module, command)(**options)
    except OSError as error:
        place = error.filename or options.get("out", "standard output")
        raise UserError(f"{place} cannot be written ({error.strerror}).") from error


def _parser() -> argparse.ArgumentParser:
    """Its arguments have the names of the parameters of the function that runs the command."""
    parser = argparse.ArgumentParser(prog="python -m convert", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    new = partial(commands.add_parser, formatter_class=argparse.RawDescriptionHelpFormatter)
    train = new("train", help="train the shipped models", description=TRAIN, epilog=TRAIN_EXAMPLES)
    add = new("add", help="add your own Keras model", description=ADD, epilog=ADD_EXAMPLES)
    report = new(
        "report", help="print a table of models", description=REPORT, epilog=REPORT_EXAMPLES
    )
    confusion = new(
        "confusion", help="count which digits models take for which", description=CONFUSION
    )
    for command, kind, names in (
        (train, _architecture, f"models to train: {', '.join(ARCHITECTURES)}"),
        (report, str, "models to report on, by their folders' names"),
        (confusion, str, "models to run, by their folders' names"),
    ):
        command.add_argument(
            "names", nargs="*", metavar="NAME", type=kind, help=f"{names} (default: all)"
        )
    for command, use in ((train, "train on as well"), (report, "report on")):
        command.add_argument(
            "--drawings",
            type=Path,
            nargs="+",
            default=[],
            metavar="FILE",
            help=f"files of drawn digits to {use}: UCI's pendigits-orig.tra, or JSON Lines "
            '({"label": 3, "strokes": [[[x, y], ...], ...]}); plain or .gz',
        )
    add.add_argument(
        "path", type=Path, metavar="MODEL", help=".keras or .h5 file, or SavedModel folder"
    )
    add.add_argument(
        "--name",
        required=True,
        help="what programs call it: lower-case letters, digits and dashes",
    )
    add.add_argument("--title", help="what people call it (default: the name)")
    add.add_argument("--description", help="a sentence about the model, for its card")
    add.add_argument(
        "--pixels",
        choices=PIXELS,
        help="scale of the pixels that it takes (default: the one with which it reads better)",
    )
    add.add_argument(
        "--normalization",
        choices=NORMALIZATIONS,
        help="what its images go through, where box gives MNIST's own form (default: the one with "
        "which it reads better)",
    )
    add.add_argument("--replace", action="store_true", help="replace the model of that name")
    for command in (train, add):
        command.add_argument(
            "--data",
            dest="folder",
            type=Path,
            metavar="DIR",
            help="folder with MNIST's four IDX files, plain or .gz "
            "(default: download what Keras downloads, once, into its cache)",
        )
        command.add_argument(
            "--allow-other-data",
            dest="allow_other",
            action="store_true",
            help="accept IDX files that are not MNIST; the card will name them",
        )
    confusion.add_argument(
        "--data",
        type=Path,
        default=TEST_SET,
        metavar="DIR",
        help="folder with the IDX files of the test set (default: the project's benchmarks/mnist)",
    )
    for command, option, name, use in (
        (train, "--out", "out", "write to"),
        (add, "--out", "out", "write to"),
        (report, "--models", "folder", "read"),
        (confusion, "--models", "folder", "read and write to"),
    ):
        command.add_argument(
            option,
            dest=name,
            type=Path,
            default=Path("models"),
            metavar="DIR",
            help=f"models folder to {use} (default: models)",
        )
    return parser


def _architecture(name: str) -> str:
    if name not in ARCHITECTURES:
        raise argparse.ArgumentTypeError(
            f"unknown model {name!r}; expected one of {', '.join(ARCHITECTURES)}"
        )
    return name
