"""Whether captions mention a thing: by a form of its label, of an ancestor, or of anything below that ancestor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Node, Tree
from model.language.phrases import kind_forms
from model.vocabulary import Label
from training.data.words import TOKEN


def nodes_mentioned(captions: Sequence[Sequence[str]], tree: Tree, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """(N, nodes): whether a caption of picture i mentions node j, an ancestor of it, or a label below it."""
    texts = joined_captions(captions)
    return np.stack([[mentions(text, forms) for text in texts] for forms in forms_below(tree, labels)], axis=1)


def joined_captions(captions: Sequence[Sequence[str]]) -> list[str]:
    """The captions of each picture as one text of tokens, each after a space, for :func:`mentions`."""
    return [
        " ".join(["", *(token for caption in five for token in (*TOKEN.findall(caption.lower()), "."))])
        for five in captions
    ]


def mentions(text: str, forms: Iterable[str]) -> bool:
    """Whether a text of tokens, each after a space, holds one of the forms, alone or with an s."""
    return any(f" {form}{end} " in f"{text} " for form in forms for end in ("", "s"))


def forms_below(tree: Tree, labels: Sequence[Label]) -> list[set[str]]:
    """For each node the forms that mention it: its own, those of the labels below it, and of their ancestors."""
    return [{form.lower() for form in _forms(node, labels)} for node in tree.nodes]


def _forms(node: Node, labels: Sequence[Label]) -> Iterator[str]:
    yield node.name
    if not node.leaf:
        yield from kind_forms(node.name)
    for row in node.rows:
        yield from (labels[row].name, *labels[row].forms, *labels[row].ancestors)
