"""The parts of the service that a route is given through FastAPI's ``Depends``: one typed alias for each.

All of them are ``async``: FastAPI would call plain functions on a thread of its pool, which costs time in each request.
Each dependency costs some 30 µs, so a route asks for few: :class:`app.http.intake.Intake` brings what goes together.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import WithJsonSchema

from app.errors import InvalidRequestError
from app.http.intake import Intake
from app.inference.engine_host import EngineHost
from app.inference.images import ImageName
from app.inference.predictor import Predictor
from app.metrics import Metrics
from app.runs.registry import Runs
from model.checkpoint import Checkpoint
from model.unit_cards import UnitCards

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


async def metrics(request: Request) -> Metrics:
    """The metrics that this service exports to Prometheus."""
    exported: Metrics = request.app.state.metrics
    return exported


async def engine_host(request: Request) -> EngineHost:
    """The engine of this process: whether it is ready, draining or failed."""
    host: EngineHost = request.app.state.host
    return host


async def predictor(request: Request) -> Predictor:
    """What answers requests about one picture."""
    answering: Predictor = request.app.state.predictor
    return answering


async def checkpoint(request: Request) -> Checkpoint:
    """The network that is served, with its labels."""
    served: Checkpoint = request.app.state.host.checkpoint
    return served


async def runs(request: Request) -> Runs:
    """The training runs that ``/training`` shows."""
    registry: Runs = request.app.state.runs
    return registry


async def unit_cards(request: Request) -> UnitCards | None:
    """The cards of the network's units; None where there are none."""
    cards: UnitCards | None = request.app.state.unit_cards
    return cards


async def app_version(request: Request) -> str:
    """The version of this program, which is part of every ETag."""
    return str(request.app.version)


async def body_intake(request: Request) -> Intake:
    """What admits this request and reads the picture or pictures in its body."""
    state = request.app.state
    return Intake(request, state.predictor, state.settings)


TaughtQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": f"^{_SHA256.pattern}$"}),
    Query(description="Answer with these names, too: taught of an answer of POST /teach."),
]


async def taught_body_intake(request: Request, taught: TaughtQuery = None) -> Intake:
    """The same, answered with the taught names that the request asks for. Raises NoSuchTaughtError."""
    state = request.app.state
    return Intake(request, _taught_by(state.predictor, taught), state.settings)


def _taught_by(predictor: Predictor, taught: str | None) -> Predictor:
    """The predictor with the taught names. Raises InvalidRequestError or NoSuchTaughtError."""
    if taught is None:
        return predictor
    if not _SHA256.fullmatch(taught):
        raise InvalidRequestError("taught is 64 hexadecimal digits, as the answer of POST /teach names them.")
    return predictor.taught_by(taught.lower())


async def intake(
    request: Request,
    image: Annotated[
        str | None,
        WithJsonSchema({"type": "string", "pattern": f"^{_SHA256.pattern}$"}),
        Query(description="In place of a body: SHA-256 of a picture that was sent before, image.sha256 of its answer."),
    ] = None,
    taught: TaughtQuery = None,
) -> Intake:
    """What admits this request and reads the one picture in its body, or takes its name.

    Raises InvalidRequestError or NoSuchTaughtError.
    """
    state = request.app.state
    if image is not None and not _SHA256.fullmatch(image):
        raise InvalidRequestError("image is the SHA-256 of a photo: 64 hexadecimal digits, as an answer names it.")
    named = None if image is None else ImageName(image.lower())
    return Intake(request, _taught_by(state.predictor, taught), state.settings, named)


async def vocabulary(
    vocabulary: Annotated[
        str | None, Query(max_length=100, description="Only labels of the vocabulary of this name.")
    ] = None,
    kind: Annotated[
        str | None,
        Query(max_length=100, deprecated=True, description="Old name of vocabulary; it goes in release 0.2.0."),
    ] = None,
) -> str | None:
    """The query parameter ``vocabulary``, or ``kind``, its old name. Raises InvalidRequestError where they differ."""
    if vocabulary is not None and kind is not None and vocabulary != kind:
        raise InvalidRequestError("kind is the old name of vocabulary, and they differ: send vocabulary only.")
    return kind if vocabulary is None else vocabulary


MetricsPart = Annotated[Metrics, Depends(metrics)]
EngineHostPart = Annotated[EngineHost, Depends(engine_host)]
PredictorPart = Annotated[Predictor, Depends(predictor)]
CheckpointPart = Annotated[Checkpoint, Depends(checkpoint)]
RunsPart = Annotated[Runs, Depends(runs)]
UnitCardsPart = Annotated[UnitCards | None, Depends(unit_cards)]
AppVersion = Annotated[str, Depends(app_version)]
IntakePart = Annotated[Intake, Depends(intake)]
BodyIntakePart = Annotated[Intake, Depends(body_intake)]
TaughtBodyIntakePart = Annotated[Intake, Depends(taught_body_intake)]
VocabularyName = Annotated[str | None, Depends(vocabulary)]
