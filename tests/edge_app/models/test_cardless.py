"""Files without a card: whatever one does to the process that runs it, the app goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import ROOT, App, call, post, start, until
from culprits import CRASH, CULPRIT, HANG, HANG_IN_C, culprit_runtime
from edge_app.digits.normalization import stack, views
from edge_app.digits.samples import drawings
from edge_app.models.answers import Answer, classify
from edge_app.models.cardless import CARDLESS, CRASHES, CardlessModel, NoAnswerError
from edge_app.models.classifier import Classifier, normalizations
from edge_app.models.folder import load_folder
from edge_app.models.interpreter import find_runtime
from edge_app.page.tabs.models import models_sheet

pytestmark = pytest.mark.slow

KILLER = b"\xff\xff\xff\x7f"
"""Kills tflite-runtime as the first four bytes, which say where a file's contents begin."""

Do = Callable[[str], Path]


@pytest.fixture
def folder(models_folder: Path, tmp_path: Path) -> Path:
    """Two files without a card; the first is the culprit."""
    folder = tmp_path / "models"
    folder.mkdir()
    content = (models_folder / "dense" / "float32.tflite").read_bytes()
    (folder / "culprit.tflite").write_bytes(content + CULPRIT)
    shutil.copy(models_folder / "dense" / "int8.tflite", folder / "good.tflite")
    return folder


