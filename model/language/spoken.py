"""Who, doing what, with what, where, and what they look like: the parts that words of people make. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.language.beliefs import Belief, Claim, Part, Word, best_guess, claim_of
from model.language.phrases import apart_from, with_article

PERSON_WORDS = frozenset({"man", "woman", "boy", "girl", "child", "baby", "people", "player"})
# Deeds that need their thing to be said: "riding" alone says little.
_TAKES = {"riding": ("bike", "motorcycle", "horse", "skateboard", "snowboard", "surfboard"),
          "holding": ("camera", "guitar", "umbrella", "stick", "ball", "rope", "frisbee", "sign", "toy"),
          "throwing": ("ball", "frisbee"), "catching": ("ball", "frisbee")}  # fmt: skip
_GAMES = frozenset({"soccer", "basketball", "tennis", "football", "baseball", "hockey", "volleyball"})
_NOT_SAID_ALONE = frozenset({"playing", "holding", "throwing", "catching", "riding", "fighting"})
_WITH = frozenset({"ball", "frisbee", "rope", "guitar", "umbrella", "camera", "stick", "toy", "flower", "food"})
_WORN = frozenset({"helmet", "hat", "sunglasses", "dress", "shirt", "jacket", "uniform", "swimsuit", "costume"})
_UNCOLOURED = frozenset({"sunglasses", "helmet"})
_COATS = frozenset({"black", "white", "brown"})
"""Colours of animals; others that are said beside them belong to something else."""

Words = Mapping[str, Word]


def words_of(belief: Belief) -> dict[str, Word]:
    """Id -> word, and how probable it is that somebody says it."""
    said = bend(belief.probabilities, belief.vocabulary.spoken.get("", (1.0, 0.0))).tolist()
    return {
        label.id: Word(label, probability, belief.vocabulary.name)
        for label, probability in zip(belief.vocabulary.labels, said, strict=True)
    }


def bend(probabilities: ArrayLike, line: tuple[float, float]) -> NDArray[np.float64]:
    """Probabilities whose logits are taken to ``slope * logit + shift``."""
    p = np.clip(np.asarray(probabilities, np.float64), 1e-6, 1 - 1e-6)
    bent: NDArray[np.float64] = 1 / (1 + np.exp(-(line[0] * np.log(p / (1 - p)) + line[1])))
    return bent


def somebody(probabilities: Sequence[float], line: tuple[float, float] = (1.0, 0.0)) -> float:
    """The probability that any of several words is said; ``line`` corrects for their not being independent."""
    return float(bend(1 - prod(1 - p for p in probabilities), line))


def who(words: Words, belief: Belief, lowest: float) -> Part | None:
    """The best subject word; a person of uncertain kind is "a person"."""
    subjects = [word for word in words.values() if word.label.role == "subject"]
    best = max(subjects, key=_probable, default=None)
    if best is None:
        return None
    people = [word.probability for word in subjects if word.label.id in PERSON_WORDS]
    someone = somebody(people, belief.vocabulary.spoken.get("person", (1.0, 0.0)))
    if best.probability < lowest and best.label.id in PERSON_WORDS and someone >= lowest:
        return Part("a person", (Claim("person", best.vocabulary, "subject", someone),))
    return Part(best.label.phrase, (claim_of(best, "subject"),))


def tell(first: Part, words: Words, beliefs: Sequence[Belief], *, least: float, floor: float) -> Part:
    """Somebody with what he does, where he is and what he looks like.

    Each part is one that is at least as probable as ``floor``, that people say together with those before it, and
    that leaves the whole at least as probable as ``least``.
    """
    kept = {"who": first}
    for name, slot in _SLOTS.items():
        for part in slot(_Rest(_beside(words, kept.values()), first.claims[0].node, floor, beliefs)):
            if prod(one.confidence for one in (*kept.values(), part)) >= least:
                kept[name] = part
                break
    parts = [kept[name] for name in ("who", "looks", "does", "is") if name in kept]
    if "looks" in kept and not kept["looks"].text.startswith("in "):  # an adjective
        noun = first.text.split(" ", 1)[1]
        parts[:2] = [Part(with_article(f"{kept['looks'].text} {noun}"), (*first.claims, *kept["looks"].claims))]
    return Part(" ".join(part.text for part in parts), tuple(claim for part in parts for claim in part.claims))


def _beside(words: Words, parts: Iterable[Part]) -> Words:
    said = {claim.node for part in parts for claim in part.claims}
    barred = said.union(*map(apart_from, said))
    return {key: word for key, word in words.items() if word.label.name not in barred}


@dataclass(frozen=True)
class _Rest:
    """What is left to say of somebody."""

    words: Words
    subject: str
    floor: float
    beliefs: Sequence[Belief]

    def likely(self, role: str) -> list[Word]:
        """Words of a role, most probable first."""
        found = [word for word in self.words.values() if word.label.role == role and word.probability >= self.floor]
        return sorted(found, key=lambda word: -word.probability)


def _does(rest: _Rest) -> Iterator[Part]:
    """A deed, with its thing if it takes one; else something to have or to be on."""
    for action in rest.likely("action"):
        name, claim = action.label.id, claim_of(action, "action")
        taken = [rest.words[thing] for thing in _TAKES.get(name, ()) if thing in rest.words]
        thing = max(taken, key=_probable, default=None)
        if thing is not None and thing.probability >= rest.floor:
            yield Part(f"{name} {thing.label.phrase}", (claim, claim_of(thing, "thing")))
        elif name in _GAMES:
            yield Part(f"playing {name}", (claim,))
        elif name not in _NOT_SAID_ALONE:
            yield Part(action.label.phrase, (claim,))
    for thing in rest.likely("thing"):
        if thing.label.where or thing.label.id in _WITH:
            yield Part(thing.label.where or f"with {thing.label.phrase}", (claim_of(thing, "thing"),))


def _is(rest: _Rest) -> Iterator[Part]:
    """Where somebody is: the scene if it is more probable than not, else a place word."""
    for belief in rest.beliefs:
        if belief.vocabulary.activation == "softmax" and belief.vocabulary.of_places:
            scene = best_guess(belief)
            if scene.probability >= 0.5 and scene.label.where:
                yield Part(scene.label.where, (claim_of(scene, "place"),))
    for place in rest.likely("place"):
        if place.label.where:
            yield Part(place.label.where, (claim_of(place, "place"),))


def _looks(rest: _Rest) -> Iterator[Part]:
    """The coat of an animal, the clothes of one person."""
    colours = rest.likely("attribute")
    if rest.subject != "person" and rest.subject not in PERSON_WORDS:
        coats = (colour for colour in colours if colour.label.id in _COATS)
        yield from (Part(coat.label.name, (claim_of(coat, "attribute"),)) for coat in coats)
    elif rest.subject != "people":
        for worn in (word for word in rest.likely("thing") if word.label.id in _WORN):
            thing = claim_of(worn, "thing")
            for colour in colours if worn.label.id not in _UNCOLOURED else ():
                yield Part(f"in {with_article(f'{colour.label.name} {worn.label.name}')}",
                           (claim_of(colour, "attribute"), thing))  # fmt: skip
            if worn.label.id != "shirt":  # of which only the colour is worth saying
                yield Part(f"in {worn.label.phrase}", (thing,))


_SLOTS: Mapping[str, Callable[[_Rest], Iterator[Part]]] = {"does": _does, "is": _is, "looks": _looks}


def _probable(word: Word) -> float:
    return word.probability
