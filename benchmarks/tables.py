"""The results as tables for people, on a terminal or in a pipe."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.device import Device
from benchmarks.drift import budget_overrun
from benchmarks.latency import Latency
from benchmarks.results import Results
from edge_app.bare import VARIANT

WIDTH = 80
"""The tables are laid out for this many columns; a narrower terminal wraps their lines."""
UNKNOWN = "-"


def print_tables(results: Results) -> None:
    """Print the device, drift, latency of inference and of normalization on standard output."""
    console = Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width, WIDTH)
    console.print("Device", style="bold")
    console.print(_device(results.device))
    console.print(
        f"\nDrift from the original, on MNIST's {results.images:,} test images", style="bold"
    )
    console.print(_drift(results))
    console.print(_budgets(results))
    console.print("\nLatency of one inference, and the file's size", style="bold")
    console.print(_inference(results))
    console.print("\nLatency of normalization, which comes before", style="bold")
    console.print(_normalization(results))
    console.print("normalize: pictures of the test set; rasterize: ten synthetic drawings.")


def _device(device: Device) -> Table:
    table = _table(names=("", ""), numbers=())
    table.show_header = False
    memory = device.memory_bytes
    for name, value in (
        ("board", device.board),
        ("CPU", device.cpu),
        ("cores", f"{device.cores}, {device.architecture}"),
        ("memory", f"{memory / 2**20:,.0f} MiB" if memory else None),
        ("system", device.system),
        ("Python", device.python),
        ("NumPy", device.numpy),
        ("runtime", device.runtime),
    ):
        table.add_row(name, value or UNKNOWN)
    return table


def _drift(results: Results) -> Table:
    table = _table(
        names=("model", "variant"),
        numbers=(
            "accuracy\n%",
            "lost\npoints",
            "agree-\nment %",
            "flips to\nwrong",
            "flips to\nright",
            "largest\ndiff.",
        ),
    )
    for name, model in results.models.items():
        if model.drift is None:
            table.add_row(name, UNKNOWN)
            continue
        table.add_row(name, "original", f"{model.drift.original_accuracy * 100:.2f}")
        overrun = budget_overrun(model.card, model.drift)
        for variant, drift in model.drift.variants.items():
            table.add_row(
                name,
                variant,
                f"{drift.accuracy * 100:.2f}",
                f"{drift.accuracy_loss_points:.2f}",
                f"{drift.agreement * 100:.2f}",
                f"{drift.flips_to_wrong}",
                f"{drift.flips_to_right}",
                f"{drift.largest_difference:.2g}",
                style="bold red" if variant == "int8" and overrun else None,
            )
    for name, bare in results.bare.items():
        table.add_row(name, VARIANT, f"{bare.accuracy * 100:.2f}", *[UNKNOWN] * 5)
    return table


def _budgets(results: Results) -> str:
    budgets = (
        f"{model.card.budget.accuracy_loss_points:g} ({name})"
        for name, model in results.models.items()
    )
    told = ["Points are percentage points of accuracy"]
    if results.models:
        told.append(f"int8 may lose {', '.join(budgets)}")
    if results.bare:
        told.append(f"a {VARIANT} file without a card has no known original to drift from")
    return f"{'; '.join(told)}."


def _inference(results: Results) -> Table:
    table = _table(
        names=("model", "variant"),
        numbers=("size\nKiB", "median\nµs", "p90\nµs", "p99\nµs"),
    )
    for name, model in results.models.items():
        table.add_row(name, "original", _kib(model.card.original.bytes))
        for variant, latency in model.latency.items():
            size = _kib(model.card.variants[variant].bytes)
            table.add_row(name, variant, size, *_percentiles(latency))
    for name, bare in results.bare.items():
        table.add_row(name, VARIANT, _kib(bare.file.bytes), *_percentiles(bare.latency))
    return table


def _normalization(results: Results) -> Table:
    table = _table(
        names=("function", "normalization"),
        numbers=("median\nµs", "p90\nµs", "p99\nµs"),
    )
    for function, latencies in (
        ("normalize", results.normalize),
        ("rasterize", results.rasterize),
    ):
        for normalization, latency in latencies.items():
            table.add_row(function, normalization, *_percentiles(latency))
    return table


def _table(names: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold", vertical="bottom")
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True, vertical="bottom")
    return table


def _percentiles(latency: Latency) -> list[str]:
    return [f"{time:,.1f}" for time in (latency.median_us, latency.p90_us, latency.p99_us)]


def _kib(size: int) -> str:
    return f"{size / 1024:,.1f}"
