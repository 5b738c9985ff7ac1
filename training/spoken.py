"""Whether people said a thing: the forms of a label, of an ancestor, or of anything below it, in their captions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import Tree
from model.vocabulary import Label
from training.data.words import TOKEN


def right(captions: Sequence[Sequence[str]], tree: Tree, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """(N, nodes): whether one of those who described picture i said node j, an ancestor of it, or a label below it."""
    texts = [
        " ".join(["", *(token for one in five for token in (*TOKEN.findall(one.lower()), "."))]) for five in captions
    ]
    return np.stack([[said(text, forms) for text in texts] for forms in _forms(tree, labels)], axis=1)


def said(text: str, forms: Iterable[str]) -> bool:
    """Whether a text of tokens, each after a space, holds one of the forms, alone or with an s."""
    return any(f" {form}{end} " in f"{text} " for form in forms for end in ("", "s"))


def _forms(tree: Tree, labels: Sequence[Label]) -> list[set[str]]:
    """Of the labels below a node and of all ancestors of one of them, above the node or below it."""
    return [{form.lower() for row in node.rows for form in (node.name, *_names(labels[row]))} for node in tree.nodes]


def _names(label: Label) -> tuple[str, ...]:
    return (label.name, *label.forms, *label.ancestors)
