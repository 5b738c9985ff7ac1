"""Every number that the lessons promise, asked of the network's own code; the page is held to the same file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import torch
from jinja2 import Environment, FileSystemLoader
from torch import Tensor, nn

from model.architecture import Activation, Architecture, Layer, LocalResponseNorm, output_side
from model.engines.alexnet import AlexNet, local_response_norm
from training.trainer.optim import PaperSGD

ROOT = Path(__file__).resolve().parents[1]
CASES: dict[str, list[dict[str, Any]]] = json.loads((ROOT / "static/learn/cases.json").read_text("utf-8"))
PAPER = Architecture()
with torch.device("meta"):  # its shapes and its steps without 240 MB of weights
    NETWORK = AlexNet(Architecture(dropout_at_test=True)).eval()


def f64(numbers: Any) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def row(**facts: Any) -> Layer:
    return Layer(**{"name": "lesson", "operation": "pool", "inputs": (), "shape": (), **facts})


def convolved(x_CHW: Any, w_CHW: Any, bias: float = 0, **options: Any) -> Tensor:
    """What the network's convolution makes of the planes; one kernel."""
    weight = f64([w_CHW])
    layer = nn.Conv2d(weight.shape[1], 1, (1, 1), dtype=torch.float64, **options)
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(f64([bias]))
    NETWORK.add_module("lesson", layer)
    return NETWORK.step(row(operation="conv"), f64([x_CHW])).detach()[0, 0]


def correlated(x: Any, w: Any, stride: int, padding: int) -> Any:
    return convolved([[x]], [[w]], stride=(1, stride), padding=(0, padding))[0].tolist()


def activated(x: Any, name: Activation) -> tuple[Any, Any]:
    """Values and gradients of an activation, as the network applies it after a row of its table."""
    points = f64(x).requires_grad_()
    values = NETWORK.step(row(activation=name), points[None, None])[0, 0]
    values.sum().backward()
    assert points.grad is not None
    return values.tolist(), points.grad.tolist()


def bowl(w: Any, curvature: Any, centre: Any) -> dict[str, Any]:
    weights = f64(w).requires_grad_()
    loss = 0.5 * (f64(curvature) * (weights - f64(centre)) ** 2).sum()
    loss.backward()
    assert weights.grad is not None
    return {"loss": loss.item(), "gradient": weights.grad.tolist()}


def stepped(w: Any, v: Any, gradient: Any, rate: float, momentum: float, decay: float) -> dict[str, Any]:
    weights = nn.Parameter(f64(w))
    optimiser = PaperSGD([{"params": [weights], "weight_decay": decay}], rate, momentum)
    optimiser.state[weights]["velocity"] = f64(v)
    weights.grad = f64(gradient)
    optimiser.step()
    return {"v": optimiser.state[weights]["velocity"].tolist(), "w": weights.tolist()}


def descended(w: Any, curvature: Any, centre: Any, steps: int, **rule: float) -> list[Any]:
    path, now = [w], {"w": w, "v": [0.0 for _ in w]}
    for _ in range(steps):
        now = stepped(**now, gradient=bowl(now["w"], curvature, centre)["gradient"], **rule)
        path.append(now["w"])
    return path


def learned(inputs: int, outputs: int, kernel: int, groups: int) -> int:
    return row(operation="conv", inputs=(inputs, 1, 1), shape=(outputs, 1, 1), kernel=kernel, groups=groups).parameters


