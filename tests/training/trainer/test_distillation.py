"""A teacher's answers count beside the labels."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model import checkpoint
from model.checkpoint import Checkpoint, CheckpointError, Preprocessing
from model.engines.torch_engine import build, standardise
from model.language.phrases import label_for
from tests.tiny import tiny_network
from tests.training.made import folders
from tests.training.trainer.small_plan import CPU, small_plan, thing_set, vocabulary
from training.__main__ import main
from training.recipes import smoke
from training.trainer.batch import load_batch
from training.trainer.state import build_state, read_state, write_state
from training.trainer.step import batch_loss, part_loss, train_step
from training.trainer.teachers.distillation import Teachers, TeacherSpec, build_teachers, load_teachers


def random_pixels() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 67, 67), generator=torch.Generator().manual_seed(0))


def appoint(*networks: Checkpoint) -> list[TeacherSpec]:
    return [TeacherSpec(network=network) for network in networks]


def test_two_teachers_give_the_mean_of_their_logits_each_at_its_own_size() -> None:
    first, second = tiny_network(67), tiny_network(99)
    both = build_teachers(appoint(first, second), first.vocabularies, first.preprocessing, CPU)
    x = standardise(random_pixels(), first.preprocessing)
    larger = torch.nn.functional.interpolate(x, size=(99, 99), mode="bilinear", antialias=True)
    with torch.no_grad():
        expected = (build(first)(x) + build(second)(larger)) / 2
    # Whole pixels, and bf16 where there is some.
    torch.testing.assert_close(both.logits(x), expected, atol=0.05, rtol=0.05)


def test_a_teacher_answers_the_vocabularies_of_which_it_has_every_label() -> None:
    first, second = tiny_network(67), tiny_network(67, seed=1)
    things, *others = second.vocabularies
    other_things = replace(things, labels=(*things.labels[1:], label_for("object", "unheard")))
    second = replace(second, vocabularies=(other_things, *others))
    x = standardise(random_pixels(), first.preprocessing)

    def answers(*teachers: Checkpoint) -> torch.Tensor:
        return build_teachers(appoint(*teachers), second.vocabularies, first.preprocessing, CPU).logits(x)

    of_things = slice(0, len(things))
    assert torch.equal(answers(first, second)[:, of_things], answers(second)[:, of_things])
    elsewhere = build_teachers(appoint(first, second), others, first.preprocessing, CPU).logits(x)
    assert torch.equal(answers(first, second)[:, len(things) :], elsewhere)
    with pytest.raises(ValueError, match="No teacher has every label of 'object'"):
        answers(first)
    with pytest.raises(ValueError, match="lacks labels of every set"):
        build_teachers(appoint(first, second), [other_things], first.preprocessing, CPU)


def test_a_teacher_may_be_kept_to_some_vocabularies() -> None:
    first, second = tiny_network(67), tiny_network(67, seed=1)
    things, places = first.vocabularies[:2]
    of_places = slice(len(things), len(things) + len(places))
    x = standardise(random_pixels(), first.preprocessing)

    def answers(*specs: TeacherSpec) -> torch.Tensor:
        return build_teachers(specs, first.vocabularies, first.preprocessing, CPU).logits(x)

    everything = TeacherSpec(network=first)
    kept = TeacherSpec(network=second, vocabularies=(places.name,))
    alone, both, mean = answers(everything), answers(everything, kept), answers(*appoint(first, second))
    torch.testing.assert_close(both[:, of_places], mean[:, of_places], atol=1e-4, rtol=1e-4)
    assert not torch.equal(both[:, of_places], alone[:, of_places])
    others = torch.ones(both.shape[1], dtype=torch.bool)
    others[of_places] = False
    assert torch.equal(both[:, others], alone[:, others])
    with pytest.raises(ValueError, match=f"No teacher has every label of '{things.name}'"):
        answers(kept)
    with pytest.raises(ValueError, match="names no vocabulary of this run"):
        answers(everything, replace(kept, vocabularies=("colour",)))


def test_a_teacher_of_some_vocabularies_is_named_before_its_file(tmp_path: Path) -> None:
    file = tmp_path / "a=b.safetensors"
    checkpoint.save(file, tiny_network(67))
    plain, kept = load_teachers([str(file), f"scene,word={file}"])
    assert (plain.vocabularies, kept.vocabularies) == ((), ("scene", "word"))
    assert kept.record == f"scene,word={plain.record}"
    assert kept.origin == f"{plain.origin}, asked for scene and word alone"
    with pytest.raises(CheckpointError, match="missing"):
        load_teachers(["scene,word=missing.safetensors"])


def test_teachers_see_the_crops_of_the_network_that_learns() -> None:
    plan = small_plan(replace(smoke(), traces=1.0, cutmix=1.0, colour_noise=0.1))
    asked = []

    class Listening(Teachers):
        def logits(self, pictures_NCHW: torch.Tensor) -> torch.Tensor:
            asked.append(pictures_NCHW)
            return torch.zeros(len(pictures_NCHW), 3)

    train_step(plan, build_state(plan), Listening(members=(), preprocessing=plan.preprocessing))
    [part], [seen] = load_batch(plan, 0, 67), asked
    assert torch.equal(seen, part.pictures)


def test_labels_do_not_count_where_only_the_teachers_do() -> None:
    plan = small_plan(replace(smoke(), distillation_weight=1.0))
    batch = load_batch(plan, 0, 67)
    other = [replace(part, targets=(part.targets + 1) % 3) for part in batch]
    logits, teacher_logits = torch.randn(2, len(batch[0].targets), 3, generator=torch.Generator().manual_seed(0))
    assert batch_loss(plan, batch, logits, teacher_logits) == batch_loss(plan, other, logits, teacher_logits)
    expected = -(teacher_logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(batch_loss(plan, batch, logits, teacher_logits), expected)
    plan = small_plan(replace(smoke(), distillation_weight=0.25))
    interpolated = 0.75 * batch_loss(plan, batch, logits, None) + 0.25 * expected
    torch.testing.assert_close(batch_loss(plan, batch, logits, teacher_logits), interpolated)


def test_a_teacher_of_other_pixels_and_another_order_answers_alike() -> None:
    teacher = tiny_network(67)
    pixels = random_pixels()
    expected = build_teachers(appoint(teacher), teacher.vocabularies, teacher.preprocessing, CPU).logits(
        standardise(pixels, teacher.preprocessing)
    )
    other = Preprocessing(mean=(10.0, 20.0, 30.0), scale=0.5)
    turned = [replace(one, labels=one.labels[::-1]) for one in teacher.vocabularies[::-1]]
    answers = build_teachers(appoint(teacher), turned, other, CPU).logits(standardise(pixels, other))
    torch.testing.assert_close(answers.flip(1), expected, atol=1e-3, rtol=1e-3)


def test_teachers_answer_what_a_set_does_not_label_as_far_as_the_recipe_says() -> None:
    places = replace(thing_set(), vocabulary=vocabulary("place", ["sea", "moor", "wood"]))
    plan = small_plan(replace(smoke(), distillation_weight=1.0, distillation_elsewhere=0.5), thing_set(), places)
    part = load_batch(plan, 0, 67)[0]
    logits, taught = torch.randn(2, len(part.targets), 6, generator=torch.Generator().manual_seed(0))
    own, elsewhere = (
        -(taught[:, rows].softmax(1) * logits[:, rows].log_softmax(1)).sum() for rows in (slice(0, 3), slice(3, 6))
    )
    torch.testing.assert_close(part_loss(plan, part, logits, taught), own + 0.5 * elsewhere)


def test_a_run_goes_on_only_under_its_own_teachers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mugs, out, again = folders(tmp_path / "mugs", {"red": 16, "blue": 16}), tmp_path / "run", tmp_path / "again"
    train = ["train", "--recipe", "smoke", "--data", str(mugs), "--epochs", "1", "--device", "cpu"]
    assert main([*train, "--out", str(out)]) == 0
    teacher = ["--teacher", str(out / "last.safetensors")]
    assert main([*train, "--out", str(again), *teacher, "--set", "distillation_weight=1"]) == 0
    network = checkpoint.load(again / "last.safetensors")
    assert network.provenance["teachers"] == [checkpoint.load(out / "last.safetensors").version]
    state = read_state(again / "state.pt")
    write_state(again / "state.pt", {**state, "step": state["step"] - 1})
    capsys.readouterr()
    assert main([*train, "--out", str(again), "--resume"]) == 2
    assert "--teacher" in capsys.readouterr().err
    untaught = read_state(out / "state.pt")
    write_state(out / "state.pt", {**untaught, "step": untaught["step"] - 1})
    assert main([*train, "--out", str(out), "--resume", *teacher]) == 2
    assert "has other teachers" in capsys.readouterr().err
    assert main([*train, "--out", str(again), "--resume", *teacher]) == 0
