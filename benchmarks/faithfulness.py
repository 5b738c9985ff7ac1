"""``python -m benchmarks.faithfulness --data SET``: do maps show what the answer depends on?

For each picture the likeliest label is explained by each kind of map. Deletion covers the most important pixels first:
the smaller the area under the label's probability, the better the map. Insertion shows them first: the larger, the
better. Average drop and increase are torch-cam's ClassificationMetric, with the picture faded where the map is low.
A bell around the middle and chance are the controls: a map that is no better than these shows nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image, ImageFilter
from rich.console import Console
from rich.progress import track
from rich.table import Table

from app.inference import occlusion
from benchmarks import faithfulness_arithmetic as arithmetic
from benchmarks.faithfulness_arithmetic import Pixels
from benchmarks.options import whole
from model import drawing, explain
from model.checkpoint import PRETRAINED, Checkpoint, load
from model.describe import probabilities
from model.engines import Engine, Output, create_engine
from model.pictures.opening import open_picture
from model.preprocess import TakesPictures, prepare
from model.vocabulary import rows_of
from model.weights import Floats
from training.data.layouts import find_layout, read_split
from training.data.order import evenly_spaced
from training.evaluation.statistics import student_interval

CELLS = 13
CONTROLS = ("centre", "random")
KINDS = (*get_args(explain.Method), "occlusion", *CONTROLS)
_BATCH = 64
_FIRST_LINE = (__doc__ or "").splitlines()[0]


@dataclass(frozen=True)
class Scores:
    """What one map of one picture came to."""

    deletion: float
    """Area under the label's probability, from 0 to 1, while the most important pixels are covered first."""
    insertion: float
    """The same, while they are shown first."""
    drop: float
    """Share of the probability that is lost where the map is low."""
    increase: float
    """1 where it rose instead."""


@dataclass(frozen=True)
class Setting:
    """How the maps are put to the test."""

    checkpoint: Checkpoint
    engine: Engine
    baseline: str
    """What stands where pixels are covered: ``mean``, the network's mean colour, or ``blur``."""
    steps: int
    """Into how many equal parts the pixels are divided."""
    rows: dict[str, slice] = field(default_factory=dict)
    """Rows of fc8 of each softmax vocabulary."""


def setting_of(path: Path, baseline: str, steps: int, threads: int = 0) -> Setting:
    """Load a checkpoint, and start its engine."""
    checkpoint = load(path)
    rows = rows_of(checkpoint.vocabularies)
    softmax = [v.name for v in checkpoint.vocabularies if v.activation == "softmax"]
    engine = create_engine(checkpoint, threads=threads)
    return Setting(checkpoint, engine, baseline, steps, {name: rows[name] for name in softmax})


def scores_of(setting: Setting, pictures: Pixels, row: int) -> Floats:
    """Return (N,) probabilities, within its vocabulary, of the label in a row of fc8."""
    logits = np.concatenate(
        [setting.engine.run(pictures[start : start + _BATCH]).logits for start in range(0, len(pictures), _BATCH)]
    )
    vocabulary, rows = setting.checkpoint.vocabulary_at(row)
    return probabilities(logits[:, rows], vocabulary)[:, row - rows.start]


def likeliest(setting: Setting, output: Output) -> int:
    """Return the row of fc8 of the most probable label of all softmax vocabularies, for one picture."""
    best: dict[int, float] = {}
    for vocabulary in setting.checkpoint.vocabularies:
        if vocabulary.name in setting.rows:
            rows = setting.rows[vocabulary.name]
            shares = probabilities(output.logits[0, rows], vocabulary)
            best[rows.start + int(shares.argmax())] = float(shares.max())
    return max(best, key=lambda row: best[row])


def map_of(
    kind: str, setting: Setting, pixels: Pixels, row: int, output: Output, random: np.random.Generator
) -> Floats:
    """Return the (13, 13) map of one kind for a label of one picture."""
    if kind == "centre":
        return arithmetic.centre_map(CELLS)
    if kind == "random":
        return random.random((CELLS, CELLS), np.float32)
    if kind == "occlusion":
        preprocessing = setting.checkpoint.preprocessing
        pictures = np.stack(
            [occlusion.covered(pixels, patch, preprocessing) for patch in occlusion.patches(len(pixels), CELLS)]
        )
        whole = scores_of(setting, pixels[None], row)
        return (whole - scores_of(setting, pictures, row)).reshape(CELLS, CELLS)
    gradient = explain.gradient(output, 0, setting.checkpoint, row)
    activations_CHW = output.maps[setting.checkpoint.architecture.last_convolution][0]
    method = next(method for method in explain.METHODS if method == kind)
    return explain.class_map(gradient, activations_CHW, method)


def test_pictures(setting: Setting, pixels: Pixels, map_HW: Floats, random: np.random.Generator) -> Pixels:
    """Return what a map is tested on: the steps of deletion, the steps of insertion, and the faded picture.

    The steps leave out the whole picture and the covered one, which all maps share.
    """
    size = len(pixels)
    places = arithmetic.ranks(drawing.enlarge(map_HW, size, setting.checkpoint.architecture), random)
    mean = setting.checkpoint.preprocessing.mean
    base = baseline_of(setting, pixels)
    inner = [step / setting.steps for step in range(1, setting.steps)]
    deleted = arithmetic.covered(pixels, base, places, inner)
    inserted = arithmetic.covered(base, pixels, places, inner)
    faded = arithmetic.dimmed(pixels, arithmetic.stretch(arithmetic.shares_of(map_HW), size), mean)
    return np.concatenate([deleted, inserted, faded[None]])


