from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.inference.images import Limits, PixelBudget, decode_image
from app.main import create_app
from app.settings import Settings
from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import create_engine
from tests.app.conftest import FakeEngine, serving
from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

JPEG = corpus.jpeg()
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\ncontent'
RAW = {"Content-Type": "image/jpeg"}


async def post(
    client: httpx.AsyncClient, body: bytes = JPEG, path: str = "/predict", headers: dict[str, str] | None = None
) -> httpx.Response:
    return await client.post(path, content=body, headers=RAW | (headers or {}))


def is_problem(answer: httpx.Response, status: int, slug: str) -> bool:
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"].endswith(".")
    return (answer.status_code, body["status"], body["type"]) == (status, status, f"urn:glassbot:problem:{slug}")


async def test_the_answer_has_the_documented_shape(client: httpx.AsyncClient, network: Checkpoint) -> None:
    answer = (await post(client, corpus.jpeg(640, 480))).json()
    assert list(answer) == ["request_id", "model", "image", "caption", "labels", "words", "gates", "timing_ms"]
    assert answer["model"] == {"name": "tiny", "version": network.version}
    assert answer["image"]["crop"] == {"x": 80, "y": 0, "width": 480, "height": 480}
    said = {"text", "alt_text", "confidence", "tier", "right_times_in_ten", "threshold", "blank", "claims", "additions"}
    assert set(answer["caption"]) == said
    assert answer["caption"]["right_times_in_ten"] is None
    assert len(answer["labels"]) == 5
    assert answer["labels"] == sorted(answer["labels"], key=lambda label: -label["score"])
    assert all(0 <= word["people_in_five"] <= 5 for word in answer["words"])
    assert set(answer["timing_ms"]) == {"decode", "queue", "model", "total"}


async def test_http_answers_as_the_network_does_in_process(client: httpx.AsyncClient, network: Checkpoint) -> None:
    body = corpus.jpeg(seed=9)
    answer = (await post(client, body)).json()
    image = decode_image(body, Architecture(), limits=Limits(), budget=PixelBudget(10**9))
    logits = create_engine(network, precision="f32").run(image.pixels[None]).logits[0]
    description = describe(logits, network)
    assert answer["caption"]["text"] == description.caption.text
    assert [label["id"] for label in answer["labels"]] == [scored.label.id for scored in description.labels]
    scores = [scored.score for scored in description.labels]
    assert [label["score"] for label in answer["labels"]] == pytest.approx(scores, abs=1e-5)


async def test_all_ways_to_send_a_picture_lead_to_the_same_answer(client: httpx.AsyncClient) -> None:
    answers = [
        await post(client),
        await client.post("/predict", content=JPEG, headers={"Content-Type": "application/octet-stream"}),
        await client.post("/predict", content=JPEG),
        await client.post("/predict", files={"file": ("any.name", JPEG, "text/plain")}),
        await client.post("/predict", json={"image": b64encode(JPEG).decode()}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({json.dumps([a.json()[part] for part in ("image", "caption", "labels")]) for a in answers}) == 1


@pytest.mark.parametrize("name", corpus.good_pictures())
async def test_awkward_pictures_are_answered(client: httpx.AsyncClient, name: str) -> None:
    assert (await post(client, corpus.good_pictures()[name])).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 422, "empty-body"),
        (b"Dear Glassbot, what is this?", 415, "not-an-image"),
        (JPEG[: len(JPEG) // 2], 422, "broken-image"),
        (corpus.bomb_png(), 413, "too-many-pixels"),
        (corpus.bomb_jpeg(), 413, "too-many-pixels"),
    ],
)
async def test_what_cannot_be_seen_is_a_problem(client: httpx.AsyncClient, body: bytes, status: int, slug: str) -> None:
    assert is_problem(await post(client, body), status, slug)
    assert is_problem(await client.post("/predict", files={"file": ("a.jpg", body)}), status, slug)


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/predict?top_k=0", "invalid-request"),
        ("/predict?top_k=21", "invalid-request"),
        ("/predict?top_k=many", "invalid-request"),
        ("/predict?vocabulary=word", "unknown-vocabulary"),
        ("/predict?vocabulary=flavour", "unknown-vocabulary"),
        ("/predict?kind=flavour", "unknown-vocabulary"),
        ("/predict?vocabulary=object&kind=scene", "invalid-request"),
        ("/explain", "invalid-request"),
        ("/explain?label=unheard-of", "unknown-label"),
        ("/explain?label=dog&claim=0", "invalid-request"),
        ("/explain?claim=0&vocabulary=word", "invalid-request"),
        ("/explain?claim=99", "unknown-label"),
        ("/explain?label=dog&method=guess", "invalid-request"),
        ("/activations?layers=conv9", "unknown-layer"),
    ],
)
async def test_wrong_parameters_are_a_problem(client: httpx.AsyncClient, path: str, slug: str) -> None:
    assert is_problem(await post(client, path=path), 422, slug)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{", 422),
        ("application/json", b'{"image": "***"}', 422),
        ("application/json", b'{"picture": ""}', 422),
        ("multipart/form-data", b"", 422),
        ("multipart/form-data; boundary=x", b"no boundary here", 422),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
            422,
        ),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nb', 422),
        ("text/plain", JPEG, 415),
        ("application/x-www-form-urlencoded", JPEG, 415),
    ],
)
async def test_wrong_bodies_are_a_problem(client: httpx.AsyncClient, kind: str, body: bytes, status: int) -> None:
    answer = await client.post("/predict", content=body, headers={"Content-Type": kind})
    assert is_problem(answer, status, {422: "invalid-request", 415: "unsupported-body"}[status])


