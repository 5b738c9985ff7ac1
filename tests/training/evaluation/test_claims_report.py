"""The claims report, on drawn logits whose truth is known, and by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import checkpoint
from model.describe import probabilities
from model.engines import create_engine
from model.language.beliefs import Claim
from model.language.hedging import Tree
from model.language.phrases import label_for, reviewed
from model.vocabulary import Label, Vocabulary
from tests.tiny import tiny_checkpoint, tiny_network
from tests.training.made import folders
from training import __main__ as cli
from training.evaluation.caption_metrics import caption_scores, claim_forms, count_confirmed
from training.evaluation.claims_report import caption_report, leave_one_out_scores, ood_report
from training.evaluation.information import PROMISED_ACCURACIES, information
from training.evaluation.label_thresholds import NodePredictions
from training.evaluation.ood_pictures import make_ood_pictures
from training.evaluation.predictions import Predictions

LABELS = tuple(Label(id=f"{n}", name=f"{n}", phrase=f"a {n}", ancestors=(f"kind {n // 4}",)) for n in range(16))
VOCABULARY = Vocabulary(name="number", activation="softmax", labels=LABELS)
WORDS = Vocabulary(
    name="word", activation="sigmoid", labels=tuple(label_for("word", w) for w in ("man", "dog", "snow"))
)
PEOPLE = [["A man in snow .", "the guy stands", "a person", "two men", "a man"], ["A dog runs .", "puppies"] * 2]


def node_predictions(random: np.random.Generator, number: int) -> NodePredictions:
    """Answers that hold, and often cannot tell members of one kind apart."""
    tree = Tree(LABELS)
    logits = random.normal(0, 1, (number, 16)) + 4 * np.repeat(random.normal(0, 1, (number, 4)), 4, axis=1)
    scores = probabilities(logits.astype(np.float32), VOCABULARY)
    truth = np.array([random.choice(16, p=p / p.sum()) for p in scores.astype(float)])
    return NodePredictions(tree.posterior(scores), tree.matrix[:, truth].T > 0)


def test_hedging_tells_more_than_naming_at_every_promise_and_keeps_it() -> None:
    random = np.random.default_rng(1)
    found = information(node_predictions(random, 4000), node_predictions(random, 4000), Tree(LABELS))
    assert [row["promise"] for row in found] == list(PROMISED_ACCURACIES)
    for row in found:
        assert row["darts_bits"] > row["top1_bits"]
        assert row["darts_accuracy"] > row["promise"] - 0.03


def test_bits_by_hand() -> None:
    tree = Tree(LABELS)
    sure = np.zeros((400, 16), np.float32)
    sure[:, 0] = 1
    right = tree.matrix[:, np.zeros(400, int)].T > 0
    right[:100] = False  # a quarter is wrong
    row = information(NodePredictions(tree.posterior(sure), right), NodePredictions(tree.posterior(sure), right), tree)[
        0
    ]
    assert row["top1_bits"] == row["darts_bits"] == 3.0  # three quarters of log2(16)
    assert (row["top1_accuracy"], row["top1_coverage"]) == (0.75, 1.0)


def test_what_people_said_counts_by_any_form() -> None:
    golden = Vocabulary(name="object", activation="softmax", labels=(label_for("object", "n02099601"), *LABELS))
    forms = claim_forms([golden, WORDS])
    said = [
        [Claim("man", "word", "subject", 1), Claim("snow", "word", "place", 1), Claim("dog", "word", "subject", 1)],
        [Claim("golden retriever", "object", "subject", 1), Claim("person", "word", "subject", 1)],
    ]
    assert count_confirmed(said, PEOPLE, forms) == (3, 5)  # man, snow; a dog is what a golden retriever is


def test_caption_scores_are_full_for_the_same_words_and_none_for_others() -> None:
    same = caption_scores([five[0] for five in PEOPLE], PEOPLE)
    other = caption_scores(["zebra crossing"] * 2, PEOPLE)
    assert same["bleu1"] == pytest.approx(100, abs=0.1)
    assert same["cider"] > 100 > other["cider"]
    assert set(other.values()) == {0.0}
    assert caption_scores(["", ""], PEOPLE)["rouge_l"] == 0


def test_one_person_is_compared_with_the_others() -> None:
    found = leave_one_out_scores({"silence": ["", ""]}, [five[:4] for five in PEOPLE])
    assert found["one_person"]["rouge_l"] > found["silence"]["rouge_l"] == 0


def test_each_part_is_described_with_what_was_fitted_on_the_other() -> None:
    random, number = np.random.default_rng(3), 1200
    who = random.integers(0, 2, number)
    shares = np.zeros((number, 3), np.float32)
    shares[np.arange(number), who] = 0.8
    logits = (shares * 9 - 4 + random.normal(0, 1, shares.shape)).astype(np.float32)
    captions = [["a man stands", "a man"] if one == 0 else ["a dog runs", "a dog"] for one in who]
    predictions = Predictions(
        name="words",
        vocabulary=WORDS,
        logits=logits,
        targets=shares,
        captions=captions,
        fitting=random.uniform(size=number) < 0.5,
    )
    silent = replace(WORDS, calibrated=True, thresholds={"think": 0.9999})
    found = caption_report({"word": predictions}, [silent])
    assert found["n"] == number
    assert 0.2 < found["coverage"] < 0.6  # nothing is said of those that the stored thresholds silence
    assert found["said_by_people"] > 0.85
    assert found["best_guess"]["bleu1"] > found["as_said"]["bleu1"] > 0


def test_out_of_distribution_pictures_are_of_every_kind_and_always_the_same() -> None:
    pictures = make_ood_pictures(20, 64, 1, captured=True)
    assert pictures.shape == (20, 64, 64, 3)
    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures, make_ood_pictures(20, 64, 1, captured=True))
    assert len({picture.tobytes() for picture in pictures}) == 20
    plain = pictures[2]
    assert (plain == plain[0, 0]).all()


def test_out_of_distribution_pictures_are_counted_by_tier() -> None:
    network = tiny_network(67)
    found = ood_report(network, create_engine(network))
    assert sum(found["tiers"].values()) == found["n"] == 500
    assert found["hedge_or_pass"] == (found["tiers"]["hedge"] + found["tiers"]["pass"]) / 500


def test_tables_of_today_replace_labels_and_leave_unknown_ones() -> None:
    old = replace(label_for("scene", "kitchen"), forms=("scullery",))
    own = Label(id="my place", name="my place", phrase="my place")
    after = reviewed(Vocabulary(name="scene", activation="softmax", labels=(old, own)))
    assert after.labels == (label_for("scene", "kitchen"), own)
    words = reviewed(replace(WORDS, labels=(replace(WORDS.labels[0], forms=("bloke",)),)))
    assert words.labels[0].forms == ("bloke",)


def test_an_uncalibrated_network_is_sent_to_calibrate_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tiny_checkpoint(tmp_path / "t.safetensors", input_size=67)
    folders(tmp_path / "scene" / "val", {"kitchen": 2, "street": 2})
    folders(tmp_path / "scene" / "train", {"kitchen": 2, "street": 2})
    assert cli.main(["evaluate", str(network), "--claims", "--data", f"scene={tmp_path / 'scene'}"]) == 2
    assert "calibrate" in capsys.readouterr().err
    assert cli.main(["evaluate", str(network), "--claims", "--side", "64", "--data", str(tmp_path / "scene")]) == 2
    assert "leave out --side" in capsys.readouterr().err


def test_the_gallery_shows_every_picture_once_with_sentence_and_truth(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "t.safetensors", input_size=67)
    for half in ("train", "val"):
        folders(tmp_path / "scene" / half, {"kitchen": 3, "street": 2})
    out = tmp_path / "gallery.html"
    assert cli.main(["gallery", str(path), "--data", f"scene={tmp_path / 'scene'}", "--out", str(out)]) == 0
    page = out.read_text("utf-8")
    assert page.count("<li>") == page.count("data:image/webp;base64,") == 5
    assert len(re.findall(r"</b> · kitchen</p>", page)) == 3
    assert checkpoint.load(path).version in page
