"""The report: figures worked out by hand, taken from the files, and in README as they are."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="originals answer by TensorFlow, which the edge has not")

import keras

from benchmarks.drift import drift
from convert import __main__ as command
from convert import measurement
from convert import report as reporting
from convert.data.drawings import read_drawings
from convert.data.non_digits import read_non_digits
from convert.data.sources import load
from convert.export.tflite import predict
from convert.measurement import (
    CALLS,
    WARM_UP,
    Comparison,
    Figures,
    Images,
    Selection,
    compare,
    measure,
    select,
)
from convert.progress import track
from convert.train import SEED
from edge_app import load_models, normalize, rasterize
from edge_app.digits.mnist import SHA256, DataError, Digits, read_digits
from edge_app.errors import UserError
from edge_app.models.acceptance import Acceptance
from edge_app.models.card import read_card, record_file, write_card
from edge_app.models.classifier import Classifier, load_model, softmax
from edge_app.models.metrics import expected_calibration_error

DRAWN_ROWS = [
    "drawn digits, int8",
    "drawn digits, original",
    "top-1 agreement on drawn digits",
    "expected calibration error on drawn digits, int8 / original",
    "drawn digits accepted, int8",
    "accepted drawn digits read right",
]
LATENCY = re.compile(
    r"\| one inference, int8, median \((tflite-runtime|ai-edge-litert) [\d.]+\) \|( [\d,]+ µs \|)+"
)


def probabilities(*rows: dict[int, float]) -> NDArray[np.float32]:
    """Rows of ten from the few that are not 0: {digit: probability}."""
    table = np.zeros((len(rows), 10), np.float32)
    for line, row in zip(table, rows, strict=True):
        for digit, probability in row.items():
            line[digit] = probability
    return table


# Measurement


def test_a_comparison_worked_out_by_hand() -> None:
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 7], np.uint8)
    #  right by both four times, flips to wrong, flips to right, wrong alike, wrong differently
    original = probabilities({0: 1}, {1: 1}, {2: 1}, {3: 1}, {4: 1}, {9: 1}, {9: 1}, {9: 1})
    int8 = probabilities({0: 1}, {1: 1}, {2: 1}, {3: 1}, {9: 1}, {5: 0.5}, {9: 1}, {8: 1})
    found = compare(int8, original, labels)
    assert found == Comparison(
        accuracy=5 / 8,
        original_accuracy=5 / 8,
        lost_points=0.0,
        agreement=5 / 8,
        flips_to_wrong=1,
        flips_to_right=1,
        # Sure of seven and right in four; and sure by half of one that is right.
        calibration_error=7 / 8 * 3 / 7 + 1 / 8 * 1 / 2,
        original_calibration_error=3 / 8,
    )


def test_what_int8_gains_is_a_loss_below_zero() -> None:
    labels = np.zeros(40, np.uint8)
    original, int8 = probabilities({1: 1}).repeat(40, axis=0), probabilities({1: 1}).repeat(40, 0)
    int8[:3] = probabilities({0: 1})
    assert compare(int8, original, labels).lost_points == -7.5
    assert compare(original, int8, labels).lost_points == 7.5


@pytest.fixture(scope="module")
def digits(test_set: Digits) -> Digits:
    """Two hundred of MNIST's test images, normalized as the shipped models want them."""
    images = [normalize(image, "moments") for image in test_set.images[:200]]
    return Digits(np.stack(images), test_set.labels[:200])


@pytest.fixture(scope="module")
def on_mnist(digits: Digits) -> Images:
    """Those, no drawn digits, and for what is no digit a blot."""
    return Images(digits, None, np.full((1, 28, 28), 255, np.uint8))


def test_figures_come_from_the_files_and_not_from_the_card(
    models_folder: Path, on_mnist: Images, tmp_path: Path
) -> None:
    folder = shutil.copytree(models_folder / "dense", tmp_path / "dense")
    card = read_card(folder)
    write_card(
        replace(
            card,
            parameters=1,
            acceptance=None,
            original=replace(card.original, accuracy=0.5),
            variants={name: replace(file, accuracy=0.5) for name, file in card.variants.items()},
        ),
        folder,
    )
    figures = measure(load_model(folder), folder, on_mnist)
    assert (figures.title, figures.parameters) == ("Simple Dense", 784 * 10 + 10)
    assert figures.int8_bytes == (folder / "int8.tflite").stat().st_size
    assert figures.original_bytes == (folder / "model.keras").stat().st_size
    assert figures.mnist.accuracy > 0.9
    assert figures.mnist.original_accuracy > 0.9
    assert figures.drawn is None
    assert figures.selection == Selection(None, None, None)


