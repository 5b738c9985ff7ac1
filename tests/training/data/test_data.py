"""Picture sets as they come: both forms give the same, and broken pictures neither stop a run nor go unnamed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from model.architecture import Architecture
from model.engines import Output
from tests.training import made
from training import data
from training.data import (
    BrokenPicture,
    Cache,
    DataError,
    Indices,
    InMemory,
    PictureSet,
    decode,
    memory,
    row_groups,
    stream,
)
from training.data.decode import Pixels
from training.data.shards import Shards
from training.evaluation.accuracy import accuracy_by_class, accuracy_figures, predict_scores
from training.trainer.sources import Source, build_sources

CACHES: tuple[Cache, Cache] = ("memory", "none")


def everything(one: PictureSet) -> tuple[Pixels, Indices]:
    """Two epochs in batches."""
    order = stream(len(one.pictures), 0, 2 * len(one.pictures), 0, one.pictures.blocks)
    batches = [one.pictures.read_batch(order[start : start + 7]) for start in range(0, len(order), 7)]
    return np.concatenate([pixels for pixels, _ in batches]), np.concatenate([shown for _, shown in batches])


@pytest.mark.parametrize("kind", ["folders", "mixed folders", "shards"])
def test_streamed_pictures_are_those_in_memory_bit_for_bit(kind: str, tmp_path: Path) -> None:
    counts = {"cat": 12, "dog": 31}
    root = made.shards(tmp_path) if kind == "shards" else made.folders(tmp_path, counts, mixed="mixed" in kind)
    held, streamed = (data.load(f"pet={root}", "train", cache=cache, side=24) for cache in CACHES)
    assert isinstance(held.pictures, InMemory)
    assert not isinstance(streamed.pictures, InMemory)
    assert held.pictures.shape == streamed.pictures.shape == ((24, 24) if "mixed" in kind else (30, 40))
    assert held.pictures.blocks == streamed.pictures.blocks
    np.testing.assert_array_equal(held.targets, streamed.targets)
    for one, other in zip(everything(held), everything(streamed), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cache", CACHES)
def test_a_source_gives_the_batch_of_its_step_whatever_came_before(cache: Cache, tmp_path: Path) -> None:
    root = made.shards(tmp_path)
    one = data.load(f"letter={root}", "train", cache=cache)
    source, again = (build_sources([one], 8, torch.device("cpu"))[0] for _ in range(2))
    for step in (0, 1, 2, 9, 3, 4, 0):
        pixels, targets = source.batch(step, 5)
        wanted, labels = again.take(again.indices(step, 5))
        assert pixels.dtype == torch.uint8
        assert torch.equal(pixels, wanted)
        assert torch.equal(targets, labels)
    halves = [source.batch(3, 5, part) for part in (slice(0, 4), slice(4, 8))]
    assert torch.equal(torch.cat([p for p, _ in halves]), source.batch(3, 5)[0])


def calls_of(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> list[Any]:
    """What ``place.name`` is called with from now on; it still does what it did."""
    calls: list[Any] = []
    real = getattr(place, name)

    def noted(*given: Any) -> Any:
        calls.append(given)
        return real(*given)

    monkeypatch.setattr(place, name, noted)
    return calls


def decode_what_was_asked_for() -> None:
    """Wait until all that earlier tests asked for ahead is read and decoded."""
    decode.pool(decode.threads_for(1)).shutdown()
    decode.pool.cache_clear()


def test_streaming_starts_without_decoding_and_decodes_each_batch_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode_what_was_asked_for()
    decoded, read = calls_of(monkeypatch, decode, "decode"), calls_of(monkeypatch, Shards, "read")
    one = data.load(f"letter={made.shards(tmp_path, train=200)}", "train", cache="none")
    assert (len(decoded), len(read)) == (0, decode._SAMPLE)
    source = build_sources([one], 10, torch.device("cpu"))[0]
    for step in range(5):
        source.batch(step, 0)
    for step in (5, 6):
        one.pictures.read_batch(source.indices(step, 0))
    assert len(decoded) == 70  # five steps, and two ahead


def test_shards_are_read_a_row_group_at_a_time_about_once_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode_what_was_asked_for()
    monkeypatch.setattr(row_groups, "_WINDOW_BYTES", 1)
    root = made.shards(tmp_path, train=96)
    one = data.load(f"letter={root}", "train", cache="none")
    assert one.pictures.blocks == data.Blocks(rows=(8,) * 12, window=1)
    read = calls_of(monkeypatch, Shards, "_read_group")
    source = build_sources([one], 8, torch.device("cpu"))[0]
    for step in range(24):
        source.batch(step, 0)
    assert 20 <= len(read) <= 30


def test_a_batch_that_was_prefetched_and_never_read_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decode_what_was_asked_for()
    one = data.load(f"letter={made.shards(tmp_path)}", "train", cache="none").pictures
    for start in range(0, 50, 5):
        one.prefetch(np.arange(start, start + 5))
    decoded = calls_of(monkeypatch, decode, "decode")
    one.read_batch(np.arange(45, 50))
    assert len(decoded) <= 15 + decode.threads_for(1)  # a thread may be about to decode for a batch that gave way
    pixels, shown = one.read_batch(np.arange(0, 0))
    assert (pixels.shape, shown.shape) == ((0, 30, 40, 3), (0,))


def break_some(root: Path) -> list[str]:
    """Break three pictures of ``folders(root, {"cat": 12, "dog": 30})`` that have ``train/`` and ``val/``."""
    names = ["cat/004.png", "cat/011.png", "dog/000.png"]
    (root / names[0]).write_bytes(made.encoded(1)[:200])
    (root / names[1]).write_text("no picture")
    (root / names[2]).write_bytes(b"")
    return [str(root / name) for name in names]


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    made.folders(tmp_path / "train", {"cat": 12, "dog": 30})
    made.folders(tmp_path / "val", {"cat": 4, "dog": 5})
    return tmp_path


@pytest.mark.parametrize("cache", CACHES)
def test_a_broken_picture_is_named_and_the_next_good_one_stands_in(cache: Cache, halves: Path) -> None:
    names = break_some(halves / "train")
    one = data.load(f"pet={halves}", "train", cache=cache, max_bad=0.1)
    pixels, shown = one.pictures.read_batch(np.arange(42))
    expected = np.arange(42)
    expected[[4, 11, 12]] = 5, 13, 13
    np.testing.assert_array_equal(shown, expected)
    np.testing.assert_array_equal(pixels[11], pixels[13])
    assert [b.name for b in one.broken] == names
    assert [b.reason for b in one.broken][1:] == ["not a picture in a known format"] * 2
    assert str(BrokenPicture("a.png", "no picture")) == "a.png (no picture)"
    source: Source = build_sources([one], 42, torch.device("cpu"))[0]
    _, targets = source.take(np.array([11, 12, 0]))
    assert targets.tolist() == [1, 1, 0]  # of the dog that stands in for a cat


@pytest.mark.parametrize("cache", CACHES)
def test_batches_hold_each_good_picture_once(cache: Cache, halves: Path) -> None:
    break_some(halves / "train")
    one = data.load(f"pet={halves}", "train", cache=cache, max_bad=3)
    indices, pixels = (np.concatenate(part) for part in zip(*one.iterate_batches(5), strict=True))
    assert indices.tolist() == [i for i in range(42) if i not in (4, 11, 12)]
    assert len({p.tobytes() for p in pixels}) == len(pixels) == 39
    parts = [i for part in (slice(0, 20), slice(20, 42)) for i, _ in one.iterate_batches(8, part)]
    np.testing.assert_array_equal(np.concatenate(parts), indices)
    assert one.sample(10).shape == (10, 30, 40, 3)
    some = one.subset(np.array([11, 0]))
    assert some.targets.tolist() == [1, 0]
    np.testing.assert_array_equal(
        some.pictures.read_batch(np.array([0]))[0], one.pictures.read_batch(np.array([13]))[0]
    )


class CatOrDog:
    """Says that everything is a cat."""

    name, architecture = "fake", Architecture(outputs=2, input_size=67)

    def run(self, pictures: Pixels, *, maps: Sequence[str] = ()) -> Output:  # noqa: ARG002
        return Output(np.tile(np.array([1, 0], np.float32), (len(pictures), 1)), {})


@pytest.mark.parametrize("cache", CACHES)
def test_a_broken_picture_counts_in_no_figure(cache: Cache, halves: Path) -> None:
    (halves / "val/cat/000.png").write_text("no picture")
    one = data.load(f"pet={halves}", "validation", cache=cache)
    answers = predict_scores(CatOrDog(), one, slice(0, 2))
    assert np.isnan(answers[0]).all()
    assert accuracy_figures(one, answers)["n"] == 8
    assert accuracy_figures(one, answers)["top1"] == 0.375
    assert accuracy_by_class(one, answers) == [("cat", 1.0), ("dog", 0.0)]


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("max_bad", [0, 0.04, 2])
def test_too_many_broken_pictures_end_the_run(cache: Cache, max_bad: float, halves: Path) -> None:
    break_some(halves / "train")
    with pytest.raises(DataError, match=r"More than [02] of the 42 pictures of the train split .* cannot be decoded"):
        list(data.load(f"pet={halves}", "train", cache=cache, max_bad=max_bad).iterate_batches(64))


def test_one_broken_picture_of_a_small_set_is_no_reason_to_stop(
    halves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (halves / "val/dog/002.png").write_text("no picture")
    assert len(data.load(f"pet={halves}", "validation").broken) == 1
    line = capsys.readouterr().out
    assert "1 broken and skipped, the first" in line
    assert "002.png (not a picture in a known format)" in line


def test_a_row_without_bytes_is_broken(tmp_path: Path) -> None:
    pictures = [made.encoded(0), None, b"", made.encoded(3)]
    path = made.shard(tmp_path / "validation-0.parquet", pictures, rows_per_group=2, label=[0, 1, 1, 0])
    one = data.load(f"x={tmp_path}", "validation", cache="none", max_bad=2)
    assert one.pictures.read_batch(np.arange(4))[1].tolist() == [0, 3, 3, 3]
    assert [str(b) for b in one.broken] == [f"{path}:{row} (no bytes in its row)" for row in (1, 2)]


def test_auto_streams_what_does_not_fit_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made.folders(tmp_path, {"cat": 20, "dog": 20})
    decoded = 36 * 40 * 30 * 3
    for free, world, held in ((2 * decoded, 1, True), (2 * decoded - 2, 1, False), (2 * decoded, 2, False)):
        monkeypatch.setattr(memory, "free_bytes", lambda free=free: free)
        one = data.load(f"pet={root}", "train", world=world)
        assert isinstance(one.pictures, InMemory) == held
        line = f"pet train: 36 pictures, 40 × 30 px, {'in memory (0.1 MB)' if held else 'streamed (0.1 MB decoded)'}\n"
        assert capsys.readouterr().out == line
    data.load(f"pet={root}", "train", rank=1, world=2)
    assert not capsys.readouterr().out


def test_free_memory_is_a_sensible_number() -> None:
    assert 10**6 < memory.free_bytes() < 10**15


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_large_pictures_become_the_middle_square(form: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number in range(2):
        stripes = np.zeros((300, 1200, 3), np.uint8)
        stripes[:, 450:750] = 200
        Image.fromarray(stripes).save(tmp_path / "a" / f"{number}.{form.lower()}")
    pixels, _ = data.load(f"x={tmp_path}", "train", side=32).pictures.read_batch(np.array([0]))
    assert pixels.shape == (1, 32, 32, 3)
    assert abs(pixels[0, :, 2:-2].astype(int) - 200).max() < 8