@pytest.fixture
def do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    """Makes the runtime of other processes run a line of Python when the culprit is run; returns
    the file that must exist for it."""

    def stub(action: str) -> Path:
        trigger = tmp_path / "trigger"
        text = culprit_runtime(action, trigger)
        # Every Python process imports it when it starts.
        (tmp_path / "sitecustomize.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return trigger

    return stub


def ask(models: dict[str, Classifier]) -> dict[str, Answer]:
    return classify(models, views(drawings()[3], normalizations(models.values())), "int8")


def answered(models: dict[str, Classifier], *names: str) -> Callable[[], bool]:
    """Whether these models and no others answer now."""
    return lambda: tuple(name for name, each in ask(models).items() if each["digit"] == 3) == names


def workers(parent: int) -> list[int]:
    """The workers of a process, by their numbers."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            after_name = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if b"edge_app.models.worker" in words and int(after_name[1]) == parent:
            found.append(int(path.name))
    return found


@pytest.fixture
def new_workers() -> Callable[[], list[int]]:
    """Finds this process's workers that were not there when the test began: those of models that
    other tests loaded end when Python collects the models."""
    before = workers(os.getpid())
    return lambda: [number for number in workers(os.getpid()) if number not in before]


def is_running(number: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False


# When it is tried


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            lambda content: KILLER + content[4:],
            r"It ends the process that runs it \(SIG\w+\); convert it again"
            if find_runtime().name == "tflite-runtime"
            else "does not load it",
            id="one that kills the process",
        ),
        pytest.param(lambda _: b"", "does not load it", id="an empty one"),
    ],
)
def test_a_malformed_file_is_left_out_and_the_next_is_tried(
    damage: Callable[[bytes], bytes], reason: str, folder: Path
) -> None:
    file = folder / "culprit.tflite"
    file.write_bytes(damage(file.read_bytes()))
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    [sentence] = reports
    assert sentence.startswith("The file 'culprit.tflite' is left out: ")
    assert re.search(reason, sentence)
    assert answered(models, "good")()


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (CRASH, "It ends the process that runs it (SIGSEGV); convert it again."),
        (HANG, "It did not respond within 2 seconds; convert it again."),
        (HANG_IN_C, "It did not respond within 2 seconds; convert it again."),
        ("sys.exit(3)", "It ends the process that runs it (status 3); convert it again."),
        ("bytearray(3 * 2**30)", "It asks for more than 2 GiB of memory; convert it again."),
        ("{}[1]", "It fails when it runs (KeyError: 1)."),
    ],
)
def test_a_file_that_fails_on_trial_is_left_out(
    action: str, reason: str, folder: Path, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(action).touch()
    (folder / "good.tflite").unlink()
    if action in {HANG, HANG_IN_C}:
        monkeypatch.setattr("edge_app.models.cardless.LOAD_S", 2)
    reports: list[str] = []
    assert load_folder(folder, reports.append) == {}
    assert reports == [f"The file 'culprit.tflite' is left out: {reason}"]


def test_what_the_runtime_prints_is_not_an_answer(folder: Path, do: Do) -> None:
    do("os.write(1, b'INFO: a line'); print('and another')").touch()
    models = load_folder(folder, pytest.fail)
    assert answered(models, "culprit", "good")()


# While it serves


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (CRASH, "It ends the process that runs it (SIGSEGV)"),
        (HANG, "It did not respond within 0.5 seconds"),
        (HANG_IN_C, "It did not respond within 0.5 seconds"),
        ("raise ValueError", "It fails when it runs (ValueError: )"),
    ],
)
def test_a_file_that_fails_later_is_left_out_after_the_third_time(
    action: str,
    reason: str,
    folder: Path,
    do: Do,
    monkeypatch: pytest.MonkeyPatch,
    new_workers: Callable[[], list[int]],
) -> None:
    if action in {HANG, HANG_IN_C}:
        monkeypatch.setattr("edge_app.models.cardless.RUN_S", 0.5)
    trigger = do(action)
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    both, good = answered(models, "culprit", "good"), answered(models, "good")
    assert both()
    assert models_sheet(models)["warnings"] == []
    sentence = f"The file 'culprit.tflite' gave no answer: {reason}"
    for crashes in range(1, CRASHES):
        trigger.touch()
        # It is not waited for: the drawing after the next may be answered.
        assert ask(models)["culprit"] == {
            "digit": None,
            "accepted": False,
            "probabilities": [0.0] * 10,
            "variant": CARDLESS,
            "latency_us": 0.0,
            "drift": None,
            "float32_digit": None,
        }
        trigger.unlink()
        until(both)
        assert reports == [f"{sentence}."] * crashes
    trigger.touch()
    ask(models)
    trigger.unlink()
    until(good)
    assert reports[CRASHES - 1 :] == [f"{sentence}; it is left out from now on."]
    [warning] = models_sheet(models)["warnings"]
    assert warning.startswith("culprit (no card) no longer answers: it crashed or hung 3 ")
    for _ in range(3):
        assert good()
    with pytest.raises(NoAnswerError, match="gives no answer"):
        models["culprit"].predict(np.zeros((1, 28, 28), "u1"))
    assert len(reports) == CRASHES
    assert len(new_workers()) == 1


def test_a_file_that_crashes_while_it_is_loaded_again_is_to_blame(
    folder: Path, do: Do, new_workers: Callable[[], list[int]]
) -> None:
    # The good file is not: the culprit ends the process while the good one gets a new one.
    trigger = do(CRASH)
    text = (trigger.parent / "sitecustomize.py").read_text()
    at_once = text.replace("def invoke", "def allocate_tensors").replace(
        "super().invoke", "super().allocate_tensors"
    )
    (trigger.parent / "sitecustomize.py").write_text(at_once)
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    trigger.touch()
    [worker] = new_workers()
    os.kill(worker, signal.SIGKILL)
    until(answered(models, "good"))
    # The kill itself is put down to the file that was asked next.
    assert all("'culprit.tflite' gave no answer" in sentence for sentence in reports)
    assert len(reports) == CRASHES


def test_no_process_stays_when_no_file_is_left(
    folder: Path, do: Do, new_workers: Callable[[], list[int]]
) -> None:
    trigger = do(CRASH)
    (folder / "good.tflite").unlink()
    models = load_folder(folder, lambda _: None)
    trigger.touch()
    for _ in range(CRASHES):
        with pytest.raises(NoAnswerError):
            models["culprit"].predict(np.ones((1, 28, 28), "u1"))
    assert ask(models)["culprit"]["digit"] is None
    assert new_workers() == []


def test_a_file_that_has_changed_is_not_loaded_again(folder: Path, do: Do) -> None:
    trigger = do(CRASH)
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    (folder / "good.tflite").write_bytes(b"another")
    trigger.touch()
    ask(models)
    trigger.unlink()
    until(answered(models, "culprit"))
    assert "'good.tflite' is left out from now on: " in reports[1]
    assert "good.tflite is corrupt: found 7 bytes" in reports[1]


def test_predictions_of_many_images_wait_for_a_new_process(folder: Path, do: Do) -> None:
    trigger = do(CRASH)
    models = load_folder(folder, lambda _: None)
    images = stack(drawings(), models["good"].normalization)
    expected = models["good"].predict(images)
    trigger.touch()
    with pytest.raises(NoAnswerError, match="It ends the process that runs it"):
        models["culprit"].predict(images)
    np.testing.assert_array_equal(models["good"].predict(images), expected)
    assert models["good"].predict(images[:0]).shape == (0, 10)


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "nonsense",
        "{}",
        '{"outputs": [1], "latency_us": 1}',
        '{"outputs": "abc"}',
        '{"error": "It fails."}',
        "7" * 10**6,
    ],
)
@pytest.mark.parametrize("pause", ["", "; time.sleep(0.1)"])
def test_nonsense_from_the_process_is_no_answer_to_this_request_or_the_next(
    answer: str, pause: str, folder: Path, do: Do, tmp_path: Path
) -> None:
    (tmp_path / "answer").write_text(answer + "\n")
    # The true answer comes together with it, or later.
    trigger = do(f"os.write(answers, open({str(tmp_path / 'answer')!r}, 'rb').read()){pause}")
    site = tmp_path / "sitecustomize.py"
    # The pipe, before the program puts standard error in its place.
    site.write_text(f"import os\nanswers = os.dup(1)\n{site.read_text()}")
    reports: list[str] = []
    models = load_folder(folder, reports.append)
    trigger.touch()
    assert ask(models)["culprit"]["digit"] is None
    assert reports == [
        "The file 'culprit.tflite' gave no answer: It damages the process that runs it."
    ]
    trigger.unlink()
    until(answered(models, "culprit", "good"))


def test_the_latency_is_the_inference_s_own(folder: Path, do: Do) -> None:
    """Starting with a wait in the runtime shows in it; a wait on the way would not."""
    trigger = do("time.sleep(0.05)")
    models = load_folder(folder, pytest.fail)
    trigger.touch()
    found = ask(models)
    assert found["culprit"]["latency_us"] > 50_000
    assert found["good"]["latency_us"] > 0


# The process


def test_one_process_runs_all_files_and_none_is_left_without_them(
    folder: Path, models_folder: Path, new_workers: Callable[[], list[int]]
) -> None:
    models = load_folder(folder, pytest.fail)
    assert all(isinstance(model, CardlessModel) for model in models.values())
    [worker] = new_workers()
    del models
    until(lambda: not is_running(worker))
    assert load_folder(models_folder, pytest.fail)
    assert new_workers() == []


SERVE = """
import sys, time
sys.path.insert(0, {root!r})
from edge_app.digits.samples import drawings
from edge_app.digits.normalization import views
from edge_app.models.answers import classify
from edge_app.models.folder import load_folder

models = load_folder({folder!r}, print)
print(*models, flush=True)
sys.stdin.readline()
print(classify(models, views(drawings()[3], ["bimoment", "box"]), "int8")["good"]["digit"])
time.sleep(1000)
"""


@pytest.mark.parametrize("is_hanging", [False, True])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_process_never_outlives_the_app_and_ctrl_c_prints_nothing_in_it(
    is_hanging: bool, number: signal.Signals, folder: Path, do: Do
) -> None:
    trigger = do(f"open({str(folder / 'hangs')!r}, 'w').close(); {HANG}")
    script = SERVE.format(root=str(ROOT), folder=str(folder))
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # So that the signal goes to it and all that it started.
    ) as app:
        assert app.stdin
        assert app.stdout
        assert app.stderr
        assert app.stdout.readline() == b"culprit good\n"
        [worker] = workers(app.pid)
        assert os.getsid(worker) == worker  # A terminal's Ctrl-C does not reach it.
        if is_hanging:
            trigger.touch()
            app.stdin.write(b"\n")
            app.stdin.flush()
            until((folder / "hangs").exists)
        os.killpg(app.pid, number)
        errors = app.stderr.read().decode()
    assert app.returncode == -number
    assert errors.count("Traceback") == (number == signal.SIGINT)  # The script's own.
    assert "edge_app.models.worker" not in errors
    until(lambda: not is_running(worker))


def test_a_file_that_crashes_leaves_the_app_s_answers_as_they_are(
    folder: Path, do: Do, models_folder: Path
) -> None:
    shutil.copytree(models_folder / "dense", folder / "dense")
    trigger = do(CRASH)
    models = load_folder(folder, lambda _: None)
    trigger.touch()
    for _ in range(5):
        found = ask(models)
        assert found["dense"]["digit"] == 3
        assert list(found) == ["dense", "culprit", "good"]
        json.dumps(found, allow_nan=False)


def digits(app: App) -> dict[str, int | None]:
    """What each model reads in a three."""
    strokes = [stroke.tolist() for stroke in drawings()[3]]
    content = {"data": [strokes, "int8"]}
    [answers] = post(f"{app.url}/gradio_api/run/classify", content).json()["data"]
    return {name: answer["digit"] for name, answer in answers.items()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_app_starts_and_goes_on_whatever_its_models_are(
    number: signal.Signals, folder: Path, models_folder: Path, do: Do, tmp_path: Path
) -> None:
    for name in ("dense", "mlp"):
        shutil.copytree(models_folder / name, folder / name)
    (folder / "mlp" / "int8.tflite").unlink()
    for name in ("fifo", "nested", "surrogate"):
        (folder / name).mkdir()
    os.mkfifo(folder / "fifo" / "card.json")
    (folder / "nested" / "card.json").write_text("[" * 5000)
    (folder / "surrogate" / "card.json").write_text(r'{"title": "\ud800"}')
    trigger = do(CRASH)
    (tmp_path / "app").mkdir()
    with start(tmp_path / "app", "--models", folder, PYTHONPATH=tmp_path) as app:
        said = app.printed("stderr").splitlines()
        for name in ("fifo", "nested", "surrogate"):
            assert sum(f"edge_app: Model {name!r} is left out: " in line for line in said) == 1
        assert sum("Model 'mlp' lacks its variant int8: " in line for line in said) == 1
        assert digits(app) == {"dense": 3, "mlp": 3, "culprit": 3, "good": 3}
        [worker] = workers(app.process.pid)
        trigger.touch()
        assert digits(app)["culprit"] is None
        trigger.unlink()
        until(lambda: digits(app) == {"dense": 3, "mlp": 3, "culprit": 3, "good": 3})
        for _ in range(CRASHES - 1):
            trigger.touch()
            until(lambda: digits(app)["good"] is None)
            trigger.unlink()
            until(lambda: digits(app)["good"])
        assert digits(app) == {"dense": 3, "mlp": 3, "culprit": None, "good": 3}
        crashes = [line for line in app.printed("stderr").splitlines() if "'culprit" in line]
        assert len(crashes) == CRASHES
        sheet = call(app, "tabs", "sheet", "models").json()
        assert len(sheet["warnings"]) == 2
        [worker] = workers(app.process.pid)
        app.stop(number)
        until(lambda: not is_running(worker))
        assert "Traceback" not in app.printed("stderr")


def test_no_process_can_be_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    reports: list[str] = []
    assert load_folder(folder, reports.append) == {}
    assert reports == [
        f"The file '{name}.tflite' is left out: Its process does not start (Resource temporarily "
        "unavailable)."
        for name in ("culprit", "good")
    ]