def test_the_original_is_asked_itself(
    models_folder: Path, on_mnist: Images, digits: Digits, tmp_path: Path
) -> None:
    folder = shutil.copytree(models_folder / "dense", tmp_path / "dense")
    card = read_card(folder)
    shutil.copy(models_folder / "mlp" / "model.keras", folder)
    record = record_file(folder / "model.keras")
    write_card(
        replace(card, original=replace(card.original, bytes=record.bytes, sha256=record.sha256)),
        folder,
    )
    model = load_model(folder)
    figures = measure(model, folder, on_mnist._replace(drawn=digits))
    mlp = keras.models.load_model(models_folder / "mlp" / "model.keras")
    expected = compare(
        model.predict(digits.images), softmax(predict(mlp, digits.images)), digits.labels
    )
    assert expected.agreement < 1
    assert figures.mnist == figures.drawn == expected
    assert figures.parameters == mlp.count_params()


def test_an_original_that_gives_probabilities_is_taken_at_its_word(
    models_folder: Path, on_mnist: Images, digits: Digits, tmp_path: Path
) -> None:
    folder = shutil.copytree(models_folder / "dense", tmp_path / "dense")
    card = read_card(folder)
    logits = keras.models.load_model(folder / "model.keras")
    sure = keras.Sequential([logits, keras.layers.Softmax()])
    sure.save(folder / "model.keras")
    record = record_file(folder / "model.keras")
    write_card(
        replace(
            card,
            original=replace(card.original, bytes=record.bytes, sha256=record.sha256),
            contract=replace(card.contract, output="probabilities"),
            acceptance=None,  # Its energy would need logits.
        ),
        folder,
    )
    figures = measure(load_model(folder), folder, on_mnist)
    expected = expected_calibration_error(softmax(predict(logits, digits.images)), digits.labels)
    assert figures.mnist.original_calibration_error == pytest.approx(expected, abs=1e-5)


def stand_in(table: NDArray[np.float32], acceptance: Acceptance | None) -> Classifier:
    """A classifier whose answers stand in a table: an image's first pixel tells the row."""

    class File:
        def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return table[images[:, 0, 0]]

    file: Any = File()
    return Classifier("model", "Model", "moments", "probabilities", {"int8": file}, acceptance)


def rows(*numbers: int) -> NDArray[np.uint8]:
    """Images that stand for rows of a table."""
    images = np.zeros((len(numbers), 28, 28), np.uint8)
    images[:, 0, 0] = numbers
    return images


def test_a_selection_worked_out_by_hand() -> None:
    table = probabilities({3: 0.75, 4: 0.25}, {5: 1}, {6: 0.5, 7: 0.25, 8: 0.25}, {9: 0.625})
    # Three are accepted, one of them a 4 that is read as 3; of the others one more is right.
    drawn = Digits(rows(0, 0, 1, 2, 3), np.array([3, 4, 5, 6, 0], np.uint8))
    non_digits = rows(0, 2, 3, 3)
    model = stand_in(table, Acceptance(probability=0.75, energy=None))
    assert select(model, drawn, non_digits) == Selection(3 / 5, 2 / 3, 3 / 4)
    assert select(model, None, non_digits) == Selection(None, None, 3 / 4)
    strict = stand_in(table, Acceptance(probability=1.0, energy=None))
    assert select(strict, drawn._replace(images=rows(0, 0, 2, 2, 3)), non_digits) == Selection(
        0.0, None, 1.0
    )
    assert select(stand_in(table, None), drawn, non_digits) == Selection(None, None, None)


