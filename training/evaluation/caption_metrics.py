"""Caption metrics: a network's sentences against the captions that five people wrote of the same picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from model.language.beliefs import Claim
from model.language.hedging import tree_of
from model.vocabulary import Vocabulary
from training.data.words import TOKEN
from training.evaluation.caption_match import forms_below, joined_captions, mentions

CONSTANT_CAPTION = "a man in a red shirt"
"""A baseline that looks at no picture: this sentence for each of them."""
Captions = Sequence[Sequence[str]]
Forms = Mapping[str, Mapping[str, set[str]]]
"""Vocabulary -> node that can be claimed in it -> the forms that mention the node."""


def claim_forms(vocabularies: Sequence[Vocabulary]) -> Forms:
    """The forms that mention each node that the vocabularies can claim."""
    return {v.name: _label_forms(v) if v.activation == "softmax" else _word_forms(v) for v in vocabularies}


def _label_forms(vocabulary: Vocabulary) -> dict[str, set[str]]:
    tree = tree_of(vocabulary)
    return dict(zip((node.name for node in tree.nodes), forms_below(tree, vocabulary.labels), strict=True))


def _word_forms(vocabulary: Vocabulary) -> dict[str, set[str]]:
    forms = {label.name: {label.name, *label.forms} for label in vocabulary.labels}
    for label in vocabulary.labels:
        for ancestor in label.ancestors:
            forms.setdefault(ancestor, {ancestor}).update(label.forms)
    return forms


def count_confirmed(claims: Sequence[Sequence[Claim]], captions: Captions, forms: Forms) -> tuple[int, int]:
    """Number of claims that a caption of their picture mentions, and number of all claims."""
    confirmed = [
        mentions(text, forms[claim.vocabulary][claim.node])
        for claims_of_picture, text in zip(claims, joined_captions(captions), strict=True)
        for claim in claims_of_picture
    ]
    return sum(confirmed), len(confirmed)


def caption_scores(sentences: Iterable[str], captions: Captions) -> dict[str, float]:
    """BLEU-1, BLEU-4, CIDEr and ROUGE-L in per cent, of one sentence a picture against its captions."""
    from pycocoevalcap.bleu.bleu import Bleu  # a machine that only trains need not have them
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    candidates = {number: [_tokens(text)] for number, text in enumerate(sentences)}
    references = {number: [_tokens(text) for text in five] for number, five in enumerate(captions)}
    bleu, _ = Bleu(4).compute_score(references, candidates, verbose=0)
    cider, _ = Cider().compute_score(references, candidates)
    rouge, _ = Rouge().compute_score(references, candidates)
    scores = {"bleu1": bleu[0], "bleu4": bleu[3], "cider": cider, "rouge_l": rouge}
    return {name: round(100 * float(value), 2) for name, value in scores.items()}


def _tokens(text: str) -> str:
    return " ".join(TOKEN.findall(text.lower()))
