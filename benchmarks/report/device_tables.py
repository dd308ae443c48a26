"""The device and the measured models as a table."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.latency.device import BenchmarkDevice
from benchmarks.report.tables import UNKNOWN, Part, ReportTable
from benchmarks.results import Results

HASH = 12  # Digits of a SHA-256 that are shown.


def device_tables(results: Results) -> Iterator[Part]:
    """When, on which device and with which models the results were measured."""
    table = ReportTable(("", ""), ())
    for name, value in (
        ("measured", f"{results.measured_at:%Y-%m-%d %H:%M} UTC{', quick' * results.quick}"),
        *_described(results.device),
        *((name, f"card {model.card_sha256[:HASH]}") for name, model in results.models.items()),
        *((name, f"file {each.file.sha256[:HASH]}") for name, each in results.cardless.items()),
    ):
        table.add(name, value or UNKNOWN)
    yield Part("Device and models", table)


def _described(device: BenchmarkDevice) -> Iterator[tuple[str, str | None]]:
    memory, frequency = device.memory_bytes, device.max_frequency_mhz
    yield "board", device.board
    yield "CPU", device.cpu
    yield "cores", f"{device.cores}, {device.architecture}"
    yield "clock", f"up to {frequency:,.0f} MHz, {device.governor}" if frequency else None
    yield "memory", f"{memory / 2**20:,.0f} MiB" if memory else None
    yield "system", f"{device.system}, {device.kernel}"
    yield "Python", f"{device.python}, NumPy {device.numpy}"
    yield "runtime", ", ".join(device.runtimes)
    if device.tensorflow:
        yield "TensorFlow", device.tensorflow
