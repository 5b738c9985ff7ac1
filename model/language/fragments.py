"""Fragments of a sentence that the words of people make: who, doing what, with what, where, looking how. Pure.

Words are the labels of the sigmoid vocabulary, learned from captions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from model.language.beliefs import (
    PERSON_WORDS,
    Belief,
    Claim,
    Fragment,
    Guess,
    Guesses,
    best_guess,
    claim_of,
    platt_scaled,
    subject_named_by,
)
from model.language.phrases import apart_from, with_article
from model.vocabulary import Vocabulary

# Actions that need their object to be said: "riding" alone says little.
_OBJECTS = {
    "riding": ("bike", "motorcycle", "horse", "skateboard", "snowboard", "surfboard"),
    "holding": ("camera", "guitar", "umbrella", "stick", "ball", "rope", "frisbee", "sign", "toy"),
    "throwing": ("ball", "frisbee"),
    "catching": ("ball", "frisbee"),
}
_GAMES = frozenset({"soccer", "basketball", "tennis", "football", "baseball", "hockey", "volleyball"})
_NOT_SAID_ALONE = frozenset({"playing", "holding", "throwing", "catching", "riding", "fighting"})
_WITH = frozenset({"ball", "frisbee", "rope", "guitar", "umbrella", "camera", "stick", "toy", "flower", "food"})
_WORN = frozenset({"helmet", "hat", "sunglasses", "dress", "shirt", "jacket", "uniform", "swimsuit", "costume"})
_UNCOLOURED = frozenset({"sunglasses", "helmet"})
# Colours of animals; other colours that people say beside them belong to something else.
_COATS = frozenset({"black", "white", "brown"})
_PROBABLE_SCENE = 0.5


def rows_by_subject(vocabulary: Vocabulary) -> dict[str, list[int]]:
    """Return for each subject that words name, the rows of those words."""
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(vocabulary.labels):
        if label.role == "subject":
            rows.setdefault(subject_named_by(label), []).append(row)
    return rows


def probability_of_any(probabilities: Sequence[float], platt: tuple[float, float] = (1.0, 0.0)) -> float:
    """Return the probability that any of several words is said; ``platt`` corrects for their not being independent."""
    return float(platt_scaled(1 - prod(1 - p for p in probabilities), platt))


def subject_of(guesses: Guesses, belief: Belief, least: float) -> Fragment | None:
    """Return the most probable subject; "a person" where only that is at least as probable as ``least``.

    None where the vocabulary has no subjects.
    """
    subjects = [guess for guess in guesses.values() if guess.label.role == "subject"]
    best = max(subjects, key=_probability, default=None)
    if best is None:
        return None
    person = _probability_of_person(subjects, belief)
    if best.probability < least and best.label.id in PERSON_WORDS and person >= least:
        people = sorted(
            (guess for guess in subjects if guess.label.id in PERSON_WORDS), key=lambda guess: -guess.probability
        )
        return Fragment("a person", (Claim("person", best.vocabulary, "subject", person, tuple(people), "any"),))
    return Fragment(best.label.phrase, (claim_of(best, "subject"),))


def surest_subject(belief: Belief) -> float:
    """Return the probability of the most probable subject that words name; nothing with one is more probable."""
    subjects = [guess for guess in belief.guesses.values() if guess.label.role == "subject"]
    return max([_probability_of_person(subjects, belief), *map(_probability, subjects)])


def _probability_of_person(subjects: Iterable[Guess], belief: Belief) -> float:
    people = [guess.probability for guess in subjects if guess.label.id in PERSON_WORDS]
    return probability_of_any(people, belief.vocabulary.platt.get("person", (1.0, 0.0))) if people else 0.0


def compose(subject: Fragment, guesses: Guesses, beliefs: Sequence[Belief], *, least: float, floor: float) -> Fragment:
    """Return a subject with what it does, where it is and what it looks like, as far as that is probable.

    Each fragment that is added is at least as probable as ``floor``, is one that people say together with those before
    it, and leaves the whole at least as probable as ``least``.
    """
    return _spoken(subject, _fill_slots(subject, guesses, beliefs, least=least, floor=floor))


def _spoken(subject: Fragment, chosen: dict[str, Fragment]) -> Fragment:
    if "look" in chosen and _is_coat(chosen["look"]):
        subject = _with_adjective(subject, chosen.pop("look"))
    return _joined([subject, *(chosen[name] for name in ("look", "action", "place") if name in chosen)])


def as_captioned(subject: Fragment, guesses: Guesses, *, floor: float) -> Fragment:
    """Return what people would write below the picture: "a group of people are running in a field".

    It is made of words alone, all at least as probable as ``floor``, however improbable the whole is.
    """
    chosen = _fill_slots(subject, guesses, (), least=0, floor=floor)
    action = chosen.get("action")
    many = subject.text == "people"
    if action and action.claims[0].role == "action":
        chosen["action"] = Fragment(f"{'are' if many else 'is'} {action.text}", action.claims)
    who = Fragment("a group of people", subject.claims) if many else subject
    return _spoken(who, chosen)


def addition_to(subject: Fragment, guesses: Guesses, *, least: float, floor: float) -> Fragment | None:
    """Return what can be added to a subject with a "maybe": "a brown one running in the grass"; None for nothing.

    It is chosen as :func:`compose` does, of words alone, and is by itself at least as probable as ``least``. After an
    aside, such as "probably a Dalmatian", no coat is added, which might contradict it.
    """
    chosen = _fill_slots(subject, guesses, (), least=least * subject.confidence, floor=floor)
    if "look" in chosen and _is_coat(chosen["look"]):
        coat = chosen.pop("look")
        if "," not in subject.text:
            chosen["look"] = Fragment(f"{with_article(coat.text)} one", coat.claims)
    return _joined(chosen[name] for name in ("look", "action", "place") if name in chosen) if chosen else None


def _fill_slots(
    subject: Fragment, guesses: Guesses, beliefs: Sequence[Belief], *, least: float, floor: float
) -> dict[str, Fragment]:
    """Return by slot what is said of a subject."""
    chosen: dict[str, Fragment] = {}
    probable = {key: guess for key, guess in guesses.items() if guess.probability >= floor}
    for name, candidates in _SLOTS.items():
        said = [subject, *chosen.values()]
        for fragment in candidates(_Remaining(_compatible(probable, said), subject, beliefs)):
            if prod(other.confidence for other in (*said, fragment)) >= least:
                chosen[name] = fragment
                break
    return chosen


def _joined(fragments: Iterable[Fragment]) -> Fragment:
    parts = list(fragments)
    return Fragment(" ".join(part.text for part in parts), tuple(claim for part in parts for claim in part.claims))


def _is_coat(look: Fragment) -> bool:
    return not look.text.startswith("in ")


def _with_adjective(subject: Fragment, adjective: Fragment) -> Fragment:
    noun = subject.text.split(" ", 1)[1]
    return Fragment(with_article(f"{adjective.text} {noun}"), (*subject.claims, *adjective.claims))


def _compatible(guesses: Guesses, fragments: Iterable[Fragment]) -> Guesses:
    """Return the words that people say together with the fragments, and that are not said there already."""
    names = {claim.node for fragment in fragments for claim in fragment.claims}
    excluded = names.union(*map(apart_from, names))
    return {key: guess for key, guess in guesses.items() if guess.label.name not in excluded}


@dataclass(frozen=True)
class _Remaining:
    """What is left to choose from once a subject stands."""

    guesses: Guesses
    """Words that are probable enough."""
    subject: Fragment
    beliefs: Sequence[Belief]

    def of_role(self, role: str) -> list[Guess]:
        """Return the words of a role, most probable first."""
        words = [guess for guess in self.guesses.values() if guess.label.role == role]
        return sorted(words, key=lambda guess: -guess.probability)


def _actions(remaining: _Remaining) -> Iterator[Fragment]:
    """Yield actions, with their object if they take one; then things to have or to be on."""
    for action in remaining.of_role("action"):
        name = action.label.id
        claim = claim_of(action, "action")
        objects = [remaining.guesses[thing] for thing in _OBJECTS.get(name, ()) if thing in remaining.guesses]
        thing = max(objects, key=_probability, default=None)
        if thing is not None:
            yield Fragment(f"{name} {thing.label.phrase}", (claim, claim_of(thing, "thing")))
        elif name in _GAMES:
            yield Fragment(f"playing {name}", (claim,))
        elif name not in _NOT_SAID_ALONE:
            yield Fragment(action.label.phrase, (claim,))
    for thing in remaining.of_role("thing"):
        if thing.label.where or thing.label.id in _WITH:
            yield Fragment(thing.label.where or f"with {thing.label.phrase}", (claim_of(thing, "thing"),))


def _places(remaining: _Remaining) -> Iterator[Fragment]:
    """Yield scenes that are more probable than not, then place words."""
    for belief in remaining.beliefs:
        if belief.vocabulary.activation == "softmax" and belief.vocabulary.of_places:
            scene = best_guess(belief)
            if scene.probability >= _PROBABLE_SCENE and scene.label.where:
                yield Fragment(scene.label.where, (claim_of(scene, "place"),))
    for place in remaining.of_role("place"):
        if place.label.where:
            yield Fragment(place.label.where, (claim_of(place, "place"),))


def _looks(remaining: _Remaining) -> Iterator[Fragment]:
    """Yield the coats of an animal, or the clothes of one person."""
    subject = remaining.subject.claims[0].node
    colours = remaining.of_role("attribute")
    if subject != "person" and subject not in PERSON_WORDS:
        coats = (colour for colour in colours if colour.label.id in _COATS)
        yield from (Fragment(coat.label.name, (claim_of(coat, "attribute"),)) for coat in coats)
    elif subject != "people":
        for clothing in remaining.of_role("thing"):
            if clothing.label.id in _WORN:
                yield from _clothes(clothing, colours)


def _clothes(clothing: Guess, colours: Sequence[Guess]) -> Iterator[Fragment]:
    """Yield the clothing in each probable colour, then without one. A shirt is mentioned only with its colour."""
    claim = claim_of(clothing, "thing")
    if clothing.label.id not in _UNCOLOURED:
        for colour in colours:
            text = f"in {with_article(f'{colour.label.name} {clothing.label.name}')}"
            yield Fragment(text, (claim_of(colour, "attribute"), claim))
    if clothing.label.id != "shirt":
        yield Fragment(f"in {clothing.label.phrase}", (claim,))


_SLOTS: Mapping[str, Callable[[_Remaining], Iterator[Fragment]]] = {
    "action": _actions,
    "place": _places,
    "look": _looks,
}


def _probability(guess: Guess) -> float:
    return guess.probability
