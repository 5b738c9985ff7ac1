"""Traces of how picture files are made, put into training pictures so that no set can be told by its own.

Every set was resized and compressed in its own way, and a network reads that: what it says of a picture then hangs on
how the file was made. So each group of pictures of a batch is resampled by a random kernel, blurred or given noise, and
quantised block by block as JPEG and WebP do, once or twice, in the same way for all sets. All of it is matrix products
and rounding, on the device that trains. N pictures, C channels, H height, W width, S side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

SIDES = (48, 64, 80, 96, 112, 128)
"""Sides in pixels that pictures are resampled to: multiples of 16, so that 4:2:0 blocks of 8 fill them."""
KERNELS = ("nearest", "bilinear", "bicubic", "area", "lanczos")
"""Resampling kernels, as image libraries name them."""
_CHANGES = 8  # uniform numbers that decide a group's way
_LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)  # ITU-T T.81, table K.1
_CHROMA_CORNER = ((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))  # K.2; the rest is 99
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # ITU-T T.871


@dataclass(frozen=True, kw_only=True)
class Trace:
    """How a group of pictures is treated; every number of it is drawn before the pictures are known."""

    resample: tuple[str, int, bool] | None
    """Kernel, side, and whether it is widened when shrinking (antialiased)."""
    earlier_block: int
    """Side of the blocks of a compression before resampling, or 0."""
    block: int
    """Side of the blocks of the compression after it: 8 as in JPEG, 4 as in WebP, or 0 for none."""
    halved_colour: bool
    """Whether colour is stored at half the resolution (4:2:0)."""
    noise: float
    """Standard deviation of the noise, in levels of 255."""
    blur: bool
    """Whether each pixel becomes the mean of its neighbourhood of 3 × 3."""
    seed: int
    """Seed from which the noise is drawn."""


def draw_trace(share: float, generator: torch.Generator) -> Trace | None:
    """A way to treat a group of pictures, or None for a share 1 - ``share`` of them."""
    chance = torch.rand(_CHANGES, generator=generator).tolist()
    kernel, side, seed = (int(torch.randint(n, (), generator=generator)) for n in (len(KERNELS), len(SIDES), 2**31))
    if chance[0] >= share:
        return None
    return Trace(
        resample=(KERNELS[kernel], SIDES[side], chance[1] < 0.7) if chance[2] < 0.85 else None,
        earlier_block=8 if chance[3] < 0.15 else 0,
        block=(8 if chance[4] < 0.7 else 4) if chance[5] < 0.75 else 0,
        halved_colour=chance[4] < 0.42 or chance[4] >= 0.7,
        noise=6 * (chance[6] / 0.15) if chance[6] < 0.15 else 0.0,
        blur=chance[7] < 0.1,
        seed=seed,
    )


def leave_trace(x_NCHW: Tensor, trace: Trace, quality_N: Tensor) -> Tensor:
    """Pixels (N, 3, S', S') 0 to 255 of pixels (N, 3, S, S), treated as ``trace`` says; S' is S where not resampled.

    ``quality_N``: what compression at JPEG's qualities 30 to 95 leaves, from 0 to 1.
    """
    if trace.earlier_block:
        x_NCHW = compress(x_NCHW, 60 + 35 * quality_N, trace.earlier_block, halved_colour=trace.halved_colour)
    if trace.resample:
        kernel, side, antialias = trace.resample
        weights = [resampling(n, side, kernel, antialias=antialias).to(x_NCHW.device) for n in x_NCHW.shape[-2:]]
        x_NCHW = (weights[0] @ x_NCHW @ weights[1].T).clamp_(0, 255)
    if trace.noise:
        noise = torch.Generator().manual_seed(trace.seed)
        x_NCHW = x_NCHW + (trace.noise * torch.randn(x_NCHW.shape[1:], generator=noise)).to(x_NCHW.device)
    if trace.blur:
        x_NCHW = F.avg_pool2d(F.pad(x_NCHW, (1, 1, 1, 1), mode="replicate"), 3, 1)
    if trace.block:
        x_NCHW = compress(x_NCHW, 30 + 65 * quality_N, trace.block, halved_colour=trace.halved_colour)
    return x_NCHW


@lru_cache(maxsize=256)
def resampling(side: int, to: int, kernel: str, *, antialias: bool) -> Tensor:
    """Weights (to, side) that resample a row of ``side`` pixels; each row of them adds up to 1."""
    scale = side / to
    width = max(1.0, scale) if antialias and kernel != "nearest" else 1.0
    centres = (torch.arange(to).double() + 0.5) * scale
    margin = 3 * math.ceil(width) + 1
    taps = torch.arange(-margin, side + margin).double() + 0.5
    values = _kernel(kernel, (taps - centres[:, None]) / width)
    weights = torch.zeros(to, side, dtype=torch.double)
    weights.index_add_(1, taps.floor().long().clamp(0, side - 1), values)
    return (weights / weights.sum(1, keepdim=True)).float()


def _kernel(name: str, t: Tensor) -> Tensor:
    """The kernel's height at distances ``t`` in pixels."""
    far, zero = t.abs(), torch.zeros_like(t)
    match name:
        case "nearest" | "area":
            return ((t >= -0.5) & (t < 0.5)).to(t.dtype)
        case "bilinear":
            return (1 - far).clamp(min=0)
        case "bicubic":
            outer = torch.where(far < 2, -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2, zero)
            return torch.where(far < 1, 1.5 * far**3 - 2.5 * far**2 + 1, outer)
        case _:
            return torch.where(far < 3, torch.sinc(t) * torch.sinc(t / 3), zero)


