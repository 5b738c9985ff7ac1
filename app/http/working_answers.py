"""Turns what was found out about one picture into the answers of ``app.http.working_schemas``. Pure functions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.http import working_schemas as schemas
from app.inference.images import DecodedImage
from app.inference.results import Answered, Connected, Occluded, Traced
from model.architecture import Architecture
from model.cells import Cell, ConvolutionTerm, LinearTerm, Step
from model.contributions import Column, Edge
from model.describe import probabilities

_RIVALS = 5  # labels that are told beside the one that was asked for


def connections(connected: Connected, request_id: str) -> schemas.ConnectionsResponse:
    """What fed the answer for one label."""
    answer, found = connected.answer, connected.connections
    return schemas.ConnectionsResponse(
        request_id=request_id,
        image=image(connected.image),
        label=label(answer),
        logit=_number(answer.logit),
        probability=_number(answer.probability),
        layers=[_column(column) for column in found.columns],
        edges=[_edge(edge) for edge in found.edges],
    )


def cell(traced: Traced, architecture: Architecture, request_id: str) -> schemas.CellResponse:
    """How one number of the network came about."""
    found, answer = traced.cell, traced.answer
    layer, (channel, row, column), (top, left) = found.layer, found.place, found.corner
    convolution = layer.operation == "conv"
    spelled = None if answer is None else _probability(answer)
    exclusive = answer is not None and answer.vocabulary.activation == "softmax"
    x, y = layer.start + column * layer.jump, layer.start + row * layer.jump
    return schemas.CellResponse(
        request_id=request_id,
        image=image(traced.image),
        layer=layer.name,
        channel=channel,
        row=row,
        column=column,
        operation="convolution" if convolution else "linear",
        input=schemas.InputName(layer=found.source, shape=list(layer.inputs)),
        window=schemas.Window(top=top, left=left, height=layer.kernel, width=layer.kernel) if convolution else None,
        patch=schemas.Patch(x=x, y=y, size=layer.receptive_field if convolution else architecture.input_size),
        terms=_terms(found),
        others=schemas.OtherTerms(count=found.others[0], sum=_number(found.others[1])),
        bias=_number(found.bias),
        sum=_number(found.sum),
        activation=layer.activation,
        value=_number(found.value),
        kept=_number(found.kept),
        after=[_step(step) for step in found.after],
        softmax=spelled if exclusive else None,
        sigmoid=None if exclusive else spelled,
    )


def occlusion(occluded: Occluded, request_id: str) -> schemas.OcclusionResponse:
    """What the label's answer loses when a part of the square is covered."""
    answer = occluded.answer
    return schemas.OcclusionResponse(
        request_id=request_id,
        image=image(occluded.image),
        **dict(label(answer)),
        probability=_number(answer.probability),
        logit=_number(answer.logit),
        cells=len(occluded.probability),
        map=_grid(occluded.probability),
        logit_map=_grid(occluded.logit),
    )


def image(image: DecodedImage) -> schemas.NamedImage:
    """The picture, by the name under which it is kept."""
    return schemas.NamedImage(sha256=image.sha256, width=image.width, height=image.height)


def label(answer: Answered) -> schemas.LabelName:
    """The label that an answer is about."""
    return schemas.LabelName(id=answer.label.id, label=answer.label.name, vocabulary=answer.vocabulary.name)


def _column(column: Column) -> schemas.ColumnAnswer:
    channels = [
        schemas.ChannelAnswer(channel=one.number, relevance=_number(one.relevance), maximum=_number(one.maximum))
        for one in column.channels
    ]
    layer = column.layer
    return schemas.ColumnAnswer(
        name=layer.name, shape=list(layer.shape), channels=channels, shown_share=_number(column.share)
    )


def _edge(edge: Edge) -> schemas.EdgeAnswer:
    return schemas.EdgeAnswer.model_construct(source=edge.source, target=edge.target, weight=_number(edge.weight))


def _terms(cell: Cell) -> list[schemas.ConvolutionTermAnswer] | list[schemas.LinearTermAnswer]:
    if cell.layer.operation == "conv":
        return [_convolution_term(term) for term in cell.terms if isinstance(term, ConvolutionTerm)]
    return [_linear_term(term) for term in cell.terms if isinstance(term, LinearTerm)]


def _convolution_term(term: ConvolutionTerm) -> schemas.ConvolutionTermAnswer:
    inputs, weights = _grid(term.inputs), _grid(term.weights)
    return schemas.ConvolutionTermAnswer(channel=term.channel, sum=_number(term.sum), inputs=inputs, weights=weights)


def _linear_term(term: LinearTerm) -> schemas.LinearTermAnswer:
    unit, cell = term.place[0], None
    if len(term.place) == 3:
        channel, row, column = term.place
        cell = schemas.CellName(channel=channel, row=row, column=column)
    return schemas.LinearTermAnswer(
        unit=unit if cell is None else None,
        cell=cell,
        input=_number(term.input),
        weight=_number(term.weight),
        product=_number(term.sum),
    )


def _step(step: Step) -> schemas.StepAnswer:
    row, column = step.place or (None, None)
    window = None if step.window is None else _grid(step.window)
    return schemas.StepAnswer(step=step.name, value=_number(step.value), window=window, row=row, column=column)


def _probability(answer: Answered) -> schemas.ProbabilityAnswer:
    vocabulary, index = answer.vocabulary, answer.index
    scaled = answer.logits.astype(np.float64) / vocabulary.temperature + np.array(vocabulary.bias or 0.0)
    largest = float(scaled.max()) if vocabulary.activation == "softmax" else 0.0
    if vocabulary.activation == "softmax":
        exp = math.exp(scaled[index] - largest)
        total = float(np.exp(scaled - largest).sum())
    else:
        exp = float(np.exp(np.minimum(-scaled[index], 700)))  # more is no number that JSON can hold
        total = 1 + exp
    return schemas.ProbabilityAnswer(
        vocabulary=vocabulary.name,
        logit=_number(answer.logit),
        temperature=vocabulary.temperature,
        bias=_number(vocabulary.bias[index]) if vocabulary.bias else 0.0,
        scaled=_number(scaled[index]),
        largest=_number(largest),
        exp=_number(exp),
        total=_number(total),
        probability=_number(answer.probability),
        top=_rivals(answer),
    )


def _rivals(answer: Answered) -> list[schemas.RivalAnswer]:
    """The most probable labels of the vocabulary."""
    scores = probabilities(answer.logits, answer.vocabulary)
    best = np.argsort(-scores, kind="stable")[:_RIVALS].tolist()
    labels = answer.vocabulary.labels
    return [
        schemas.RivalAnswer(
            id=labels[n].id, label=labels[n].name, logit=_number(answer.logits[n]), probability=_number(scores[n])
        )
        for n in best
    ]


def _grid(cells: NDArray[np.float32]) -> list[list[float]]:
    return [[_number(cell) for cell in row] for row in cells]


def _number(value: float) -> float:
    """Six digits, which is what float32 holds: more would only be sent."""
    return float(f"{value:.6g}")
