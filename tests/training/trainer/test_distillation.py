"""A teacher's answers stand beside the labels."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model import checkpoint
from model.engines.torch_engine import build
from tests.tiny import tiny_network
from tests.training.made import folders
from tests.training.trainer.test_step import small_run
from training.__main__ import main
from training.recipes import smoke
from training.trainer.distillation import teachers
from training.trainer.state import read_state, write_state
from training.trainer.step import loss_of, parts

CPU = torch.device("cpu")


def test_the_mean_of_two_is_asked_each_at_its_own_size() -> None:
    first, second = tiny_network(67), tiny_network(99)
    both = teachers([first, second], first.vocabularies, first.preprocessing, CPU)
    x = torch.randn(2, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    larger = torch.nn.functional.interpolate(x, size=(99, 99), mode="bilinear", antialias=True)
    with torch.no_grad():
        expected = (build(first)(x) + build(second)(larger)) / 2
    torch.testing.assert_close(both.answers(x), expected)


def test_a_pupil_of_teachers_alone_does_not_look_at_the_labels() -> None:
    run = small_run(smoke())
    batch = parts(run)
    other = [replace(part, targets=(part.targets + 1) % 3) for part in batch]
    logits, taught = torch.randn(2, len(batch[0].targets), 3, generator=torch.Generator().manual_seed(0))
    run.recipe = replace(run.recipe, teaching=1.0)
    assert loss_of(run, logits, batch, taught) == loss_of(run, logits, other, taught)
    expected = -(taught.softmax(1) * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss_of(run, logits, batch, taught), expected)
    run.recipe = replace(run.recipe, teaching=0.25)
    mixed = 0.75 * loss_of(run, logits, batch) + 0.25 * expected
    torch.testing.assert_close(loss_of(run, logits, batch, taught), mixed)


def test_teachers_of_other_labels_or_other_pixels_are_refused() -> None:
    one = tiny_network(67)
    with pytest.raises(ValueError, match="other labels"):
        teachers([one], one.vocabularies[:2], one.preprocessing, CPU)
    with pytest.raises(ValueError, match="other pixels"):
        teachers([one], one.vocabularies, replace(one.preprocessing, scale=1.0), CPU)


def test_a_run_goes_on_only_under_its_own_teachers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mugs, out, again = folders(tmp_path / "mugs", {"red": 16, "blue": 16}), tmp_path / "run", tmp_path / "again"
    train = ["train", "--recipe", "smoke", "--data", str(mugs), "--epochs", "1", "--device", "cpu"]
    assert main([*train, "--out", str(out)]) == 0
    teacher = ["--teacher", str(out / "last.safetensors")]
    assert main([*train, "--out", str(again), *teacher, "--set", "teaching=1"]) == 0
    made = checkpoint.load(again / "last.safetensors")
    assert made.provenance["teachers"] == [checkpoint.load(out / "last.safetensors").version]
    state = read_state(again / "state.pt")
    write_state(again / "state.pt", {**state, "step": state["step"] - 1})
    capsys.readouterr()
    assert main([*train, "--out", str(again), "--resume"]) == 2
    assert "--teacher" in capsys.readouterr().err
    assert main([*train, "--out", str(again), "--resume", *teacher]) == 0
