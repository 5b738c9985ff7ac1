"""Vocabularies come back as they were written, by this version or an older one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model.vocabulary import Label, Vocabulary, from_json, to_json

MAN = Label(id="man", name="man", phrase="a man", role="subject", forms=("man", "guy"))
WORDS = Vocabulary(
    name="word",
    activation="sigmoid",
    labels=(MAN,),
    temperature=1.5,
    bias=(0.25,),
    calibrated=True,
    platt={"": (0.9, 0.3), "person": (1.1, -0.2)},
    thresholds={"think": 0.8},
)


def written(vocabulary: Vocabulary) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(to_json(vocabulary)))
    return record


def test_a_vocabulary_comes_back_as_it_was() -> None:
    assert from_json(written(WORDS)) == WORDS


@pytest.mark.parametrize(("kind", "activation"), [("independent", "sigmoid"), ("exclusive", "softmax")])
def test_keys_of_files_before_0_1_0_are_read(kind: str, activation: str) -> None:
    record = written(WORDS)
    record["kind"] = kind
    record["spoken"] = record.pop("platt")
    del record["activation"]
    back = from_json(record)
    assert (back.activation, back.platt) == (activation, WORDS.platt)
    assert {"kind", "spoken"}.isdisjoint(written(back))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"activation": "relu"},
        {"labels": [1]},
        {"labels": None},
        {"platt": {"": [1.0]}},
        {"temperature": 0},
        {"bias": [1.0, 2.0]},
        {"novel": 1},
    ],
)
def test_records_that_are_no_vocabulary_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, KeyError, ValueError, IndexError, AttributeError)):
        from_json(written(WORDS) | change)
