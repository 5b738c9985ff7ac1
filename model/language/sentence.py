"""Makes one English sentence of what the network believes, which asserts no more than that. Pure.

The wordings are CaptionBot's. :mod:`model.language.hedging` decides what is safe to say, with thresholds that were
fitted on held-out pictures. All strings that a caption is made of are in this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal
from zlib import crc32

from model.language.alt_text import alt_text
from model.language.beliefs import Belief, Claim, Fragment, Guess, Guesses, best_guess, claim_of, members_of
from model.language.fragments import addition_to, as_captioned, compose, subject_of
from model.language.hedging import TARGET_ACCURACY, TIERS, Node, Tier, hedge, tree_of
from model.language.phrases import kind_phrase
from model.vocabulary import Label

Tone = Literal["plain", "grey", "dark", "blank"]
Frame = Literal["whole", "close", "left", "right"]

_UNFITTED: Mapping[str, float] = {"hedge": TARGET_ACCURACY["hedge"]}
"""Thresholds of a network that was never calibrated: it says at most ``hedge``, of what is this probable."""
# A label above this is taken for what the picture shows: words about something else are then not believed.
_RECOGNISED = 0.5
# Least probability of a word in a sentence, and in the sentence without thresholds.
_PROBABLE_WORD = 0.5
_POSSIBLE_WORD = 0.1
# Words of a phrase: with the longest opening, no sentence has more than 25.
_LONGEST = 17

_OPENINGS: Mapping[Tier, tuple[str, ...]] = {
    "sure": ("I'm pretty sure it's {phrase}.", "I'm quite sure it's {phrase}."),
    "think": ("I think it's {phrase}.", "I think it's {phrase}.", "I'd say it's {phrase}."),
    "hedge": (
        "I'm not really confident, but I think it's {phrase}.",
        "I'm not sure, but I think it's {phrase}.",
        "It's hard to tell, but maybe it's {phrase}.",
    ),
    "pass": (
        "I really can't describe the picture. My best guess is {phrase}, and it's probably wrong.",
        "I can't make out what this is. My best guess is {phrase}, and it's probably wrong.",
    ),
}
"""Beginnings by tier. Which one is taken depends on the fragment alone: the same picture gives the same sentence."""
_OF_BLANK = "I see nothing but one colour. My best guess is {phrase}, and it's probably wrong."
_ALT_OF_BLANK = "Nothing but one colour."
_MODIFIERS: Mapping[tuple[Tone, bool], str] = {
    ("plain", True): "a close up of ",
    ("grey", False): "a black and white photo of ",
    ("grey", True): "a black and white close up of ",
    ("dark", False): "a dark picture of ",
    ("dark", True): "a dark close up of ",
}
"""What comes before the phrase, by tone and by whether the picture is a close up."""


@dataclass(frozen=True)
class Caption:
    """One sentence about a picture, and what it asserts."""

    text: str
    """The whole sentence: "I think it's a dog."."""
    alt_text: str
    """The phrase and what else is likely, as alternative text: "Probably a dog, perhaps with grass."."""
    confidence: float
    """Probability that every claim holds; claims are taken as independent."""
    tier: Tier
    """How surely it is said."""
    claims: tuple[Claim, ...]
    """What the sentence asserts, the subject first; of a pass, the guess."""
    phrase: str
    """What follows "it's" in the sentence; of a pass, the phrase of the guess."""
    threshold: float | None
    """The confidence from which this is said in its tier; of a pass, from which anything of its kind would be said."""
    additions: tuple[Claim, ...] = ()
    """What the sentence says of its subject with a "maybe": more likely than not, and no part of ``confidence``."""
    blank: bool = False
    """Whether the picture is all one colour: then the network is not believed, however sure it is, and this a pass."""

    @property
    def said(self) -> tuple[Claim, ...]:
        """All that the sentence asserts, what it adds with a "maybe" included; nothing of a pass."""
        return () if self.tier == "pass" else self.claims + self.additions


def caption(
    beliefs: Sequence[Belief], tone: Tone = "plain", frame: Callable[[Claim], Frame] = lambda _: "whole"
) -> Caption:
    """Return the sentence for one picture, from the beliefs of all vocabularies. Equal beliefs give equal sentences.

    ``frame`` tells where the evidence for the first claim lies; it is called only if that is a thing, said more surely
    than with a hedge. Raises ValueError where no belief has a label.
    """
    if not any(len(belief.probabilities) for belief in beliefs):
        raise ValueError("A caption needs at least one belief.")
    if tone == "blank":
        return _of_blank(_best_guess(beliefs))
    fragment = _best_fragment(beliefs, tone)
    if fragment is None:
        guess = _best_guess(beliefs)
        return _to_caption(guess, guess.text, beliefs)
    first = fragment.claims[0]
    placed = fragment.tier in ("sure", "think") and first.role != "place"
    phrase = _with_modifiers(fragment, tone, frame(first) if placed else "whole")
    addition = _addition(fragment, beliefs, tone)
    longer = f"{phrase}, maybe {addition.text}" if addition else phrase
    if addition and len(longer.split()) <= _LONGEST:
        return _to_caption(fragment, longer, beliefs, addition.claims)
    return _to_caption(fragment, phrase, beliefs)


def fullest(beliefs: Sequence[Belief]) -> Fragment:
    """Return the caption that a captioner would write who never hedges, of all words that are anything like probable.

    Raises ValueError where no belief has a label.
    """
    belief = next((b for b in beliefs if b.vocabulary.activation == "sigmoid" and len(b.probabilities)), None)
    if belief is None:
        return _best_guess(beliefs)
    belief = replace(belief, denied=frozenset())
    guesses = belief.guesses
    subject = subject_of(guesses, belief, 0)
    if subject is None:
        return _best_guess(beliefs)
    return as_captioned(subject, guesses, floor=_POSSIBLE_WORD)


def _of_blank(guess: Fragment) -> Caption:
    text = _OF_BLANK.format(phrase=guess.text)
    return Caption(text, _ALT_OF_BLANK, guess.confidence, "pass", guess.claims, guess.text, None, blank=True)


def _to_caption(
    fragment: Fragment, phrase: str, beliefs: Sequence[Belief], additions: tuple[Claim, ...] = ()
) -> Caption:
    openings = _OPENINGS[fragment.tier]
    text = openings[crc32(fragment.text.encode()) % len(openings)].format(phrase=phrase)
    alternative = alt_text(phrase, fragment.tier, (*fragment.claims, *additions), beliefs)
    threshold = _least_to_say(fragment, beliefs)
    return Caption(text, alternative, fragment.confidence, fragment.tier, fragment.claims, phrase, threshold, additions)


def _least_to_say(fragment: Fragment, beliefs: Sequence[Belief]) -> float | None:
    """Return the confidence from which a fragment is said in its tier; of a pass, from which it would be said at all.

    None where nothing of its vocabulary is ever said.
    """
    vocabulary = _source_of(fragment, beliefs).vocabulary
    thresholds = vocabulary.thresholds or _UNFITTED
    least = min(thresholds.values()) if fragment.tier == "pass" else thresholds[fragment.tier]
    return least if least <= 1 else None


def _source_of(fragment: Fragment, beliefs: Sequence[Belief]) -> Belief:
    """Return the belief that a fragment begins with."""
    return next(belief for belief in beliefs if belief.vocabulary.name == fragment.claims[0].vocabulary)


def _with_modifiers(fragment: Fragment, tone: Tone, frame: Frame) -> str:
    """Return the phrase with what the pixels and the class map add to it, unless that makes it too long."""
    bare = fragment.text.rstrip(",")
    side = f" on the {frame}" if frame in ("left", "right") and len(fragment.claims) == 1 else ""
    modified = _MODIFIERS.get((tone, frame == "close"), "") + bare + side
    return modified if len(modified.split()) <= _LONGEST else bare


def _best_fragment(beliefs: Sequence[Belief], tone: Tone) -> Fragment | None:
    """Return what may be said: a label, or a subject with what it does and where it is, whichever is surer.

    None where nothing is sure enough.
    """
    exclusive = [belief for belief in beliefs if belief.vocabulary.activation == "softmax"]
    taught = frozenset(belief.vocabulary.name for belief in beliefs if belief.vocabulary.taught)
    order = partial(_surest_first, taught=taught)
    label = min(filter(None, map(_label_fragment, exclusive)), key=order, default=None)
    things = (best_guess(belief) for belief in exclusive if not belief.vocabulary.of_places)
    thing = max(things, key=lambda guess: guess.probability, default=None)
    words = _word_fragment(beliefs, thing, tone)
    if words is None or label is None:
        return words or label
    if thing and thing.probability >= _RECOGNISED:
        return words if _agrees(words.claims[0].node, thing.label) else label
    return min(words, label, key=order)


def _surest_first(fragment: Fragment, *, taught: frozenset[str]) -> tuple[int, bool, float]:
    """Order fragments by tier; in the same one, what somebody taught comes first, since they want to hear of it."""
    return TIERS.index(fragment.tier), fragment.claims[0].vocabulary not in taught, -fragment.confidence


def _agrees(word: str, label: Label) -> bool:
    """Return whether a word is the name of a label or of one of its ancestors."""
    return word in (label.name, *label.ancestors)


def _label_fragment(belief: Belief) -> Fragment | None:
    """Return a thing or a place: the label if that is safe, else an ancestor; None where neither is."""
    labels = belief.vocabulary.labels
    tree = tree_of(belief.vocabulary)
    posterior = tree.posterior(belief.probabilities, belief.gate, belief.vocabulary.kinship)
    hedged = hedge(posterior, tree, belief.vocabulary.thresholds or _UNFITTED)
    if hedged is None:
        return None
    first = labels[hedged.node.rows[0]]
    members = members_of(belief, hedged.node.rows)
    claim = Claim(hedged.node.name, belief.vocabulary.name, first.role or "thing", hedged.probability, members)
    text = first.phrase if hedged.node.leaf else _ancestor_text(hedged.node, belief)
    return Fragment(text, (claim,), hedged.tier)


def _ancestor_text(node: Node, belief: Belief) -> str:
    """Return ``some kind of bird``, followed by the label that is most of it, as a guess and not as a claim."""
    rows = list(node.rows)
    shares = belief.probabilities[rows] / max(float(belief.probabilities[rows].sum()), 1e-9)
    text = kind_phrase(node.name)
    if shares.max() < _RECOGNISED:
        return text
    return f"{text}, maybe {belief.vocabulary.labels[rows[int(shares.argmax())]].phrase}"


def _word_fragment(beliefs: Sequence[Belief], thing: Guess | None, tone: Tone) -> Fragment | None:
    """Return who does what and where, as much as somebody would probably say all of; None where that is nothing.

    A ``thing`` that is recognised and that the subject agrees with is an aside.
    """
    belief = next((b for b in beliefs if b.vocabulary.activation == "sigmoid"), None)
    if belief is None:
        return None
    guesses = _visible_words(belief, tone)
    thresholds = belief.vocabulary.thresholds or _UNFITTED
    least = min(thresholds.values())
    subject = subject_of(guesses, belief, least)
    if subject is None:
        return None
    if thing and thing.probability >= _RECOGNISED and _agrees(subject.claims[0].node, thing.label):
        subject = Fragment(f"{subject.text}, probably {thing.label.phrase},", subject.claims)
    whole = compose(subject, guesses, beliefs, least=least, floor=_PROBABLE_WORD)
    tier = next((t for t in TIERS[:-1] if t in thresholds and whole.confidence >= thresholds[t]), None)
    return None if tier is None else Fragment(whole.text, whole.claims, tier)


def _addition(fragment: Fragment, beliefs: Sequence[Belief], tone: Tone) -> Fragment | None:
    """Return what may be said with a "maybe" of a subject that stands alone; None for anything else, or for nothing."""
    belief = _source_of(fragment, beliefs)
    least = belief.vocabulary.least_addition
    if least is None or fragment.tier == "hedge" or len(fragment.claims) > 1:
        return None
    return addition_to(fragment, _visible_words(belief, tone), least=least, floor=_PROBABLE_WORD)


def _visible_words(belief: Belief, tone: Tone) -> Guesses:
    """Return what the words say; of a grey photo no colour."""
    if tone != "grey":
        return belief.guesses
    return {key: guess for key, guess in belief.guesses.items() if guess.label.role != "attribute"}


def _best_guess(beliefs: Sequence[Belief]) -> Fragment:
    """Return the best guess of the softmax vocabularies; without any, the best word that can stand alone."""
    guesses = [best_guess(b) for b in beliefs if b.vocabulary.activation == "softmax"]
    if not guesses:
        words = [guess for b in beliefs for guess in replace(b, denied=frozenset()).guesses.values()]
        guesses = [guess for guess in words if guess.label.role in ("subject", "thing")] or words
    best = max(guesses, key=lambda guess: guess.probability)
    return Fragment(best.label.phrase, (claim_of(best, best.label.role or "thing"),))
