"""The traces of resampling and compression, against Pillow's own files and against the arithmetic."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from training.recipes import smoke
from training.trainer.augment import augment, draw
from training.trainer.traces import KERNELS, Trace, compress, draw_trace, leave_trace, resampling

PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}
UNTOUCHED = Trace(resample=None, earlier_block=0, block=0, halved_colour=False, noise=0.0, blur=False, seed=0)


def smooth_picture(side: int = 64) -> Tensor:
    """One picture (1, 3, side, side) of soft colours and a few edges."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    red = 128 + 100 * torch.sin(rows / 9.0)
    green = 60 + 2.0 * columns.float().clamp(max=90)
    blue = torch.where((rows // 16 + columns // 16) % 2 == 0, 40.0, 200.0)
    return torch.stack([red, green, blue])[None]


def as_pillow(x_NCHW: Tensor) -> Image.Image:
    return Image.fromarray(x_NCHW[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy())


def as_tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("side", "to"), [(64, 48), (64, 112), (128, 48)])
def test_resampling_is_pillows(kernel: str, side: int, to: int) -> None:
    picture = as_pillow(smooth_picture(side))
    weights = resampling(side, to, kernel, antialias=True)
    torch.testing.assert_close(weights.sum(1), torch.ones(to))
    ours = (weights @ as_tensor(picture) @ weights.T).clamp(0, 255)
    theirs = as_tensor(picture.resize((to, to), PILLOW[kernel]))
    inside = (slice(None), slice(None), slice(4, -4), slice(4, -4))  # at the border Pillow drops taps, we repeat pixels
    assert (ours[inside] - theirs[inside]).abs().max() < (256 if kernel in ("nearest", "area") else 2)
    assert (ours[inside] - theirs[inside]).abs().mean() < 1


@pytest.mark.parametrize("quality", [30, 60, 90])
@pytest.mark.parametrize("halved_colour", [True, False])
def test_compression_leaves_what_jpeg_leaves(quality: int, halved_colour: bool) -> None:
    picture = as_pillow(smooth_picture())
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling="4:2:0" if halved_colour else "4:4:4")
    theirs = as_tensor(Image.open(file))
    ours = compress(as_tensor(picture), torch.tensor([float(quality)]), 8, halved_colour=halved_colour)
    lost = (theirs - as_tensor(picture)).abs().mean()
    assert (ours - theirs).abs().mean() < min(0.8, float(lost))
    assert not torch.equal(ours, as_tensor(picture))


def test_lower_quality_and_any_side_lose_more_but_keep_shape_and_range() -> None:
    x = smooth_picture(52)
    losses = [
        float((compress(x, torch.tensor([q]), block, halved_colour=True) - x).abs().mean())
        for block in (4, 8)
        for q in (95.0, 30.0)
    ]
    assert losses[0] < losses[1]
    assert losses[2] < losses[3]
    out = compress(torch.rand(2, 3, 52, 40) * 255, torch.tensor([30.0, 90.0]), 8, halved_colour=True)
    assert out.shape == (2, 3, 52, 40)
    assert out.min() >= 0
    assert out.max() <= 255


def test_a_trace_does_what_it_says_and_nothing_else() -> None:
    x = smooth_picture()
    quality = torch.tensor([0.5])
    assert torch.equal(leave_trace(x, UNTOUCHED, quality), x)
    assert leave_trace(x, replace(UNTOUCHED, resample=("bicubic", 96, True)), quality).shape == (1, 3, 96, 96)
    noisy = leave_trace(x, replace(UNTOUCHED, noise=3.0), quality)
    assert 2.7 < float((noisy - x).std()) < 3.3
    assert torch.equal(noisy, leave_trace(x, replace(UNTOUCHED, noise=3.0), quality))
    assert leave_trace(x, replace(UNTOUCHED, blur=True), quality).std() < x.std()


def test_traces_are_drawn_as_often_as_the_recipe_says() -> None:
    generator = torch.Generator().manual_seed(0)
    traces = [draw_trace(0.6, generator) for _ in range(2000)]
    drawn = [trace for trace in traces if trace]
    assert 0.56 < len(drawn) / 2000 < 0.64
    kernels = Counter(trace.resample[0] for trace in drawn if trace.resample)
    assert set(kernels) == set(KERNELS)
    assert min(kernels.values()) > 0.7 * max(kernels.values())
    assert {trace.block for trace in drawn} == {0, 4, 8}
    assert {trace.halved_colour for trace in drawn if trace.block == 8} == {True, False}
    assert all(draw_trace(0.0, generator) is None for _ in range(20))


def test_pictures_of_a_batch_go_through_their_groups_whoever_computes_them() -> None:
    recipe = replace(smoke(), traces=1.0)
    pictures = torch.randint(0, 256, (10, 64, 64, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    chance = draw(10, recipe, torch.Generator().manual_seed(5))
    whole = augment(pictures, 67, recipe, chance)
    halves = [augment(pictures[part], 67, recipe, chance.of(part)) for part in (slice(0, 4), slice(4, 10))]
    torch.testing.assert_close(torch.cat(halves), whole, atol=1e-2, rtol=0)
