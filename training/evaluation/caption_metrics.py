"""Sentences against what five people said of the same picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from model.language.beliefs import Claim
from model.language.hedging import tree_of
from model.vocabulary import Vocabulary
from training.data.words import TOKEN
from training.evaluation.caption_match import forms_below, joined, said

CONSTANT = "a man in a red shirt"
"""What is said of every picture by whoever has looked at none."""
Captions = Sequence[Sequence[str]]
Forms = Mapping[str, Mapping[str, set[str]]]


def forms_of(vocabularies: Sequence[Vocabulary]) -> Forms:
    """Vocabulary -> what can be claimed in it -> what counts as saying that."""
    return {v.name: _of_classes(v) if v.activation == "softmax" else _of_words(v) for v in vocabularies}


def _of_classes(vocabulary: Vocabulary) -> dict[str, set[str]]:
    tree = tree_of(vocabulary.labels)
    return dict(zip((node.name for node in tree.nodes), forms_below(tree, vocabulary.labels), strict=True))


def _of_words(vocabulary: Vocabulary) -> dict[str, set[str]]:
    found = {label.name: {label.name, *label.forms} for label in vocabulary.labels}
    for label in vocabulary.labels:
        for ancestor in label.ancestors:
            found.setdefault(ancestor, {ancestor}).update(label.forms)
    return found


def said_by_people(claims: Sequence[Sequence[Claim]], captions: Captions, forms: Forms) -> tuple[int, int]:
    """Of all content words (one claim each): how many somebody used who saw the picture; and how many there are."""
    hits = [
        said(text, forms[claim.vocabulary][claim.node])
        for some, text in zip(claims, joined(captions), strict=True)
        for claim in some
    ]
    return sum(hits), len(hits)


def likeness(sentences: Iterable[str], captions: Captions) -> dict[str, float]:
    """BLEU-1, BLEU-4, CIDEr and ROUGE-L in per cent, of one sentence a picture against what people said of it."""
    from pycocoevalcap.bleu.bleu import Bleu  # a machine that only trains need not have them
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    candidates = {i: [_tokens(text)] for i, text in enumerate(sentences)}
    references = {i: [_tokens(text) for text in five] for i, five in enumerate(captions)}
    bleu, _ = Bleu(4).compute_score(references, candidates, verbose=0)
    cider, _ = Cider().compute_score(references, candidates)
    rouge, _ = Rouge().compute_score(references, candidates)
    found = {"bleu1": bleu[0], "bleu4": bleu[3], "cider": cider, "rouge_l": rouge}
    return {name: round(100 * float(value), 2) for name, value in found.items()}


def _tokens(text: str) -> str:
    return " ".join(TOKEN.findall(text.lower()))