def baseline_of(setting: Setting, pixels: Pixels) -> Pixels:
    """Return the (H, W, 3) picture of which nothing is left: the mean colour, or itself blurred."""
    if setting.baseline == "blur":
        return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(len(pixels) / 20)))
    return np.broadcast_to(np.rint(setting.checkpoint.preprocessing.mean).astype(np.uint8), pixels.shape)


def measure(setting: Setting, pixels: Pixels, kinds: Sequence[str], random: np.random.Generator) -> dict[str, Scores]:
    """Put every kind of map of one (S, S, 3) picture to the test."""
    output = setting.engine.run(pixels[None], maps=explain.needed_activations(setting.checkpoint.architecture))
    row = likeliest(setting, output)
    tests = [
        test_pictures(setting, pixels, map_of(kind, setting, pixels, row, output, random), random) for kind in kinds
    ]
    ends = np.stack([pixels, baseline_of(setting, pixels)])
    found = scores_of(setting, np.concatenate([ends, *tests]), row)
    whole, nothing = found[:2]
    parts = found[2:].reshape(len(kinds), -1)
    inner = setting.steps - 1
    return {
        kind: Scores(
            deletion=arithmetic.area([whole, *part[:inner], nothing]),
            insertion=arithmetic.area([nothing, *part[inner:-1], whole]),
            drop=float(arithmetic.drops(whole, part[-1])),
            increase=float(arithmetic.increases(whole, part[-1])),
        )
        for kind, part in zip(kinds, parts, strict=True)
    }


def pictures_of(folder: Path, number: int, takes: TakesPictures) -> Iterator[Pixels]:
    """Yield at most ``number`` held-out pictures (S, S, 3) from all over a set, or from a folder without splits."""
    layout = find_layout(folder)
    split = layout.whole() if layout.whole else read_split(folder, "evaluation")
    for index in evenly_spaced(len(split.pictures), number, split.pictures.blocks):
        with open_picture(split.pictures.read(int(index))) as picture:
            yield prepare(picture, takes)[0]


def table_of(found: dict[str, list[Scores]]) -> Table:
    """The mean of each figure with its 95 % interval, and how far deletion and insertion are from chance."""
    table = Table("map", "n", "deletion", "below chance", "insertion", "above chance", "average drop", "increase")
    chance = found["random"]
    for kind, scores in found.items():
        if not scores:
            continue
        pairs = list(zip(scores, chance, strict=False))  # occlusion may be measured on fewer pictures
        own = scores is chance
        table.add_row(
            kind,
            str(len(scores)),
            _interval([s.deletion for s in scores]),
            "" if own else _interval([r.deletion - s.deletion for s, r in pairs]),
            _interval([s.insertion for s in scores]),
            "" if own else _interval([s.insertion - r.insertion for s, r in pairs]),
            _interval([s.drop for s in scores]),
            _interval([s.increase for s in scores]),
        )
    return table


def _interval(values: Sequence[float]) -> str:
    mean, half = student_interval(values)
    return f"{mean:.3f} ± {half:.3f}"


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faithfulness", description=_FIRST_LINE)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a set, or a folder of classes")
    parser.add_argument("--n", type=whole(), default=1000, help="pictures of all sets together (default: 1000)")
    parser.add_argument("--occlusion", type=whole(0), default=None, metavar="N", help="pictures with an occlusion map")
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED)
    parser.add_argument("--baseline", choices=("mean", "blur"), default="mean", help="what covers (default: mean)")
    parser.add_argument("--steps", type=whole(), default=8, help="parts into which the pixels are divided (default: 8)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where every picture's figures are written, as they come")
    options = parser.parse_args()
    setting = setting_of(options.checkpoint, options.baseline, options.steps)
    each = -(-options.n // len(options.data))
    sets = [list(pictures_of(folder, each, setting.checkpoint.architecture)) for folder in options.data]
    mixed = [pixels for group in zip_longest(*sets) for pixels in group if pixels is not None]
    found: dict[str, list[Scores]] = {kind: [] for kind in KINDS}
    random = np.random.default_rng(options.seed)
    most = len(mixed) if options.occlusion is None else options.occlusion
    for number, pixels in enumerate(track(mixed, "Measuring")):
        kinds = [kind for kind in KINDS if kind != "occlusion" or number < most]
        for kind, scores in measure(setting, pixels, kinds, random).items():
            found[kind].append(scores)
        if options.json:
            options.json.write_text(json.dumps({kind: [asdict(s) for s in all_] for kind, all_ in found.items()}))
    console = Console(width=160)
    console.print(f"{setting.engine.name}, baseline {options.baseline}, {options.steps} steps, seed {options.seed}")
    console.print(table_of(found))


if __name__ == "__main__":
    main()
