"""Attacks the app: starts it, sends what no client should, and reports what it could not take.

``python tests/attack/attack.py --help`` says how.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
# In place of this script's own folder, whose modules are imported as the tests' are.
sys.path[:1] = [str(ROOT), str(ROOT / "tests" / "support")]

from tests.attack import malformed  # noqa: E402 - Found by the lines above.
from tests.attack.arena import Arena, opened  # noqa: E402
from tests.attack.clients import Client, attack  # noqa: E402
from tests.attack.generator import Generator  # noqa: E402
from tests.attack.models import attack_models, load_one  # noqa: E402
from tests.attack.report import Report, by_kind  # noqa: E402
from tests.attack.soak import soak  # noqa: E402
from tests.attack.tally import Outcome, Tally  # noqa: E402
from tests.attack.witness import Witness  # noqa: E402

DESCRIPTION = """\
Attack the app on this device: start it as people do (with --save-drawings, and 1,024 descriptors),
send it hostile and honest requests from several clients at once, and report what it could not take.
The same seed sends the same requests. An honest visitor draws ten times a second all the while.
"""
EPILOG = """\
The status is 1 if a bound is broken: the app ended, the visitor waited over 2 s or got no answer, a
request got a 5xx other than 503, the app took 256 MB, or it printed 1 MB or any traceback.

examples:
  attack.py --requests 1000000                    the long run, about 40 minutes on two cores
  attack.py --requests 300000 --login             the same with a login
  attack.py --requests 0 --drawings 200000        only valid drawings: does memory grow?
  attack.py --requests 0 --models 500             damaged models and cards
  attack.py --seed 7 --only 4711                  one request again, and its answer
"""


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    arguments = _parser().parse_args()
    if arguments.only is not None:
        return _repeat(arguments)
    if arguments.model is not None:
        reason = load_one(arguments.seed, arguments.model)
        print(reason or "The other model is served.")
        return int(bool(reason))
    report = Report()
    if arguments.requests:
        _attack(arguments, report)
    if arguments.drawings:
        _soak(arguments, report)
    if arguments.models:
        with tqdm(total=arguments.models, unit=" models") as bar:
            report.add_models(attack_models(arguments.seed, arguments.models, bar.update))
    print(report.text())
    if arguments.json:
        content = json.dumps({**report.results, "broken": report.broken}, indent=2)
        arguments.json.write_text(content + "\n", encoding="utf-8")
    return int(bool(report.broken))


def _attack(arguments: argparse.Namespace, report: Report) -> None:
    tally = Tally()
    with _arena(arguments) as arena:
        files = arena.app.files()
        generator = Generator(arguments.seed, arena.target)
        repeat = f"python {sys.argv[0]} --seed {arguments.seed}{' --login' * arguments.login}"
        since = time.monotonic()
        with Witness(arena.app, arena.witnessed) as witness, _bar(arguments.requests) as bar:
            last = attack(
                generator,
                arena.target,
                arguments.requests,
                arguments.clients,
                tally,
                witness.alive,
                bar.update,
            )
        seconds = time.monotonic() - since
        report.add_attack(tally, witness, repeat, sorted(last.values()))
        report.add_files(arena.app.files() - files)
        report.add_end(_stop(arena), witness)
    print(by_kind(tally))
    print(f"{tally.total():,} in {seconds:,.0f} s: {tally.total() / seconds:,.0f} a second\n")


def _stop(arena: Arena) -> int:
    """Stop the app while clients are connected; returns its exit status."""
    client = Client(arena.target, 0, Tally())
    client.attempt(0, malformed.partial(Random(0), arena.target) * 100)  # noqa: S311
    status = arena.app.stop()
    client.close()
    return status


def _soak(arguments: argparse.Namespace, report: Report) -> None:
    tally = Tally()
    with _arena(arguments) as arena:
        with Witness(arena.app, arena.witnessed) as witness, _bar(arguments.drawings) as bar:
            soaking = soak(
                arena.app, arena.target, arguments.seed, arguments.drawings, tally, bar.update
            )
        report.add_soak(soaking, witness)
    wrong = tally.total() - tally.total(Outcome.ANSWERED)
    print(f"{tally.total():,} answers, of which {wrong:,} were refusals\n")


def _repeat(arguments: argparse.Namespace) -> int:
    """Send the attempts of one number, and show them."""
    tally = Tally()
    with _arena(arguments) as arena:
        attempts = Generator(arguments.seed, arena.target).make(arguments.only)
        client = Client(arena.target, 0, tally)
        answers = client.attempt(arguments.only, attempts)
        client.close()
        time.sleep(0.5)  # The app may print something.
        print(f"{len(attempts)} at once, the first of {len(attempts[0].sent):,} bytes:")
        print(attempts[0].sent[:2000])
        for answer in answers[:3]:
            print(answer.head.partition(b"\r\n")[0].decode(), answer.body[:500])
        print(by_kind(tally))
        printed = arena.app.printed("stderr")
        print(f"The app {'runs' if arena.app.process.poll() is None else 'ended'}; it printed:")
        print(printed)
    return 0


@contextlib.contextmanager
def _arena(arguments: argparse.Namespace) -> Iterator[Arena]:
    print("Starting the app ...", file=sys.stderr)
    # Threads that wait their turn for milliseconds would look like a slow app.
    sys.setswitchinterval(0.0005)
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), login=arguments.login) as arena,
    ):
        yield arena


def _bar(total: int) -> tqdm:
    return tqdm(total=total, unit=" requests", unit_scale=True, smoothing=0.05)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--requests",
        type=int,
        default=20_000,
        metavar="N",
        help="how many to send, hostile ones and honest ones (default: 20000, about a minute)",
    )
    parser.add_argument(
        "--clients", type=int, default=8, metavar="N", help="how many send them (default: 8)"
    )
    parser.add_argument(
        "--login", action="store_true", help="start the app with --auth-file, and attack that too"
    )
    parser.add_argument(
        "--drawings",
        type=int,
        default=0,
        metavar="N",
        help="afterwards, send so many valid drawings to a fresh app and watch its memory",
    )
    parser.add_argument(
        "--models", type=int, default=0, metavar="N", help="afterwards, load so many damaged models"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    parser.add_argument(
        "--only",
        type=int,
        metavar="N",
        help="send only this one of the seed's requests, and show it",
    )
    parser.add_argument(
        "--model", type=int, metavar="N", help="load only this one of the seed's damaged models"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
