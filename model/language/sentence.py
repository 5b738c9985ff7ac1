"""From what the network believes to one English sentence that says no more. Pure.

The wordings are CaptionBot's. What is safe to say is decided by ``model.language.hedging``, with thresholds that were
fitted on held-out pictures. All strings that a caption is made of are in this file and in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from model.language.beliefs import Belief, Claim, Part, Word, best_guess, claim_of
from model.language.hedging import PROMISES, TIERS, Node, Tier, hedge, tree_of
from model.language.spoken import deed, place, who, words_of
from model.vocabulary import Label

_UNFITTED: Mapping[str, float] = {"hedge": PROMISES["hedge"]}
"""A network that was never calibrated says at most ``hedge``, and only what it holds this probable."""
# Above this the object vocabulary knows what it sees: a word about somebody else is not believed, a breed is an aside.
_KNOWN = 0.5

_OPENINGS = {
    "sure": "I'm pretty sure it's {claim}.",
    "think": "I think it's {claim}.",
    "hedge": "I'm not really confident, but I think it's {claim}.",
    "pass": "I really can't describe the picture. My best guess is {claim}, and it's probably wrong.",
}
_ALT = {
    "sure": "{claim}.",
    "think": "Probably {claim}.",
    "hedge": "Possibly {claim}.",
    "pass": "A picture that could not be described.",
}


@dataclass(frozen=True)
class Caption:
    """One honest sentence."""

    text: str
    alt_text: str
    confidence: float
    """Probability that every claim holds; claims are taken as independent."""
    tier: Tier
    claims: tuple[Claim, ...]


def caption(beliefs: Sequence[Belief]) -> Caption:
    """The sentence for one picture, from what all vocabularies hold. The same beliefs give the same sentence.

    Raises ValueError where nobody holds anything.
    """
    if not any(len(belief.probabilities) for belief in beliefs):
        raise ValueError("A caption needs at least one belief.")
    said = _said(beliefs)
    if said is None:
        return _pass(beliefs)
    phrase = said.text.rstrip(",")
    return Caption(
        _OPENINGS[said.tier].format(claim=phrase), _alt(said.tier, phrase), said.confidence, said.tier, said.claims
    )


def _said(beliefs: Sequence[Belief]) -> Part | None:
    """Somebody with what they do and where they are, or a thing or a place alone: whichever is surer."""
    things = [b for b in beliefs if b.vocabulary.kind == "exclusive" and not b.vocabulary.of_places]
    alone = [part for part in map(_alone, (b for b in beliefs if b.vocabulary.kind == "exclusive")) if part]
    alone.sort(key=_surest)
    known = max((best_guess(b) for b in things), key=lambda guess: guess.probability, default=None)
    spoken = _spoken(beliefs, known)
    if spoken is None or not alone:
        return spoken or (alone[0] if alone else None)
    if known and known.probability >= _KNOWN:  # it knows what it sees: the same, or the words speak of somebody else
        return spoken if _agree(spoken.claims[0].node, known.label) else alone[0]
    return min(spoken, alone[0], key=_surest)


def _surest(part: Part) -> tuple[int, float]:
    return TIERS.index(part.tier), -part.confidence


def _agree(word: str, label: Label) -> bool:
    return word in (label.name, *label.ancestors)


def _alone(belief: Belief) -> Part | None:
    """A thing or a place: the label, else an ancestor of it."""
    labels = belief.vocabulary.labels
    tree = tree_of(labels)
    said = hedge(belief.probabilities * belief.present, tree, belief.vocabulary.thresholds or _UNFITTED)
    if said is None:
        return None
    role = labels[said.node.rows[0]].role or "thing"
    claim = Claim(said.node.name, belief.vocabulary.name, role, said.probability)
    text = labels[said.node.rows[0]].phrase if said.node.leaf else _ancestor(said.node, belief)
    return Part(text, (claim,), said.tier)


def _ancestor(node: Node, belief: Belief) -> str:
    """``some kind of bird``; and the label that is most of it, as an aside: a guess offered, not a claim made."""
    rows = list(node.rows)
    shares = belief.probabilities[rows] / max(float(belief.probabilities[rows].sum()), 1e-9)
    text = f"some kind of {node.name}"
    if shares.max() < _KNOWN:
        return text
    return f"{text}, maybe {belief.vocabulary.labels[rows[int(shares.argmax())]].phrase}"


def _spoken(beliefs: Sequence[Belief], known: Word | None) -> Part | None:
    """Who, doing what, where: parts are added while somebody would probably say all of them."""
    belief = next((b for b in beliefs if b.vocabulary.kind == "independent"), None)
    if belief is None:
        return None
    words, thresholds = words_of(belief), belief.vocabulary.thresholds or _UNFITTED
    lowest = min(thresholds.values())
    first = who(words, belief, lowest)
    if first is None:
        return None
    kept = [first]
    for part in (*deed(words), *place(beliefs, words)):
        if prod(one.confidence for one in (*kept, part)) >= lowest:
            kept.append(part)
    if known and known.probability >= _KNOWN and _agree(first.claims[0].node, known.label):
        kept[0] = Part(f"{first.text}, probably {known.label.phrase},", first.claims)
    whole = Part(" ".join(part.text for part in kept), tuple(claim for part in kept for claim in part.claims))
    tier = next((t for t in TIERS[:-1] if t in thresholds and whole.confidence >= thresholds[t]), None)
    return None if tier is None else Part(whole.text, whole.claims, tier)


def _pass(beliefs: Sequence[Belief]) -> Caption:
    """The best guess of the exclusive vocabularies; without any, the best word that can stand alone."""
    guesses = [best_guess(b) for b in beliefs if b.vocabulary.kind == "exclusive"]
    if not guesses:
        words = [word for b in beliefs for word in words_of(b).values()]
        guesses = [word for word in words if word.label.role in ("subject", "thing")] or words
    best = max(guesses, key=lambda guess: guess.probability)
    claim = claim_of(best, best.label.role or "thing")
    return Caption(_OPENINGS["pass"].format(claim=best.label.phrase), _ALT["pass"], best.probability, "pass", (claim,))


def _alt(tier: Tier, phrase: str) -> str:
    said = _ALT[tier].format(claim=phrase)
    return said[0].upper() + said[1:]
