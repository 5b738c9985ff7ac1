"""The occlusion map against a slow loop, and beside other requests."""

from __future__ import annotations

import asyncio

import httpx
import numpy as np
import pytest

from app.inference.images import Limits, PixelBudget, decode_image
from app.inference.occlusion import covered, patches
from app.main import create_app
from app.settings import Settings
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.engines import create_engine
from tests.app.conftest import FakeEngine, serving, until
from tests.app.http.test_api import JPEG, is_problem, post
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("label", "vocabulary", "row", "rows"), [("beach", "scene", 7, slice(6, 11)), ("dog", "word", 12, None)]
)
async def test_it_is_what_a_slow_loop_finds(
    client: httpx.AsyncClient, network: Checkpoint, label: str, vocabulary: str, row: int, rows: slice | None
) -> None:
    answer = (await post(client, path=f"/occlusion?label={label}&vocabulary={vocabulary}&cells=3")).json()
    assert (answer["label"], answer["vocabulary"], answer["cells"]) == (label, vocabulary, 3)
    assert (answer["image"]["width"], answer["image"]["height"]) == (320, 240)
    pixels = decode_image(JPEG, Architecture(), limits=Limits(), budget=PixelBudget(10**9)).pixels
    engine = create_engine(network, engine="openvino", precision="f32")

    def asked(picture: np.ndarray) -> tuple[float, float]:
        logits = engine.run(picture[None]).logits[0].astype(float)
        odds = np.exp(logits)
        return float(logits[row]), float(odds[row] / odds[rows].sum() if rows else odds[row] / (1 + odds[row]))

    logit, probability = asked(pixels)
    assert answer["logit"] == pytest.approx(logit, abs=1e-4)
    assert answer["probability"] == pytest.approx(probability, abs=1e-4)
    for y, (top, bottom) in enumerate([(0, 76), (76, 151), (151, 227)]):
        for x, (left, right) in enumerate([(0, 76), (76, 151), (151, 227)]):
            picture = pixels.copy()
            picture[top:bottom, left:right] = (120, 115, 105)
            without = asked(picture)
            assert answer["logit_map"][y][x] == pytest.approx(logit - without[0], abs=1e-3)
            assert answer["map"][y][x] == pytest.approx(probability - without[1], abs=1e-4)


@pytest.mark.parametrize("cells", [2, 13, 16])
def test_the_patches_hold_each_pixel_once(network: Checkpoint, cells: int) -> None:
    times = np.zeros((227, 227), int)
    for patch in patches(227, cells):
        times[patch] += 1
    assert np.array_equal(times, np.ones_like(times))
    assert len(patches(227, cells)) == cells**2
    white = np.full((227, 227, 3), 255, np.uint8)
    hidden = covered(white, patches(227, cells)[1], network.preprocessing)
    assert white.min() == 255
    assert {tuple(colour) for colour in np.unique(hidden.reshape(-1, 3), axis=0)} == {(255,) * 3, (120, 115, 105)}


async def test_others_are_answered_while_it_runs_and_it_counts_for_what_it_costs(
    network: Checkpoint, engine: FakeEngine
) -> None:
    app = create_app(Settings(), network, create_engine=engine.create)
    async with serving(app) as client:
        await post(client)
        warm, admission = len(engine.batches), app.state.host.admission
        admission.capacity = 8
        together = 2  # a quarter
        engine.gate.clear()
        mapping = asyncio.create_task(post(client, path="/occlusion?label=dog"))
        await until(lambda: admission.active > together)
        assert admission.active == together + 1
        other = asyncio.create_task(post(client, corpus.jpeg(seed=1)))
        await until(lambda: admission.active > together + 1)
        admission.capacity = together + 2
        assert is_problem(await post(client, corpus.jpeg(seed=2)), 503, "overloaded")
        engine.gate.set()
        assert (await other).status_code == 200
        assert (await mapping).status_code == 200
        assert sum(engine.batches[warm:]) == 13**2 + 1
        assert max(engine.batches[warm:]) <= together + 1
        assert admission.active == 0


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("", "invalid-request"),
        ("?label=unicorn", "unknown-label"),
        ("?label=dog&cells=1", "invalid-request"),
        ("?label=dog&cells=17", "invalid-request"),
    ],
)
async def test_wrong_parameters_are_a_problem(client: httpx.AsyncClient, query: str, slug: str) -> None:
    assert is_problem(await post(client, path=f"/occlusion{query}"), 422, slug)
