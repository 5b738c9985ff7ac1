"""From what the network believes to one English sentence that says no more. Pure.

The wordings are CaptionBot's. What is safe to say is decided by ``model.language.hedging``, with thresholds that were
fitted on held-out pictures. All strings that a caption is made of are in this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

from model.language.beliefs import Belief, Claim, Part, Word, best_guess, claim_of
from model.language.hedging import PROMISES, TIERS, Node, Tier, hedge, tree_of
from model.language.phrases import kind_phrase
from model.language.spoken import tell, who, words_of
from model.vocabulary import Label

Tone = Literal["plain", "grey", "dark"]
Frame = Literal["whole", "close", "left", "right"]

_UNFITTED: Mapping[str, float] = {"hedge": PROMISES["hedge"]}
"""A network that was never calibrated says at most ``hedge``, and only what it holds this probable."""
# Above this the object vocabulary knows what it sees: a word about somebody else is not believed, a breed is an aside.
_KNOWN = 0.5
# A part of a sentence is one that somebody would sooner say than not; of the fullest sentence, anything likely at all.
_SAID = 0.5
_GUESSED = 0.1
# Words of a claim: with the longest opening, no sentence has more than 25.
_LONGEST = 17

_OPENINGS: Mapping[Tier, tuple[str, ...]] = {
    "sure": ("I'm pretty sure it's {claim}.", "I'm quite sure it's {claim}."),
    "think": ("I think it's {claim}.", "I think it's {claim}.", "I'd say it's {claim}."),
    "hedge": (
        "I'm not really confident, but I think it's {claim}.",
        "I'm not sure, but I think it's {claim}.",
        "It's hard to tell, but maybe it's {claim}.",
    ),
    "pass": (
        "I really can't describe the picture. My best guess is {claim}, and it's probably wrong.",
        "I can't make out what this is. My best guess is {claim}, and it's probably wrong.",
    ),
}
"""Which one is said depends on the claim alone: the same picture, the same sentence."""
_ALT: Mapping[Tier, str] = {
    "sure": "{claim}.",
    "think": "Probably {claim}.",
    "hedge": "Possibly {claim}.",
    "pass": "A picture that could not be described.",
}
_KINDS: Mapping[tuple[Tone, bool], str] = {
    ("plain", True): "a close up of ",
    ("grey", False): "a black and white photo of ",
    ("grey", True): "a black and white close up of ",
    ("dark", False): "a dark picture of ",
    ("dark", True): "a dark close up of ",
}
"""By tone, and whether it is a close up."""


@dataclass(frozen=True)
class Caption:
    """One honest sentence."""

    text: str
    alt_text: str
    confidence: float
    """Probability that every claim holds; claims are taken as independent."""
    tier: Tier
    claims: tuple[Claim, ...]
    claim: str
    """What follows "it's": the bare claim; of a pass, the guess."""


def caption(
    beliefs: Sequence[Belief], tone: Tone = "plain", frame: Callable[[Claim], Frame] = lambda _: "whole"
) -> Caption:
    """The sentence for one picture, from what all vocabularies hold. The same beliefs give the same sentence.

    ``frame`` is asked where the evidence for the first claim lies, only if that is one thing and more than a hedge.
    Raises ValueError where nobody holds anything.
    """
    if not any(len(belief.probabilities) for belief in beliefs):
        raise ValueError("A caption needs at least one belief.")
    said = _said(beliefs, tone)
    if said is None:
        guess = _guess(beliefs)
        return _worded(guess, guess.text)
    first = said.claims[0]
    framed = frame(first) if said.tier in ("sure", "think") and first.role != "place" else "whole"
    return _worded(said, _modified(said, tone, framed))


def fullest(beliefs: Sequence[Belief]) -> Part:
    """All that could be said, with no threshold: what a captioner without honesty would say.

    Raises ValueError where nobody holds anything.
    """
    belief = next((b for b in beliefs if b.vocabulary.activation == "sigmoid" and len(b.probabilities)), None)
    words = words_of(belief) if belief else {}
    first = who(words, belief, 0) if belief else None
    return tell(first, words, beliefs, least=0, floor=_GUESSED) if first else _guess(beliefs)


def _worded(said: Part, claim: str) -> Caption:
    opening, alt = _OPENINGS[said.tier], _ALT[said.tier].format(claim=claim)
    text = opening[crc32(said.text.encode()) % len(opening)].format(claim=claim)
    return Caption(text, alt[0].upper() + alt[1:], said.confidence, said.tier, said.claims, claim)


def _modified(said: Part, tone: Tone, frame: Frame) -> str:
    """The bare claim with what the pixels and the class map add to it, unless that makes it too long."""
    bare = said.text.rstrip(",")
    side = f" on the {frame}" if frame in ("left", "right") and len(said.claims) == 1 else ""
    whole = _KINDS.get((tone, frame == "close"), "") + bare + side
    return whole if len(whole.split()) <= _LONGEST else bare


def _said(beliefs: Sequence[Belief], tone: Tone) -> Part | None:
    """Somebody with what they do and where they are, or a thing or a place alone: whichever is surer."""
    things = [b for b in beliefs if b.vocabulary.activation == "softmax" and not b.vocabulary.of_places]
    alone = [part for part in map(_alone, (b for b in beliefs if b.vocabulary.activation == "softmax")) if part]
    alone.sort(key=_surest)
    known = max((best_guess(b) for b in things), key=lambda guess: guess.probability, default=None)
    spoken = _spoken(beliefs, known, tone)
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
    text = kind_phrase(node.name)
    if shares.max() < _KNOWN:
        return text
    return f"{text}, maybe {belief.vocabulary.labels[rows[int(shares.argmax())]].phrase}"


def _spoken(beliefs: Sequence[Belief], known: Word | None, tone: Tone) -> Part | None:
    """Who, doing what, where: as much as somebody would probably say all of. A grey photo shows no colour."""
    belief = next((b for b in beliefs if b.vocabulary.activation == "sigmoid"), None)
    if belief is None:
        return None
    words = {key: word for key, word in words_of(belief).items() if (tone, word.label.role) != ("grey", "attribute")}
    thresholds = belief.vocabulary.thresholds or _UNFITTED
    lowest = min(thresholds.values())
    first = who(words, belief, lowest)
    if first is None:
        return None
    if known and known.probability >= _KNOWN and _agree(first.claims[0].node, known.label):
        first = Part(f"{first.text}, probably {known.label.phrase},", first.claims)
    whole = tell(first, words, beliefs, least=lowest, floor=_SAID)
    tier = next((t for t in TIERS[:-1] if t in thresholds and whole.confidence >= thresholds[t]), None)
    return None if tier is None else Part(whole.text, whole.claims, tier)


def _guess(beliefs: Sequence[Belief]) -> Part:
    """The best guess of the exclusive vocabularies; without any, the best word that can stand alone."""
    guesses = [best_guess(b) for b in beliefs if b.vocabulary.activation == "softmax"]
    if not guesses:
        words = [word for b in beliefs for word in words_of(b).values()]
        guesses = [word for word in words if word.label.role in ("subject", "thing")] or words
    best = max(guesses, key=lambda guess: guess.probability)
    return Part(best.label.phrase, (claim_of(best, best.label.role or "thing"),))
