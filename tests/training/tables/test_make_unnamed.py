"""Drafting what holds of things without a name, from a few lines in the form of WordNet's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.tables.make_objects import draft, read_nouns
from training.tables.make_unnamed import hypernyms, names_that_hold, synsets_of_names

# Offset, file, type, number of words, words; number of pointers, pointers. A dog is a canine and a pet.
LINES = """  1 This is a licence.
00000001 05 n 01 animal 0 000 | a living thing
00000002 05 n 01 canine 0 001 @ 00000001 n 0000 | like a dog
00000003 05 n 01 pet 0 001 @ 00000001 n 0000 | kept at home
00000004 05 n 02 dog 0 domestic_dog 0 002 @ 00000002 n 0000 @ 00000003 n 0000 | barks
00000005 05 n 01 beagle 0 001 @ 00000004 n 0000 | small hound
00000006 05 n 01 poodle 0 001 @ 00000004 n 0000 | curly
"""
OBJECTS = [{"id": "n00000005", "name": "beagle", "ancestors": ["dog", "pet", "creepy-crawly", "animal"]}]


def test_all_hypernyms_count_and_only_names_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text(LINES, "latin-1")
    nouns = read_nouns(tmp_path / "data.noun")
    assert hypernyms("00000006", nouns) == {"00000006", "00000004", "00000002", "00000003", "00000001"}
    synsets = synsets_of_names(OBJECTS, nouns)
    assert names_that_hold("n00000006", synsets, nouns) == ["dog", "pet", "animal"]
    assert names_that_hold("n00000005", synsets, nouns)[0] == "beagle"
    assert synsets["creepy-crawly"] == set()
    assert draft("n00000006", nouns)["ancestors"] == ["dog", "canine", "animal"]
    with pytest.raises(KeyError):
        names_that_hold("n00000009", synsets, nouns)