async def test_two_pictures_are_a_batch(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", files=[("file", JPEG), ("file", JPEG)])
    assert is_problem(answer, 422, "invalid-request")
    assert "/predict/batch" in answer.json()["detail"]


async def test_a_large_body_is_refused_before_it_is_read_to_its_end(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1_000_000)

    assert is_problem(await client.post("/predict", content=endless(), headers=RAW), 413, "body-too-large")
    assert sent == 21
    declared = await client.post("/predict", content=endless(), headers=RAW | {"Content-Length": "20000001"})
    assert is_problem(declared, 413, "body-too-large")
    assert sent <= 22


async def test_a_large_multipart_body_never_touches_the_disk(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    body = corpus.encode(corpus.photo(2300, 2100), "BMP")
    assert len(body) > 14_000_000
    assert (await client.post("/predict", files={"file": ("a.bmp", body)})).status_code == 200


async def test_the_square_is_what_the_network_sees(client: httpx.AsyncClient) -> None:
    body = corpus.jpeg(640, 480, seed=4, orientation=6)
    pixels = decode_image(body, Architecture(), limits=Limits(), budget=PixelBudget(10**9)).pixels
    ways = [
        await post(client, body, "/square"),
        await client.post("/square", files={"file": ("a.jpg", body)}),
        await client.post("/square", json={"image": b64encode(body).decode()}),
    ]
    for answer in ways:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        picture = Image.open(BytesIO(answer.content))
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), pixels)
    assert is_problem(await post(client, b"text", "/square"), 415, "not-an-image")
    assert is_problem(await post(client, JPEG[:500], "/square"), 422, "broken-image")


async def test_the_square_of_a_picture_costs_no_forward_pass(network: Checkpoint, engine: FakeEngine) -> None:
    async with serving(create_app(Settings(), network, create_engine=engine.create)) as client:
        warm = len(engine.batches)
        assert (await post(client, path="/square")).status_code == 200
        assert len(engine.batches) == warm


async def test_the_old_query_parameter_answers_as_the_new_one(client: httpx.AsyncClient) -> None:
    for name in ("vocabulary", "kind", "vocabulary=scene&kind"):
        labels = (await post(client, path=f"/predict?{name}=scene")).json()["labels"]
        assert {label["vocabulary"] for label in labels} == {"scene"}, name
        word = (await post(client, path=f"/explain?label=dog&{name.replace('scene', 'word')}=word")).json()
        assert word["vocabulary"] == "word", name
        files = [("file", ("a.jpg", JPEG))]
        batch = (await client.post(f"/predict/batch?{name}=scene", files=files)).json()
        assert {label["vocabulary"] for label in batch["items"][0]["ok"]["labels"]} == {"scene"}, name


