"""From what the network believes to one English sentence that says no more. Pure.

The wordings are CaptionBot's. Backing off up the tree of ancestors follows DARTS (Deng et al., CVPR 2012), with fixed
thresholds until ``calibrate`` fits them. All strings that a caption is made of are in this file and in the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from model.vocabulary import Label

Tier = Literal["sure", "think", "hedge", "pass"]

# The accuracy that each tier promises; an uncalibrated posterior stands in for it until measured.
_SURE, _THINK, _HEDGE = 0.95, 0.85, 0.65
# A scene is one of a hundred, so a place is worth saying earlier than a thing, and a wrong one misleads less.
_PLACE = 0.5
# Words are trained towards the share of five people who said them: above a half, most people would.
_WORD = 0.5
# Above this the object vocabulary knows what it sees, and a word about somebody else is not believed.
_CONTRADICTS = 0.5

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


def caption(guesses: Sequence[Guess], *, calibrated: bool) -> Caption:
    """The sentence for one picture, from the guesses of all vocabularies. The same guesses give the same sentence.

    An uncalibrated network says at most ``hedge``. Raises ValueError where there are no guesses.
    """
    if not guesses:
        raise ValueError("A caption needs at least one guess.")
    subject = _subject(guesses)
    place = _place(guesses)
    if subject is None and place is None:
        return _pass(guesses)
    if subject is None:
        assert place is not None
        phrase, claims = _noun(place.label.phrase), [_claim(place, "place")]
    else:
        phrase, claims = subject
        if place is not None and place.label.where:
            phrase, claims = f"{phrase} {place.label.where}", [*claims, _claim(place, "place")]
    confidence = prod(claim.probability for claim in claims)
    tier = _tier(confidence) if calibrated else "hedge"
    return Caption(_OPENINGS[tier].format(claim=phrase), _alt(tier, phrase), confidence, tier, tuple(claims))


def _tier(confidence: float) -> Tier:
    return "sure" if confidence >= _SURE else "think" if confidence >= _THINK else "hedge"


def _subject(guesses: Sequence[Guess]) -> tuple[str, list[Claim]] | None:
    """Somebody doing something, or something: whichever vocabulary knows."""
    objects = [g for g in guesses if g.exclusive and g.label.role != "place"]
    thing = _back_off(objects)
    words = {g.label.id: g for g in guesses if not g.exclusive}
    known = max((g.probability for g in objects), default=0.0) >= _CONTRADICTS
    who = _who(words) if not (known and thing and not _agrees(thing[1], words)) else None
    if who is None:
        return (thing[0], [thing[1]]) if thing else None
    phrase, claim = who
    if thing and thing[1].node != claim.node and claim.node in _nodes(objects, thing[1].node):
        return f"{phrase}, probably {thing[0]}", [claim, thing[1]]
    deed, deeds = _deed(words)
    return f"{phrase}{deed}", [claim, *deeds]


def _agrees(thing: Claim, words: dict[str, Guess]) -> bool:
    best = max(words.values(), key=lambda g: g.probability, default=None)
    return best is not None and best.label.name == thing.node


def _nodes(objects: Iterable[Guess], node: str) -> set[str]:
    """A label's or ancestor's own ancestors."""
    for guess in objects:
        line = (guess.label.name, *guess.label.ancestors)
        if node in line:
            return set(line[line.index(node) + 1 :])
    return set()


def _back_off(objects: Sequence[Guess]) -> tuple[str, Claim] | None:
    """The most specific node whose summed posterior is safe: the label, else "some kind of" ancestor."""
    if not objects:
        return None
    best = max(objects, key=lambda g: g.probability)
    if best.probability >= _HEDGE:
        return _noun(best.label.phrase), _claim(best, best.label.role or "thing")
    sums: dict[str, float] = {}
    depth: dict[str, int] = {}
    for guess in objects:
        for height, node in enumerate(reversed(guess.label.ancestors)):
            sums[node] = sums.get(node, 0.0) + guess.probability
            depth[node] = max(depth.get(node, 0), height)
    safe = [node for node in best.label.ancestors if sums[node] >= _HEDGE]
    if not safe:
        return None
    node = max(safe, key=lambda n: depth[n])
    return f"some kind of {node}", Claim(node, best.kind, best.label.role or "thing", min(1.0, sums[node]))


def _who(words: dict[str, Guess]) -> tuple[str, Claim] | None:
    """The best subject word; a person of uncertain kind is "a person"."""
    subjects = [g for g in words.values() if g.label.role == "subject"]
    if not subjects:
        return None
    best = max(subjects, key=lambda g: g.probability)
    if best.probability >= _WORD:
        return best.label.phrase, _claim(best, "subject")
    people = [g.probability for g in subjects if g.label.id in _PERSON_WORDS]
    someone = 1 - prod(1 - p for p in people)
    if people and someone >= _HEDGE and best.label.id in _PERSON_WORDS:
        return "a person", Claim("person", best.kind, "subject", someone)
    return None


def _deed(words: dict[str, Guess]) -> tuple[str, list[Claim]]:
    """What the subject does, with what: at most one action and one thing."""
    actions = [g for g in words.values() if g.label.role == "action" and g.probability >= _WORD]
    for action in sorted(actions, key=lambda g: -g.probability):
        for name in _TAKES.get(action.label.id, ()):
            thing = words.get(name)
            if thing and thing.probability >= _WORD:
                return f" {action.label.id} {thing.label.phrase}", [
                    _claim(action, "action"),
                    _claim(thing, "thing"),
                ]
        if action.label.id in _GAMES:
            return f" playing {action.label.id}", [_claim(action, "action")]
        if action.label.id not in _NOT_SAID_ALONE:
            return f" {action.label.id}", [_claim(action, "action")]
    return "", []


def _place(guesses: Sequence[Guess]) -> Guess | None:
    scenes = [g for g in guesses if g.label.role == "place" and g.exclusive and g.probability >= _PLACE]
    words = [
        g for g in guesses if g.label.role == "place" and not g.exclusive and g.label.where and g.probability >= _WORD
    ]
    return max(scenes or words, key=lambda g: g.probability, default=None)


def _pass(guesses: Sequence[Guess]) -> Caption:
    best = max((g for g in guesses if g.exclusive), key=lambda g: g.probability, default=None)
    best = best or max(guesses, key=lambda g: g.probability)
    phrase = _noun(best.label.phrase)
    return Caption(_OPENINGS["pass"].format(claim=phrase), _ALT["pass"], best.probability, "pass",
                   (_claim(best, best.label.role or "thing"),))  # fmt: skip


def _alt(tier: Tier, phrase: str) -> str:
    said = _ALT[tier].format(claim=phrase)
    return said[0].upper() + said[1:]


def _noun(phrase: str) -> str:
    return phrase.rstrip(".")


def _claim(guess: Guess, role: str) -> Claim:
    return Claim(guess.label.name, guess.kind, role, guess.probability)
