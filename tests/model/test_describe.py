"""Labels, claims and maps of one picture never contradict each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import explain
from model.checkpoint import PRETRAINED, Checkpoint, load
from model.describe import Description, describe, shares_by_row
from model.engines import create_engine
from model.language.fragments import probability_of_any
from model.preprocess import prepare
from tests.model.language.grammar import check_answer

PHOTOS = Path(__file__).parents[2] / "docs" / "photos"
DRAWN = 300

pytestmark = pytest.mark.skipif(not PRETRAINED.is_file(), reason="no network is shipped")


@pytest.fixture(scope="module")
def network() -> Checkpoint:
    return load(PRETRAINED)


@pytest.fixture(scope="module")
def photographed(network: Checkpoint) -> list[np.ndarray]:
    """The (K,) logits of the photos that belong to no set."""
    engine = create_engine(network)
    logits = []
    for entry in json.loads((PHOTOS / "photos.json").read_text("utf-8")):
        with Image.open(PHOTOS / entry["file"]) as picture:
            pixels, _, _ = prepare(picture, network.architecture)
        logits.append(engine.run(pixels[None]).logits[0])
    return logits


@pytest.fixture(scope="module")
def described(network: Checkpoint, photographed: list[np.ndarray]) -> list[Description]:
    """Descriptions of the photos, and of logits between and beyond theirs, so that every tier is met."""
    return [describe(logits, network, top_k=10) for logits in (*photographed, *_drawn(photographed))]


def _drawn(photographed: list[np.ndarray]) -> Iterator[np.ndarray]:
    random = np.random.default_rng(28)
    for _ in range(DRAWN):
        one, other = (photographed[i] for i in random.choice(len(photographed), 2, replace=False))
        share = random.uniform(-0.3, 1.3)
        noise = random.normal(0, random.uniform(0, 2), one.shape)
        yield (share * one + (1 - share) * other + noise).astype(np.float32)


def test_every_tier_and_every_kind_of_claim_is_met(described: list[Description]) -> None:
    captions = [description.caption for description in described]
    assert {caption.tier for caption in captions} == {"sure", "think", "hedge", "pass"}
    claims = [claim for caption in captions for claim in caption.claims]
    assert {claim.combination for claim in claims} == {"sum", "any"}
    assert {len(claim.members) > 1 for claim in claims if claim.combination == "sum"} == {True, False}


def test_the_probability_of_a_claim_is_that_of_its_members(described: list[Description], network: Checkpoint) -> None:
    platt = next(v.platt for v in network.vocabularies if v.activation == "sigmoid")
    for description in described:
        for claim in description.caption.claims:
            probabilities = [member.probability for member in claim.members]
            assert probabilities == sorted(probabilities, reverse=True)
            if claim.combination == "any":
                assert claim.probability == pytest.approx(probability_of_any(probabilities, platt["person"]), abs=1e-6)
            else:
                assert claim.probability == pytest.approx(sum(probabilities) + claim.unlabelled, abs=1e-5)
                assert (
                    claim.unlabelled <= 1 - description.gates[claim.vocabulary] + 1e-5
                    if len(probabilities) > 1
                    else (claim.unlabelled < 1e-5)
                )


def test_labels_say_what_claims_say(described: list[Description]) -> None:
    for description in described:
        scores = {(one.vocabulary, one.label.id): one.score for one in description.labels}
        for claim in description.caption.claims:
            for member in claim.members:
                score = scores.get((member.vocabulary, member.label.id))
                assert score is None or score == pytest.approx(member.probability, abs=1e-6)
        for name, gate in description.gates.items():
            assert sum(one.score for one in description.labels if one.vocabulary == name) <= gate + 1e-5


def test_the_best_guess_of_a_pass_is_the_first_label(described: list[Description]) -> None:
    passes = [one for one in described if one.caption.tier == "pass"]
    assert len(passes) > 30
    for description in passes:
        [claim] = description.caption.claims
        [member] = claim.members
        assert member.label == description.labels[0].label
        assert member.probability == pytest.approx(description.labels[0].score, abs=1e-6)


def test_what_is_said_is_as_probable_as_its_tier_needs(described: list[Description]) -> None:
    for description in described:
        caption = description.caption
        assert caption.threshold is not None
        assert (caption.confidence >= caption.threshold - 1e-6) == (caption.tier != "pass")
        check_answer(caption)


def test_the_map_of_a_claim_is_the_sum_of_its_members_maps(network: Checkpoint) -> None:
    folded = network.folded()
    with Image.open(PHOTOS / "window.webp") as picture:
        pixels, _, _ = prepare(picture, network.architecture)
    output = create_engine(network).run(pixels[None], maps=explain.needed_activations(network.architecture))
    claim = describe(output.logits[0], network).caption.claims[0]
    shares = shares_by_row(claim, network)
    assert len(shares) > 1
    assert sum(shares.values()) == pytest.approx(1)
    summed = sum(share * explain.gradient(output, 0, folded, row) for row, share in shares.items())
    together = explain.gradient_of_any(output, 0, folded, shares)
    np.testing.assert_allclose(together, summed, atol=1e-5 * np.abs(together).max())
