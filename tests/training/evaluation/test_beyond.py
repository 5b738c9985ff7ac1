"""Honesty on pictures beyond a network's own sets: drawn logits whose truth is known, and folders read whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import checkpoint
from model.describe import believe, denials, gate_of, strengths
from model.language.hedging import NEVER, tree_of
from model.language.phrases import label_for
from model.language.sentence import caption, fullest
from model.vocabulary import Consent, Label, Vocabulary, from_json, to_json
from tests.tiny import tiny_checkpoint
from tests.training.made import folders
from training import __main__ as cli
from training.evaluation import beyond as beyond_module
from training.evaluation.beyond import Beyond, ClassPictures, labels_of_classes, nodes_of_classes
from training.evaluation.calibrate import calibrate
from training.evaluation.label_thresholds import MIN_CLAIMS, keeps_promise_apart
from training.evaluation.predictions import Predictions, by_vocabulary
from training.evaluation.reliability import reliability
from training.evaluation.word_thresholds import says_person

THINGS = Vocabulary(
    name="object",
    activation="softmax",
    labels=tuple(label_for("object", i) for i in ("n02099601", "n02085620", "n02123045", "n02123394", "n07873807")),
)
"""Two dogs, two cats, a pizza."""
WORDS = Vocabulary(name="word", activation="sigmoid", labels=tuple(label_for("word", w) for w in ("man", "dog")))
BEAGLE, TABLE_LAMP = "n02088364", "n04380533"


def thing_logits(number: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of all seven rows for pictures of things, whose class stands out by ``strength``; and the classes."""
    random = np.random.default_rng(number)
    classes = random.integers(0, 5, number)
    logits = random.normal(0, 1, (number, 7)).astype(np.float32)
    logits[np.arange(number), classes] += strength
    logits[:, 5:] -= 4
    return logits, classes


def predictions(number: int = 700) -> dict[str, Predictions]:
    logits, classes = thing_logits(number, 6)
    fitting = np.arange(number) % 2 == 0
    things = Predictions(name="things", vocabulary=THINGS, logits=logits, targets=classes, captions=[], fitting=fitting)
    random = np.random.default_rng(1)
    who = random.integers(0, 2, number)
    shares = np.zeros((number, 2), np.float32)
    shares[np.arange(number), who] = 0.8
    of_words = random.normal(0, 1, (number, 7)).astype(np.float32)
    of_words[:, 5:] += shares * 7 - 3.5
    described = Predictions(
        name="captions",
        vocabulary=WORDS,
        logits=of_words,
        targets=shares,
        captions=[["a man"] if one == 0 else ["a dog"] for one in who],
        fitting=fitting,
    )
    return {"object": things, "word": described}


def foreign(number: int = 400) -> ClassPictures:
    """Beagles, which look a little like the dogs with a name."""
    random = np.random.default_rng(2)
    logits = random.normal(0, 1, (number, 7)).astype(np.float32)
    logits[np.arange(number), random.integers(0, 2, number)] += 5
    logits[:, :2] += 2
    logits[:, 5] -= 4
    return ClassPictures(name="unnamed", logits=logits, classes=(BEAGLE,) * number, fitting=np.arange(number) % 2 == 0)


def people(number: int = 600) -> ClassPictures:
    """Rooms in which the word for a man is answered too often; where nobody is, a thing is plain to see."""
    somebody = np.arange(number) % 3 == 0
    logits = np.random.default_rng(3).normal(0, 1, (number, 7)).astype(np.float32)
    logits[:, 5] += 2.5
    logits[:, 6] -= 5
    logits[~somebody, 4] += 6
    classes = tuple("person" if one else "nobody" for one in somebody)
    return ClassPictures(name="people", logits=logits, classes=classes, fitting=np.arange(number) % 2 == 0)