def table(picture: list[int], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layer table of the architecture that the rows describe."""
    by_name = {one["name"]: one for one in rows}
    architecture = Architecture(
        outputs=rows[-1]["channels"],
        input_size=picture[1],
        channels=tuple(by_name[f"conv{i}"]["channels"] for i in range(1, 6)),
        columns=by_name["conv2"]["groups"],
        overlapping_pooling=by_name["pool1"]["kernel"] > by_name["pool1"]["stride"],
    )
    for layer, said in zip(architecture.layers, rows, strict=True):
        assert all(getattr(layer, key) == value for key, value in said.items() if key != "channels")
    return [
        {
            "name": layer.name,
            "shape": list(layer.shape),
            "parameters": layer.parameters,
            "multiplyAdds": layer.multiply_adds,
            "field": layer.receptive_field,
            "jump": layer.jump,
            "start": layer.start,
        }
        for layer in architecture.layers
    ]


def slid(field: int, jump: int, start: int, kernel: int, stride: int, padding: int) -> dict[str, int]:
    """The one window of the network that begins with that view."""
    for before, layer in pairwise([row(inputs=(3,), shape=(3, 227, 227)), *PAPER.layers]):
        view = (before.receptive_field, before.jump, before.start)
        if view == (field, jump, start) and (layer.kernel, layer.stride, layer.padding) == (kernel, stride, padding):
            return {"field": layer.receptive_field, "jump": layer.jump, "start": layer.start}
    raise AssertionError("the network has no such window")


def pixels_seen(field: int, jump: int, start: int, cell: int) -> list[int]:
    """The pixels whose gradient reaches a cell when every window of the network passes all that it covers on."""
    layer = next(one for one in PAPER.layers if (one.receptive_field, one.jump, one.start) == (field, jump, start))
    first = last = cell
    for one in reversed(PAPER.layers[: PAPER.layers.index(layer) + 1]):
        first = first * one.stride - one.padding
        last = last * one.stride - one.padding + one.kernel - 1
    return [first, last]


ANSWERS: dict[str, Callable[..., Any]] = {
    "outputSize": lambda size, kernel, stride, padding: output_side(size, kernel, stride, padding),
    "pad": lambda x, padding: correlated(x, [1], 1, padding),
    "flip": lambda w: list(reversed(w)),
    "correlate1d": correlated,
    "convolve1d": lambda x, w, stride, padding: correlated(x, list(reversed(w)), stride, padding),
    "correlate2d": lambda x, w, **options: convolved([x], [w], **options).tolist(),
    "correlateVolume": lambda x, w, **options: convolved(x, w, **options).tolist(),
    "relu": lambda x: activated(x, "relu")[0],
    "reluGradient": lambda x: activated(x, "relu")[1],
    "tanh": lambda x: activated(x, "tanh")[0],
    "tanhGradient": lambda x: activated(x, "tanh")[1],
    "sigmoid": lambda x: activated(x, "sigmoid")[0],
    "sigmoidGradient": lambda x: activated(x, "sigmoid")[1],
    "throughLayers": lambda gradient, layers: float(torch.prod(f64([gradient] * layers))),
    "localResponseNorm": lambda a, **norm: (
        local_response_norm(f64(a)[None, :, None, None], LocalResponseNorm(**norm)).flatten().tolist()
    ),
    "maxPool": lambda x, size, stride: NETWORK.step(row(kernel=size, stride=stride), f64([x]))[0].tolist(),
    "dropoutTraining": lambda a, mask: (f64(a) * f64(mask)).tolist(),
    "dropoutTest": lambda a, rate: NETWORK.step(row(dropout=rate), f64([[a]]))[0, 0].tolist(),
    "weightedSum": lambda a, w: float(nn.functional.linear(f64(a), f64([w]))),
    "bowl": bowl,
    "sgdStep": stepped,
    "descend": descended,
    "slide": slid,
    "pixelsSeen": pixels_seen,
    "parameters": learned,
    "layers": table,
}


def close(found: Any, expected: Any) -> bool:
    """Equal in every part; numbers to nine digits."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    return bool(found == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-9, abs=1e-11)))


@pytest.mark.parametrize(
    ("operation", "case"),
    [pytest.param(name, case, id=f"{name}: {case['name']}") for name in CASES for case in CASES[name]],
)
def test_the_networks_own_code_gives_what_the_lesson_promises(operation: str, case: dict[str, Any]) -> None:
    assert close(ANSWERS[operation](**case["input"]), case["expected"])


def test_every_operation_has_cases_and_every_case_a_name_of_its_own() -> None:
    assert CASES.keys() == ANSWERS.keys()
    for name, cases in CASES.items():
        assert cases, name
        assert len({case["name"] for case in cases}) == len(cases), name


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES["correlate1d"]])
def test_the_two_sums_of_the_talk_are_one_number(case: dict[str, Any]) -> None:
    """z_i' = sum of w_i x_(i'+i-1) = sum of x_(i'+i-1) v_(M_F-i+1) with v = w turned round; counted from 1 as there."""
    x, w, stride, padding = case["input"].values()
    x, turned, size = [0] * padding + x + [0] * padding, ANSWERS["flip"](w), len(w)
    for z, stop in zip(case["expected"], range(1, len(x) - size + 2, stride), strict=True):
        correlation = sum(w[i - 1] * x[stop + i - 2] for i in range(1, size + 1))
        convolution = sum(x[stop + i - 2] * turned[size - i] for i in range(1, size + 1))
        assert z == correlation == convolution
    assert ANSWERS["convolve1d"](**{**case["input"], "w": turned}) == case["expected"]


def test_the_mean_over_all_masks_is_what_the_network_says_at_test_time() -> None:
    a, w = CASES["dropoutTraining"][0]["input"]["a"], CASES["weightedSum"][0]["input"]["w"]
    sums = [ANSWERS["weightedSum"](ANSWERS["dropoutTraining"](a, mask), w) for mask in product([0, 1], repeat=len(a))]
    assert sum(sums) / len(sums) == pytest.approx(ANSWERS["weightedSum"](ANSWERS["dropoutTest"](a, 0.5), w))


def test_tanh_is_the_sigmoid_of_twice_as_much_stretched() -> None:
    """tanh x = 2 / (1 + e^(-2 x)) - 1, as the talk writes it."""
    x = CASES["tanh"][0]["input"]["x"]
    doubled = ANSWERS["sigmoid"]([2 * v for v in x])
    assert [2 * v - 1 for v in doubled] == pytest.approx(CASES["tanh"][0]["expected"])


def test_each_step_names_the_part_of_the_notebook_that_leads_to_it() -> None:
    templates = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True)
    steps: dict[str, tuple[str, int]] = vars(templates.get_template("learn/macros.html").module)["steps"]
    parts = re.split(r"^# ## (\d+)\. ", (ROOT / "notebooks/alexnet.py").read_text("utf-8"), flags=re.MULTILINE)
    linked = {
        step: int(number)
        for number, text in zip(parts[1::2], parts[2::2], strict=True)
        for step in re.findall(r"learn#(\w+)\)", text)
    }
    assert {step: part for step, (_, part) in steps.items()} == linked
