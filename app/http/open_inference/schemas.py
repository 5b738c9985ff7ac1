"""The JSON bodies of the Open Inference Protocol, as far as they are used here; what else a client sends is ignored."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.http.schemas import Answer

OutputName = Literal["sentence", "labels", "scores", "answer"]
Datatype = Literal["BYTES", "FP64"]


class Asked(BaseModel):
    """The base of what a client sends: no text is taken for a number."""

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)


class InputParameters(Asked):
    """How the data of the input are sent."""

    binary_data_size: int | None = Field(default=None, ge=0)


class InputTensor(Asked):
    """The one input: the files of N pictures, in base64, or in binary behind the JSON."""

    name: Literal["image"]
    datatype: Literal["BYTES"]
    shape: tuple[int]
    data: list[str] | None = None
    parameters: InputParameters = InputParameters()


class OutputParameters(Asked):
    """How the data of one output are wanted."""

    binary_data: bool | None = None


class WantedOutput(Asked):
    """One output that a client wants."""

    name: OutputName
    parameters: OutputParameters = OutputParameters()


class RequestParameters(Asked):
    """How the data of all outputs are wanted that say nothing themselves."""

    binary_data_output: bool = False


class InferenceRequest(Asked):
    """What is to be inferred."""

    id: str | None = None
    inputs: tuple[InputTensor]
    outputs: list[WantedOutput] = []
    parameters: RequestParameters = RequestParameters()


class OutputTensor(Answer):
    """One output for N pictures: its data row by row, or their size in bytes where they follow the JSON."""

    name: OutputName
    datatype: Datatype
    shape: list[int]
    data: list[str | float] | None = None
    parameters: dict[Literal["binary_data_size"], int] | None = None


class InferenceResponse(Answer):
    """The answer to ``POST /v2/models/{model}/infer``."""

    model_name: str
    model_version: str
    id: str | None = Field(default=None, description="Yours, where you sent one.")
    outputs: list[OutputTensor]


class TensorMetadata(Answer):
    """An input or output of the network; -1 is any number."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(Answer):
    """The network that is served, by its tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(Answer):
    """This service, and what it knows beyond the protocol's core."""

    name: str
    version: str
    extensions: list[str]


class Live(Answer):
    """Whether the process answers requests at all."""

    live: bool


class Ready(Answer):
    """Whether pictures can be sent."""

    ready: bool


class ModelReady(Ready):
    """Whether pictures can be sent to this network."""

    name: str


class Failure(Answer):
    """What is wrong, in one sentence: the protocol's form of an error."""

    error: str
