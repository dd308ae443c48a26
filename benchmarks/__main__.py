"""The benchmarks' command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
from io import TextIOWrapper
from pathlib import Path

from benchmarks.report import ReportError, check_writable, write_report
from benchmarks.results import measure
from benchmarks.tables import print_tables
from edge_app.errors import UserError

MODELS = Path(__file__).parents[1] / "models"

DESCRIPTION = """\
Measure every model on this device, each in its variants float32, float16,
dynamic and int8:

  drift    how far it has moved from the original that it was made from, on
           MNIST's 10,000 test images: accuracy, and what was lost of it; the
           part of the images on which both give the same digit; answers
           flipped to wrong and to right; the largest difference of any
           probability
  latency  of one inference, as the app calls it: median, 90th and 99th
           percentile of single calls after a warm-up; of the normalization
           before it, apart; and the files' sizes
  device   what the numbers hold for: board, processor, memory, system, versions
"""

EXAMPLES = """\
The exit status is 1, with a sentence on standard error, when a model's int8
lost more accuracy than its card's budget allows, or when a model could not be
measured; the other models are measured all the same. A .tflite file without a
card has no original to drift from: it gets its accuracy and latency. Nothing is
sent anywhere.

examples:
  python -m benchmarks                      tables; takes up to a minute
  python -m benchmarks --json report.json   the same, and the numbers in a file
  python -m benchmarks --models DIR         models from another folder
"""


def main() -> int:
    """Run the command; returns its exit status."""
    arguments = _parser().parse_args()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets a question mark, not a traceback.
            stream.reconfigure(errors="replace")
    try:
        return _run(arguments.models, arguments.json)
    except UserError as error:
        _complain(error)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(models: Path, report: Path | None) -> int:
    if report:
        check_writable(report)
    results = measure(models)
    problems: list[object] = [*results.problems]
    # The report comes first: whoever reads the tables through a pipe may close it early.
    if report:
        try:
            write_report(results, report)
        except ReportError as error:
            problems.append(error)
    print_tables(results)
    for problem in problems:
        _complain(problem)
    return 1 if problems else 0


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
        "--models",
        type=Path,
        default=MODELS,
        metavar="DIR",
        help="folder that holds a folder per model, or .tflite files without a card "
        "(default: models, beside benchmarks)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the results to this file"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
