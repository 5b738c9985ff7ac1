"""Whether people said a thing: the forms of a label, of an ancestor, or of anything below it, in their captions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Node, Tree
from model.language.phrases import kind_forms
from model.vocabulary import Label
from training.data.words import TOKEN


def right(captions: Sequence[Sequence[str]], tree: Tree, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """(N, nodes): whether one of those who described picture i said node j, an ancestor of it, or a label below it."""
    texts = joined(captions)
    return np.stack([[said(text, forms) for text in texts] for forms in forms_below(tree, labels)], axis=1)


def joined(captions: Sequence[Sequence[str]]) -> list[str]:
    """What people said of each picture as one text for :func:`said`."""
    return [
        " ".join(["", *(token for one in five for token in (*TOKEN.findall(one.lower()), "."))]) for five in captions
    ]


def said(text: str, forms: Iterable[str]) -> bool:
    """Whether a text of tokens, each after a space, holds one of the forms, alone or with an s."""
    return any(f" {form}{end} " in f"{text} " for form in forms for end in ("", "s"))


def forms_below(tree: Tree, labels: Sequence[Label]) -> list[set[str]]:
    """For each node what counts as saying it: its own forms, those of the labels below it, and of their ancestors."""
    return [{form.lower() for form in _forms(node, labels)} for node in tree.nodes]


def _forms(node: Node, labels: Sequence[Label]) -> Iterator[str]:
    yield node.name
    if not node.leaf:
        yield from kind_forms(node.name)
    for row in node.rows:
        yield from (labels[row].name, *labels[row].forms, *labels[row].ancestors)
