"""Who, doing what, with what and where: the parts that words of people make. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, prod

import numpy as np

from model.language.beliefs import Belief, Claim, Part, Word, best_guess, claim_of

# Words are trained towards the share of five people who said them: above a half, most people would.
_WORD = 0.5
# A scene that is more probable than not is a place that somebody can be in.
_KNOWN = 0.5
PERSON_WORDS = frozenset({"man", "woman", "boy", "girl", "child", "baby", "people", "player"})
# Deeds that need their thing to be said: "riding" alone says little.
_TAKES = {"riding": ("bike", "motorcycle", "horse", "skateboard", "snowboard", "surfboard"),
          "holding": ("camera", "guitar", "umbrella", "stick", "ball", "rope", "frisbee", "sign", "toy"),
          "throwing": ("ball", "frisbee"), "catching": ("ball", "frisbee")}  # fmt: skip
_GAMES = frozenset({"soccer", "basketball", "tennis", "football", "baseball", "hockey", "volleyball"})
_NOT_SAID_ALONE = frozenset({"playing", "holding", "throwing", "catching", "riding", "fighting"})


def words_of(belief: Belief) -> dict[str, Word]:
    """Id -> word, and how probable it is that somebody says it."""
    spoken = belief.vocabulary.spoken.get("", (1.0, 0.0))
    return {
        label.id: Word(label, bend(float(share), spoken), belief.vocabulary.name)
        for label, share in zip(belief.vocabulary.labels, belief.probabilities, strict=True)
    }


def bend(probability: float, line: tuple[float, float]) -> float:
    """A probability whose logit is taken to ``slope * logit + shift``."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return float(1 / (1 + np.exp(-(line[0] * log(p / (1 - p)) + line[1]))))


def somebody(probabilities: Sequence[float], line: tuple[float, float] = (1.0, 0.0)) -> float:
    """The probability that any of several words is said; ``line`` corrects for their not being independent."""
    return bend(1 - prod(1 - p for p in probabilities), line)


def who(words: Mapping[str, Word], belief: Belief, lowest: float) -> Part | None:
    """The best subject word; a person of uncertain kind is "a person"."""
    subjects = [word for word in words.values() if word.label.role == "subject"]
    best = max(subjects, key=lambda word: word.probability, default=None)
    if best is None:
        return None
    people = [word.probability for word in subjects if word.label.id in PERSON_WORDS]
    someone = somebody(people, belief.vocabulary.spoken.get("person", (1.0, 0.0)))
    if best.probability < lowest and best.label.id in PERSON_WORDS and someone >= lowest:
        return Part("a person", (Claim("person", best.kind, "subject", someone),))
    return Part(best.label.phrase, (claim_of(best, "subject"),))


def deed(words: Mapping[str, Word]) -> list[Part]:
    """What they do, with what: at most one action and one thing."""
    actions = [word for word in words.values() if word.label.role == "action" and word.probability >= _WORD]
    for action in sorted(actions, key=lambda word: -word.probability):
        name, claim = action.label.id, claim_of(action, "action")
        for thing in (words.get(taken) for taken in _TAKES.get(name, ())):
            if thing and thing.probability >= _WORD:
                return [Part(f"{name} {thing.label.phrase}", (claim, claim_of(thing, "thing")))]
        if name in _GAMES:
            return [Part(f"playing {name}", (claim,))]
        if name not in _NOT_SAID_ALONE:
            return [Part(action.label.phrase, (claim,))]
    return []


def place(beliefs: Sequence[Belief], words: Mapping[str, Word]) -> list[Part]:
    """Where somebody is: the scene if it is known, else a place word."""
    scenes = [best_guess(b) for b in beliefs if b.vocabulary.kind == "exclusive" and b.vocabulary.of_places]
    known = [g for g in scenes if g.probability >= _KNOWN and g.label.where]
    said = [w for w in words.values() if w.label.role == "place" and w.label.where and w.probability >= _WORD]
    best = max(known or said, key=lambda guess: guess.probability, default=None)
    return [Part(best.label.where, (claim_of(best, "place"),))] if best else []