def test_a_rule_of_the_card_is_asked_about_int8_s_own_logits(
    models_folder: Path, on_mnist: Images, digits: Digits, tmp_path: Path
) -> None:
    others = np.stack([rasterize(each.strokes) for each in read_non_digits()[::10]])
    logits = load_model(models_folder / "dense").interpreters["int8"].run(others)
    energies = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    folder = shutil.copytree(models_folder / "dense", tmp_path / "dense")
    rule = Acceptance(probability=0.0, energy=float(np.median(energies)) + 1e-6)
    write_card(replace(read_card(folder), acceptance=rule), folder)
    images = on_mnist._replace(drawn=digits, non_digits=others)
    selection = measure(load_model(folder), folder, images).selection
    assert selection.non_digits_refused is not None
    assert selection.non_digits_refused == (energies < rule.energy).mean()
    assert 0.4 < selection.non_digits_refused < 0.6
    assert selection.drawn_accepted is not None
    assert 0 < selection.drawn_accepted < 1


def test_latency_is_the_median_of_single_calls_after_the_warm_up(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Asked:
        def run(self, images: NDArray[np.uint8]) -> None:
            asked.append((images.shape, images.tobytes()))

    # Hardly half of the calls that count are slow; the warm-up would make them more than half.
    slow = CALLS // 2 - 1
    durations = [10**9] * WARM_UP + [100_000] * slow + [2000] * (CALLS - slow)
    clock = itertools.accumulate(itertools.chain.from_iterable((7, each) for each in durations))
    monkeypatch.setattr(measurement, "perf_counter_ns", clock.__next__)
    interpreter: Any = Asked()
    assert measurement.median_latency_us(interpreter, digits.images) == 2.0
    assert len(asked) == WARM_UP + CALLS
    assert asked[:200] == [((1, 28, 28), image.tobytes()) for image in digits.images]


# The table

FIGURES = Figures(
    title="One | two",
    mnist=Comparison(0.97164, 0.9721, -0.0501, 0.99819, 10, 15, 0.00304, 0.01),
    drawn=Comparison(0.95726, 0.95594, -0.13, 1.0, 0, 2, 0.0213, 0.2),
    selection=Selection(0.93457, 0.99, 0.8),
    parameters=7850,
    int8_bytes=10_128,
    original_bytes=2_170_583,
    latency_us=1039.7,
)


def test_the_table_as_it_is_printed() -> None:
    ruleless = replace(FIGURES, title="Two", selection=Selection(None, None, None))
    dash = "\N{EN DASH}"
    assert reporting.table([FIGURES, ruleless], "tflite-runtime 2.14.0").splitlines() == [
        r"| | One \| two | Two |",
        "| --- | ---: | ---: |",
        "| MNIST test accuracy, int8 | 97.16% | 97.16% |",
        "| MNIST test accuracy, original | 97.21% | 97.21% |",
        "| lost to quantization, points | -0.05 | -0.05 |",
        "| top-1 agreement, int8 with original (MNIST test) | 99.82% | 99.82% |",
        "| images that flip: to wrong / to right | 10 / 15 | 10 / 15 |",
        "| drawn digits, int8 | 95.73% | 95.73% |",
        "| drawn digits, original | 95.59% | 95.59% |",
        "| top-1 agreement on drawn digits | 100.00% | 100.00% |",
        "| expected calibration error on MNIST, int8 / original | 0.30% / 1.00% | 0.30% / 1.00% |",
        "| expected calibration error on drawn digits, int8 / original "
        "| 2.13% / 20.00% | 2.13% / 20.00% |",
        f"| drawn digits accepted, int8 | 93.46% | {dash} |",
        f"| accepted drawn digits read right | 99.00% | {dash} |",
        f"| things that are not digits, not accepted | 80.00% | {dash} |",
        "| parameters | 7,850 | 7,850 |",
        "| int8 file | 10.1 kB | 10.1 kB |",
        "| original | 2,170.6 kB | 2,170.6 kB |",
        "| one inference, int8, median (tflite-runtime 2.14.0) | 1,040 µs | 1,040 µs |",
    ]


def test_without_drawings_their_rows_are_left_out() -> None:
    runtime = "tflite-runtime 2.14.0"
    whole = reporting.table([FIGURES], runtime).splitlines()
    found = reporting.table([replace(FIGURES, drawn=None)], runtime).splitlines()
    assert found == [line for line in whole if label(line) not in DRAWN_ROWS]
    assert len(found) == len(whole) - len(DRAWN_ROWS)


def label(line: str) -> str:
    """What a row of a Markdown table starts with."""
    return line.split(" | ", maxsplit=1)[0].removeprefix("| ")


# What is measured


def test_all_models_or_those_that_are_named_in_the_order_of_the_app(models_folder: Path) -> None:
    for names, expected in (
        ([], ["dense", "mlp", "cnn"]),
        (["mlp", "dense", "mlp"], ["dense", "mlp"]),
        (["mlp"], ["mlp"]),
    ):
        assert [each.name for each in reporting.choose_models(models_folder, names)] == expected
    assert list(load_models(models_folder)) == ["dense", "mlp", "cnn"]


def test_an_unknown_name_is_refused_with_the_known_ones(models_folder: Path) -> None:
    with pytest.raises(UserError) as refusal:
        reporting.choose_models(models_folder, ["dense", "rnn"])
    assert str(refusal.value) == (
        f"There is no model 'rnn' in {models_folder}; expected dense, mlp, cnn."
    )


def test_a_damaged_model_stops_the_report_unless_others_are_named(
    models_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(models_folder, tmp_path / "models")
    (folder / "mlp" / "model.keras").write_bytes(b"damaged")
    for names in ([], ["mlp"]):
        with pytest.raises(UserError, match=r"model\.keras is corrupt"):
            reporting.choose_models(folder, names)
    assert [model.name for model in reporting.choose_models(folder, ["dense"])] == ["dense"]


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There are no models in"):
        reporting.choose_models(tmp_path, [])


def test_only_mnist_s_own_test_set_will_do(data_folder: Path, root: Path) -> None:
    assert reporting.read_test_set(root / "benchmarks" / "mnist").sha256() == SHA256["t10k"]
    with pytest.raises(DataError, match=r"The t10k data in .* is whole but not MNIST"):
        reporting.read_test_set(data_folder)


@pytest.fixture
def drawn_file(drawings_file: Path, page_drawings: list[Any], tmp_path: Path) -> Path:
    """Thirty drawings by nobody in particular."""
    path = tmp_path / "drawn.jsonl"
    pages = drawings_file.with_name("page-drawings.jsonl").read_text()
    path.write_text(drawings_file.read_text() + pages)
    assert len(read_drawings(path)) == 10 + len(page_drawings)
    return path


def test_of_drawings_the_part_counts_that_training_only_reports_on(
    data_folder: Path, drawn_file: Path
) -> None:
    data = load(data_folder, [drawn_file], allow_other=True, normalization="moments", seed=SEED)
    (held_out,) = [source.test for source in data.drawn]
    found = reporting.read_test_parts([drawn_file])
    assert 0 < len(found) < 10
    assert [drawing.label for drawing in found] == held_out.labels.tolist()
    images = [rasterize(drawing.strokes, "moments") for drawing in found]
    np.testing.assert_array_equal(np.stack(images), held_out.images)


def test_every_file_of_drawings_gives_its_part(drawn_file: Path, drawings_file: Path) -> None:
    first, second, both = (
        [drawing.label for drawing in reporting.read_test_parts(paths)]
        for paths in ([drawn_file], [drawings_file], [drawn_file, drawings_file])
    )
    assert second
    assert both == first + second
    assert reporting.read_test_parts([]) == []


def test_drawings_too_few_to_be_split_are_refused(drawings_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    path.write_text("".join(drawings_file.read_text().splitlines(keepends=True)[:1]))
    with pytest.raises(UserError, match=f"{path} has no test part: it holds too few drawings"):
        reporting.read_test_parts([path])


def test_every_model_sees_images_as_it_was_promised_them(
    models_folder: Path,
    data_folder: Path,
    drawings_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, normalization in (("dense", "moments"), ("boxed", "box")):
        folder = shutil.copytree(models_folder / "dense", tmp_path / name)
        fields = json.loads((folder / "card.json").read_text())
        fields["name"] = name
        fields["contract"]["normalization"] = normalization
        (folder / "card.json").write_text(json.dumps(fields))
    test = read_digits(data_folder, "t10k")
    monkeypatch.setattr(reporting, "SHA256", {"t10k": test.sha256()})
    reporting.report([], tmp_path, data_folder, [drawings_file])
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    drawn = reporting.read_test_parts([drawings_file])
    expected: dict[str, list[str]] = {"MNIST test accuracy, int8": [], "drawn digits, int8": []}
    for name, model in load_models(tmp_path).items():
        normalization = {"dense": "moments", "boxed": "box"}[name]
        assert model.normalization == normalization
        images = np.stack([normalize(image, model.normalization) for image in test.images])
        right = model.predict(images).argmax(axis=1) == test.labels
        expected["MNIST test accuracy, int8"].append(f"{right.mean():.2%}")
        images = np.stack([rasterize(each.strokes, model.normalization) for each in drawn])
        right = model.predict(images).argmax(axis=1) == [each.label for each in drawn]
        expected["drawn digits, int8"].append(f"{right.mean():.2%}")
    found = {row[0]: row[1:] for row in rows}
    assert len(set(expected["MNIST test accuracy, int8"])) == 2
    assert {name: found[name] for name in expected} == expected


# The command


@pytest.fixture
def convert(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs ``convert report`` within this process; gives its exit status and what it prints."""
    monkeypatch.chdir(root)

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["convert", "report", *map(str, words)])
        capfd.readouterr()
        status = command.main()
        return status, *capfd.readouterr()

    return run


def test_the_user_s_errors_are_one_sentence(
    convert: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    missing = tmp_path / "nowhere"
    for words, sentence in (
        (["rnn"], "There is no model 'rnn' in models; expected dense, mlp, cnn."),
        (
            ["--models", missing],
            f"The models folder {missing} cannot be read (No such file or directory); expected a "
            "folder per model in it.",
        ),
        (
            ["--data", missing],
            f"No t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz in {missing}; expected "
            "MNIST's IDX files there.",
        ),
        (["--drawings", missing], f"{missing} cannot be read (No such file or directory)."),
    ):
        status, out, err = convert(*words)
        said = err.splitlines()
        assert (status, out, said[-1]) == (1, "", f"convert: {sentence}")
        # The runtime may speak, too, when it loads the models.
        assert all(line.startswith("INFO:") for line in said[:-1])


def test_output_that_cannot_be_written_is_one_sentence(
    convert: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reporting, "report", fail)
    status, _, err = convert()
    assert status == 1
    assert err == "convert: standard output cannot be written (No space left on device).\n"


def test_a_bar_is_drawn_on_a_terminal_alone_and_never_on_standard_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(track("abc", "Measuring")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(track("abc", "Measuring")) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert out == ""
    assert "Measuring" in err


def printed(root: Path, *words: str | Path) -> list[str]:
    """The lines of the table, as users get it of the models that ship."""
    run = subprocess.run(
        [sys.executable, "-m", "convert", "report", *map(str, words)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Warning" not in run.stderr
    return run.stdout.splitlines()


@pytest.fixture(scope="module")
def in_readme(root: Path) -> list[str]:
    """The lines of README's table of models."""
    (table,) = re.findall(
        r"^\| \| Simple Dense .*\n(?:\|.*\n)+",
        (root / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return str(table).splitlines()


def split_off_latency(lines: list[str]) -> list[str]:
    """The rows without the last, which has other numbers each time; its form must be right."""
    assert LATENCY.fullmatch(lines[-1])
    return lines[:-1]


def test_readme_s_table_is_what_the_command_prints(in_readme: list[str], root: Path) -> None:
    expected = [line for line in in_readme if label(line) not in DRAWN_ROWS]
    assert split_off_latency(printed(root)) == split_off_latency(expected)


def test_readme_s_table_is_what_the_command_prints_of_drawn_digits(
    in_readme: list[str], root: Path, pen_file: Path
) -> None:
    found = printed(root, "--drawings", pen_file)
    assert split_off_latency(found) == split_off_latency(in_readme)


def test_readme_counts_what_the_figures_are_of(root: Path, pen_file: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    drawn = reporting.read_test_parts([pen_file])
    assert f"Drawn digits are {len(drawn):,} digits" in readme
    assert len({drawing.writer for drawing in drawn}) == 6
    assert f"the {len(read_non_digits())} synthetic" in readme


def test_the_benchmark_measures_the_same(models_folder: Path, test_set: Digits) -> None:
    """Both measure what int8 cost, and neither knows the other."""
    images = np.stack([normalize(image) for image in test_set.images[:500]])
    labels, model = test_set.labels[:500], load_model(models_folder / "dense")
    original, int8 = (model.predict(images, name) for name in ("float32", "int8"))
    ours, theirs = compare(int8, original, labels), drift.compare(original, int8, labels)
    assert ours.calibration_error == theirs.calibration_error
    assert ours.lost_points == theirs.accuracy_loss_points
    assert ours.agreement == theirs.agreement
    assert ours.flips_to_wrong == theirs.flips_to_wrong