def compress(x_NCHW: Tensor, quality_N: Tensor, block: int, *, halved_colour: bool) -> Tensor:
    """Pixels 0 to 255 as they come back from block-wise compression at JPEG's ``quality_N``, 1 to 100.

    The colours become luma and chroma, each ``block`` × ``block`` square its cosine transform, each coefficient a
    multiple of its entry in the quantisation table (ITU-T T.81). ``block`` 4 stands for WebP, without its prediction.
    """
    height, width = x_NCHW.shape[-2:]
    quality_N = quality_N.to(x_NCHW.device)
    down, across = (-n % (2 * block) for n in (height, width))
    x_NCHW = F.pad(x_NCHW, (0, across, 0, down), mode="replicate")
    to_ycbcr = torch.tensor(_TO_YCBCR, device=x_NCHW.device)
    ycbcr = torch.einsum("kc,nchw->nkhw", to_ycbcr, x_NCHW - 128)
    luma_table, chroma_table = (table.to(x_NCHW.device) for table in _tables(block))
    scale_N = torch.where(quality_N < 50, 5000 / quality_N, 200 - 2 * quality_N) / 100
    luma = _quantise(ycbcr[:, :1], (luma_table * scale_N[:, None]).round_().clamp_(1, 255), block)
    chroma_tables = (chroma_table * scale_N[:, None]).round_().clamp_(1, 255)
    if halved_colour:
        chroma = _quantise(F.avg_pool2d(ycbcr[:, 1:], 2), chroma_tables, block)
        chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear")
    else:
        chroma = _quantise(ycbcr[:, 1:], chroma_tables, block)
    rgb = torch.einsum("ck,nkhw->nchw", torch.linalg.inv(to_ycbcr), torch.cat([luma, chroma], 1)) + 128
    return rgb[..., :height, :width].clamp_(0, 255)


def _quantise(x_NCHW: Tensor, table_NK: Tensor, block: int) -> Tensor:
    """Every block's cosine coefficients rounded to multiples of the picture's table, (N, block²)."""
    n, c, h, w = x_NCHW.shape
    blocks = x_NCHW.reshape(n, c, h // block, block, w // block, block).permute(0, 1, 2, 4, 3, 5)
    transform = _cosine_transform(block).to(x_NCHW.device)
    table = table_NK[:, None]
    rounded = (blocks.reshape(n, -1, block * block) @ transform.T).div_(table).round_().mul_(table)
    blocks = (rounded @ transform).reshape(n, c, h // block, w // block, block, block)
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(n, c, h, w)


@lru_cache(maxsize=2)
def _cosine_transform(block: int) -> Tensor:
    """The orthonormal two-dimensional DCT-II of flattened blocks, (block², block²)."""
    k = torch.arange(block).double()
    rows = torch.cos(math.pi * (2 * k + 1) * k[:, None] / (2 * block)) * math.sqrt(2 / block)
    rows[0] /= math.sqrt(2)
    return torch.kron(rows, rows).float()


@lru_cache(maxsize=2)
def _tables(block: int) -> tuple[Tensor, Tensor]:
    """Quantisation tables of luma and chroma at quality 50, (block²,) each.

    Those of smaller blocks are means of the larger ones', less for the smaller gain of their transform.
    """
    luma = torch.tensor(_LUMA_TABLE, dtype=torch.float32)
    chroma = torch.full((8, 8), 99.0)
    chroma[:4, :4] = torch.tensor(_CHROMA_CORNER, dtype=torch.float32)
    shrink = 8 // block
    luma, chroma = (F.avg_pool2d(table[None, None], shrink)[0, 0] / shrink for table in (luma, chroma))
    return luma.flatten(), chroma.flatten()
