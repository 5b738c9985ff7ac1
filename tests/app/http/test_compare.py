"""``POST /compare``: score and rank of any label, and what decided."""

from __future__ import annotations

import httpx
import pytest

from tests.app.http.test_api import is_problem, post

pytestmark = pytest.mark.anyio


async def test_a_label_is_compared_with_the_likeliest_other(client: httpx.AsyncClient) -> None:
    answer = (await post(client, path="/compare?label=n02123045")).json()
    label, against = answer["label"], answer["against"]
    assert label["id"] == "n02123045"
    assert label["vocabulary"] == against["vocabulary"] == "object"
    assert answer["lead"] == pytest.approx(against["logit"] - label["logit"], abs=1e-3)
    assert sum(map(sum, answer["cells"])) + answer["elsewhere"] == pytest.approx(answer["lead"], abs=1e-2)
    assert len(answer["channels"]) == len(answer["units"]) == 12
    parts = [abs(one["part"]) for one in answer["units"]]
    assert parts == sorted(parts, reverse=True)
    for unit in answer["units"]:
        assert unit["part"] == pytest.approx(unit["value"] * unit["weight"], abs=1e-3)


async def test_a_word_is_compared_with_nothing(client: httpx.AsyncClient) -> None:
    answer = (await post(client, path="/compare?label=dog&vocabulary=word")).json()
    assert answer["against"] is None
    assert answer["lead"] == pytest.approx(answer["label"]["logit"])


async def test_a_label_that_nobody_knows_is_a_problem(client: httpx.AsyncClient) -> None:
    assert is_problem(await post(client, path="/compare?label=unicorn"), 422, "unknown-label")
