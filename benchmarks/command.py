"""The benchmarks' command line."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path

from benchmarks.report import comparison, devices, document
from benchmarks.report.page import render, render_devices, sections
from benchmarks.report.tables import Part
from benchmarks.report.terminal import WIDTH, print_parts
from benchmarks.results import Results
from benchmarks.run import Selection, measure
from edge_app.device.last_benchmark import LastBenchmark, read_last_benchmark
from edge_app.models.card import VARIANTS
from edge_app.models.interpreter import RUNTIMES, choose_runtime
from edge_app.paths import MODELS, results_path

COMMANDS = ("drift", "latency", "serving", "all")

DESCRIPTION = """\
Measure every model on this device, in its variants float32, float16, dynamic
and int8:

  drift    how far each variant is from the original that it was converted
           from, on MNIST's 10,000 test images, on corrupted ones, and on your
           own drawings: accuracy, agreement, flips, probabilities, and the
           layer where the error enters
  latency  of inference, with each number of threads and each installed runtime;
           of loading; of normalization; and whether the times can be trusted
  serving  the running app, compared with an empty Gradio app and a page with
           Gradio's Sketchpad: start, memory, drawings per second, and the page
           in a browser. It starts servers on this device
  all      drift and latency (the default)
"""

EPILOG = """\
The exit status is 1, with a sentence on standard error, if a model's int8
exceeds the budget in its card (accuracy lost, agreement with the original,
size), or if a model or one of its files is missing or damaged; everything else
is still measured. A .tflite file without a card has no known original: only its
accuracy and latency are measured. Nothing is sent anywhere.

The app's page shows the last result of "all" with every model and variant;
--model and --variant leave it alone. A --quick result does not replace a full
one of the same models.

examples:
  python -m benchmarks --quick                  tables, within half a minute
  python -m benchmarks --html report.html       everything, with charts
  python -m benchmarks drift --model mlp --drawings mine.jsonl
  python -m benchmarks --json new.json --compare old.json
  python -m benchmarks --compare pi4.json pi5.json --html devices.html
  python -m benchmarks serving
"""


def main() -> int:
    """Run the command; returns its exit status.

    Raises:
        UserError: nothing could be measured.
    """
    parser = _parser()
    arguments = parser.parse_args()
    # Not argparse's choices: they would blame the mlp of "--modle mlp".
    if arguments.what not in COMMANDS:
        parser.error(f"cannot measure {arguments.what!r}; choose from {', '.join(COMMANDS)}")
    if arguments.what in {"latency", "serving"} and arguments.drawings:
        parser.error(f"--drawings does not apply to {arguments.what}")
    if arguments.what == "serving" and (arguments.model or arguments.variant):
        parser.error("--model and --variant do not apply to serving: the app serves all models")
    for name in {*arguments.model} & {*COMMANDS}:
        if not any(arguments.models.glob(f"{name}*")):  # It is not the name of a model.
            parser.error(f"put {name!r} before --model, which takes all names that follow")
    if len(arguments.compare) > 1 and arguments.json:
        parser.error("--json does not apply when several results are compared: nothing is measured")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # On a terminal that lacks a character, print a question mark instead of failing.
            stream.reconfigure(errors="replace")
    return (_show_devices if len(arguments.compare) > 1 else _run)(arguments)


def _show_devices(arguments: argparse.Namespace) -> int:
    """Put results side by side; nothing is measured."""
    read = {path: comparison.read_result(path) for path in arguments.compare}
    for path, result in read.items():
        devices.check(path, result)
    results = devices.by_device(read)
    if arguments.html:
        document.write_text(render_devices(results), arguments.html)
    _print(devices.device_parts(results), ())
    return 0


def _run(arguments: argparse.Namespace) -> int:
    for path in filter(None, (arguments.json, arguments.html)):
        document.check_writable(path)
    if arguments.runtime:
        choose_runtime(arguments.runtime)
    earlier = comparison.read_result(arguments.compare[0]) if arguments.compare else None
    results = measure(Selection(*(getattr(arguments, name) for name in Selection._fields)))
    found = document.to_json(results)
    changes = comparison.compare_results(earlier, found) if earlier else None
    problems = list(results.problems)
    # Files come first: a reader of the tables may close the pipe early.
    try:
        if arguments.json:
            document.write_text(document.dump(found), arguments.json)
        if arguments.html:
            document.write_text(render(results, changes), arguments.html)
    except document.OutputFileError as error:
        problems.append(str(error))
    if arguments.what == "all" and not arguments.model and not arguments.variant:
        _keep(document.summarize(results), arguments.results)
    said = [textwrap.fill(f"Warning: {each}", WIDTH) for each in results.warnings]
    if results.verdict:
        said.append(results.verdict)
    _print(tables(results, changes), said)
    for problem in problems:
        print(f"benchmarks: {problem}", file=sys.stderr)
    return 1 if problems else 0


def tables(results: Results, changes: comparison.Comparison | None) -> Iterator[Part]:
    """All results of a run in the page's order, but the device first and the comparison last."""
    *found, device = sections(results, changes)
    if changes:
        found = [*found[1:], found[0]]
    return chain.from_iterable(section.parts for section in (device, *found))


def _keep(summary: LastBenchmark, path: Path) -> None:
    """Keep a summary for the app's page; the run is of use without it, too."""
    last = read_last_benchmark(path)
    if summary.quick and last and not last.quick and _cards(last) == _cards(summary):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(summary.to_json(), path)
    except (OSError, document.OutputFileError) as error:
        message = f"benchmarks: The app's page will not show this result: {error}"
        print(message, file=sys.stderr)


def _cards(summary: LastBenchmark) -> dict[str, str | None]:
    return {name: model.card_sha256 for name, model in summary.models.items()}


def _print(parts: Iterable[Part], sentences: Iterable[str]) -> None:
    try:
        print_parts(parts)
        for sentence in sentences:
            print(f"\n{sentence}")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough. Send what Python flushes at its end to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    words = f"{{{','.join(COMMANDS)}}}"
    add("what", nargs="?", metavar=words, default="all", help="what to measure (default: all)")
    add(
        "--quick",
        action="store_true",
        help="measure less, within half a minute: no corrupted images, one thread, one image a "
        "call, the app's runtime only",
    )
    add(
        "--models",
        type=Path,
        default=MODELS,
        metavar="DIR",
        help="folder with a folder per model, or .tflite files without a card (default: the models "
        "that ship)",
    )
    add("--model", nargs="+", default=[], metavar="NAME", help="only these models (default: all)")
    add(
        "--variant",
        nargs="+",
        default=[],
        choices=VARIANTS,
        metavar="VARIANT",
        help=f"only these variants of {', '.join(VARIANTS)} (default: all); float32 is always "
        "measured, to compare with",
    )
    add(
        "--runtime",
        choices=RUNTIMES,
        help="what runs the models (default: the first one of these that is installed); latency is "
        "measured with all that are installed, unless --quick",
    )
    for option, text in {
        "--drawings": "also measure drift on these labelled drawings: JSON Lines, as the app "
        "stores them",
        "--json": "also write the results to this file",
        "--html": "also write them as a page with charts",
    }.items():
        add(option, type=Path, metavar="FILE", help=text)
    add(
        "--compare",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="also say what got better or worse, beyond noise, since an earlier --json; with "
        "several, measure nothing and put these devices' results side by side",
    )
    add(
        "--results",
        type=Path,
        metavar="FILE",
        default=results_path(),
        help="where to keep the summary that the app's page shows (default: %(default)s)",
    )
    return parser