def test_of_a_class_without_a_label_its_kinds_are_true_and_no_label_is() -> None:
    tree = tree_of(THINGS)
    true = nodes_of_classes([BEAGLE, "n02099601", TABLE_LAMP, "n99999999"], THINGS)
    names = [[tree.nodes[i].name for i in np.flatnonzero(row)] for row in true]
    assert "dog" in names[0]
    assert not true[0, tree.leaf].any()
    assert "golden retriever" in names[1]
    assert names[2] == names[3] == []
    assert labels_of_classes(["n02509815"], THINGS)[0].ancestors[-1] == "animal"  # labelled in another network


def test_the_reviewed_table_names_only_what_the_object_table_names() -> None:
    folder = Path(beyond_module.__file__).parent
    records = json.loads((folder / "unnamed_classes.json").read_text("utf-8"))
    objects = json.loads((Path(checkpoint.__file__).parent / "language/tables/objects.json").read_text("utf-8"))
    names = {name for record in objects for name in (record["name"], *record["ancestors"])}
    assert len(records) == 1000 - len(objects)
    assert not {record["id"] for record in records} & {record["id"] for record in objects}
    assert {name for record in records for name in record["holds"]} <= names
    holds = {record["id"]: record["holds"] for record in records}
    assert holds[BEAGLE] == ["hound", "dog", "mammal", "animal"]
    assert "mushroom" in holds["n12998815"]


def test_a_promise_apart_is_kept_by_being_right_or_by_saying_little() -> None:
    assert keeps_promise_apart(0, 0, 300, "think")
    assert keeps_promise_apart(0, 4, 300, "think")  # wrong of 1.3 %
    assert not keeps_promise_apart(3, 10, 300, "think")
    assert keeps_promise_apart(94, 100, 300, "think")
    assert not keeps_promise_apart(87, 100, 300, "think")
    exact = round(0.87 * MIN_CLAIMS)  # the interval begins below 0.85, which only a smaller set may have
    assert not keeps_promise_apart(exact, MIN_CLAIMS, MIN_CLAIMS, "think")


def test_foreign_pictures_close_the_gate_and_leave_their_kind_to_be_said() -> None:
    own, beyond = {"object": predictions(1600)["object"]}, Beyond(foreign=[foreign()])
    alone = calibrate(own, [THINGS, WORDS])
    fitted = calibrate(own, [THINGS, WORDS], beyond)
    strength = [strengths(foreign().logits, v) for v in (alone, fitted)]
    assert gate_of(strength[1], fitted[0]).mean() < gate_of(strength[0], alone[0]).mean() - 0.2
    assert alone[0].kinship == 0.0
    assert fitted[0].kinship > 0.9  # whatever looks like a dog here is one
    assert from_json(to_json(fitted[0])) == fitted[0]
    figures = reliability(own, fitted, beyond)["object"]
    for tier, row in figures["tiers_on_unnamed"].items():
        wrong = row["coverage"] * (1 - row["accuracy"])
        assert row["accuracy"] > row["promise"] or wrong < 0.03, tier
    before = reliability(own, alone, beyond)["object"]["tiers_on_unnamed"]
    assert min(row["accuracy"] for row in before.values() if row["n"]) < 0.5


def test_pictures_with_a_label_are_never_fitted_on_but_reported_apart() -> None:
    logits, classes = thing_logits(300, 6)
    named = ClassPictures(
        name="photos",
        logits=logits,
        classes=tuple(THINGS.ids[c] for c in classes),
        fitting=np.ones(300, np.bool_),
    )
    own = {"object": predictions(1600)["object"]}
    fitted = calibrate(own, [THINGS, WORDS])
    assert calibrate(own, [THINGS, WORDS], Beyond(foreign=[named])) == fitted
    figures = reliability(own, fitted, Beyond(foreign=[named]))["object"]
    assert figures["tiers_on_photos_named"]["sure"]["n"] > 0
    assert "tiers_on_photos" not in figures