async def test_old_fields_say_what_the_new_ones_say(client: httpx.AsyncClient) -> None:
    answer = (await post(client)).json()
    explanation = (await post(client, path="/explain?label=dog")).json()
    for part in (*answer["labels"], *answer["caption"]["claims"], explanation):
        assert part["kind"] == part["vocabulary"]
    model = (await client.get("/model")).json()
    assert all(layer["kind"] == layer["operation"] for layer in model["layers"])
    said = {(v["activation"], v["kind"]) for v in model["vocabularies"]}
    assert said == {("softmax", "exclusive"), ("sigmoid", "independent")}


async def test_a_claim_has_a_map_of_its_own(client: httpx.AsyncClient) -> None:
    claim = (await post(client)).json()["caption"]["claims"][0]
    explanation = (await post(client, path="/explain?claim=0&method=hirescam")).json()
    assert (explanation["label"], explanation["vocabulary"]) == (claim["node"], claim["vocabulary"])
    [member] = claim["members"]  # of the tiny network
    path = f"/explain?label={member['id']}&vocabulary={member['vocabulary']}&method=hirescam"
    alone = (await post(client, path=path)).json()
    assert explanation["map"] == alone["map"]


async def test_one_bad_file_of_a_batch_harms_no_other(client: httpx.AsyncClient) -> None:
    files = [("file", ("a.jpg", JPEG)), ("file", ("b.txt", b"text")), ("file", ("c.png", corpus.deep_png()))]
    answer = await client.post("/predict/batch?top_k=1", files=files)
    items = answer.json()["items"]
    assert [item["file"] for item in items] == ["a.jpg", "b.txt", "c.png"]
    assert [item["ok"] is not None for item in items] == [True, False, True]
    assert items[1]["problem"]["type"].endswith(":not-an-image")
    assert len(items[0]["ok"]["labels"]) == 1


async def test_a_batch_has_its_own_bounds(client: httpx.AsyncClient) -> None:
    assert is_problem(await post(client, path="/predict/batch"), 415, "unsupported-body")
    answer = await client.post("/predict/batch", files=[("file", b"")] * 65)
    assert is_problem(answer, 422, "invalid-request")
    answer = await client.post("/predict/batch?vocabulary=flavour", files=[("file", JPEG)] * 2)
    assert is_problem(answer, 422, "unknown-vocabulary")


async def test_every_answer_carries_an_id_and_the_security_headers(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/livez"), await client.get("/nowhere"), await client.get("/predict")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "referrer-policy" in answer.headers
        assert len(answer.headers["x-request-id"]) == 32
    kept = await client.get("/livez", headers={"X-Request-ID": "trace-1.2_3"})
    assert kept.headers["x-request-id"] == "trace-1.2_3"
    refused = await client.get("/livez", headers={"X-Request-ID": "a b<script>"})
    assert "<" not in refused.headers["x-request-id"]


async def test_a_wrong_address_or_method_is_a_problem(client: httpx.AsyncClient) -> None:
    assert is_problem(await client.get("/nowhere"), 404, "not-found")
    wrong = await client.get("/predict")
    assert is_problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"


async def test_metrics_count_what_was_answered(client: httpx.AsyncClient) -> None:
    await post(client)
    await post(client, b"text")
    text = (await client.get("/metrics")).text
    assert 'glassbot_requests_total{method="POST",route="/predict",status="200"}' in text
    assert 'glassbot_rejected_total{reason="not-an-image"}' in text
    assert "glassbot_batch_size_bucket" in text
    assert re.search(r'^glassbot_sentences_total{tier="(sure|think|hedge|pass)"} [1-9]', text, re.MULTILINE)
    assert "glassbot_queue_depth 0.0" in text


async def test_what_was_seen_is_remembered(network: Checkpoint, engine: FakeEngine) -> None:
    async with serving(create_app(Settings(), network, create_engine=engine.create)) as client:
        warm = len(engine.batches)
        await post(client, path="/activations")
        for path in ("/predict", "/explain?label=dog", "/activations?layers=conv1"):
            assert (await post(client, path=path)).status_code == 200
        assert len(engine.batches) == warm + 1
        assert (await post(client)).json()["timing_ms"]["model"] == 0


async def test_many_at_once_are_all_answered(client: httpx.AsyncClient) -> None:
    bodies = [corpus.jpeg(64, 48, seed=seed) for seed in range(24)]
    answers = await asyncio.gather(*(post(client, body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * 24
    assert len({answer.json()["image"]["sha256"] for answer in answers}) == 24
