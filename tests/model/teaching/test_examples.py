"""The file of examples: what it holds, what is refused, and how two become one."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from model.teaching.examples import METADATA, Examples, ExamplesError, OtherNetworkError, Photos, no_photos, read
from tests.model.teaching.drawn import NETWORK, SIZE, cloud, examples, nothing, photos, shas

TWO = examples(my_mug=cloud(1, 5), my_cat=cloud(2, 3))


def test_a_file_holds_all_of_the_examples() -> None:
    whole = replace(TWO, outside=photos("outside", nothing(4)))
    again = read(whole.to_bytes())
    assert list(again.things) == ["my mug", "my cat"]
    assert again.header() == whole.header()
    for name, tensor in whole.tensors().items():
        assert np.array_equal(tensor, again.tensors()[name])
    assert len(again) == 8


def test_the_same_examples_make_the_same_file() -> None:
    assert TWO.to_bytes() == read(TWO.to_bytes()).to_bytes()


@pytest.mark.parametrize(
    "file", [b"", b"hello", b"\x05" + b"\0" * 7 + b"[1,2]", save({"0": np.zeros(3, np.float16)}), b"\xff" * 64]
)
def test_anything_else_is_refused_in_one_sentence(file: bytes) -> None:
    with pytest.raises(ExamplesError, match=r"^This is not a whole file of examples, .*\.$"):
        read(file)


def test_a_cut_file_is_refused() -> None:
    file = TWO.to_bytes()
    for length in range(0, len(file), 97):
        with pytest.raises(ExamplesError):
            read(file[:length])


def altered(**changes: object) -> bytes:
    return save(TWO.tensors(), metadata={METADATA: json.dumps({**TWO.header(), **changes})})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": "glassbot-examples-9"}, "format"),
        ({"size": SIZE + 1}, "numbers instead of"),
        ({"things": [{"name": "a", "photos": ["nonsense"] * 5}]}, "SHA-256"),
        ({"things": [{"name": "a", "photos": []}]}, "more photos than embeddings, or fewer"),
        ({"things": [{"name": " ", "photos": list(shas("my_mug", 5))}]}, "A name needs letters"),
        ({"things": [{"name": "a" * 101, "photos": list(shas("my_mug", 5))}]}, "at most 100 letters"),
        ({"things": [{"name": "a\nb", "photos": list(shas("my_mug", 5))}]}, "A name needs letters"),
        ({"things": 7}, "not a whole file"),
        ({"outside": list(shas("outside", 2))}, "not a whole file"),
    ],
)
def test_examples_that_cannot_be_are_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ExamplesError, match=why):
        read(altered(**changes))


def test_a_photo_under_two_names_is_refused_by_both_names() -> None:
    mug = photos("same", cloud(1, 3))
    with pytest.raises(ExamplesError, match=r"^'my mug' and 'my cup' share a photo"):
        Examples(NETWORK, SIZE, {"my mug": mug, "my cup": mug})


def test_what_is_not_a_number_is_refused() -> None:
    points = cloud(1, 3)
    points[1, 1] = np.inf
    with pytest.raises(ExamplesError, match="not finite"):
        photos("mug", points)


def test_two_become_one_and_each_photo_counts_once() -> None:
    more = Photos(
        (*shas("my_mug", 2), *shas("new", 2)),
        np.concatenate([TWO.things["my mug"].embeddings[:2], cloud(1, 2).astype(np.float16)]),
    )
    merged = TWO.with_further(Examples(NETWORK, SIZE, {"my mug": more, "my hat": photos("hat", cloud(3, 2))}))
    assert {name: len(photos) for name, photos in merged.things.items()} == {"my mug": 7, "my cat": 3, "my hat": 2}
    assert merged.things["my mug"].names == (*shas("my_mug", 5), *shas("new", 2))
    assert len(merged.with_further(merged)) == len(merged)


def test_examples_of_another_network_are_not_mixed() -> None:
    with pytest.raises(OtherNetworkError, match=r"are of the network ffffffffffff, and this one is 0123456789ab"):
        TWO.with_further(replace(TWO, network="f" * 12))


def test_photos_can_be_left_out() -> None:
    left = TWO.things["my mug"].without(shas("my_mug", 2))
    assert left.names == shas("my_mug", 5)[2:]
    assert not len(no_photos(SIZE))


def test_two_spellings_of_a_name_are_one_name() -> None:
    with pytest.raises(ExamplesError, match=r"^'red_mug' and 'Red mug' are the same name"):
        Examples(NETWORK, SIZE, {"red_mug": photos("a", cloud(1, 2)), "Red mug": photos("b", cloud(1, 2))})
    merged = TWO.with_further(Examples(NETWORK, SIZE, {"My_mug": photos("new", cloud(1, 2))}))
    assert {name: len(one) for name, one in merged.things.items()} == {"my mug": 7, "my cat": 3}


def test_embeddings_of_another_size_are_not_mixed() -> None:
    smaller = Examples(NETWORK, 5, {"a": photos("a", cloud(1, 2, size=5))})
    with pytest.raises(ExamplesError, match=r"have 5 numbers instead of 24"):
        TWO.with_further(smaller)
