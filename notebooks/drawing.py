"""The notebook's pictures: matplotlib in Glassbot's colours. Numbers are cividis, the accent is the green of glass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from model.architecture import Layer

GLASS, INK, FAINT, HAIR = "#08684f", "#15201c", "#5d6963", "#c3cbc7"
PALE = "#fbfcfb"
_STYLE: Any = {
    "figure.facecolor": PALE, "axes.facecolor": PALE, "savefig.facecolor": PALE, "figure.dpi": 140,
    "figure.autolayout": True,
    "font.family": "DejaVu Sans", "font.size": 10, "axes.titlesize": 10, "axes.titlecolor": INK, "axes.edgecolor": HAIR,
    "axes.labelcolor": FAINT, "xtick.color": FAINT, "ytick.color": FAINT, "text.color": INK, "image.cmap": "cividis",
    "image.interpolation": "nearest", "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
}  # fmt: skip


def use_style() -> None:
    """From here on every picture looks like Glassbot's page."""
    plt.rcParams.update(_STYLE)


def number(value: float) -> str:
    """As one would write it: ``4``, ``−1.5``, ``0.462``."""
    return f"{value:.3g}".replace("-", "−")


def slide(x: Sequence[float], w: Sequence[float], *, padding: int = 0, stride: int = 1) -> None:
    """The filter at each of its stops under the input, and the sum that it makes there."""
    padded = [0.0] * padding + list(x) + [0.0] * padding
    stops = range(0, len(padded) - len(w) + 1, stride)
    _, axes = plt.subplots(figsize=(7.2, 0.5 * len(stops) + 0.75))
    _cells(
        axes,
        padded,
        0,
        0,
        ["white"] * len(padded),
        dashed=[not padding <= i < padding + len(x) for i in range(len(padded))],
    )
    for row, stop in enumerate(stops, 1):
        _cells(axes, w, stop, -1.1 * row, ["#d3e9e1"] * len(w))
        terms = " + ".join(f"({number(a)})({number(b)})" for a, b in zip(w, padded[stop:], strict=False))
        total = sum(a * b for a, b in zip(w, padded[stop:], strict=False))
        axes.text(len(padded) + 0.4, 0.5 - 1.1 * row, f"z{_below(row)} = {terms} = {number(total)}", va="center")
    axes.set(xlim=(-0.1, len(padded) + 8), ylim=(-1.1 * len(stops) - 0.1, 1.1), aspect="equal")
    axes.axis("off")
    plt.show()


def _below(index: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(index))


def _cells(
    axes: Axes, values: Sequence[float], x: float, y: float, colours: Sequence[str], dashed: Sequence[bool] = ()
) -> None:
    for i, value in enumerate(values):
        faint = bool(dashed) and dashed[i]
        axes.add_patch(
            Rectangle(
                (x + i, y),
                1,
                1,
                facecolor=colours[i],
                edgecolor=GLASS if not faint else HAIR,
                ls="--" if faint else "-",
            )
        )
        axes.text(x + i + 0.5, y + 0.5, number(value), ha="center", va="center", color=FAINT if faint else INK)


def numbers(**grids: Any) -> None:
    """Small matrices side by side, a number in each cell."""
    heights, widths = zip(*(np.atleast_2d(grid).shape for grid in grids.values()), strict=True)
    size = (0.42 * sum(widths) + 0.5 * len(grids), 0.42 * max(heights) + 0.6)
    _, axes = plt.subplots(1, len(grids), figsize=size, width_ratios=widths, squeeze=False)
    for ax, (title, grid) in zip(axes[0], grids.items(), strict=True):
        values = np.atleast_2d(np.array(grid, float))
        low, high = values.min(), values.max()
        ax.imshow(values)
        for (row, column), value in np.ndenumerate(values):
            bright = high > low and (value - low) / (high - low) > 0.55
            ax.text(column, row, number(value), ha="center", va="center", color=INK if bright else "white", fontsize=9)
        _bare(ax, title.replace("_", " "))
    plt.show()


