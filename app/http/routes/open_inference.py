"""The routes of the Open Inference Protocol: another door to what ``POST /predict`` answers (docs/standards.md)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Security
from starlette.responses import Response

from app.errors import GlassbotError, NotFoundError, NotReadyError
from app.http import answers, api_keys, bodies
from app.http.batch import in_turns
from app.http.bodies import Upload
from app.http.dependencies import AppVersion, BodyIntakePart, CheckpointPart, EngineHostPart
from app.http.open_inference import contract, schemas, tensors
from app.http.open_inference.failures import PREFIX
from app.http.routes.health import readyz
from app.inference.admission import Slot
from app.inference.results import Described
from model.checkpoint import Checkpoint

router = APIRouter(prefix=PREFIX, tags=["Open Inference Protocol"])

MODEL = "/models/{model}"
VERSION = "/models/{model}/versions/{version}"
"""Where the protocol looks for a network, and for one version of it."""


async def named(request: Request, checkpoint: CheckpointPart) -> Checkpoint:
    """The network of the name, and of the version if one is given, in the path. Raises NotFoundError."""
    served = {"model": checkpoint.name, "version": checkpoint.version}
    for what, wanted in request.path_params.items():
        if wanted != served[what]:
            raise NotFoundError(f"There is no {what} {wanted[:80]!r} here: {served[what]!r} is served.")
    return checkpoint


NamedPart = Annotated[Checkpoint, Depends(named)]


@router.get("/health/live", responses=contract.answers(contract.LIVE))
async def live() -> schemas.Live:
    """Whether the process answers requests at all."""
    return schemas.Live(live=True)


@router.get("/health/ready", responses=contract.answers(contract.READY, NotReadyError))
async def ready(host: EngineHostPart) -> schemas.Ready:
    """Whether pictures can be sent, as ``GET /readyz`` says it."""
    await readyz(host)
    return schemas.Ready(ready=True)


@router.get("", responses=contract.answers(contract.SERVER))
async def server(version: AppVersion) -> schemas.ServerMetadata:
    """This service, and what it knows beyond the protocol's core."""
    return schemas.ServerMetadata(name="glassbot", version=version, extensions=["binary_tensor_data"])


@router.get(MODEL, openapi_extra=contract.NAMED, responses=contract.answers(contract.MODEL, NotFoundError))
@router.get(VERSION, openapi_extra=contract.VERSIONED, responses=contract.answers(contract.MODEL, NotFoundError))
async def model(checkpoint: NamedPart) -> schemas.ModelMetadata:
    """The network by its tensors; ``GET /model`` says far more of it."""
    return schemas.ModelMetadata(
        name=checkpoint.name,
        versions=[checkpoint.version],
        platform="glassbot_safetensors",
        inputs=[schemas.TensorMetadata(name="image", datatype="BYTES", shape=[-1])],
        outputs=[
            schemas.TensorMetadata(name=name, datatype=datatype, shape=[-1] * rank)
            for name, (datatype, rank) in tensors.OUTPUTS.items()
        ],
    )


_IS_READY = contract.answers(contract.MODEL_READY, NotFoundError, NotReadyError)


@router.get(f"{MODEL}/ready", openapi_extra=contract.NAMED, responses=_IS_READY)
@router.get(f"{VERSION}/ready", openapi_extra=contract.VERSIONED, responses=_IS_READY)
async def model_ready(checkpoint: NamedPart, host: EngineHostPart) -> schemas.ModelReady:
    """Whether pictures can be sent to this network."""
    await readyz(host)
    return schemas.ModelReady(name=checkpoint.name, ready=True)


_INFERRING: dict[str, Any] = {
    "dependencies": [Security(api_keys.required)],
    "response_model": schemas.InferenceResponse,
    "responses": contract.answers(contract.ANSWER, *contract.INFERRING, **contract.IN_BINARY),
}


@router.post(f"{MODEL}/infer", openapi_extra=contract.inference(contract.NAMED), **_INFERRING)
@router.post(f"{VERSION}/infer", openapi_extra=contract.inference(contract.VERSIONED), **_INFERRING)
async def infer(_: NamedPart, intake: BodyIntakePart) -> Response:
    """The sentence, labels and scores of N pictures, and the whole of what ``POST /predict`` answers to each.

    Raises ``app.errors``, too, where it is about one of the pictures: the protocol has no answer for some of them.
    """
    predictor, settings = intake.predictor, intake.settings

    async def work(body: bytes, slot: Slot) -> Response:
        length = intake.request.headers.get(tensors.HEADER)
        limits = {"most": settings.max_batch_files, "max_json_bytes": settings.max_body_bytes}
        asked = await asyncio.to_thread(tensors.read, body, length, **limits)
        files = [Upload(f"Picture {n} of {len(asked.pictures)}", file) for n, file in enumerate(asked.pictures, 1)]
        found = await in_turns(files, slot, predictor.host.admission, describe)
        described = [_sound(one, file.name if len(files) > 1 else "") for one, file in zip(found, files, strict=True)]
        answered = [answers.predict_response(one, predictor.checkpoint, intake.request_id) for one in described]
        content, json_length = tensors.write(asked, answered)
        if json_length is None:
            return Response(content, media_type="application/json")
        return Response(content, headers={tensors.HEADER: str(json_length)}, media_type="application/octet-stream")

    async def describe(file: Upload) -> Described | GlassbotError:
        try:
            if len(file.content) > settings.max_body_bytes:
                raise bodies.too_large(settings.max_body_bytes)
            return await predictor.describe(file.content)
        except GlassbotError as error:
            return error

    return await intake.message(work)


def _sound(result: Described | GlassbotError, name: str) -> Described:
    """A picture's description. Raises its error, with the ``name`` of the picture where there are several."""
    if isinstance(result, GlassbotError):
        raise type(result)(f"{name}: {result.detail}" if name else result.detail)
    return result
