"""torchvision's AlexNet and what becomes of it here: one function."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import AlexNet_Weights, alexnet

from model import checkpoint
from model.architecture import Architecture
from model.checkpoint import Checkpoint, expected_shapes
from model.describe import describe
from model.engines import create_engine
from model.engines.imagenet import IDS, ancestors_of, imagenet
from model.engines.interop import ARCHITECTURE, KEYS, ForeignError, from_torchvision, read
from model.engines.torch_engine import build, standardise
from model.explain import find_row, gradient, needed_activations
from model.language.phrases import label_for

OFFICIAL = AlexNet_Weights.IMAGENET1K_V1
NAMES = tuple(OFFICIAL.meta["categories"])
PICTURES = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), np.uint8)
PICTURES[1] //= 3  # a dark one
CROPPED = np.ascontiguousarray(PICTURES[:, 16:240, 16:240])

# name: output shape, parameters, receptive field, jump, start
TABLE = {
    "conv1": ((64, 55, 55), 23_296, 11, 4, -2),
    "pool1": ((64, 27, 27), 0, 19, 8, -2),
    "conv2": ((192, 27, 27), 307_392, 51, 8, -18),
    "pool2": ((192, 13, 13), 0, 67, 16, -18),
    "conv3": ((384, 13, 13), 663_936, 99, 16, -34),
    "conv4": ((256, 13, 13), 884_992, 131, 16, -50),
    "conv5": ((256, 13, 13), 590_080, 163, 16, -66),
    "pool5": ((256, 6, 6), 0, 195, 32, -66),
    "fc6": ((4096,), 37_752_832, 224, 224, 0),
    "fc7": ((4096,), 16_781_312, 224, 224, 0),
    "fc8": ((1000,), 4_097_000, 224, 224, 0),
}


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    """Weights of a scale at which pictures differ in their answers; torchvision's own noise dies away."""
    network: nn.Module = alexnet().eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        spread = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.05
        nn.init.normal_(parameter, 0.0, spread, generator=generator)
    return network


@pytest.fixture(scope="module")
def state(theirs: nn.Module) -> dict[str, Tensor]:
    return dict(theirs.state_dict())


@pytest.fixture(scope="module")
def network(state: dict[str, Tensor]) -> Checkpoint:
    return from_torchvision(state)


@pytest.fixture(scope="module")
def logits(theirs: nn.Module) -> np.ndarray:
    """What torchvision says, with its own preprocessing."""
    transform = OFFICIAL.transforms(antialias=True)
    with torch.no_grad():
        answers = theirs(transform(torch.from_numpy(PICTURES).permute(0, 3, 1, 2)))
    said: np.ndarray = answers.numpy()
    assert np.abs(said[0] - said[1]).max() > 0.1 * np.abs(said).max()
    return said


def close(ours: np.ndarray, theirs: np.ndarray, share: float) -> bool:
    return bool(np.abs(ours - theirs).max() <= share * np.abs(theirs).max())


def test_torch_gives_torchvisions_logits(network: Checkpoint, logits: np.ndarray) -> None:
    ours = create_engine(network, engine="torch", precision="f32").run(CROPPED).logits
    assert close(ours, logits, 1e-5)


def test_openvino_gives_torchvisions_logits(network: Checkpoint, logits: np.ndarray) -> None:
    ours = create_engine(network, engine="openvino", precision="f32").run(CROPPED).logits
    assert close(ours, logits, 1e-4)


