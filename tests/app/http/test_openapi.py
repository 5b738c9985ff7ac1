from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from app import errors
from app.main import create_app
from app.settings import Settings
from model.checkpoint import Checkpoint

Document = dict[str, Any]
PICTURES = (
    "/predict",
    "/predict/batch",
    "/explain",
    "/compare",
    "/activations",
    "/square",
    "/connections",
    "/cell",
    "/occlusion",
    "/embed",
    "/embed/batch",
    "/v2/models/{model}/infer",
    "/v2/models/{model}/versions/{version}/infer",
)


@pytest.fixture(scope="module")
def contract(network: Checkpoint) -> Document:
    return create_app(Settings(), network).openapi()


def operations(contract: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in contract["paths"].items():
        for operation in methods.values():
            yield path, operation


def bodies(contract: Document) -> Iterator[tuple[str, str, Document]]:
    """Operation, status and media type of every answer with a body, and of every body that is sent."""
    for path, operation in operations(contract):
        answers = {**operation["responses"], "request": operation.get("requestBody", {})}
        for status, answer in answers.items():
            for kind, media in answer.get("content", {}).items():
                yield f"{path} {kind}", status, media
    for answer in contract["components"]["responses"].values():
        for kind, media in answer["content"].items():
            yield kind, "anywhere", media


def examples(contract: Document, media: Document) -> list[Any]:
    found = [media["example"]] if "example" in media else []
    for example in media.get("examples", {}).values():
        name = example.get("$ref", "").rpartition("/")[2]
        found.append((contract["components"]["examples"][name] if name else example)["value"])
    return found


def test_every_kind_of_body_and_problem_is_described(contract: Document) -> None:
    content = contract["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "image/*", "application/octet-stream", "application/json"}
    assert "Problem" in contract["components"]["schemas"]
    assert "HTTPValidationError" not in contract["components"]["schemas"]


def test_every_answer_has_an_example_and_every_example_is_a_possible_answer(contract: Document) -> None:
    checked = 0
    for where, status, media in bodies(contract):
        given = examples(contract, media)
        assert given or status == "request", (where, status)
        validator = jsonschema_rs.validator_for({**media["schema"], "components": contract["components"]})
        for example in given:
            assert [error.message for error in validator.iter_errors(example)] == [], (where, status)
            checked += 1
    assert checked > 50


def test_every_problem_has_an_example_of_its_own_where_it_can_be_answered(contract: Document) -> None:
    shown: dict[str, set[str]] = {}
    answers = [*contract["components"]["responses"].values()]
    answers += [answer for _, operation in operations(contract) for answer in operation["responses"].values()]
    for answer in answers:
        for slug in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}):
            value = contract["components"]["examples"][slug]["value"]
            shown.setdefault(slug, set()).add(f"{value['status']} {value['type']} {value['title']}")
    expected = {kind.slug: {f"{kind.status} {errors.TYPE_PREFIX}{kind.slug} {kind.title}"} for kind in errors.raised()}
    assert shown == expected
    assert len(expected) == len({*errors.raised()}), "two problems share a slug"
    details = [value["value"]["detail"] for value in contract["components"]["examples"].values()]
    assert all("example" in vars(kind) for kind in errors.raised())
    assert len(set(details)) == len(details)


def test_a_problem_is_listed_under_its_own_status(contract: Document) -> None:
    for path, operation in operations(contract):
        for status, answer in operation["responses"].items():
            for kind, media in answer.get("content", {}).items():
                if kind == "application/problem+json":
                    assert {str(e["status"]) for e in examples(contract, media)} == {status}, path
        assert "500" in operation["responses"]


def test_every_error_of_the_tree_that_is_raised_itself_is_known(contract: Document) -> None:
    every = [errors.GlassbotError]
    for kind in every:
        every += [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    leaves = {kind.slug for kind in every if not kind.__subclasses__()}
    assert leaves <= set(contract["components"]["examples"])
    assert {kind.slug for kind in every} == set(contract["components"]["examples"])
    told = re.findall(r"(\w+) +(\d+)(?: ([\w-]+)|, never)", errors.__doc__ or "")
    named = {(kind.__name__, str(kind.status), kind.slug) for kind in every if kind is not errors.UnavailableError}
    assert set(told) == named | {("UnavailableError", "503", "")}


def test_what_the_network_knows_is_in_the_contract(contract: Document) -> None:
    listed = {"/predict": ["object", "scene"], "/predict/batch": ["object", "scene"]}
    every = ["object", "scene", "word"]
    old = {path: schema["enum"] for path, schema in parameters(contract, "kind")}
    assert old == {**listed, "/explain": every}
    named = {path: schema["enum"] for path, schema in parameters(contract, "vocabulary")}
    assert named == {**old, "/compare": every, "/connections": every, "/occlusion": every}
    convolutions = ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert {path: schema["enum"] for path, schema in parameters(contract, "layer")} == {
        "/cell": [*convolutions, "fc6", "fc7", "fc8"],
        "/units/{layer}/{channel}": [*convolutions, "fc8"],
        "/units/{layer}.webp": [*convolutions, "fc8"],
    }
    ((_, layers),) = parameters(contract, "layers")
    assert re.search(layers["pattern"], "all")
    assert re.search(layers["pattern"], "conv1,pool5,fc7")
    assert not re.search(layers["pattern"], "conv9")
    assert not re.search(layers["pattern"], "norm1")


def parameters(contract: Document, name: str) -> Iterator[tuple[str, Document]]:
    """Path and schema of the query parameters of a name."""
    for path, operation in operations(contract):
        for parameter in operation.get("parameters", []):
            if parameter["name"] == name:
                yield path, parameter["schema"]


DEPRECATED = {
    ("/predict", "kind", "vocabulary"),
    ("/predict/batch", "kind", "vocabulary"),
    ("/explain", "kind", "vocabulary"),
    ("ClaimAnswer", "kind", "vocabulary"),
    ("LabelAnswer", "kind", "vocabulary"),
    ("ExplainResponse", "kind", "vocabulary"),
    ("LayerAnswer", "kind", "operation"),
    ("VocabularyAnswer", "kind", "activation"),
}
"""Where an old name is, the old name, and the new one."""


def test_every_old_name_is_marked_with_its_successor_and_the_release_in_which_it_goes(contract: Document) -> None:
    named: dict[str, dict[str, Document]] = {
        path: {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
        for path, operation in operations(contract)
    }
    named |= {name: schema.get("properties", {}) for name, schema in contract["components"]["schemas"].items()}
    marked = {(place, old) for place, parts in named.items() for old, part in parts.items() if part.get("deprecated")}
    assert marked == {(place, old) for place, old, _ in DEPRECATED}
    for place, old, new in DEPRECATED:
        assert re.match(rf"Old name of {new}\b.* in release 0\.2\.0\.$", named[place][old]["description"]), place
        assert new in named[place]
        assert not named[place][new].get("deprecated")


def test_a_key_may_be_sent_and_must_be_where_the_operator_set_one(contract: Document, network: Checkpoint) -> None:
    locked = create_app(Settings.model_validate({"api_keys": "a"}), network).openapi()
    key: Document = {"ApiKeyAuth": []}
    for document, needed in ((contract, [key, {}]), (locked, [key])):
        asking = {path: operation["security"] for path, operation in operations(document) if "security" in operation}
        assert asking == dict.fromkeys((*PICTURES, "/teach"), needed)
        assert document["components"]["securitySchemes"]["ApiKeyAuth"]["name"] == "X-API-Key"


@pytest.mark.anyio
async def test_the_contract_is_the_one_that_is_served(client: httpx.AsyncClient, contract: Document) -> None:
    assert (await client.get("/openapi.json")).json() == contract
