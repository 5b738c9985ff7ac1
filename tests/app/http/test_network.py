from __future__ import annotations

from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from model.checkpoint import Checkpoint

pytestmark = pytest.mark.anyio


async def test_the_model_tells_about_itself(client: httpx.AsyncClient, network: Checkpoint) -> None:
    answer = (await client.get("/model")).json()
    assert answer["parameters"] == network.architecture.parameters
    assert answer["layers"][0]["shape"] == [96, 55, 55]
    assert [v["size"] for v in answer["vocabularies"]] == [len(v) for v in network.vocabularies]


async def test_the_first_kernels_are_a_picture(client: httpx.AsyncClient) -> None:
    picture = Image.open(BytesIO((await client.get("/model/filters.png")).content))
    assert picture.size == (132, 88)
    assert np.asarray(picture)[:11, :11].max() == 255


@pytest.mark.parametrize("path", ["/model", "/model/filters.png"])
async def test_what_did_not_change_is_not_sent_again(client: httpx.AsyncClient, network: Checkpoint, path: str) -> None:
    first = await client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith(f'W/"{network.version}-')
    assert first.headers["cache-control"] == "no-cache"
    for condition in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        for ask in (client.get, client.head):
            again = await ask(path, headers={"If-None-Match": condition})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert again.headers.get("vary") == first.headers.get("vary")
    for condition in ('W/"other"', tag.replace(network.version, "0" * 12), "", tag.strip('W/"')):
        assert (await client.get(path, headers={"If-None-Match": condition})).status_code == 200
