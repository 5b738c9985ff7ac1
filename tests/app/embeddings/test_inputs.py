"""What may be given to be taught: folders, ZIPs and tables, and what is wrong with them."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.embeddings import class_folders
from app.embeddings.inputs import Given, read_inputs
from app.startup import StartError

PNG = b"\x89PNG"


def read(*paths: Path) -> tuple[dict[str, list[bytes]], list[str]]:
    """The bytes of the photos by name, and the problems; what cannot be read is its reason."""
    with ExitStack() as opened:
        given = read_inputs(paths, opened)
        return {name: [content(given, name, n) for n in range(len(photos))] for name, photos in given.photos.items()}, (
            given.problems
        )


def content(given: Given, name: str, number: int) -> bytes:
    try:
        return given.photos[name][number].read()
    except OSError as error:
        return str(error).encode()


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def zipped(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return path


def test_a_folder_of_class_folders_gives_a_name_each(tmp_path: Path) -> None:
    write(tmp_path / "mugs/red/a.jpg", b"1")
    write(tmp_path / "mugs/red/closer/b.JPG", b"2")
    write(tmp_path / "mugs/blue/c.png", b"3")
    write(tmp_path / "mugs/blue/notes.txt", b"?")
    write(tmp_path / "mugs/.git/d.png", b"?")
    (tmp_path / "mugs/empty").mkdir()
    assert read(tmp_path / "mugs") == (
        {"blue": [b"3"], "red": [b"1", b"2"]},
        [f"{tmp_path}/mugs/empty holds no photo."],
    )


def test_a_folder_of_photos_is_one_name_and_a_stray_photo_is_named(tmp_path: Path) -> None:
    write(tmp_path / "my mug/a.jpg", b"1")
    assert read(tmp_path / "my mug") == ({"my mug": [b"1"]}, [])
    write(tmp_path / "my mug/handle/b.jpg", b"2")
    photos, [problem] = read(tmp_path / "my mug")
    assert photos == {"handle": [b"2"]}
    assert "holds the photo a.jpg, beside its folders" in problem


def test_the_same_name_in_several_inputs_is_one_name(tmp_path: Path) -> None:
    write(tmp_path / "one/mug/a.jpg", b"1")
    write(tmp_path / "mug/b.jpg", b"2")
    write(tmp_path / "t.csv", "mug/c.jpg,mug\n")
    write(tmp_path / "mug/c.jpg", b"3")
    photos, _ = read(tmp_path / "one", tmp_path / "mug", tmp_path / "t.csv")
    assert photos == {"mug": [b"1", b"2", b"3", b"3"]}


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg,red\nsub/b.jpg,blue\n",
        "file,label\na.jpg,red\nsub/b.jpg,blue\n",
        "\ufefffile;label;why\na.jpg;red;\n\nsub/b.jpg;blue;\n",
        'sentence,File,confidence,Label\r\n"a, b",a.jpg,0.5,red\r\nx,sub/b.jpg,0.5,blue\r\ny,gone.jpg,1,\r\n',
    ],
)
def test_a_table_of_corrections_names_photos_relative_to_it(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.jpg", b"1")
    write(tmp_path / "sub/b.jpg", b"2")
    assert read(write(tmp_path / "t.csv", text)) == ({"red": [b"1"], "blue": [b"2"]}, [])


def test_a_table_may_name_photos_as_caption_does_and_a_missing_one_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "holiday/a.jpg", b"1")
    table = write(tmp_path / "out/t.csv", "file,label\nholiday/a.jpg,cat\nholiday/z.jpg,cat\n")
    monkeypatch.chdir(tmp_path)
    where = "paths are absolute, or start at the folder of the table or at the working directory"
    assert read(table) == ({"cat": [b"1"]}, [f"{table}, line 3: there is no photo holiday/z.jpg: {where}."])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file,label_1\na.jpg,cat\n", "has no column label"),
        ("file,label\na.jpg\n", "line 2: there is no label"),
        ('file,label\n"a.jpg,cat\n', "is not CSV"),
        (b"file,label\na.jpg,k\xe4se\n", "is not text in UTF-8"),
    ],
)
def test_what_is_no_table_of_corrections_is_one_sentence(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        read(write(tmp_path / "t.csv", text))


def test_a_zip_of_class_folders_is_read_without_being_unpacked(tmp_path: Path) -> None:
    inside = {
        "red/a.jpg": b"1",
        "blue/b.png": b"2",
        "__MACOSX/red/._a.jpg": b"?",
        "red/.b.jpg": b"?",
        "red/x.txt": b"?",
    }
    assert read(zipped(tmp_path / "a.zip", **inside)) == ({"blue": [b"2"], "red": [b"1"]}, [])
    around = {f"mugs/{name}": body for name, body in inside.items()}
    assert read(zipped(tmp_path / "b.zip", **around)) == ({"blue": [b"2"], "red": [b"1"]}, [])
    assert read(zipped(tmp_path / "my mug.zip", **{"a.jpg": b"1"})) == ({"my mug": [b"1"]}, [])


def test_nothing_leads_out_of_a_zip(tmp_path: Path) -> None:
    names = ("../red/a.jpg", "red/../../b.jpg", "/etc/c.jpg", "red\\..\\d.jpg", "C:/red/e.jpg")
    photos, problems = read(zipped(tmp_path / "a.zip", **dict.fromkeys(names, b"?"), **{"red/good.jpg": b"1"}))
    assert photos == {"red": [b"1"]}
    assert len(problems) == len(names)
    assert all("leads out of it" in problem for problem in problems)


def test_an_entry_that_is_too_large_or_damaged_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_folders, "MOST_ZIPPED_BYTES", 1_000_000)
    file = zipped(tmp_path / "a.zip", **{"red/bomb.jpg": b"\0" * 2_000_000, "red/good.jpg": b"1", "red/zz.jpg": b"zz"})
    file.write_bytes(file.read_bytes().replace(b"zz", b"zy", 1).replace(b"PK\x03\x04", b"PK\x03\x04"))
    photos, _ = read(file)
    assert photos["red"][0] == b"it is larger than 1 MB"
    assert photos["red"][1] == b"1"
    assert photos["red"][2].startswith(b"the ZIP does not give it")


def test_what_is_nothing_of_the_kind_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"is no folder, ZIP, CSV"):
        read(write(tmp_path / "a.jpg", PNG))
    with pytest.raises(StartError, match="There is no"):
        read(tmp_path / "none")
    write(tmp_path / f"{'x' * 101}/a.jpg", PNG)
    with pytest.raises(StartError, match="at most 100 letters"):
        read(tmp_path / ("x" * 101))
    whole = zipped(tmp_path / "a.zip", **{"red/a.jpg": b"1" * 5000}).read_bytes()
    with pytest.raises(StartError):
        read(write(tmp_path / "half.zip", whole[:-30]))
