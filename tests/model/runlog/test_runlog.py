"""The run log's format, read here as docs/runlog.md tells it; its size; what a resumed run cuts away."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.architecture import Architecture
from model.runlog import reader, sprites, writer

Array = NDArray[np.float32]


def noise(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return random.standard_normal(shape, np.float32)


def network(size: int, random: np.random.Generator, **choices: Any) -> tuple[Array, dict[str, Array]]:
    """Kernels and rectified activations that are noise."""
    table = Architecture(input_size=size, **choices)
    maps = {row.name: np.maximum(0, noise(row.shape, random)) for row in table.layers if row.name in sprites.LAYERS}
    return noise(table.layer("conv1").weight_shape, random), maps


def tile(pixels: NDArray[np.uint8], block: dict[str, Any], i: int) -> NDArray[np.float64]:
    side = block["side"]
    x, y = i % 12 * side, block["y"] + i // 12 * side
    return pixels[y : y + side, x : x + side].astype(float)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


@pytest.fixture(scope="module")
def small() -> tuple[bytes, list[sprites.Block]]:
    return sprites.encode(*network(67, np.random.default_rng(0)))


@pytest.fixture
def add(small: tuple[bytes, list[sprites.Block]], path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Add a sheet at a step; always the same, because encoding one takes a second."""
    monkeypatch.setattr(sprites, "encode", lambda *_: small)
    return lambda step: writer.append_sheet(path, step, 67, np.zeros(0, np.float32), {})


