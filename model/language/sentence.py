"""From what the network believes to one English sentence that says no more. Pure.

The wordings are CaptionBot's. Backing off up the tree of ancestors follows DARTS (Deng et al., CVPR 2012), with fixed
thresholds until ``calibrate`` fits them. All strings that a caption is made of are in this file and in the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from model.vocabulary import Label

Tier = Literal["sure", "think", "hedge", "pass"]

# The accuracy that each tier promises; an uncalibrated posterior stands in for it until measured.
_SURE, _THINK, _HEDGE = 0.95, 0.85, 0.65
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
_PERSON_WORDS = frozenset({"man", "woman", "boy", "girl", "child", "baby", "people", "player"})
# Deeds that need their thing to be said: "riding" alone says little.
_TAKES = {"riding": ("bike", "motorcycle", "horse", "skateboard", "snowboard", "surfboard"),
          "holding": ("camera", "guitar", "umbrella", "stick", "ball", "rope", "frisbee", "sign", "toy"),
          "throwing": ("ball", "frisbee"), "catching": ("ball", "frisbee")}  # fmt: skip
_GAMES = frozenset({"soccer", "basketball", "tennis", "football", "baseball", "hockey", "volleyball"})
_NOT_SAID_ALONE = frozenset({"playing", "holding", "throwing", "catching", "riding", "fighting"})


@dataclass(frozen=True)
class Guess:
    """One label and how probable the network holds it, within its vocabulary."""

    label: Label
    kind: str
    exclusive: bool
    probability: float


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


def caption(guesses: Sequence[Guess], *, calibrated: bool) -> Caption:
    """The sentence for one picture, from the guesses of all vocabularies. The same guesses give the same sentence.

    Parts are added while all claims together keep the promise of ``hedge``; without a first part it is a ``pass``. An
    uncalibrated network says at most ``hedge``. Raises ValueError where there are no guesses.
    """
    if not guesses:
        raise ValueError("A caption needs at least one guess.")
    kept: list[_Part] = []
    confidence = 1.0
    for part in _parts(guesses):
        joint = confidence * prod(claim.probability for claim in part.claims)
        if joint >= _HEDGE:
            kept, confidence = [*kept, part], joint
        elif not kept:
            break
    if not kept:
        return _pass(guesses)
    tier = _tier(confidence) if calibrated else "hedge"
    phrase = " ".join(part.text for part in kept).rstrip(",")
    claims = tuple(claim for part in kept for claim in part.claims)
    return Caption(_OPENINGS[tier].format(claim=phrase), _alt(tier, phrase), confidence, tier, claims)


def _tier(confidence: float) -> Tier:
    return "sure" if confidence >= _SURE else "think" if confidence >= _THINK else "hedge"


def _parts(guesses: Sequence[Guess]) -> list[_Part]:
    """Somebody, what they do, where they are; else the thing or the place that is more certain, alone."""
    words = {g.label.id: g for g in guesses if not g.exclusive}
    objects = [g for g in guesses if g.exclusive and g.label.role != "place"]
    scenes = [g for g in guesses if g.exclusive and g.label.role == "place"]
    somebody = _somebody(objects, words)
    if somebody is not None:
        spoken = somebody.claims[0].kind in {
            g.kind for g in words.values()
        }  # the deeds are those of the word's subject
        return [somebody, *(_deed(words) if spoken else ()), *_place(scenes, words)]
    alone = [part for part in (_back_off(objects), _back_off(scenes)) if part is not None]
    return [max(alone, key=lambda part: part.claims[0].probability)] if alone else []


def _somebody(objects: Sequence[Guess], words: dict[str, Guess]) -> _Part | None:
    """A person or an animal, whichever vocabulary knows; where both do, the word with the breed as an aside."""
    best = max(objects, key=lambda g: g.probability, default=None)
    who = _who(words)
    if best is not None and best.probability >= _KNOWN:
        if who is None or who.claims[0].node not in best.label.ancestors:
            return _back_off(objects) if best.label.role == "subject" else None
        return _Part(f"{who.text}, probably {best.label.phrase},", who.claims)  # a guess offered, not a claim made
    return who


def _who(words: dict[str, Guess]) -> _Part | None:
    """The best subject word; a person of uncertain kind is "a person"."""
    subjects = [g for g in words.values() if g.label.role == "subject"]
    best = max(subjects, key=lambda g: g.probability, default=None)
    if best is None:
        return None
    if best.probability >= _HEDGE:
        return _Part(best.label.phrase, (_claim(best, "subject"),))
    someone = 1 - prod(1 - g.probability for g in subjects if g.label.id in _PERSON_WORDS)
    if someone >= _HEDGE and best.label.id in _PERSON_WORDS:
        return _Part("a person", (Claim("person", best.kind, "subject", someone),))
    return None


def _back_off(guesses: Sequence[Guess]) -> _Part | None:
    """The most specific node whose summed posterior is safe: the label, else "some kind of" ancestor."""
    best = max(guesses, key=lambda g: g.probability, default=None)
    if best is None:
        return None
    role = best.label.role or "thing"
    if best.probability >= _HEDGE:
        return _Part(best.label.phrase, (_claim(best, role),))
    for node in best.label.ancestors:
        total = sum(g.probability for g in guesses if node in g.label.ancestors)
        if total >= _HEDGE:
            return _Part(f"some kind of {node}", (Claim(node, best.kind, role, min(1.0, total)),))
    return None


def _deed(words: dict[str, Guess]) -> list[_Part]:
    """What they do, with what: at most one action and one thing."""
    actions = [g for g in words.values() if g.label.role == "action" and g.probability >= _WORD]
    for action in sorted(actions, key=lambda g: -g.probability):
        name, claim = action.label.id, _claim(action, "action")
        for thing in (words.get(taken) for taken in _TAKES.get(name, ())):
            if thing and thing.probability >= _WORD:
                return [_Part(f"{name} {thing.label.phrase}", (claim, _claim(thing, "thing")))]
        if name in _GAMES:
            return [_Part(f"playing {name}", (claim,))]
        if name not in _NOT_SAID_ALONE:
            return [_Part(name, (claim,))]
    return []


def _place(scenes: Sequence[Guess], words: dict[str, Guess]) -> list[_Part]:
    """Where somebody is: the scene if it is known, else a place word."""
    known = [g for g in scenes if g.probability >= _KNOWN and g.label.where]
    said = [g for g in words.values() if g.label.role == "place" and g.label.where and g.probability >= _WORD]
    best = max(known or said, key=lambda g: g.probability, default=None)
    return [_Part(best.label.where, (_claim(best, "place"),))] if best else []


def _pass(guesses: Sequence[Guess]) -> Caption:
    exclusive = [g for g in guesses if g.exclusive]
    best = max(exclusive or guesses, key=lambda g: g.probability)
    text = _OPENINGS["pass"].format(claim=best.label.phrase)
    return Caption(text, _ALT["pass"], best.probability, "pass", (_claim(best, best.label.role or "thing"),))


def _alt(tier: Tier, phrase: str) -> str:
    said = _ALT[tier].format(claim=phrase)
    return said[0].upper() + said[1:]


def _claim(guess: Guess, role: str) -> Claim:
    return Claim(guess.label.name, guess.kind, role, guess.probability)
