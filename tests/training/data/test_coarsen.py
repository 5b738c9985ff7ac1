"""``coarsen`` writes a set once more: small pictures, the same ones each time, and all else as it was."""

import io
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.training import made
from training import data
from training.__main__ import main
from training.data.coarsen import coarsen
from training.data.layouts import read_split

FILES = ("train-00000.parquet", "train-00001.parquet", "validation-00000.parquet")


def coarsened(folder: Path, out: Path, *options: object) -> Path:
    assert main(["coarsen", str(folder), "--out", str(out), *map(str, options)]) == 0
    return out


def pictures_in(shard: Path, column: str = "image") -> list[bytes]:
    cells: list[Any] = pq.read_table(shard).column(column).to_pylist()
    return [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells]


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence on which ``coarsen`` ends."""
    assert main(["coarsen", *map(str, arguments)]) == 2
    text = capsys.readouterr().err
    assert text.startswith("training: ")
    assert text.endswith(".\n")
    assert text.count("\n") == 1
    return text


def test_only_the_pictures_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = made.shards(tmp_path / "sharp")
    after = coarsened(before, tmp_path / "coarse", "--side", 16)
    assert f"{after / FILES[2]}: 9 pictures, 16 × 16 px" in capsys.readouterr().out
    assert tuple(sorted(path.name for path in after.iterdir())) == FILES
    for name in FILES:
        old, new = pq.read_table(before / name), pq.read_table(after / name)
        assert new.schema.equals(old.schema, check_metadata=True)
        assert new.column("label").equals(old.column("label"))
        assert pq.ParquetFile(after / name).metadata.num_row_groups == 1
        for picture in map(Image.open, map(io.BytesIO, pictures_in(after / name))):
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (16, 16))


def test_a_seed_stands_for_its_choices(tmp_path: Path) -> None:
    folder = made.shards(tmp_path / "sharp")
    for out, seed in (("once", 0), ("again", 0), ("other", 1)):
        coarsened(folder, tmp_path / out, "--seed", seed)
    once, again, other = ([pictures_in(tmp_path / out / name) for name in FILES] for out in ("once", "again", "other"))
    assert once == again
    assert once != other


def test_choices_are_drawn_as_they_were_for_the_sets_that_were_measured(tmp_path: Path) -> None:
    folder = made.shards(tmp_path / "sharp", train=30)
    chance = random.Random(0)
    expected = []
    for name in FILES:
        for old in pictures_in(folder / name):
            kernels = [Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]
            small = Image.open(io.BytesIO(old)).crop((5, 0, 35, 30))
            small = small.resize((64, 64), chance.choice([*kernels, Image.Resampling.LANCZOS]))
            file = io.BytesIO()
            small.save(file, "JPEG", quality=chance.choice([75, 85, 90, 95]), subsampling=chance.choice([0, 2]))
            expected.append(file.getvalue())
    after = coarsened(folder, tmp_path / "coarse")
    assert [picture for name in FILES for picture in pictures_in(after / name)] == expected


def test_what_is_written_is_a_set_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made.shards(tmp_path / "sharp")
    after = coarsened(folder, tmp_path / "coarse")
    for split in ("train", "validation"):
        old, new = read_split(folder, split), read_split(after, split)
        assert new.classes == old.classes
        assert new.labels.tolist() == old.labels.tolist()
    assert data.load(f"object={after}", "train").sample(3).shape == (3, 64, 64, 3)
    assert main(["inspect", str(after)]) == 0
    assert "64 × 64 px" in capsys.readouterr().out


def test_rows_are_written_a_thousand_at_a_time(tmp_path: Path) -> None:
    made.shard(tmp_path / "a/train-0.parquet", [made.encoded(1)] * 1100, rows_per_group=1100, label=[0] * 1100)
    written = pq.ParquetFile(coarsened(tmp_path / "a", tmp_path / "b", "--side", 2) / "train-0.parquet").metadata
    assert [written.row_group(i).num_rows for i in range(written.num_row_groups)] == [1024, 76]


def test_a_clone_of_the_hub_with_captions_keeps_its_folders_and_words(tmp_path: Path) -> None:
    said = [["A dog."], ["A cat."]]
    for split in ("train", "validation"):
        made.shard(tmp_path / f"a/data/{split}-0.parquet", [made.encoded(i) for i in range(2)], captions=said)
    (tmp_path / "a/words.txt").write_text("dog\tdog dogs\n")
    after = coarsened(tmp_path / "a", tmp_path / "b")
    assert read_split(after, "validation").captions == said
    assert data.load(f"word={after}", "train").vocabulary.ids == ("dog",)


def test_plain_bytes_in_a_named_column_stay_plain(tmp_path: Path) -> None:
    picture = pa.array([made.encoded(1)], pa.binary())
    (tmp_path / "a").mkdir()
    pq.write_table(pa.table({"left": picture, "right": picture, "label": [0]}), tmp_path / "a/0.parquet")
    shard = coarsened(tmp_path / "a", tmp_path / "b", "--image-column", "right") / "0.parquet"
    assert pq.read_schema(shard).field("right").type == pa.binary()
    assert pictures_in(shard, "left") == [made.encoded(1)]
    assert Image.open(io.BytesIO(pictures_in(shard, "right")[0])).size == (64, 64)


def test_folders_without_shards_and_folders_with_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made.shards(tmp_path / "sharp")
    classes = made.folders(tmp_path / "classes", {"cat": 1})
    out = tmp_path / "out"
    assert "There is no folder" in refusal(capsys, tmp_path / "gone", "--out", out)
    assert "classes holds no Parquet shards: name a set" in refusal(capsys, classes, "--out", out)
    assert "sharp holds files already: give --out a new folder" in refusal(capsys, folder, "--out", folder)
    assert "is a file: give --out a new folder" in refusal(capsys, folder, "--out", folder / FILES[0])
    assert "--side must be from 1 to 65,500 pixels, not 0" in refusal(capsys, folder, "--out", out, "--side", 0)
    assert not out.exists()


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (None, r"train-0\.parquet:9 holds no bytes of a picture: write that shard again"),
        (b"", r"train-0\.parquet:9 holds no bytes of a picture: write that shard again"),
        (b"no picture", r"A picture cannot be read, .*train-0\.parquet:9 \(.+\): take its row out"),
        (made.encoded(3)[:90], r"A picture cannot be read, .*train-0\.parquet:9 \(.+\): take its row out"),
    ],
)
def test_a_row_without_a_picture_is_named_and_nothing_is_written(
    row: bytes | None, sentence: str, tmp_path: Path
) -> None:
    made.shard(tmp_path / "a/train-0.parquet", [*[made.encoded(1)] * 9, row], label=[0] * 10)
    with pytest.raises(data.DataError, match=sentence):
        list(coarsen(tmp_path / "a", tmp_path / "b"))
    assert not list((tmp_path / "b").iterdir())