def test_a_sheet_reads_back_as_the_document_says(path: Path) -> None:
    kernels, maps = network(227, np.random.default_rng(0))
    writer.append_sheet(path, 847, 227, kernels, maps)
    line = json.loads(path.read_text())
    assert (line["step"], line["size"]) == (847, 227)
    pixels = np.asarray(Image.open(path.parent / "metrics" / "0000847.webp").convert("RGB"))
    blocks = {block["name"]: block for block in line["sheet"]}
    assert list(blocks) == ["kernels", *sprites.LAYERS]
    for i, kernel in enumerate(kernels):  # within half a step, and the rounding of the peak
        peak = blocks["kernels"]["peaks"][i]
        read = (tile(pixels, blocks["kernels"], i) - 128) / 120 * peak
        np.testing.assert_allclose(read.transpose(2, 0, 1), kernel, atol=0.055 * peak)
    for name in ("conv2", "conv5", "pool5"):
        block, n = blocks[name], 48 if name == "pool5" else 12
        assert block["shape"] == list(maps[name].shape)
        assert len(block["peaks"]) == n
        for i, peak in enumerate(block["peaks"]):
            read = tile(pixels, block, i)[..., 0] / 252 * peak
            np.testing.assert_allclose(read, maps[name][i * len(maps[name]) // n], atol=0.028 * peak)


def test_a_large_map_is_shrunk_by_means(path: Path) -> None:
    kernels, maps = network(227, np.random.default_rng(0))
    maps["conv1"][0] = np.linspace(0, 54, 55, dtype=np.float32)
    writer.append_sheet(path, 1, 227, kernels, maps)
    block = reader.sheets(path)[0].blocks[1]
    assert (block.name, block.shape, block.side) == ("conv1", (96, 55, 55), 27)
    pixels = np.asarray(Image.open(reader.sheets(path)[0].file).convert("RGB"))
    row = tile(pixels, {"side": 27, "y": block.y}, 0)[3, :, 0] / 252 * block.peaks[0]
    np.testing.assert_allclose(row, np.arange(27) * 55 / 27 + 14 / 27, atol=1.8)


def test_dead_channels_negative_maps_and_other_shapes_can_be_kept(path: Path) -> None:
    kernels, maps = network(67, np.random.default_rng(0), channels=(64, 8, 384, 384, 20), columns=1, without="conv4")
    kernels[3], maps["conv3"][:], maps["conv2"][0] = 0, 0, -1
    writer.append_sheet(path, 0, 67, kernels, maps)
    (found,) = reader.sheets(path)
    blocks = {block.name: block for block in found.blocks}
    assert "conv4" not in blocks
    assert {name: len(block.peaks) for name, block in blocks.items()} == {
        "kernels": 64,
        "conv1": 12,
        "conv2": 8,
        "conv3": 12,
        "conv5": 12,
        "pool5": 20,
    }
    assert (blocks["kernels"].peaks[3], blocks["conv2"].peaks[0], set(blocks["conv3"].peaks)) == (0, 0, {0})
    pixels = np.asarray(Image.open(found.file).convert("RGB"))
    assert found.pixels == pixels.shape[1::-1]
    assert (tile(pixels, {"side": 11, "y": 0}, 3) == 128).all()


@pytest.mark.slow
def test_ninety_epochs_of_noise_fit_into_three_megabytes(path: Path) -> None:
    random, step = np.random.default_rng(0), 0
    sheets = 0
    for epoch in range(90):
        for _ in range(34):
            step += 25
            entry = {"loss": 4.1234, "images_per_second": 6789.1, "lr": 0.00098765}
            writer.append(path, {"step": step, "size": 227, **entry})
        figures = {name: {"top1": 0.1234, "top5": 0.2345, "n": 5000} for name in ("object", "scene")}
        writer.append(path, {"step": step, "size": 227, "measured": {**figures, "word": {"map": 0.1234, "n": 1000}}})
        if epoch % 30 == 0:  # every sheet takes a second to compress, and noise is noise: three stand for ninety
            writer.append_sheet(path, step, 227, *network(227, random))
            sheets += 1
    files = sum(file.stat().st_size for file in (path.parent / "metrics").iterdir())
    sheet_lines = sum(len(line) + 1 for line in reader.lines(path) if '"sheet"' in line)
    total = path.stat().st_size - sheet_lines + (files + sheet_lines) * 90 / sheets
    print(f"90 epochs: {total / 1e6:.2f} MB, a sheet {files / sheets / 1e3:.1f} kB")
    assert total <= 3e6


def test_a_run_log_is_cut_back_to_its_state(path: Path, add: Callable[[int], None]) -> None:
    for step in (100, 200, 300):
        writer.append(path, {"step": step - 50, "loss": 1.0})
        add(step)
    folder = path.parent / "metrics"
    reader.picture_path(path).write_bytes(b"the photo")
    (folder / "0000400.webp").write_bytes(b"no line was written for it")
    (folder / "0000100.webp.half").write_bytes(b"half")
    (folder / "notes.webp").write_bytes(b"somebody's own")
    writer.cut_back(path, 200)
    assert [entry["step"] for entry in reader.entries(path)] == [50, 100, 150, 200]
    names = {file.name for file in folder.iterdir()}
    assert names == {"picture.webp", "0000100.webp", "0000200.webp", "notes.webp"}
    assert [sheet.step for sheet in reader.sheets(path)] == [100, 200]
    writer.cut_back(path, 0)
    assert reader.entries(path) == []
    assert reader.picture_path(path).exists()


def test_cutting_back_an_absent_run_log_begins_an_empty_one(path: Path) -> None:
    writer.cut_back(path, 0)
    assert path.read_text() == ""
    assert reader.entries(path.with_name("other.jsonl")) == []
    assert reader.sheets(path) == []


GARBLED = [
    '{"step": 5, "loss": 1.',
    "",
    "null",
    "[1, 2]",
    '"step"',
    '{"loss": 1}',
    '{"step": "5"}',
    '{"step": true}',
    '{"step": -1}',
    '{"step": 1e3}',
    '{"step": 99999999999999999999}',
    '{"step": ' + "9" * 5000 + "}",
    "[" * 100_000,
    "\x00\x01",
]


def test_lines_that_are_no_entries_are_left_out(path: Path) -> None:
    good = ['{"step": 1, "loss": 2.0}', '{"step": 2, "note": "a\u2028b"}']
    path.write_bytes("\n".join([good[0], *GARBLED, good[1]]).encode() + b'\n{"step": 3, "\xff\xfe')
    assert [entry["step"] for entry in reader.entries(path)] == [1, 2]
    writer.cut_back(path, 2)
    assert path.read_text("utf-8").split("\n") == [*good, ""]


@pytest.mark.parametrize(
    "blocks",
    [
        None,
        {},
        [],
        [{}],
        [1],
        [{"name": "conv1", "shape": [96, 55], "side": 27, "y": 0, "peaks": [1]}],
        [{"name": "conv1", "shape": [96, 55, 55], "side": 0, "y": 0, "peaks": [1]}],
        [{"name": "conv1", "shape": [96, 55, 55], "side": 10**9, "y": 0, "peaks": [1]}],
        [{"name": "conv1", "shape": [96, 55, 55], "side": 27, "y": -5, "peaks": [1]}],
        [{"name": "conv1", "shape": [96, 55, 55], "side": 27, "y": 0, "peaks": []}],
        [{"name": "conv1", "shape": [96, 55, 55], "side": 27, "y": 0, "peaks": ["high"]}],
        [{"name": "conv1", "shape": [96, 55, float("inf")], "side": 27, "y": 0, "peaks": [1]}],
        [{"name": "conv1", "shape": [96, 55, 55], "side": 27, "y": 0, "peaks": [1]}] * 17,
    ],
)
def test_a_sheet_that_does_not_describe_itself_is_left_out(
    path: Path, add: Callable[[int], None], blocks: object
) -> None:
    add(1)
    (path.parent / "metrics" / "0000002.webp").write_bytes(b"there")
    writer.append(path, {"step": 2, "size": 67, "sheet": blocks})
    writer.append(path, {"step": 3, "size": 67, "sheet": reader.entries(path)[0]["sheet"]})  # its file is not there
    assert [sheet.step for sheet in reader.sheets(path)] == [1]


def test_a_sheet_is_a_lossless_rgb_webp(small: tuple[bytes, list[sprites.Block]]) -> None:
    body, _ = small
    assert (body[:4], body[8:16]) == (b"RIFF", b"WEBPVP8L")
    with Image.open(BytesIO(body)) as picture:
        assert picture.mode == "RGB"
