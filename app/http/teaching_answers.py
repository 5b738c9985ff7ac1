"""The answers to ``POST /embed`` and ``POST /teach``: their schemas, examples, and how results are put into them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.errors import NotAnImageError
from app.http import answers
from app.http.examples import REQUEST_ID, problem
from app.http.schemas import Answer, Box, ImageFacts, Problem
from app.inference.results import Embedded
from app.inference.teaching import Taught
from model.language.phrases import label_of_name
from model.teaching.fitting import VOCABULARY

_NETWORK = Field(
    description="Name of the weights and of the detail that they take: embeddings of two networks cannot be compared."
)


class Embedding(Answer):
    """What one picture is to the network."""

    image: ImageFacts
    embedding: list[float] = Field(description="Numbers of half precision, as many as size says.")


class EmbedResponse(Embedding):
    """The answer to ``POST /embed``."""

    request_id: str
    network: str = _NETWORK
    size: int = Field(ge=1, description="How many numbers an embedding has.")


class EmbedItem(Answer):
    """One file of ``POST /embed/batch``: its embedding, or its problem."""

    file: str
    ok: Embedding | None
    problem: Problem | None


class EmbedBatchResponse(Answer):
    """The answer to ``POST /embed/batch``: an item for each file, in their order."""

    request_id: str
    network: str = _NETWORK
    size: int = Field(ge=1, description="How many numbers an embedding has.")
    items: list[EmbedItem]


class TaughtName(Answer):
    """One name that was taught, and how its own photos fared when each was held back once."""

    name: str = Field(description="As given; the id of its label.")
    label: str = Field(description="Natural noun.")
    phrase: str = Field(description='As a sentence says it after "it\'s".')
    photos: int = Field(ge=1)
    tested: int = Field(ge=0, description="How many could be held back; of a name with one photo none.")
    right: int = Field(ge=0, description="How many of these were given this name rather than another taught one.")


class TaughtTier(Answer):
    """How surely taught names may be said from a probability on."""

    threshold: float
    right: float = Field(
        description="How often that is right, as far as these photos can tell, where half of all photos show a name."
    )


class TeachResponse(Answer):
    """The answer to ``POST /teach``."""

    request_id: str
    taught: str = Field(description="SHA-256 of the examples: ?taught= of other requests answers with these names.")
    network: str = _NETWORK
    method: Literal["nearest mean", "ridge"]
    names: list[TaughtName]
    outside: int = Field(ge=0, description="Photos of other things that the names were held against.")
    outside_called: int = Field(ge=0, description="How many of these would be called by a taught name.")
    tiers: dict[str, TaughtTier] = Field(description="By tier; without any, no taught name is ever claimed.")


def embed_response(embedded: Embedded, request_id: str) -> EmbedResponse:
    """The embedding of one picture."""
    return EmbedResponse(
        request_id=request_id,
        network=embedded.network,
        size=len(embedded.embedding),
        **dict(embedding(embedded)),
    )


def embedding(embedded: Embedded) -> Embedding:
    """The facts of a picture and its embedding."""
    picture = embedded.image
    facts = ImageFacts(
        width=picture.width,
        height=picture.height,
        format=picture.format,
        sha256=picture.sha256,
        crop=answers.box(picture.crop),
    )
    return Embedding(image=facts, embedding=embedded.embedding.tolist())


def teach_response(taught: Taught, network: str, request_id: str) -> TeachResponse:
    """What a network learned, and how well, on photos that were held back."""
    figures: Any = taught.checkpoint.measured[VOCABULARY]
    labels = {name["name"]: label_of_name(name["name"]) for name in figures["names"]}
    return TeachResponse(
        request_id=request_id,
        taught=taught.name,
        network=network,
        method=figures["method"],
        names=[
            TaughtName(**name, label=labels[name["name"]].name, phrase=labels[name["name"]].phrase)
            for name in figures["names"]
        ],
        outside=figures["outside"],
        outside_called=figures["outside_called"],
        tiers={
            tier: TaughtTier(threshold=one["threshold"], right=one["right"]) for tier, one in figures["tiers"].items()
        },
    )


_IMAGE = ImageFacts(
    width=4032, height=3024, format="JPEG", sha256="9f86d081884c7d65" * 4, crop=Box(x=504, y=0, width=3024, height=3024)
)
_NUMBERS = [0.25, -1.5]
EMBED = EmbedResponse(
    request_id=REQUEST_ID, network="06ea0a6c9d8b", size=2, image=_IMAGE, embedding=_NUMBERS
).model_dump(mode="json")
EMBED_BATCH = EmbedBatchResponse(
    request_id=REQUEST_ID,
    network="06ea0a6c9d8b",
    size=2,
    items=[
        EmbedItem(file="mug.jpg", ok=Embedding(image=_IMAGE, embedding=_NUMBERS), problem=None),
        EmbedItem(file="notes.txt", ok=None, problem=problem(NotAnImageError)),
    ],
).model_dump(mode="json")
TEACH = TeachResponse(
    request_id=REQUEST_ID,
    taught="2c26b46b68ffc68f" * 4,
    network="06ea0a6c9d8b",
    method="nearest mean",
    names=[TaughtName(name="my mug", label="my mug", phrase="my mug", photos=10, tested=10, right=10)],
    outside=40,
    outside_called=0,
    tiers={"think": TaughtTier(threshold=0.71, right=0.9)},
).model_dump(mode="json")
