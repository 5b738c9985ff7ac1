"""``POST /embed``, ``POST /teach`` and ``?taught=``: a few photos, and every answer knows their name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.teaching.examples import Examples, Photos, no_photos
from tests.app.conftest import STARTS_WITHIN_S, serving
from tests.app.http.test_api import JPEG, RAW, is_problem, post
from tests.app.http.test_named_pictures import ROUTES, UNKNOWN

pytestmark = pytest.mark.anyio

OCTETS = {"Content-Type": "application/octet-stream"}


def picture(seed: int) -> bytes:
    """A photo of stripes, as wide as the seed says and nearly the same for neighbours."""
    random = np.random.default_rng(seed)
    columns = np.arange(80)
    stripes = 127 + 100 * np.sin(columns / (2 + seed // 10))[None, :, None] * np.ones((80, 1, 3))
    noisy = (stripes + random.normal(0, 8, stripes.shape)).clip(0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(noisy).save(file, "PNG")
    return file.getvalue()


async def embed(client: httpx.AsyncClient, body: bytes) -> Any:
    return (await client.post("/embed", content=body, headers=OCTETS)).json()


async def examples(client: httpx.AsyncClient, **things: list[bytes]) -> Examples:
    answers = {name: [await embed(client, body) for body in bodies] for name, bodies in things.items()}
    first = next(iter(answers.values()))[0]
    named = {
        name.replace("_", " "): Photos(
            tuple(one["image"]["sha256"] for one in own), np.array([one["embedding"] for one in own], np.float16)
        )
        for name, own in answers.items()
    }
    return Examples(first["network"], first["size"], named, no_photos(first["size"]))


async def teach(client: httpx.AsyncClient, given: Examples) -> httpx.Response:
    return await client.post("/teach", content=given.to_bytes(), headers=OCTETS)


@pytest.fixture(scope="module")
async def mugs(client: httpx.AsyncClient) -> Examples:
    return await examples(
        client, my_mug=[picture(seed) for seed in range(8)], my_cat=[picture(50 + seed) for seed in range(8)]
    )


async def test_an_embedding_comes_in_json_and_as_it_is(client: httpx.AsyncClient) -> None:
    told = await embed(client, JPEG)
    raw = await client.post("/embed", content=JPEG, headers={**RAW, "Accept": "application/octet-stream"})
    assert raw.headers["content-type"] == "application/octet-stream"
    assert np.array_equal(np.frombuffer(raw.content, "<f2"), np.array(told["embedding"], np.float16))
    assert len(told["embedding"]) == told["size"]
    named = await client.post(f"/embed?image={told['image']['sha256']}")
    assert named.json()["embedding"] == told["embedding"]


async def test_many_are_embedded_and_a_bad_file_harms_no_other(client: httpx.AsyncClient) -> None:
    files = [("file", ("a.jpg", JPEG)), ("file", ("notes.txt", b"Buy milk.")), ("file", ("b.jpg", JPEG))]
    answer = (await client.post("/embed/batch", files=files)).json()
    assert [item["file"] for item in answer["items"]] == ["a.jpg", "notes.txt", "b.jpg"]
    assert answer["items"][0]["ok"]["embedding"] == (await embed(client, JPEG))["embedding"]
    assert answer["items"][1]["problem"]["type"].endswith(":not-an-image")
    assert answer["items"][2]["ok"] == answer["items"][0]["ok"]


async def test_what_was_taught_is_answered_at_once(client: httpx.AsyncClient, mugs: Examples) -> None:
    learned = (await teach(client, mugs)).json()
    assert [(one["name"], one["photos"], one["tested"]) for one in learned["names"]] == [
        ("my mug", 8, 8),
        ("my cat", 8, 8),
    ]
    mug = (await client.post(f"/predict?taught={learned['taught']}", content=picture(9), headers=OCTETS)).json()
    mine = [label for label in mug["labels"] if label["vocabulary"] == "taught"]
    assert mine[0]["label"] == "my mug"
    assert 0 < mug["gates"]["taught"] <= 1
    assert mug["model"]["version"].endswith(learned["taught"][:12])
    # Without asking for it, nothing is different.
    plain = (await post(client, picture(9))).json()
    assert "taught" not in plain["gates"]
    for answer in (mug, plain):
        answer["labels"] = [label for label in answer["labels"] if label["vocabulary"] != "taught"]
    assert mug["words"] == plain["words"]
    assert {**mug["gates"], "taught": None} == {**plain["gates"], "taught": None}


@pytest.mark.parametrize("path", [route.replace("=dog", "=my+mug").replace("&channel=3", "") for route in ROUTES])
async def test_every_tool_knows_the_taught_name(client: httpx.AsyncClient, mugs: Examples, path: str) -> None:
    taught = (await teach(client, mugs)).json()["taught"]
    rows = sum(len(v["labels"]) for v in (await client.get("/model")).json()["vocabularies"])
    path += f"{'&' if '?' in path else '?'}taught={taught}" + (f"&channel={rows}" if "fc8" in path else "")
    answer = await client.post(path, content=picture(9), headers=OCTETS)
    assert answer.status_code == 200, answer.text
    if "label=" in path:
        assert "my mug" in answer.text


async def test_a_single_name_can_be_taught_mapped_and_compared(client: httpx.AsyncClient) -> None:
    alone = await examples(client, my_mug=[picture(seed) for seed in range(5)])
    taught = (await teach(client, alone)).json()["taught"]
    query = f"label=my+mug&taught={taught}"
    explained = (await client.post(f"/explain?{query}", content=picture(9), headers=OCTETS)).json()
    assert explained["maximum"] > 0
    compared = (await client.post(f"/compare?{query}", content=picture(9), headers=OCTETS)).json()
    assert compared["against"] is None
    assert (compared["label"]["rank"], compared["label"]["of"]) == (1, 1)


async def test_what_is_taught_is_also_answered_in_batches(client: httpx.AsyncClient, mugs: Examples) -> None:
    taught = (await teach(client, mugs)).json()["taught"]
    files = [("file", ("a.png", picture(9))), ("file", ("b.png", picture(59)))]
    items = (await client.post(f"/predict/batch?taught={taught}&vocabulary=taught", files=files)).json()["items"]
    assert [item["ok"]["labels"][0]["label"] for item in items] == ["my mug", "my cat"]


@pytest.mark.parametrize("path", [*ROUTES, "/embed"])
async def test_what_is_not_in_memory_has_to_be_taught_again(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(f"{path}{'&' if '?' in path else '?'}taught={UNKNOWN}", content=JPEG, headers=RAW)
    assert is_problem(answer, 404, "unknown-taught")


async def test_what_is_no_name_of_examples_is_refused(client: httpx.AsyncClient) -> None:
    assert is_problem(await client.post("/predict?taught=mugs", content=JPEG, headers=RAW), 422, "invalid-request")


async def test_only_examples_of_this_network_are_taught(client: httpx.AsyncClient, mugs: Examples) -> None:
    assert is_problem(await teach(client, replace(mugs, network="f" * 12)), 409, "other-network")


async def test_examples_of_another_size_or_without_names_are_refused(client: httpx.AsyncClient, mugs: Examples) -> None:
    five = Photos(mugs.things["my mug"].names, mugs.things["my mug"].embeddings[:, :5])
    for given in (Examples(mugs.network, 5, {"a": five}), Examples(mugs.network, mugs.size, {})):
        assert is_problem(await teach(client, given), 422, "unreadable-examples")


async def test_the_networks_own_labels_stay_beside_taught_ones(client: httpx.AsyncClient, mugs: Examples) -> None:
    taught = (await teach(client, mugs)).json()["taught"]
    plain = (await client.post("/predict", content=picture(9), headers=OCTETS)).json()["labels"]
    both = (await client.post(f"/predict?taught={taught}", content=picture(9), headers=OCTETS)).json()["labels"]
    assert [one for one in both if one["vocabulary"] != "taught"] == plain
    assert {one["label"] for one in both if one["vocabulary"] == "taught"} == {"my mug", "my cat"}


async def test_json_is_sent_unless_bytes_are_preferred(client: httpx.AsyncClient) -> None:
    for accept, kind in (
        ("application/json, application/octet-stream;q=0.5", "application/json"),
        ("application/octet-stream, application/json;q=0.5", "application/octet-stream"),
        ("*/*", "application/json"),
    ):
        answer = await client.post("/embed", content=JPEG, headers={**RAW, "Accept": accept})
        assert answer.headers["content-type"] == kind


@pytest.mark.parametrize("body", [b"", b"mugs", JPEG])
async def test_anything_else_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    assert is_problem(await client.post("/teach", content=body, headers=OCTETS), 422, "unreadable-examples")


async def test_examples_come_as_bytes(client: httpx.AsyncClient, mugs: Examples) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        answer = await client.post("/teach", content=mugs.to_bytes(), headers={"Content-Type": kind})
        assert is_problem(answer, 415, "unsupported-body")


async def test_the_oldest_of_many_is_forgotten(client: httpx.AsyncClient, mugs: Examples) -> None:
    first = (await teach(client, mugs)).json()["taught"]
    for number in range(16):
        renamed = Examples(mugs.network, mugs.size, {f"thing {number}": mugs.things["my mug"]}, mugs.outside)
        assert (await teach(client, renamed)).status_code == 200
    answer = await client.post(f"/predict?taught={first}", content=JPEG, headers=RAW)
    assert is_problem(answer, 404, "unknown-taught")
    assert (await teach(client, mugs)).json()["taught"] == first


async def test_a_network_whose_file_was_taught_learns_more(network: Checkpoint, client: httpx.AsyncClient) -> None:
    mug = await examples(client, my_mug=[picture(seed) for seed in range(6)])
    async with serving(create_app(Settings(precision="f32", max_wait_ms=60_000), network)) as first:
        app = first._transport.app  # type: ignore[attr-defined]
        taught_network = await app.state.predictor.teacher.taught_by(mug)
    async with serving(create_app(Settings(precision="f32", max_wait_ms=60_000), taught_network)) as served:
        answer = (await served.post("/predict?vocabulary=taught", content=picture(9), headers=OCTETS)).json()
        assert answer["labels"][0]["label"] == "my mug"
        cat = await examples(served, my_cat=[picture(50 + seed) for seed in range(6)])
        assert cat.network == mug.network
        learned = (await teach(served, cat)).json()
        assert [one["name"] for one in learned["names"]] == ["my mug", "my cat"]
        both = f"/predict?vocabulary=taught&taught={learned['taught']}"
        for seed, name in ((9, "my mug"), (59, "my cat")):
            answer = (await served.post(both, content=picture(seed), headers=OCTETS)).json()
            assert answer["labels"][0]["label"] == name


async def test_nobody_is_refused_while_the_page_prepares_the_first_lesson(network: Checkpoint) -> None:
    one_at_once = Settings(precision="f32", max_batch=1, max_wait_ms=1, deadline_seconds=STARTS_WITHIN_S)
    async with serving(create_app(one_at_once, network)) as client:
        page = asyncio.create_task(client.get("/teach"))  # which ends once all is prepared
        statuses: list[int] = []
        while not page.done() and set(statuses) <= {200}:
            statuses.append((await client.post("/embed", content=JPEG, headers=OCTETS)).status_code)
        assert (await page).status_code == 200
    assert len(statuses) > 1
    assert set(statuses) == {200}
