"""Words that people do not say together: ``python -m training.tables.make_apart data/captions``.

Made once from the training captions: pairs of words that fewer than ``MIN_SENTENCES`` of some thirty thousand sentences
hold together. The result is ``model/language/tables/apart.json``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

from training.data.layouts import read_split
from training.data.words import TOKEN, vocabulary_of

MIN_SENTENCES = 3
"""Number of sentences with both words from which on the words may be said together."""
TABLE = Path(__file__).parents[2] / "model/language/tables/apart.json"


def main(folder: Path) -> None:
    """Write the table: each word with all words after it in the alphabet that it is not said with."""
    split = read_split(folder, "train")
    labels = vocabulary_of("word", folder, split).labels
    name_of = {form: label.name for label in labels for form in label.forms}
    together: Counter[tuple[str, str]] = Counter()
    for caption in (caption for five in split.captions for caption in five):
        words = {name_of[token] for token in TOKEN.findall(caption.lower()) if token in name_of}
        together.update(combinations(sorted(words), 2))
    names = sorted(label.name for label in labels)
    apart = {
        name: [other for other in names[number + 1 :] if together[name, other] < MIN_SENTENCES]
        for number, name in enumerate(names)
    }
    lines = [f"{json.dumps(name)}: {json.dumps(others)}" for name, others in apart.items() if others]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
