"""From what the network believes to one English sentence that says no more. Pure.

The wordings are CaptionBot's. What is safe to say is decided by ``model.language.hedging``, with thresholds that were
fitted on held-out pictures. All strings that a caption is made of are in this file and in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, prod

import numpy as np
from numpy.typing import NDArray

from model.language.hedging import PROMISES, TIERS, Node, Tier, hedge, tree_of
from model.vocabulary import Label, Vocabulary

_UNFITTED: Mapping[str, float] = {"hedge": PROMISES["hedge"]}
"""A network that was never calibrated says at most ``hedge``, and only what it holds this probable."""
# Words are trained towards the share of five people who said them: above a half, most people would.
_WORD = 0.5
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
PERSON_WORDS = frozenset({"man", "woman", "boy", "girl", "child", "baby", "people", "player"})
# Deeds that need their thing to be said: "riding" alone says little.
_TAKES = {"riding": ("bike", "motorcycle", "horse", "skateboard", "snowboard", "surfboard"),
          "holding": ("camera", "guitar", "umbrella", "stick", "ball", "rope", "frisbee", "sign", "toy"),
          "throwing": ("ball", "frisbee"), "catching": ("ball", "frisbee")}  # fmt: skip
_GAMES = frozenset({"soccer", "basketball", "tennis", "football", "baseball", "hockey", "volleyball"})
_NOT_SAID_ALONE = frozenset({"playing", "holding", "throwing", "catching", "riding", "fighting"})


@dataclass(frozen=True)
class Belief:
    """What the network holds of one picture in one vocabulary."""

    vocabulary: Vocabulary
    probabilities: NDArray[np.float32]
    """(labels,), within the vocabulary."""
    present: float = 1.0
    """How probable it is that the picture shows any of an exclusive vocabulary's labels."""


@dataclass(frozen=True)
class Claim:
    """One thing the sentence says."""

    node: str
    """The label or the ancestor that is said."""
    kind: str
    role: str
    probability: float


@dataclass(frozen=True)
class Caption:
    """One honest sentence."""

    text: str
    alt_text: str
    confidence: float
    """Probability that every claim holds; claims are taken as independent."""
    tier: Tier
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class _Part:
    """A stretch of the sentence and what it asserts."""

    text: str
    claims: tuple[Claim, ...]
    tier: Tier = "pass"

    @property
    def confidence(self) -> float:
        return prod(claim.probability for claim in self.claims)


@dataclass(frozen=True)
class _Word:
    label: Label
    probability: float
    """That somebody would say it."""
    kind: str


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


def _said(beliefs: Sequence[Belief]) -> _Part | None:
    """Somebody with what they do and where they are, or a thing or a place alone: whichever is surer."""
    things = [b for b in beliefs if b.vocabulary.kind == "exclusive" and not _of_places(b)]
    alone = [part for part in map(_alone, (b for b in beliefs if b.vocabulary.kind == "exclusive")) if part]
    alone.sort(key=_surest)
    known = max((_best(b) for b in things), key=lambda guess: guess.probability, default=None)
    spoken = _spoken(beliefs, known)
    if spoken is None or not alone:
        return spoken or (alone[0] if alone else None)
    if known and known.probability >= _KNOWN:  # it knows what it sees: the same, or the words speak of somebody else
        return spoken if _agree(spoken.claims[0].node, known.label) else alone[0]
    return min(spoken, alone[0], key=_surest)


def _surest(part: _Part) -> tuple[int, float]:
    return TIERS.index(part.tier), -part.confidence


def _of_places(belief: Belief) -> bool:
    return all(label.role == "place" for label in belief.vocabulary.labels)


def _best(belief: Belief) -> _Word:
    row = int(belief.probabilities.argmax())
    label = belief.vocabulary.labels[row]
    return _Word(label, float(belief.probabilities[row]) * belief.present, belief.vocabulary.name)


def _agree(word: str, label: Label) -> bool:
    return word in (label.name, *label.ancestors)


def _alone(belief: Belief) -> _Part | None:
    """A thing or a place: the label, else an ancestor of it."""
    labels = belief.vocabulary.labels
    tree = tree_of(labels)
    said = hedge(belief.probabilities * belief.present, tree, belief.vocabulary.thresholds or _UNFITTED)
    if said is None:
        return None
    role = labels[said.node.rows[0]].role or "thing"
    claim = Claim(said.node.name, belief.vocabulary.name, role, said.probability)
    text = labels[said.node.rows[0]].phrase if said.node.leaf else _ancestor(said.node, belief)
    return _Part(text, (claim,), said.tier)


def _ancestor(node: Node, belief: Belief) -> str:
    """``some kind of bird``; and the label that is most of it, as an aside: a guess offered, not a claim made."""
    rows = list(node.rows)
    shares = belief.probabilities[rows] / max(float(belief.probabilities[rows].sum()), 1e-9)
    text = f"some kind of {node.name}"
    if shares.max() < _KNOWN:
        return text
    return f"{text}, maybe {belief.vocabulary.labels[rows[int(shares.argmax())]].phrase}"


