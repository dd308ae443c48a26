"""The benchmarks' command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path

from benchmarks.report.comparison import Comparison, compare_results, read_result
from benchmarks.report.comparison_tables import comparison_tables
from benchmarks.report.device_tables import device_tables
from benchmarks.report.document import (
    ResultsFileError,
    check_writable,
    dump,
    shorten,
    to_json,
    write_text,
)
from benchmarks.report.drift_tables import drift_tables
from benchmarks.report.latency_tables import latency_tables
from benchmarks.report.markdown import fill, read_marked
from benchmarks.report.page import render
from benchmarks.report.serving_tables import serving_tables
from benchmarks.report.tables import Part
from benchmarks.report.terminal import print_parts, warn
from benchmarks.results import Results, Selection, measure
from edge_app.__main__ import INTERRUPTED
from edge_app.errors import UserError
from edge_app.models.card import VARIANTS
from edge_app.paths import MODELS, results_path

COMMANDS = ("drift", "latency", "serving", "all")

DESCRIPTION = """\
Measure every model on this device, each in its variants float32, float16,
dynamic and int8:

  drift    how far it has moved from the original that it was made from, on
           MNIST's 10,000 test images, on corrupted ones, and on your own
           drawings: accuracy and what was lost of it, agreement, flips, the
           probabilities, and the layer where the error enters
  latency  of one inference, as the app calls it, with each number of threads
           and each runtime that is installed; of loading; of normalization;
           and whether the times can be trusted
  serving  the app itself, and beside it a Gradio handler that does nothing:
           start, memory, drawings per second, the page in a browser. It starts
           servers on this device, and so is asked for by name
  all      drift and latency
"""

EXAMPLES = """\
The exit status is 1, with a sentence on standard error, when a model's int8 is
past the budget in its card (accuracy lost, agreement with the original, size),
or when a model could not be measured; the other models are measured all the
same. What cannot be timed in another runtime than the app's, or of the
originals in Keras, is only noted below the latencies. A .tflite file without a
card has no original to drift from: it gets its accuracy and latency. Nothing is
sent anywhere.

examples:
  python -m benchmarks --quick                  tables, within half a minute
  python -m benchmarks --html report.html       everything, with pictures
  python -m benchmarks drift --model mlp --drawings mine.jsonl
  python -m benchmarks --json new.json --compare old.json
  python -m benchmarks serving
"""


def main() -> int:
    """Run the command; returns its exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.what in {"latency", "serving"} and (arguments.drawings or arguments.originals):
        parser.error(f"--drawings and --originals are about drift, not {arguments.what}")
    if arguments.what == "serving" and (arguments.model or arguments.variant):
        parser.error("--model and --variant are not for serving: the app serves all of a folder")
    for name in {*arguments.model} & {*COMMANDS}:
        if not any(arguments.models.glob(f"{name}*")):  # No model is called so.
            parser.error(f"put {name!r} before --model, which takes all names that follow")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets a question mark, not a traceback.
            stream.reconfigure(errors="replace")
    try:
        return _run(arguments)
    except UserError as error:
        _complain(error)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: argparse.Namespace) -> int:
    for path in filter(None, (arguments.json, arguments.html, arguments.markdown)):
        check_writable(path)
    markdown = read_marked(arguments.markdown) if arguments.markdown else ""
    earlier = read_result(arguments.compare) if arguments.compare else None
    results = measure(_selection(arguments))
    document = to_json(results)
    comparison = compare_results(earlier, document) if earlier else None
    problems: list[object] = [*results.problems]
    # The files come first: whoever reads the tables through a pipe may close it early.
    problems += _write(arguments.json, dump(document))
    if arguments.html:
        problems += _write(arguments.html, render(results, comparison))
    if arguments.markdown:
        problems += _write(
            arguments.markdown, fill(markdown, tables(results, comparison), document["warnings"])
        )
    if arguments.what == "all":
        _keep(document, arguments.results)
    _show(tables(results, comparison), document["warnings"], results.verdict)
    for problem in problems:
        _complain(problem)
    return 1 if problems else 0


def tables(results: Results, comparison: Comparison | None) -> Iterator[Part]:
    """All that a run found out, in the order in which people read it."""
    yield from device_tables(results)
    if results.sets:
        yield from drift_tables(results.models, results.bare)
    if results.latency:
        yield from latency_tables(results.latency, results.sizes())
    if results.serving:
        yield from serving_tables(results.serving)
    if comparison:
        yield from comparison_tables(comparison)


def _selection(arguments: argparse.Namespace) -> Selection:
    return Selection(
        folder=arguments.models,
        names=arguments.model,
        variants=arguments.variant,
        drift=arguments.what in {"drift", "all"},
        latency=arguments.what in {"latency", "all"},
        serving=arguments.what == "serving",
        quick=arguments.quick,
        drawings=arguments.drawings,
        originals=arguments.originals,
    )


def _write(path: Path | None, text: str) -> list[ResultsFileError]:
    """Write a file that was asked for; what was measured is shown even if that fails."""
    try:
        if path:
            write_text(text, path)
    except ResultsFileError as error:
        return [error]
    return []


def _keep(document: dict[str, object], path: Path) -> None:
    """For the app's page. A run is worth its while without it, too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(dump(shorten(document)), path)
    except (OSError, ResultsFileError) as error:
        _complain(f"The app's page will not show this result: {error}")


def _show(parts: Iterable[Part], warnings: Iterable[str], verdict: str | None) -> None:
    try:
        print_parts(parts)
        print(warn(warnings), end="")
        if verdict:
            print(f"\n{verdict}")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has seen enough. Python writes what is left when it ends: to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(problem: object) -> None:
    for sentence in str(problem).splitlines():
        print(f"benchmarks: {sentence}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=COMMANDS,
        default="all",
        help="what to measure (default: all)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="less of it, within half a minute: no corrupted images, one thread, one image a call",
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=MODELS,
        metavar="DIR",
        help="folder that holds a folder per model, or .tflite files without a card "
        "(default: models, beside benchmarks)",
    )
    parser.add_argument(
        "--model", nargs="+", default=[], metavar="NAME", help="these models alone (default: all)"
    )
    parser.add_argument(
        "--variant",
        nargs="+",
        default=[],
        choices=VARIANTS,
        metavar="VARIANT",
        help="these variants alone, of float32, float16, dynamic and int8 (default: all); float32 "
        "is measured in any case, to compare with",
    )
    parser.add_argument(
        "--drawings",
        type=Path,
        metavar="FILE",
        help="measure drift on these labelled drawings, too: JSON Lines, as the app stores them",
    )
    parser.add_argument(
        "--originals",
        action="store_true",
        help="compute the originals' outputs again, where TensorFlow is installed, and hold the "
        "stored ones against them",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the results to this file"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="also write them as one page, with pictures"
    )
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="also put the tables into this file, between its two marks, as in README.md",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE",
        help="say what changed since an earlier --json, and what of it is noise",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=results_path(),
        metavar="FILE",
        help="where the app's page finds the last result of all (default: %(default)s)",
    )
    return parser
