"""The arithmetic of the serving benchmark."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import fields
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from benchmarks import photos
from benchmarks.arrivals import percentile, schedule
from benchmarks.client import Answer
from benchmarks.footprint import closure
from benchmarks.load import SCRIPT, ClosedLoop, Rounds
from benchmarks.plan import DisagreementError, Plan, ratio_of_turns
from benchmarks.table import GOALS, judge_goals, rows, show
from benchmarks.throughput import require_same
from model.checkpoint import PRETRAINED


def test_a_percentile_is_one_of_the_measured_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 95), percentile(values, 99)) == (50, 95, 99)
    assert percentile([3.0, 1.0], 99) == 3
    assert percentile([7.0], 50) == 7


def test_arrivals_are_a_poisson_process_of_the_given_rate() -> None:
    times = schedule(100, 200, seed=1)
    assert len(times) == pytest.approx(100 * 200, rel=0.03)
    assert times == sorted(times)
    assert times[-1] < 200
    gaps = np.diff(times)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)  # as in no other process
    assert times == schedule(100, 200, seed=1)
    assert times != schedule(100, 200, seed=2)


def test_photos_differ_from_each_other_and_are_the_same_each_time() -> None:
    made = photos.ordinary(10)
    assert len(set(made)) == 10
    assert made[9] == photos.ordinary(10)[9]
    assert all(80_000 < len(jpeg) <= photos.ORDINARY_BYTES for jpeg in made)
    assert Image.open(BytesIO(made[0])).size == photos.ORDINARY


def test_a_photo_is_sent_in_three_encodings() -> None:
    assert photos.encoded(b"abc", "raw") == photos.Body("image/jpeg", b"abc")
    assert b64decode(json.loads(photos.encoded(b"abc", "base64").content)["image"]) == b"abc"
    form = photos.encoded(b"abc", "multipart")
    assert form.content_type.startswith("multipart/form-data; boundary=")
    assert b'name="file"' in form.content
    assert b"\r\n\r\nabc\r\n--" in form.content


def loop(concurrency: int, ok: int) -> ClosedLoop:
    return ClosedLoop(
        concurrency, 2.0, ok, shed=1, shed_with_retry_after=1, other=0, lost=0, p99_ms=9.0, client_cpu=0.01
    )


def test_the_script_for_wrk_prints_what_a_closed_loop_reads() -> None:
    printed = set(re.findall(r'"(\w+)": %', SCRIPT.read_text("utf-8")))
    assert printed == {field.name for field in fields(ClosedLoop)} - {"concurrency", "client_cpu"}


def test_the_best_concurrency_has_the_highest_median() -> None:
    rounds = Rounds(tuple(loop(*one) for one in ((1, 10), (1, 12), (1, 11), (8, 100), (8, 4), (8, 6))))
    assert rounds.rate_at(8) == 3
    assert (rounds.best, rounds.rate, rounds.best_rates) == (1, 5.5, [5, 6, 5.5])


def test_a_ratio_of_medians_lies_within_its_spread_over_the_turns() -> None:
    ratio = ratio_of_turns([12.0, 10.0, 15.0], [4.0, 5.0, 6.0])
    assert ratio == {"value": 12 / 5, "n": 3, "low": 2, "high": 3}
    assert ratio_of_turns([1.0], [2.0], n=500) == {"value": 0.5, "n": 500, "low": 0.5, "high": 0.5}
    with pytest.raises(ValueError, match="argument 2"):
        ratio_of_turns([1.0, 2.0], [1.0])


def test_answers_must_be_equal_but_for_request_id_and_times() -> None:
    wanted = {"request_id": "a", "timing_ms": {"total": 1}, "labels": [{"label": "cup", "score": 0.5}]}
    other = {**wanted, "request_id": "b", "timing_ms": {"total": 9}}
    require_same([Answer(200, 0.1, content=json.dumps(other).encode())], [wanted], "raw")
    wrong = {**other, "labels": [{"label": "cup", "score": 0.5000001}]}
    with pytest.raises(DisagreementError, match=r"Photo 0, raw: labels is .*0\.5000001"):
        require_same([Answer(200, 0.1, content=json.dumps(wrong).encode())], [wanted], "raw")
    with pytest.raises(DisagreementError, match="HTTP answered 503"):
        require_same([Answer(503, 0.1)], [wanted], "raw")


def report(ratio: float, start: float) -> dict[str, Any]:
    memory = {"rss": 500_000_000, "pss": 400_000_000, "processes": 1}
    footprint = {
        "start_seconds": start,
        "starts": [start, start],
        "installed_bytes": 10**8,
        "installed": {"numpy": 10**8},
        "memory": {"start_seconds": start, "at_start": memory, "after": memory, "photos": 40, "answered": 40},
    }
    return {
        "ratios": {
            "http_over_in_process": {"value": ratio, "n": 3, "low": 0.88, "high": 0.93},
            "start_over_today": {"value": start / 2, "n": 5, "low": 0.9, "high": 1.3},
            "http_over_engine": {"value": 0.5, "n": 3, "low": 0.4, "high": 0.6},
        },
        "conditions": {"cores": 2},
        "figures": {"footprint": footprint, "bodies": {"failed": "it fell over"}},
        "goals": [],
    }


def test_goals_are_met_or_missed_and_left_out_where_not_measured() -> None:
    missed = report(ratio=0.91, start=2.5)
    goals = judge_goals(missed)
    assert [(goal["n"], goal["goal"], goal["met"]) for goal in goals] == [
        (3, "≥ 0.9 ×", True),
        (5, "≤ 1 ×", False),
    ]
    console = Console(record=True, width=160)
    show({**missed, "goals": goals}, console)
    text = console.export_text()
    assert "MISSED" in text
    assert "FAILED: it fell over" in text
    assert "500 MB" in text
    assert re.search(r"N/D1.*0\.91 × .*0\.88 × .*0\.93 × .* 3 .*met", text)
    assert re.search(r"http over engine.*0\.50 × .*0\.40 × .*0\.60 × ", text)


def test_the_goals_name_each_ratio_once() -> None:
    assert len({goal.ratio for goal in GOALS}) == len(GOALS)


def test_a_part_that_failed_has_one_row() -> None:
    assert list(rows({"peers": {"failed": "no"}})) == [("peers", "FAILED: no")]


def test_serving_needs_neither_torch_nor_what_only_tests_need() -> None:
    names = {dist.metadata["Name"].lower() for dist in closure("glassbot")}
    assert {"glassbot", "fastapi", "openvino", "numpy"} <= names
    assert not names & {"torch", "pytest", "ruff", "litserve"}


def test_a_quick_plan_has_every_step_and_the_full_one_enough_of_each() -> None:
    plan = Plan(PRETRAINED)
    assert (plan.runs, plan.idle_requests, plan.memory_photos, plan.concurrencies) == (3, 500, 2000, (1, 8, 32, 128))
    assert plan.starts >= 5
    assert len(plan.litserve_modes) == 4
    assert len(plan.quick().concurrencies) == len(plan.quick().in_process)
    assert len(plan.concurrencies) == len(plan.in_process)
