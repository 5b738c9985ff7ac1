"""What every sentence must be, whatever it says."""

from __future__ import annotations

import re

from model.language.phrases import with_article

LONGEST = 25
_ARTICLE = re.compile(r"\b(an?) ([\w-]+)")


def check_grammar(text: str, *, sentences: int = 1) -> None:
    """Capital, full stop, length, articles, nothing twice."""
    assert text[0].isupper(), text
    assert text.endswith("."), text
    assert text.count(".") == sentences, text
    assert len(text.split()) <= LONGEST, text
    assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text
    assert not re.search(r"  |_| ,|,,|\b(?:a|an|the)(?: (?:a|an|the)\b|[.,])", text), text
    for article, word in _ARTICLE.findall(text):
        assert with_article(f"{word} thing").split()[0] == article, text


def check_answer(said: object) -> None:
    """Both forms of a caption."""
    tier, text, alt_text = (getattr(said, name) for name in ("tier", "text", "alt_text"))
    check_grammar(text, sentences=2 if tier == "pass" else 1)
    check_grammar(alt_text)