def pictures(
    many: Sequence[Any], titles: Sequence[str] = (), *, columns: int = 6, side: float = 1.35, **of_imshow: Any
) -> None:
    """Pictures (H, W, 3) or maps (H, W) in rows."""
    rows = -(-len(many) // columns)
    wide = min(columns, len(many))
    _, axes = plt.subplots(rows, wide, figsize=(side * wide, (side + 0.22 * bool(titles)) * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, one, title in zip(axes.flat, many, list(titles) or [""] * len(many), strict=False):
        ax.imshow(one, **of_imshow)
        ax.set_title(title, fontsize=8.5)
    plt.show()


def tiles(many: NDArray[Any], *, columns: int = 12, title: str = "", width: float = 7.2) -> None:
    """Kernels (N, 3, k, k) in their colours, grey where a weight is 0, or maps (N, H, W), each to its own peak."""
    shown = _colours(many) if many.ndim == 4 else many / np.maximum(many.max((1, 2), keepdims=True), 1e-9)
    rows, side = -(-len(shown) // columns), shown.shape[1] + 1
    sheet = np.full((rows * side - 1, columns * side - 1, *shown.shape[3:]), 1.0 if many.ndim == 4 else np.nan)
    for i, tile in enumerate(shown):
        y, x = side * (i // columns), side * (i % columns)
        sheet[y : y + side - 1, x : x + side - 1] = tile
    _, axes = plt.subplots(figsize=(width, width * rows / columns + 0.3 * bool(title)))
    axes.imshow(sheet, vmin=0, vmax=1)
    _bare(axes, title)
    plt.show()


def _colours(kernels: NDArray[Any]) -> NDArray[Any]:
    peaks = np.abs(kernels).max((1, 2, 3), keepdims=True)
    return np.asarray(0.5 + 0.5 * kernels / np.maximum(peaks, 1e-9)).transpose(0, 2, 3, 1)


def curves(title: str, x_label: str, top: float | None = None, **lines: tuple[Any, Any]) -> None:
    """Named lines, each an x and a y; what lies above ``top`` is out of sight."""
    _, axes = plt.subplots(figsize=(6.4, 2.6))
    colours = (GLASS, "#b3541e", "#575d6d", "#a59c74")
    for (name, (x, y)), colour in zip(lines.items(), colours, strict=False):
        axes.plot(x, y, label=name.replace("_", " "), color=colour, lw=1.6)
    axes.set(title=title, xlabel=x_label)
    axes.set_ylim(top=top)
    if len(lines) > 1:
        axes.legend()
    plt.show()


def bars(title: str, names: Sequence[str], values: Sequence[float], *, form: str = "{:,.0f}") -> None:
    """One bar for each name, its number at its end."""
    _, axes = plt.subplots(figsize=(6.4, 0.27 * len(names) + 0.7))
    drawn = axes.barh(list(names), list(values), color=GLASS, height=0.62)
    axes.bar_label(drawn, [form.format(value) for value in values], padding=4, color=FAINT, fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.16)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)
    axes.set_title(title, loc="left")
    plt.show()


def seen_by(picture: NDArray[Any], cells: Sequence[tuple[Layer, int]]) -> None:
    """The square of the photo that one cell of each layer sees: the ``i``-th cell along both sides."""
    _, axes = plt.subplots(figsize=(3.6, 3.6))
    axes.imshow(picture)
    for (row, i), colour in zip(cells, ("#fee838", "#ffffff", "#76d4b9", "#ff9f6b"), strict=False):
        corner, side = row.start + i * row.jump, row.receptive_field
        axes.add_patch(Rectangle((corner, corner), side, side, fill=False, ec=colour, lw=2))
        axes.text(corner + side / 2, corner + side + 2, row.name, color=colour, ha="center", va="top", fontsize=9,
                  path_effects=[withStroke(linewidth=2.5, foreground=INK)])  # fmt: skip
    axes.set(xlim=(0, picture.shape[1]), ylim=(picture.shape[0], 0))
    _bare(axes, "")
    plt.show()


def evidence(picture: NDArray[Any], maps: dict[str, NDArray[Any]], row: Layer) -> None:
    """The photo, and class maps over it in grey, each cell at the place that it sees, strongest where evidence is."""
    _, axes = plt.subplots(1, 1 + len(maps), figsize=(2.4 * (1 + len(maps)), 2.7))
    first = row.start + row.receptive_field / 2 - row.jump / 2
    for ax, (title, map_) in zip(axes, {"the photo": None, **maps}.items(), strict=True):
        ax.imshow(picture if map_ is None else picture.mean(2), cmap="gray", vmin=0, vmax=255)
        if map_ is not None:
            last = first + row.jump * len(map_)
            strength = 0.9 * map_ / max(map_.max(), 1e-9)
            ax.imshow(map_, extent=(first, last, last, first), interpolation="bilinear", alpha=strength)
        ax.set(xlim=(0, picture.shape[1]), ylim=(picture.shape[0], 0))
        _bare(ax, title)
    plt.show()


def valley(paths: dict[str, NDArray[Any]], curvature: Sequence[float], centre: Sequence[float]) -> None:
    """Ways down into a long bowl, seen from above."""
    a, b = np.meshgrid(np.linspace(-7, 7, 120), np.linspace(-4, 5, 90))
    height = 0.5 * (curvature[0] * (a - centre[0]) ** 2 + curvature[1] * (b - centre[1]) ** 2)
    _, axes = plt.subplots(figsize=(6.8, 3.2))
    axes.contour(a, b, np.sqrt(height), 12, cmap="cividis", alpha=0.6, linewidths=0.8)
    for (name, path), colour in zip(paths.items(), ("#b3541e", GLASS), strict=False):
        axes.plot(*path.T, "o-", color=colour, ms=2.5, lw=1.1, label=name)
    axes.plot(*centre, "*", color=INK, ms=11)
    axes.set(xlabel="w₁", ylabel="w₂", xlim=(-7, 7), ylim=(-4, 5))
    axes.legend(loc="upper right")
    plt.show()


def half_there(stays: NDArray[Any]) -> None:
    """A layer of nodes at each of several steps, filled where dropout let them stay."""
    _, axes = plt.subplots(figsize=(5.2, 0.32 * len(stays) + 0.5))
    for y, row in enumerate(stays):
        colours = [GLASS if stay else "white" for stay in row]
        axes.scatter(range(len(row)), [y] * len(row), s=70, c=colours, edgecolors=GLASS)
    axes.set(ylim=(len(stays) - 0.5, -0.5), xlabel="node", ylabel="step", yticks=range(len(stays)))
    axes.tick_params(length=0, labelbottom=False)
    plt.show()


def gains(each: Sequence[float], mean: float, half: float, *, even: float, title: str) -> None:
    """A dot for each seed, their mean, its interval as a bar, and where it would make no difference."""
    _, axes = plt.subplots(figsize=(6.4, 1.2))
    axes.axvline(even, color=FAINT, lw=1, ls=":")
    axes.errorbar([mean], [0], xerr=[half], fmt="|", color=INK, ms=16, capsize=4)
    axes.plot(each, [0] * len(each), "o", color=GLASS, ms=7)
    for side, words in ((-1, "← worse with it"), (1, "better with it →")):
        axes.annotate(words, (even, 0.7), (6 * side, 0), textcoords="offset points", color=FAINT, fontsize=9,
                      ha="right" if side < 0 else "left")  # fmt: skip
    axes.set(title=title, yticks=[], ylim=(-1, 1.2))
    axes.margins(x=0.3)
    axes.spines["left"].set_visible(False)
    plt.show()


def draws(title: str, values: Sequence[float], mean: float) -> None:
    """How often each value came up, and where their mean lies."""
    _, axes = plt.subplots(figsize=(6.4, 2))
    axes.hist(values, 60, color=GLASS)
    axes.axvline(mean, color="#b3541e", lw=1.6)
    axes.set(title=title, ylabel="draws")
    plt.show()


def _bare(axes: Axes, title: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)