def test_a_saved_network_gives_the_same_logits(network: Checkpoint, logits: np.ndarray, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a.safetensors", network)
    back = checkpoint.load(tmp_path / "a.safetensors")
    assert (back.architecture, back.preprocessing, back.vocabularies) == (
        network.architecture,
        network.preprocessing,
        network.vocabularies,
    )
    assert close(create_engine(back, engine="torch", precision="f32").run(CROPPED).logits, logits, 1e-5)


def test_class_maps_follow_the_table(network: Checkpoint) -> None:
    row = find_row(network, "beagle")
    seen = create_engine(network, engine="torch", precision="f32").run(
        CROPPED[:1], maps=needed_activations(network.architecture)
    )
    x = standardise(torch.from_numpy(CROPPED[:1]).permute(0, 3, 1, 2), network.preprocessing)
    answers, maps = build(network)(x, ("conv5",))
    lead = answers[0, row] - answers[0].mean()
    (slope,) = torch.autograd.grad(lead, maps["conv5"])
    assert close(gradient(seen, 0, network, row), slope[0].numpy(), 1e-5)


@pytest.mark.parametrize("name", TABLE)
def test_every_row_is_torchvisions(name: str) -> None:
    row = ARCHITECTURE.layer(name)
    assert (row.shape, row.parameters, row.receptive_field, row.jump, row.start) == TABLE[name]


def test_the_whole_network_has_torchvisions_size(state: dict[str, Tensor]) -> None:
    assert ARCHITECTURE.parameters == 61_100_840 == OFFICIAL.meta["num_params"]
    assert {key.rpartition(".")[0] for key in state} == set(KEYS)


def test_the_preprocessing_is_what_torchvision_publishes(network: Checkpoint, state: dict[str, Tensor]) -> None:
    transform = OFFICIAL.transforms(antialias=True)
    assert ARCHITECTURE.input_size == transform.crop_size[0]
    assert np.allclose(network.preprocessing.mean, 255 * np.array(transform.mean), rtol=1e-12)
    ours = network.preprocessing.scale * network.weights["conv1.weight"]
    theirs = state["features.0.weight"].numpy() / (255 * np.array(transform.std).reshape(1, 3, 1, 1))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_the_thousand_labels_are_wordnets_in_torchvisions_order(network: Checkpoint) -> None:
    (vocabulary,) = network.vocabularies
    assert (vocabulary.name, vocabulary.activation, len(vocabulary)) == ("object", "softmax", 1000)
    assert vocabulary.ids == IDS == tuple(sorted(set(IDS)))
    assert len({label.name for label in vocabulary.labels}) == 1000
    assert (IDS[0], IDS[207], IDS[999]) == ("n01440764", "n02099601", "n15075141")


def test_reviewed_labels_are_kept_and_agree_with_the_names() -> None:
    labels = imagenet(NAMES).labels
    reviewed = {i: label_for("object", label.id) for i, label in enumerate(labels) if label.gloss}
    assert len(reviewed) == 284
    same = [i for i, label in reviewed.items() if label.name == NAMES[i]]
    assert len(same) > 170  # the others have a plainer name for it: "lesser panda", "red panda"
    # Their reviewed names, missile and breastplate, are those of other classes.
    assert [labels[i].name for i, label in reviewed.items() if labels[i] != label] == ["cuirass", "projectile"]


def test_creatures_have_the_ancestors_of_their_kin() -> None:
    labels = imagenet(NAMES).labels
    for row, label in enumerate(labels):
        assert set(ancestors_of(row)) <= set(label.ancestors), label
        assert label.gloss or (label.role == "subject") == bool(label.ancestors), label
    count = Counter(node for label in labels for node in label.ancestors)
    kinds = ("animal", "dog", "bird", "fish", "snake", "primate", "person")
    assert [count[kind] for kind in kinds] == [398, 118, 59, 16, 17, 20, 3]
    assert {"tusker", "sea lion", "red panda"} <= {label.name for label in labels if "mammal" in label.ancestors}


def test_breeds_that_cannot_be_told_apart_are_some_kind_of_dog(network: Checkpoint) -> None:
    logits = np.zeros(1000, np.float32)
    logits[151:269] = 8
    assert describe(logits, network).caption.text == "I'm not really confident, but I think it's some kind of dog."


@pytest.mark.parametrize("name", ["beagle", "scuba diver", "broccoli", "unicycle", "sunglasses", "abaya"])
def test_phrases_have_their_article(name: str) -> None:
    said = {label.name: label.phrase for label in imagenet(NAMES).labels}[name]
    assert said == {"broccoli": name, "sunglasses": name, "abaya": "an abaya"}.get(name, f"a {name}")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": (96, 256)}, "kernels"),
        ({"channels": (96, 256, 384, 383, 256)}, "2 columns"),
        ({"channels": (0, 256, 384, 384, 256)}, "kernels"),
        ({"conv1_padding": -1}, "padding"),
        ({"conv1_padding": 2, "input_size": 62}, "at least 63"),
    ],
)
def test_tables_that_give_no_network_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(Architecture(), **changes)  # type: ignore[arg-type]


def test_padding_lets_smaller_pictures_pass() -> None:
    assert Architecture(conv1_padding=2, input_size=63).layer("pool5").shape == (256, 1, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features.3.bias": None}, "lacks features.3.bias"),
        ({"features.1.running_mean": torch.zeros(64)}, "also holds 'features.1.running_mean'"),
        ({"two\nlines": torch.zeros(64)}, r"also holds 'two\nlines'"),
        ({"classifier.6.bias": torch.zeros(10)}, "is (10,), not (1000,)"),
        ({"features.0.bias": torch.full((64,), torch.nan)}, "not finite"),
        ({"features.0.bias": torch.zeros(64, dtype=torch.int8)}, "no tensor of floats"),
        ({"features.0.bias": [0.0] * 64}, "no tensor of floats"),
        ({"features.0.bias": torch.zeros(64).to_sparse()}, "no plain tensor"),
        ({"features.0.bias": torch.zeros(64, device="meta")}, "no plain tensor"),
        ({"features.0.bias": torch.zeros(1).expand(10**13)}, "is (10000000000000,), not (64,)"),
    ],
)
def test_other_tensors_are_refused_in_one_sentence(
    state: dict[str, Tensor], changes: dict[str, object], said: str
) -> None:
    wrong = {name: value for name, value in (state | changes).items() if value is not None}
    with pytest.raises(ForeignError) as caught:
        from_torchvision(wrong)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_halves_are_read_as_floats(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({name: value.half() for name, value in state.items()}, tmp_path / "half.pth")
    weights = read(tmp_path / "half.pth").weights
    assert {name: value.shape for name, value in weights.items()} == expected_shapes(ARCHITECTURE)
    assert {value.dtype for value in weights.values()} == {np.dtype(np.float32)}


def test_the_checkpoint_does_not_change_with_the_module(state: dict[str, Tensor], network: Checkpoint) -> None:
    before = network.weights["fc8.bias"].copy()
    kept = state["classifier.6.bias"].clone()
    try:
        state["classifier.6.bias"].add_(1)
        np.testing.assert_array_equal(network.weights["fc8.bias"], before)
    finally:
        state["classifier.6.bias"].copy_(kept)