def _spoken(beliefs: Sequence[Belief], known: _Word | None) -> _Part | None:
    """Who, doing what, where: parts are added while somebody would probably say all of them."""
    belief = next((b for b in beliefs if b.vocabulary.kind == "independent"), None)
    words = {} if belief is None else _words(belief)
    who = _who(words, belief) if belief else None
    if belief is None or who is None:
        return None
    thresholds = belief.vocabulary.thresholds or _UNFITTED
    kept = [who]
    for part in (*_deed(words), *_place(beliefs, words)):
        if prod(one.confidence for one in (*kept, part)) >= min(thresholds.values(), default=1.0):
            kept.append(part)
    if known and known.probability >= _KNOWN and _agree(who.claims[0].node, known.label):
        kept[0] = _Part(f"{who.text}, probably {known.label.phrase},", who.claims)
    whole = _Part(" ".join(part.text for part in kept), tuple(claim for part in kept for claim in part.claims))
    tier = next((t for t in TIERS[:-1] if t in thresholds and whole.confidence >= thresholds[t]), None)
    return None if tier is None else _Part(whole.text, whole.claims, tier)


def _words(belief: Belief) -> dict[str, _Word]:
    spoken = belief.vocabulary.spoken.get("", (1.0, 0.0))
    return {
        label.id: _Word(label, bend(float(share), spoken), belief.vocabulary.name)
        for label, share in zip(belief.vocabulary.labels, belief.probabilities, strict=True)
    }


def bend(probability: float, line: tuple[float, float]) -> float:
    """A probability whose logit is taken to ``slope * logit + shift``."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return float(1 / (1 + np.exp(-(line[0] * log(p / (1 - p)) + line[1]))))


def somebody(probabilities: Sequence[float], line: tuple[float, float] = (1.0, 0.0)) -> float:
    """The probability that any of several words is said; ``line`` corrects for their not being independent."""
    return bend(1 - prod(1 - p for p in probabilities), line)


def _who(words: Mapping[str, _Word], belief: Belief) -> _Part | None:
    """The best subject word; a person of uncertain kind is "a person"."""
    subjects = [word for word in words.values() if word.label.role == "subject"]
    best = max(subjects, key=lambda word: word.probability, default=None)
    if best is None:
        return None
    lowest = min((belief.vocabulary.thresholds or _UNFITTED).values(), default=1.0)
    people = [word.probability for word in subjects if word.label.id in PERSON_WORDS]
    someone = somebody(people, belief.vocabulary.spoken.get("person", (1.0, 0.0)))
    if best.probability < lowest and best.label.id in PERSON_WORDS and someone >= lowest:
        return _Part("a person", (Claim("person", best.kind, "subject", someone),))
    return _Part(best.label.phrase, (_claim(best, "subject"),))


def _deed(words: Mapping[str, _Word]) -> list[_Part]:
    """What they do, with what: at most one action and one thing."""
    actions = [word for word in words.values() if word.label.role == "action" and word.probability >= _WORD]
    for action in sorted(actions, key=lambda word: -word.probability):
        name, claim = action.label.id, _claim(action, "action")
        for thing in (words.get(taken) for taken in _TAKES.get(name, ())):
            if thing and thing.probability >= _WORD:
                return [_Part(f"{name} {thing.label.phrase}", (claim, _claim(thing, "thing")))]
        if name in _GAMES:
            return [_Part(f"playing {name}", (claim,))]
        if name not in _NOT_SAID_ALONE:
            return [_Part(action.label.phrase, (claim,))]
    return []


def _place(beliefs: Sequence[Belief], words: Mapping[str, _Word]) -> list[_Part]:
    """Where somebody is: the scene if it is known, else a place word."""
    scenes = [_best(b) for b in beliefs if b.vocabulary.kind == "exclusive" and _of_places(b)]
    known = [g for g in scenes if g.probability >= _KNOWN and g.label.where]
    said = [w for w in words.values() if w.label.role == "place" and w.label.where and w.probability >= _WORD]
    best = max(known or said, key=lambda guess: guess.probability, default=None)
    return [_Part(best.label.where, (_claim(best, "place"),))] if best else []


def _pass(beliefs: Sequence[Belief]) -> Caption:
    """The best guess of the exclusive vocabularies; without any, the best word that can stand alone."""
    guesses = [_best(b) for b in beliefs if b.vocabulary.kind == "exclusive"]
    if not guesses:
        words = [word for b in beliefs for word in _words(b).values()]
        guesses = [word for word in words if word.label.role in ("subject", "thing")] or words
    best = max(guesses, key=lambda guess: guess.probability)
    claim = _claim(best, best.label.role or "thing")
    return Caption(_OPENINGS["pass"].format(claim=best.label.phrase), _ALT["pass"], best.probability, "pass", (claim,))


def _alt(tier: Tier, phrase: str) -> str:
    said = _ALT[tier].format(claim=phrase)
    return said[0].upper() + said[1:]


def _claim(guess: _Word, role: str) -> Claim:
    return Claim(guess.label.name, guess.kind, role, guess.probability)
