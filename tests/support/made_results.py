"""Results of a run made by hand: every kind of number, and larger ones than ever occur."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.drift.drift import Drift, Flip, ModelDrift, Quality
from benchmarks.drift.layers import Layer
from benchmarks.latency.device import BenchmarkDevice
from benchmarks.latency.latency import Inference, KerasTiming, Latency, Normalizing, Startup
from benchmarks.latency.timing import Times
from benchmarks.results import CardlessResults, MeasuredSet, ModelResults, Results
from edge_app.models.card import VARIANTS, FileRecord, read_card
from edge_app.models.metrics import Bin

CARD = read_card(Path(__file__).parents[2] / "models" / "dense")
RUNTIMES = ("tflite-runtime 2.14.0", "ai-edge-litert 2.0.2")
CARDLESS_FILE = FileRecord("stray.tflite", 2048, "3" * 64)

TIMES = Times(
    calls=5000,
    min_us=1200.5,
    median_us=1234.5,
    p90_us=23456.7,
    p99_us=100000.0,
    loops=150,
    calls_in_loop=1,
    mean_us=1300.25,
    std_us=250.125,
    per_second=769.083,
    repeats_us=[1233.0, 1234.0, 1234.5, 1235.0, 1236.0],
    spread=0.002433,
)
OTHER_TIMES = replace(TIMES, median_us=55555.5)
QUALITY = Quality(
    accuracy=0.9741,
    accuracy_interval=(0.9708, 0.9770),
    calibration_error=0.0123,
    reliability=(Bin(3, 0.4, 1 / 3), Bin(0, None, None), Bin(9997, 0.999, 0.998)),
    wrong=(1, 5),
)
DRIFT = Drift(
    **vars(QUALITY),
    accuracy_loss_points=-0.02,
    agreement=0.998,
    flips_to_wrong=1000,
    flips_to_right=1002,
    mcnemar_p=1.25e-200,
    largest_difference=0.00012345,
    mean_difference=1.5e-06,
    kl_divergence=2.5e-09,
    signal_to_noise_db=123.456,
    flips=(Flip(7, 0, 0, 0.5, 1, 0.6),),
)
LAYERS = (
    Layer("conv_2d_1", "CONV_2D", (1, 14, 14, 16), 35.0, 44.0, 36.0, 39.0),
    Layer("fully_connected_1", "FULLY_CONNECTED", (1, 10), 12.0, 20.0, 13.0, 12.5),
)


def model_results() -> ModelResults:
    """A model on the test set and on two other sets."""
    drift = ModelDrift(10_000, "stored", replace(QUALITY, accuracy=0.9739), drifts())
    stand_in = {name: each for name, each in drifts().items() if name != "float32"}
    sets = ("shift", "drawn")
    others = {name: ModelDrift(1000, "float32", QUALITY, stand_in) for name in sets}
    return ModelResults(CARD, "1" * 64, {"mnist": drift, **others}, {"int8": LAYERS}, None)


def drifts() -> dict[str, Drift]:
    """The same for every variant."""
    return dict.fromkeys(VARIANTS, DRIFT)


def made_results() -> Results:
    """A model, one whose drift is unknown, and a file without a card, in two runtimes."""
    files = [*((name, each) for name in ("dense", "unknown") for each in VARIANTS)]
    return Results(
        measured_at=datetime(2026, 11, 22, 17, 0, tzinfo=UTC),
        quick=False,
        device=BenchmarkDevice(
            board="Raspberry Pi 4 Model B Rev 1.4",
            cpu="Cortex-A72",
            architecture="aarch64",
            cores=4,
            memory_bytes=8 * 2**30,
            system="Debian GNU/Linux 12 (bookworm)",
            kernel="Linux 6.6.31+rpt-rpi-v8",
            python="3.11.2",
            numpy="1.26.4",
            runtime=RUNTIMES[0],
            runtimes=[*RUNTIMES],
            tensorflow=None,
            governor="ondemand",
            frequency_mhz=600.0,
            max_frequency_mhz=1800.0,
        ),
        dataset_sha256="0" * 64,
        sets={
            "mnist": MeasuredSet("MNIST's test images", 10_000, "0" * 64),
            "shift": MeasuredSet("shifted", 1000, "4" * 64),
        },
        models={
            "dense": model_results(),
            "unknown": ModelResults(replace(CARD, name="unknown"), "2" * 64, {}, {}, None),
        },
        cardless={"stray": CardlessResults("stray (no card)", CARDLESS_FILE, "box", QUALITY)},
        latency=latency([*files, ("stray", "tflite")]),
        serving=None,
        problems=["Something is wrong with “unknown”."],
    )


def latency(files: list[tuple[str, str]]) -> Latency:
    """Each file with all threads and batches of a run; only single images take ``TIMES``."""
    return Latency(
        inference=[
            Inference(model, variant, runtime, threads, batch, times, times.mean_us / batch, 769.08)
            for model, variant in files
            for runtime in RUNTIMES
            for threads, batch, times in (
                # A single image is not the first, so that whoever looks for it must look.
                *((*work, OTHER_TIMES) for work in ((1, 32), (1, 1000), (2, 1), (4, 1))),
                (1, 1, TIMES),
            )
        ],
        starts=[
            Startup(model, variant, runtime, 4, 3, 12.345, 100000.0, 41 * 2**20)
            for model, variant in files
            for runtime in RUNTIMES
        ],
        originals=[KerasTiming("dense", "model(x)", "tensorflow 2.19.1, keras 3.15.1", TIMES)],
        normalization=[
            Normalizing("normalize", "moments", TIMES),
            Normalizing("rasterize", "box", TIMES),
        ],
        conditions=[],
        others_cores=0.0,
        seconds=100.0,
        warnings=["Other programs kept 1.5 cores busy meanwhile."],
        problems=[],
        notes=["dense original (Keras, predict) is not timed: It has a layer of its own."],
    )
