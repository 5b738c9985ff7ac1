"""``glassbot caption`` where people's folders, disks and spreadsheets are not as one would like (docs/reports.md)."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.captioning.files import PredictionFields
from app.captioning.output_file import ResumeState, open_writer, read_resume_state
from model.checkpoint import Checkpoint
from tests.app.captioning.test_files import PREDICTION, Caption, caption, many, names_in, write
from tests.app.conftest import FakeEngine
from tests.app.inference import corpus
from tests.app.server import ROOT
from tests.app.test_cli import is_one_sentence
from tests.model.test_picture_files import forbid

__all__ = ["caption", "many"]  # fixtures

FORMULAS = ("=1+1.jpg", "+a.jpg", "-b.jpg", "@SUM(A1).jpg", "\t=c.jpg", "\uff1dd.jpg", "=deep/e.jpg")


def test_no_cell_of_the_csv_is_a_formula_and_it_is_resumed_all_the_same(tmp_path: Path) -> None:
    names = (*FORMULAS, "a=b.jpg", ".-/f.jpg")
    written = write(tmp_path / "out.csv", *names)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))]
    assert [Path(row[0]) for row in rows[1:]] == [Path(name) for name in names]
    assert read_resume_state(tmp_path / "out.csv", resume=True).alt_texts.keys() == set(names)
    older = written.replace(b"./=1", b"=1")  # as releases before wrote it
    (tmp_path / "out.csv").write_bytes(older)
    assert read_resume_state(tmp_path / "out.csv", resume=True).alt_texts.keys() == set(names)


def test_a_class_that_is_called_like_a_formula_is_text(tmp_path: Path) -> None:
    label: dict[str, Any] = {**PREDICTION["labels"][0], "label": "=HYPERLINK(A1)"}
    prediction: PredictionFields = {**PREDICTION, "labels": [label]}
    with open_writer(tmp_path / "out.csv", ResumeState()) as writer:
        writer.write("a.jpg", prediction)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["label_1"] == "'=HYPERLINK(A1)"


def test_a_folder_that_may_not_be_read_is_an_error_and_the_others_are_captioned(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (many / "secret").mkdir()
    (many / "ring.jpg").symlink_to("ring.jpg")
    forbid(monkeypatch, many / "secret")
    assert caption(many, "--out", tmp_path / "out.csv", "--quiet") == 1
    assert capsys.readouterr().err == f"glassbot: {many / 'secret'} cannot be read (permission denied).\n"
    assert len(names_in(tmp_path / "out.csv")) == 20


@pytest.mark.parametrize("options", [["{}"], ["a.jpg", "--out", "{}/out.csv"], ["a.jpg", "--checkpoint", "{}/x"]])
def test_a_path_that_may_not_be_looked_at_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    stat = os.stat

    def refusing(path: Any, **options: Any) -> os.stat_result:
        if "secret" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refusing)
    assert main(["caption", *(option.replace("{}", str(tmp_path / "secret")) for option in options)]) == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert "permission denied" in error.lower()


def test_an_empty_file_is_said_to_be_empty(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (many / "00.jpg").write_bytes(b"")
    assert caption(many, "--out", tmp_path / "out.jsonl", "--quiet") == 1
    assert capsys.readouterr().err == f"glassbot: {many / '00.jpg'}: The file is empty: it holds no bytes.\n"
    assert len(names_in(tmp_path / "out.jsonl")) == 19


def test_a_name_of_the_greatest_length_gets_its_alternative_text(
    caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"{'x' * 251}.jpg").write_bytes(corpus.jpeg(16, 16))
    assert caption(tmp_path, "--alt-text", "--quiet", "--out", tmp_path / "out.jsonl") == 0, capsys.readouterr().err
    assert (tmp_path / f"{'x' * 251}.txt").read_text("utf-8").endswith(".\n")


def test_a_full_disk_behind_stdout_is_one_sentence(checkpoint_file: Path, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    command = ["-m", "app", "caption", str(tmp_path), "--checkpoint", str(checkpoint_file), "--quiet"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert is_one_sentence(done.stderr)


def test_a_reader_who_has_seen_enough_ends_the_command_without_a_word(checkpoint_file: Path, many: Path) -> None:
    command = ["-m", "app", "caption", str(many), "--checkpoint", str(checkpoint_file), "--quiet"]
    read, written = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, stdout=written, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(written)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_pipe_with_a_pictures_name_is_not_waited_for(
    engine: FakeEngine, network: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert main(["caption", str(tmp_path)], create_engine=engine.create) == 1
    assert "only what is not captioned: pipes and devices (1)" in capsys.readouterr().err
    assert network is not None
