"""A state that was saved and restored goes on bit for bit, also one that the last release wrote."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.trainer.small_plan import small_plan, thing_set, word_set
from training.config import Recipe, Stage
from training.recipes import smoke
from training.trainer.plan import Plan
from training.trainer.state import TrainState, build_state, read_state, restore_state, write_state
from training.trainer.step import train_step

RECIPES = {
    "muon": replace(smoke(), optimiser="muon", ema=0.9, dropout=0.3, lr=1e-3),
    "sgd": replace(smoke(), optimiser="sgd"),
    "paper": replace(smoke(), optimiser="paper"),
}


def growing_plan(recipe: Recipe) -> Plan:
    """Two steps at 67 px, then two at 99 px."""
    stages = Stage(size=67, share=0.5), Stage(size=99, share=0.5)
    return small_plan(replace(recipe, stages=stages), thing_set(), word_set(), steps=4)


def weights(state: TrainState) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in state.network.state_dict().items()}


@pytest.mark.parametrize(("name", "stop"), [("muon", 1), ("muon", 2), ("muon", 3), ("sgd", 1), ("paper", 1)])
def test_a_restored_state_goes_on_bit_for_bit(name: str, stop: int, tmp_path: Path) -> None:
    plan = growing_plan(RECIPES[name])
    state = build_state(plan)
    for _ in range(stop):
        train_step(plan, state)
    state.save(tmp_path / "state.pt")
    losses = [train_step(plan, state) for _ in range(4 - stop)]
    restored = restore_state(plan, read_state(tmp_path / "state.pt"), [])
    assert restored.step == stop
    assert [train_step(plan, restored) for _ in range(4 - stop)] == losses
    for key, value in weights(state).items():
        assert torch.equal(weights(restored)[key], value), key
    if state.average is not None:
        assert restored.average is not None
        for key, value in state.average.state_dict().items():
            assert torch.equal(restored.average.state_dict()[key], value), key


def test_a_saved_state_has_the_keys_of_the_last_release_and_how_many_processes_saved_it(tmp_path: Path) -> None:
    plan = growing_plan(RECIPES["muon"])
    state = build_state(plan)
    train_step(plan, state)
    state.save(tmp_path / "state.pt")
    record = read_state(tmp_path / "state.pt")
    assert list(record) == ["step", "size", "processes", "network", "optimisers", "average"]
    assert (record["step"], record["size"]) == (1, 67)
    groups = [group for optimiser in record["optimisers"] for group in optimiser["param_groups"]]
    names = [group["name"] for group in groups]
    assert names == ["conv2.weight", "conv3.weight", "conv4.weight", "conv5.weight", "conv1", "weights", "biases"]
    assert all(group["peak"] > 0 for group in groups)


def test_the_first_weights_depend_on_the_seed_alone() -> None:
    plan = small_plan(smoke())
    torch.manual_seed(1)
    first = weights(build_state(plan))
    torch.manual_seed(2)
    second = weights(build_state(plan))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = weights(build_state(replace(plan, recipe=replace(smoke(), seed=1))))
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_words_begin_at_how_often_people_say_them() -> None:
    plan = small_plan(smoke(), thing_set(), word_set())
    bias = build_state(plan).network.get_parameter("fc8.bias").detach()
    frequencies = torch.from_numpy(word_set().targets).mean(0).clamp(1e-3, 0.5)
    torch.testing.assert_close(bias[plan.word_rows].sigmoid(), frequencies)
    assert (bias[:3] == 0).all()


def test_half_a_state_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    write_state(path, {"step": 1, "weight": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="not a whole state"):
        read_state(path)
    with pytest.raises(ValueError, match="not a whole state"):
        read_state(tmp_path / "absent.pt")
