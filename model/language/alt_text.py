"""Alternative text of a picture: the claim, then what else is likely there, each said as surely as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from model.language.beliefs import Belief, Claim, Guess, best_guess
from model.language.hedging import Tier
from model.language.phrases import apart_from

_FORMS: Mapping[Tier, str] = {"sure": "{}", "think": "Probably {}", "hedge": "Possibly {}", "pass": "Hard to tell"}
_NOTHING = "A picture that could not be described."
# Least probability of what is said besides the claim: of a word, that any of five people would say it.
_LIKELY_WORD = 0.9
_LIKELY_LABEL = 0.5
# The same where there is no claim: then the likeliest labels are all that can be told.
_POSSIBLE_LABEL = 0.3
_MOST = 3
_LONGEST = 25


def alt_text(phrase: str, tier: Tier, claims: Sequence[Claim], beliefs: Sequence[Belief]) -> str:
    """Return one sentence for people who do not see the picture: "Possibly a beach, perhaps with people and water.".

    ``phrase`` is what the caption says after "it's", with ``claims``; of a pass neither is taken for true.
    """
    said = () if tier == "pass" else tuple(claims)
    others = [guess.label.phrase for guess in _likely(said, phrase if said else "", beliefs)][:_MOST]
    if tier == "pass":
        return f"{_FORMS[tier]}, perhaps {_joined(others, 'or')}." if others else _NOTHING
    start = _FORMS[tier].format(phrase)
    start = start[0].upper() + start[1:]
    while others:
        text = f"{start}, perhaps with {_joined(others, 'and')}."
        if len(text.split()) <= _LONGEST:
            return text
        others.pop()
    return f"{start}."


def _likely(said: Sequence[Claim], phrase: str, beliefs: Iterable[Belief]) -> Iterator[Guess]:
    """Yield labels, then words, that the claims do not say already, and that people say together with all before."""
    names = {name for claim in said for name in _names_of(claim)} | set(phrase.split())
    candidates = sorted(_candidates(beliefs, bool(said)), key=lambda guess: -guess.probability)
    for guess in candidates:
        own = {guess.label.name, *guess.label.ancestors}
        if names.isdisjoint(own) and names.isdisjoint(apart_from(guess.label.name)):
            names |= own
            yield guess


def _candidates(beliefs: Iterable[Belief], is_claimed: bool) -> Iterator[Guess]:
    for belief in beliefs:
        if belief.vocabulary.activation == "softmax":
            guess = best_guess(belief)
            fits = not (is_claimed and belief.vocabulary.of_places)  # no place is "with" another
            if fits and guess.probability >= (_LIKELY_LABEL if is_claimed else _POSSIBLE_LABEL):
                yield guess
        else:
            for guess in belief.guesses.values():
                if guess.label.role in ("subject", "thing", "place") and guess.probability >= _LIKELY_WORD:
                    yield guess


def _names_of(claim: Claim) -> Iterator[str]:
    """Yield what a claim says: its node, and what is true of the likeliest label below it."""
    yield claim.node
    for member in claim.members[:1]:
        yield from (member.label.name, *member.label.ancestors)


def _joined(phrases: Sequence[str], conjunction: str) -> str:
    *before, last = phrases
    return f"{', '.join(before)} {conjunction} {last}" if before else last