def test_somebody_is_claimed_only_with_consent() -> None:
    own, beyond = predictions(), Beyond(people=[people()])
    fitted = calibrate(own, [THINGS, WORDS], beyond)
    assert set(fitted[1].consent) == {"person", "dog"}
    persons = reliability(own, fitted, beyond)["word"]["persons"]
    assert persons["people"]["false"] <= 0.04
    assert persons["captions"]["found"] > 0.5
    assert persons["people"]["n_false"] == 200
    nobody = people().where(np.array(people().classes) == "nobody")
    without = tuple(replace(v, consent={}) for v in fitted)
    told, silent = (
        [caption([words]) for _, words in believe(nobody.logits, [v[0], replace(v[1], thresholds={"think": 0.5})])]
        for v in (without, fitted)
    )
    assert np.mean([says_person(one) for one in told]) > 0.5
    assert np.mean([says_person(one) for one in silent]) < 0.06
    beliefs = believe(nobody.logits[:1], [THINGS, replace(fitted[1], consent={"person": replace(ALWAYS, least=2.0)})])
    assert beliefs[0][1].denied == {"person"}
    assert fullest(beliefs[0]).claims[0].node in ("man", "dog")  # the guess without thresholds needs none


ALWAYS = Consent(weights=(0.0,) * 7, constant=0.0, least=0.0)


def test_a_vocabulary_without_consent_denies_nothing() -> None:
    assert denials(people().logits[:5], WORDS) == [frozenset()] * 5


def test_sets_of_one_vocabulary_are_judged_apart() -> None:
    blurred, sharp = (predictions()["object"] for _ in range(2))
    wrong = replace(sharp, name="sharp", targets=np.array([4, 4, 4, 4, 0])[sharp.targets])
    pool = by_vocabulary([blurred, wrong])["object"]
    assert [one_set.name for one_set in pool.apart()] == ["things", "sharp"]
    assert [len(one_set.logits) for one_set in pool.part(fitting=True).apart()] == [350, 350]
    (fitted,) = calibrate({"object": pool}, [THINGS])
    assert fitted.thresholds == {"hedge": NEVER}
    assert caption(believe(sharp.logits[:1], [fitted])[0]).tier == "pass"
    assert reliability({"object": pool}, [fitted])["object"]["tiers_on_sharp"] == {}


def test_the_report_and_calibration_take_folders_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tiny_checkpoint(tmp_path / "t.safetensors", input_size=67)
    vocabularies = tuple(replace(v, calibrated=True) for v in checkpoint.load(network).vocabularies)
    checkpoint.note_measured(network, {}, vocabularies)
    for half in ("train", "val"):
        folders(tmp_path / "scene" / half, {"kitchen": 3, "street": 3})
    folders(tmp_path / "photos", {BEAGLE: 1, TABLE_LAMP: 2}, mixed=True)
    (tmp_path / "photos" / BEAGLE / "broken.png").write_bytes(b"no picture")
    folders(tmp_path / "taken=2026" / "people", {"person": 2, "nobody": 3})
    report = tmp_path / "report.json"
    data = ["--data", f"scene={tmp_path / 'scene'}", "--foreign", f"unnamed={tmp_path / 'photos'}"]
    more = ["--people", str(tmp_path / "taken=2026" / "people"), "--json", str(report)]
    assert cli.main(["evaluate", str(network), "--claims", *data, *more]) == 0
    told = capsys.readouterr().out
    assert "broken.png" in told
    assert "foreign: 3 pictures" in told
    ends = json.loads(report.read_text("utf-8"))["beyond"]
    assert set(ends) == {"unnamed", "people, person", "people, nobody"}
    assert cli.main(["evaluate", str(network), *data]) == 2
    assert "add --claims" in capsys.readouterr().err
    assert cli.main(["calibrate", str(network), *data, "--people", str(tmp_path / "photos")]) == 2
    assert "person/ and nobody/" in capsys.readouterr().err
    assert cli.main(["calibrate", str(network), *data, "--foreign", str(tmp_path / "nowhere")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert cli.main(["calibrate", str(network), *data, "--foreign", f"unnamed={tmp_path / 'photos'}"]) == 2
    assert "Two sets are called unnamed" in capsys.readouterr().err


def test_a_label_that_no_table_knows_has_no_kind() -> None:
    own = Vocabulary(name="mugs", activation="softmax", labels=(Label(id="a", name="a", phrase="an a"),) * 1)
    assert not nodes_of_classes(["b"], own).any()
