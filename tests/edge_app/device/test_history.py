"""History: samples since the start, in bounded memory. The highest ones are never lost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from edge_app.device import procfs
from edge_app.device.history import MOST, History, Sample, read_sample


def test_samples_are_kept_in_order_and_end_now() -> None:
    loads = iter(range(100))
    history = History(lambda: Sample(None, next(loads)))
    for _ in range(3):
        history.record()
    assert history.samples() == [Sample(None, load) for load in (0, 1, 2, 3)]
    assert history.seconds() >= 0


def test_years_take_no_more_memory_than_hours_and_peaks_stay() -> None:
    now = [Sample(None, None)]
    history = History(lambda: now[0])
    for number in range(50 * MOST):
        now[0] = Sample(90.0 if number == 7 else 40.0, None if number % 2 else number / 1000)
        history.record()
        assert len(history.samples()) <= MOST + 1
    samples = history.samples()
    assert len(samples) >= MOST / 2
    temperatures = [sample.celsius for sample in samples]
    assert temperatures[0] == 90
    assert set(temperatures[1:]) == {40}
    loads = [sample.load for sample in samples if sample.load is not None]
    assert loads == sorted(loads)
    assert loads[-1] == pytest.approx(50 * MOST / 1000, abs=0.01)
    # At equal distances; the last ones are of now.
    steps = [after - before for before, after in pairwise(loads[:-2])]
    assert max(steps) == pytest.approx(min(steps))


def test_what_a_device_does_not_tell_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(procfs, "ROOT", tmp_path)
    assert read_sample() == Sample(None, None)
