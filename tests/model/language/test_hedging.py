"""Backing off up a tree until it is safe."""

from __future__ import annotations

import numpy as np
import pytest

from model.language.hedging import Tree, hedge
from model.vocabulary import Label


def label(name: str, *ancestors: str) -> Label:
    return Label(id=name, name=name, phrase=f"a {name}", ancestors=ancestors)


LABELS = (
    label("beagle", "dog", "canine", "mammal", "animal"),
    label("poodle", "dog", "canine", "mammal", "animal"),
    label("tabby", "cat", "mammal", "animal"),
    label("bee", "insect", "animal"),
    *(label(f"thing {number}", "object") for number in range(12)),
)
TREE = Tree(LABELS)
THRESHOLDS = {"sure": 0.9, "think": 0.7, "hedge": 0.5}


def probabilities(**chosen: float) -> np.ndarray:
    left = (1 - sum(chosen.values())) / (len(LABELS) - len(chosen))
    return np.array([chosen.get(one.name, left) for one in LABELS], np.float32)


def test_nodes_tell_how_many_times_fewer_labels_remain() -> None:
    bits = {node.name: node.bits for node in TREE.nodes}
    assert bits["beagle"] == 4
    assert bits["dog"] == 3
    assert bits["animal"] == 2
    assert bits["object"] == pytest.approx(np.log2(16 / 12))


def test_of_names_for_the_same_labels_only_the_most_specific_is_a_node() -> None:
    names = {node.name for node in TREE.nodes}
    assert "dog" in names
    assert not names & {"canine", "cat", "insect"}  # as many as dog, as tabby alone, as bee alone


def test_a_posterior_is_summed_over_the_tree() -> None:
    posterior = TREE.posterior(probabilities(beagle=0.4, poodle=0.3, tabby=0.2))
    by_name = {node.name: float(p) for node, p in zip(TREE.nodes, posterior, strict=True)}
    assert by_name["dog"] == pytest.approx(0.7)
    assert by_name["mammal"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("chosen", "said", "tier"),
    [
        ({"beagle": 0.95}, "beagle", "sure"),
        ({"beagle": 0.8}, "beagle", "think"),
        ({"beagle": 0.5, "poodle": 0.4}, "dog", "think"),
        ({"beagle": 0.25, "poodle": 0.2, "tabby": 0.3, "bee": 0.2}, "mammal", "hedge"),
        ({"beagle": 0.6}, "beagle", "hedge"),
    ],
)
def test_the_surest_tier_says_the_most_telling_node_that_is_safe(
    chosen: dict[str, float], said: str, tier: str
) -> None:
    found = hedge(TREE.posterior(probabilities(**chosen)), TREE, THRESHOLDS)
    assert found is not None
    assert (found.node.name, found.tier) == (said, tier)


def test_nothing_safe_is_nothing_said() -> None:
    assert hedge(TREE.posterior(probabilities()), TREE, {"sure": 0.9}) is None
    assert hedge(TREE.posterior(probabilities(beagle=0.99)), TREE, {}) is None


def test_a_breed_without_a_label_may_be_a_dog_all_the_same() -> None:
    foreign = probabilities(beagle=0.5, poodle=0.45)
    closed = TREE.posterior(foreign, gate=0.2, kinship=0.75)
    dog = next(i for i, node in enumerate(TREE.nodes) if node.name == "dog")
    assert closed[TREE.leaf].max() == pytest.approx(0.1)
    assert closed[dog] == pytest.approx(0.95 * (0.2 + 0.8 * 0.75))
    both = TREE.posterior(np.stack([foreign, foreign]), np.array([0.2, 1.0], np.float32), 0.75)
    np.testing.assert_allclose(both[0], closed)
    np.testing.assert_allclose(both[1], TREE.posterior(foreign))
