"""A small run on pictures made here: trains, resumes exactly, evaluates, ends in a file that serves."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from model import checkpoint
from model.runlog import reader
from training import __main__ as cli
from training import data
from training.config import Recipe, Stage, override
from training.data import DataError, shares, stream
from training.evaluation.accuracy import average_precision, top_k_accuracy
from training.recipes import RECIPES
from training.trainer.state import read_state, write_state

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}


def picture(colour: str, random: np.random.Generator) -> Image.Image:
    noise = random.integers(-30, 30, (48, 48, 3))
    return Image.fromarray((np.array(COLOURS[colour]) + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def mugs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three class folders of one's own."""
    folder, random = tmp_path_factory.mktemp("data") / "mugs", np.random.default_rng(0)
    for colour in COLOURS:
        (folder / f"{colour}_mug").mkdir(parents=True)
        for number in range(20):
            picture(colour, random).save(folder / f"{colour}_mug" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parquet shards with captions."""
    folder, random = tmp_path_factory.mktemp("captions"), np.random.default_rng(1)
    for half, count in (("train", 24), ("validation", 9)):
        rows = []
        for number in range(count):
            colour = list(COLOURS)[number % 3]
            path = folder / "x.png"
            picture(colour, random).save(path)
            rows.append(
                {
                    "image": {"bytes": path.read_bytes(), "path": "x.png"},
                    "captions": [f"A {colour} wall."] * 5,
                }
            )
        path.unlink()
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{half}-00000.parquet")
    (folder / "words.txt").write_text("# words\n" + "".join(f"{c}\t{c} {c}dish\n" for c in COLOURS))
    return folder


def run(*arguments: object) -> int:
    return cli.main([str(a) for a in arguments])


def smoke(out: Path, *specs: object, steps: str = "4") -> list[object]:
    named = [item for spec in specs for item in ("--data", spec)]
    return ["train", "--recipe", "smoke", *named, "--out", out, "--epochs", steps, "--device", "cpu"]


@pytest.mark.parametrize(("flags", "within"), [((), False), (("--set", "labels_within_set=true"), True)])
def test_without_a_teacher_labels_tell_the_classes_of_all_sets_apart(
    flags: tuple[str, ...], within: bool, mugs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    small = ["--set", "stages=67:1", "--set", "batch_size=4", "--precision", "f32", *flags]
    assert run(*smoke(out, mugs, steps="0.05"), "--recipe", "modern", *small) == 0
    assert json.loads((out / "config.json").read_text())["recipe"]["labels_within_set"] is within


def test_a_run_learns_colours_and_evaluates(mugs: Path, said: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run(*smoke(out, f"mug={mugs}", f"word={said}", steps="6")) == 0
    assert (
        run(
            "evaluate",
            out / "best.safetensors",
            "--data",
            mugs,
            "--data",
            said,
            "--json",
            out / "f.json",
            "--engine",
            "torch",
        )
        == 0
    )
    figures = json.loads((out / "f.json").read_text())
    assert figures["mug"]["top1"] >= 0.8
    assert set(figures["word"]) == {"map", "n"}
    small = out / "small.safetensors"
    assert run("compress", out / "best.safetensors", small, "--data", mugs) == 0
    assert checkpoint.load(small).measured["mug"]["n"] == 6
    entries = reader.entries(out / "metrics.jsonl")
    assert any("measured" in entry for entry in entries)
    network = checkpoint.load(out / "last.safetensors")
    assert [label.name for label in network.vocabularies[0].labels] == ["blue mug", "green mug", "red mug"]
    assert network.vocabularies[1].labels[0].forms == ("red", "reddish")


def test_a_folder_with_a_run_is_refused_and_a_finished_run_says_so(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = smoke(tmp_path / "run", mugs, steps="1")
    assert run(*command) == 0
    assert run(*command) == 2
    assert "--resume" in capsys.readouterr().err
    assert run(*command, "--resume") == 0
    assert "finished" in capsys.readouterr().out


def test_a_run_of_the_last_release_goes_on_under_the_names_of_this_one(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(*smoke(out, mugs, steps="1")) == 0
    saved = read_state(out / "state.pt")
    write_state(out / "state.pt", {**saved, "step": saved["step"] - 1})
    config = json.loads((out / "config.json").read_text())
    old = {**config, "recipe": {**config["recipe"]}}
    old["recipe"]["teaching"] = old["recipe"].pop("distillation_weight")
    (out / "config.json").write_text(json.dumps(old))
    capsys.readouterr()
    assert run(*smoke(out, mugs), "--resume") == 0
    assert "teaching=0.5 is the old name of distillation_weight=0.5" in capsys.readouterr().err
    assert json.loads((out / "config.json").read_text()) == config
    assert read_state(out / "state.pt")["step"] == config["steps"]


def test_a_loss_that_is_no_number_stops_before_the_update(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*smoke(tmp_path / "run", mugs), "--lr", "1e30") == 2
    assert "loss became" in capsys.readouterr().err


def test_data_mistakes_are_one_clear_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*smoke(tmp_path / "run", tmp_path / "absent")) == 2
    assert "There is no folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run(*smoke(tmp_path / "run", tmp_path / "empty")) == 2
    assert "neither Parquet shards nor folders" in capsys.readouterr().err
    assert run(*smoke(tmp_path / "run", tmp_path / "empty"), "--set", "colour=red") == 2
    assert "no field 'colour'" in capsys.readouterr().err


def test_a_set_that_the_checkpoint_does_not_know_is_refused(mugs: Path, said: Path) -> None:
    one = data.load(f"mug={mugs}", "train")
    with pytest.raises(DataError, match="no vocabulary with the classes"):
        data.match_vocabulary(str(said), [one.vocabulary])


def test_the_stream_is_permutations_end_to_end() -> None:
    whole = stream(10, 0, 30, seed=4)
    assert [sorted(whole[i : i + 10]) for i in (0, 10, 20)] == [list(range(10))] * 3
    np.testing.assert_array_equal(stream(10, 7, 9, seed=4), whole[7:16])


def test_batches_mix_the_sets_by_the_root_of_their_size() -> None:
    assert shares([100_000, 90_000, 6_091], 256) == [118, 110, 28]
    assert sum(shares([10, 10], 7)) == 7


def test_average_precision_by_hand() -> None:
    ranked = average_precision(np.array([0.9, 0.8, 0.7, 0.1], np.float32), np.array([True, False, True, False]))
    assert ranked == pytest.approx((1 + 2 / 3) / 2)


def test_top_one_and_five_by_hand() -> None:
    scores = np.eye(6, dtype=np.float32)[[0, 1, 2]] + np.linspace(0.5, 0, 6, dtype=np.float32)
    assert top_k_accuracy(scores, np.array([0, 3, 5])) == {"top1": 0.3333, "top5": 0.6667, "n": 3}


def test_recipes_are_checked() -> None:
    assert override(RECIPES["modern"](), {"stages": "99:0.5,131:0.5", "lrn": "text"}).stages[1] == Stage(
        size=131, share=0.5
    )
    for bad in (
        {"epochs": -1.0},
        {"min_area": 0.0},
        {"optimiser": "adam"},
        {"stages": (Stage(size=67, share=0.4),)},
    ):
        with pytest.raises(ValueError, match="must"):
            Recipe(name="bad", **bad)
    with pytest.raises(ValueError, match="epochs='many'"):
        override(RECIPES["smoke"](), {"epochs": "many"})


def test_a_broken_picture_is_skipped_and_named_in_run_log_and_report(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_folder = tmp_path / "mugs"
    shutil.copytree(mugs, data_folder)
    (data_folder / "red_mug" / "5.png").write_bytes(b"no picture")
    out = tmp_path / "run"
    streamed = [*smoke(out, data_folder, steps="1"), "--cache", "none"]
    assert run(*streamed, "--max-bad", "0") == 2
    assert "5.png" in capsys.readouterr().err
    assert run(*streamed, "--max-bad", "2", "--resume") == 0
    entries = [entry for entry in reader.entries(out / "metrics.jsonl") if "broken" in entry]
    assert entries[-1]["broken"][0].startswith(str(data_folder / "red_mug" / "5.png"))
    assert run("report", out, "--out", tmp_path / "report.html") == 0
    assert "5.png" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_run_starts_from_another_network_for_so_many_minutes(
    mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "first"
    assert run(*smoke(first, mugs, steps="1")) == 0
    muon = ["--set", "optimiser=muon", "--set", "ema=0.9", "--lr", "1e-4"]
    second = [*smoke(tmp_path / "second", mugs, steps="1"), "--minutes", "0.01", *muon]
    assert run(*second, "--from", first / "best.safetensors") == 0
    assert "0.01 minutes are about" in capsys.readouterr().out
    [one, two] = (checkpoint.load(tmp_path / name / "last.safetensors") for name in ("first", "second"))
    assert two.provenance["started_from"] == checkpoint.load(first / "best.safetensors").version
    likeness = np.corrcoef(one.weights["fc7.weight"].ravel(), two.weights["fc7.weight"].ravel())[0, 1]
    assert likeness > 0.9


@pytest.mark.slow
def test_a_run_that_saved_nothing_yet_must_be_told_again_where_it_starts_from(
    tmp_path: Path, mugs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "first"
    assert run(*smoke(first, mugs, steps="1")) == 0
    second = smoke(tmp_path / "second", mugs, steps="1")
    assert run(*second, "--from", first / "best.safetensors") == 0
    (tmp_path / "second" / "state.pt").unlink()
    assert run(*second, "--resume") == 2
    assert "give --from again" in capsys.readouterr().err
    assert run(*second, "--resume", "--from", first / "best.safetensors") == 0
    other = tmp_path / "second" / "last.safetensors"
    (tmp_path / "second" / "state.pt").unlink()
    assert run(*second, "--resume", "--from", other) == 2
    assert "give --from as it was then" in capsys.readouterr().err


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_told_before_pictures_are_read(
    device: str, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*smoke(tmp_path / "run", mugs), "--device", device) == 2
    told = capsys.readouterr()
    assert f"--device {device} is" in told.err
    assert told.out == ""
