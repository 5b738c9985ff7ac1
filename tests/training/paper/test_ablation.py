"""The paper's claims on a few random pictures: how pairs are trained and counted, not what is found."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.made import folders
from tests.training.trainer.small_plan import CPU, thing_set
from training import __main__ as cli
from training.commands.ablate import findings_of
from training.config import Stage
from training.evaluation.statistics import student_interval
from training.paper.ablation import Result, TrainedResults, pairs, train_and_measure
from training.paper.hypotheses import HYPOTHESES, SWITCHES, modern_base, paper_base


def result(losses: list[float], error: float = 50.0, training: float = 40.0, ten: float = 48.0) -> Result:
    return Result(losses=losses, error=error, training_error=training, ten_view_error=ten)


def test_every_claim_makes_two_different_networks_or_views() -> None:
    for claims, base in ((HYPOTHESES, paper_base(67, 8)), (SWITCHES, modern_base(67, 8))):
        for name, claim in claims.items():
            ours, other = claim.sides(base)
            assert (ours == other) == (name == "views"), name


def test_gains_are_counted_towards_the_claim() -> None:
    better, worse = result([1.0], error=40), result([1.0], error=45, training=39)
    assert HYPOTHESES["lrn"].gain(better, worse) == 5
    assert HYPOTHESES["views"].gain(better, worse) == -8
    assert HYPOTHESES["decay"].gain(better, worse) == -1
    assert HYPOTHESES["dropout"].gain(better, worse) == 6
    steep, slow = result([10.0 - i for i in range(20)]), result([10.0 - i / 2 for i in range(20)])
    assert HYPOTHESES["relu"].gain(steep, slow) == pytest.approx(12 / 6.0, rel=0.4)
    assert HYPOTHESES["relu"].gain(slow, steep) == pytest.approx(6.0 / 12, rel=0.4)


def test_the_interval_by_hand() -> None:
    mean, half = student_interval([1.0, 2.0, 3.0])
    assert (mean, half) == pytest.approx((2.0, 4.302653 / 3**0.5), rel=1e-6)
    assert np.isnan(student_interval([1.0])[1])


def test_a_recipe_that_two_pairs_share_is_trained_once() -> None:
    sets, results = (thing_set(), thing_set()), TrainedResults()
    base = paper_base(67, 4)
    noisy = replace(base, colour_noise=0.1)
    [(first, second)] = pairs((noisy, base), sets, results, steps=1, seeds=1, device=CPU)
    assert list(results) == [noisy, base]
    [(other, again)] = pairs((replace(base, dropout=0.5), base), sets, results, steps=1, seeds=1, device=CPU)
    assert again is second
    assert other.losses != second.losses
    assert 0 <= first.error <= 100


def test_a_network_grows_in_a_pair_where_its_recipe_says_so() -> None:
    sets = thing_set(), thing_set()
    small = paper_base(67, 4)
    growing = replace(small, stages=(Stage(size=67, share=0.5), Stage(size=99, share=0.5)))
    constant, grown = (train_and_measure(recipe, sets, 2, CPU).losses for recipe in (small, growing))
    assert constant[0] == grown[0]
    assert constant[1] != grown[1]


def test_ablate_takes_one_switch_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders(tmp_path / "data", {f"kind {number}": 12 for number in range(2)})
    words = ["--data", str(tmp_path / "data"), "--steps", "1", "--seeds", "1", "--batch-size", "4", "--device", "cpu"]
    assert cli.main(["ablate", "switch:traces", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines if ": " in line and "[" in line] == ["traces"]
    assert cli.main(["ablate", "switch:traces", *words, "--seeds", "0"]) == 2
    assert "give 1 or more" in capsys.readouterr().err


@pytest.mark.slow
def test_ablate_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders(tmp_path / "data", {f"kind {number}": 12 for number in range(3)})
    command = [
        "ablate",
        "colour",
        "--data",
        str(tmp_path / "data"),
        "--steps",
        "2",
        "--seeds",
        "2",
        "--device",
        "cpu",
        "--batch-size",
        "4",
        "--classes",
        "2",
        "--json",
        str(tmp_path / "found.json"),
    ]
    assert cli.main(command) == 0
    assert "PCA colour noise" in capsys.readouterr().out
    written = json.loads((tmp_path / "found.json").read_text())
    colour = written["hypotheses"]["colour"]
    assert len(colour["gains"]) == written["seeds"] == 2
    assert colour["mean"] == pytest.approx(sum(colour["gains"]) / 2, abs=1e-3)
    assert (colour["said"], colour["even"]) == (HYPOTHESES["colour"].statement, 0)
    assert written["command"].startswith("python -m training ablate colour --data D/data --steps 2 --batch-size 4 ")


def test_a_single_seed_gives_no_interval_and_the_file_stays_json() -> None:
    finding = findings_of({"relu": HYPOTHESES["relu"]}, {"relu": [0.75]})["relu"]
    assert (finding.half, finding.even, finding.mean) == (None, 1.0, 0.75)
    assert "NaN" not in json.dumps(asdict(finding))
