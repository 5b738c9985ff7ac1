"""Pictures with a table of their classes beside them, and WebDataset shards."""

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training import made
from training import data
from training.data import DataError
from training.data.columns import named_columns
from training.data.decode import decode
from training.data.layouts import read_split

# ---------------------------------------------------------------- tables beside pictures


def flat(root: Path, count: int) -> list[str]:
    root.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (root / f"{number:03}.png").write_bytes(made.encoded(number))
    return [f"{number:03}.png" for number in range(count)]


def rows(names: list[str], form: str = "{name},{label}") -> str:
    return "".join(form.format(name=n, stem=n[:-4], label=("cat", "dog")[i % 2]) + "\n" for i, n in enumerate(names))


def csv_beside(root: Path) -> None:
    (root / "labels.csv").write_text("file,label\n" + rows(flat(root, 20)))


def csv_without_header(root: Path) -> None:
    (root / "labels.csv").write_text(rows(flat(root, 20), "{name};{label}"))


def csv_of_ids(root: Path) -> None:
    (root / "labels.csv").write_text("id,breed\n" + rows(flat(root / "photos", 20), "{stem},{label}"))


def csv_with_index(root: Path) -> None:
    text = "".join(f"{i},{line}\n" for i, line in enumerate(rows(flat(root, 20)).splitlines()))
    (root / "labels.csv").write_text(",file,label\n" + text)


def jsonl(root: Path) -> None:
    (root / "metadata.jsonl").write_text(rows(flat(root, 20), '{{"file_name": "{name}", "label": "{label}"}}'))


def split_column(root: Path) -> None:
    text = "".join(
        f"{line},{'train' if i < 18 else 'test'}\n" for i, line in enumerate(rows(flat(root, 20)).splitlines())
    )
    (root / "labels.csv").write_text("filepaths,labels,data set\n" + text)


def table_for_each_split(root: Path) -> None:
    for split, count in (("train", 18), ("test", 2)):
        names = flat(root / split, count)
        (root / f"{split}.csv").write_text("file,class\n" + rows([f"{split}/{name}" for name in names]))


def table_within_each_split(root: Path) -> None:
    for split, count in (("train", 18), ("validation", 2)):
        (root / split / "metadata.csv").parent.mkdir()
        (root / split / "metadata.csv").write_text("file_name,label\n" + rows(flat(root / split, count)))


@pytest.mark.parametrize(
    "make",
    [
        csv_beside,
        csv_without_header,
        csv_of_ids,
        csv_with_index,
        jsonl,
        split_column,
        table_for_each_split,
        table_within_each_split,
    ],
)
def test_classes_may_stand_in_a_table_beside_the_pictures(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path)
    assert made.split_sizes(tmp_path) == (18, 2, 2)
    assert read_split(tmp_path, "train").classes == ("cat", "dog")
    assert "the classes are those of" in made.split_notes(tmp_path)
    assert len(data.load(str(tmp_path), "train", max_bad=0).pictures) == 18


def test_rows_of_a_table_without_a_picture_are_counted_and_a_column_may_be_named(tmp_path: Path) -> None:
    text = "".join(f"{name},{i},{'ab'[i % 2]}\n" for i, name in enumerate(flat(tmp_path, 20)))
    (tmp_path / "list.csv").write_text(f"photo,size,kind\n{text}gone.png,1,a\n")
    with pytest.raises(DataError, match=r"list.csv has no label column \(others: size, kind\): --label"):
        read_split(tmp_path, "train")
    with named_columns(None, "kind"):
        assert read_split(tmp_path, "train").classes == ("a", "b")
        assert "1 of its 21 rows name no picture that is there, or no class" in made.split_notes(tmp_path)


def test_a_picture_of_two_classes_is_said(tmp_path: Path) -> None:
    csv_beside(tmp_path)
    (tmp_path / "labels.csv").write_text((tmp_path / "labels.csv").read_text() + "000.png,dog\n")
    assert "1 pictures have several classes" in made.split_notes(tmp_path)


def test_tables_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    table_within_each_split(tmp_path)
    assert "left out: train/metadata.csv" in made.split_notes(tmp_path, "evaluation")


def test_a_table_that_is_no_table(tmp_path: Path) -> None:
    flat(tmp_path, 2)
    (tmp_path / "metadata.jsonl").write_text("{")
    with pytest.raises(DataError, match=r"metadata.jsonl is no table in UTF-8"):
        read_split(tmp_path, "train")


# ---------------------------------------------------------------- WebDataset


def tar(path: Path, samples: list[dict[str, bytes]], start: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as file:
        for number, sample in enumerate(samples, start):
            for suffix, content in sample.items():
                member = tarfile.TarInfo(f"{number:06}.{suffix}")
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))


def samples(count: int, suffix: str = "cls", texts: tuple[bytes, bytes] = (b"0", b"1")) -> list[dict[str, bytes]]:
    return [{"png": made.encoded(i), suffix: texts[i % 2]} for i in range(count)]


def test_tar_shards_are_read_through_webdataset(tmp_path: Path) -> None:
    pytest.importorskip("webdataset")
    tar(tmp_path / "mugs-train-000000.tar", samples(10))
    tar(tmp_path / "mugs-train-000001.tar", samples(8), start=10)
    tar(tmp_path / "mugs-val-000000.tar", samples(4))
    assert made.split_sizes(tmp_path) == (18, 4, 4)
    assert read_split(tmp_path, "train").classes == ("0", "1")
    (tmp_path / "classnames.txt").write_text("cat\ndog\n")
    assert read_split(tmp_path, "train").classes == ("cat", "dog")
    one = data.load(str(tmp_path), "train", cache="none", max_bad=0)
    pixels, _ = one.pictures.read_batch(np.array([11]))
    np.testing.assert_array_equal(pixels[0], decode(made.encoded(1), (30, 40)))
    for suffix, texts in (("json", (b'{"label": "cat"}', b'{"label": "dog"}')), ("cls", (b"cat", b"dog"))):
        tar(tmp_path / suffix / "0.tar", samples(20, suffix, texts))
        assert made.split_sizes(tmp_path / suffix) == (18, 2, 2)
        assert read_split(tmp_path / suffix, "train").classes == ("cat", "dog")
    tar(tmp_path / "said/0.tar", samples(20, "txt", (b"A cat.", b"A dog.")))
    assert read_split(tmp_path / "said", "train").captions[0] in (["A cat."], ["A dog."])


def test_tar_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tar(tmp_path / "a/0.tar", [{"png": made.encoded(0)}] * 2)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "webdataset", None)
        with pytest.raises(DataError, match=r"library webdataset reads: pip install 'glassbot\[webdataset\]'"):
            read_split(tmp_path / "a", "train")
    pytest.importorskip("webdataset")
    with pytest.raises(DataError, match=r"hold no picture with a class: a sample needs a \.cls"):
        read_split(tmp_path / "a", "train")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/0.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(DataError, match=r"0.tar cannot be read as a tar shard \(.*\): fetch it"):
        read_split(tmp_path / "b", "train")
