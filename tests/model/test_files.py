"""Files are whole or not there."""

from pathlib import Path

import pytest

from model.files import atomically, replacing, write_atomically


def test_a_text_is_written_whole_into_a_folder_that_was_not_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "card.md"
    write_atomically(path, "grün\n")
    assert path.read_text("utf-8") == "grün\n"
    assert list(path.parent.iterdir()) == [path]


def test_what_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "state.bin"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomically(path) as file:
            file.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.bin"
    path.write_bytes(b"old")
    with replacing(path) as half:
        half.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_file_that_was_never_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "state.bin"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 251 + ".txt", "写" * 83 + ".txt"])
def test_a_name_of_the_greatest_length_is_written_to(tmp_path: Path, name: str) -> None:
    write_atomically(tmp_path / name, "text\n")
    assert [file.name for file in tmp_path.iterdir()] == [name]
