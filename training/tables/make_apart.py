"""Words that people do not say together: ``python -m training.tables.make_apart data/captions``.

Made once from the training captions: pairs of words that fewer than ``FEWEST`` of some thirty thousand sentences hold
both. ``model/language/tables/apart.json`` is what came of it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

from training.data.sets import read
from training.data.words import TOKEN, vocabulary_of

FEWEST = 3
TABLE = Path(__file__).parents[2] / "model/language/tables/apart.json"


def main(folder: Path) -> None:
    """Count, and write the table: each word with all words after it in the alphabet that it is not said with."""
    half = read(folder, "train")
    labels = vocabulary_of("word", folder, half).labels
    name_of = {form: label.name for label in labels for form in label.forms}
    together: Counter[tuple[str, str]] = Counter()
    for caption in (caption for five in half.captions for caption in five):
        said = {name_of[token] for token in TOKEN.findall(caption.lower()) if token in name_of}
        together.update(combinations(sorted(said), 2))
    names = sorted(label.name for label in labels)
    apart = {
        one: [other for other in names[number + 1 :] if together[one, other] < FEWEST]
        for number, one in enumerate(names)
    }
    lines = [f"{json.dumps(one)}: {json.dumps(others)}" for one, others in apart.items() if others]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
