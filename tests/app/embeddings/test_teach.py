"""``glassbot teach``: photos in folders become names that the network says, or one sentence says why not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from model import checkpoint as checkpoints
from model import unit_cards
from model.teaching import examples
from model.teaching.attach import base_of
from model.teaching.embedding import network_name
from model.unit_cards import path_beside
from tests.app.embeddings.conftest import COLOURS, Run, create_engine, folder_of, photo
from tests.app.server import ROOT
from tests.app.test_cli import is_one_sentence
from tests.tiny import tiny_cards


def names(file: Path) -> dict[str, int]:
    """The names in a taught network, and how many photos each has."""
    found = checkpoints.load(file).examples
    assert found is not None
    return {name: len(photos) for name, photos in found.things.items()}


def test_two_folders_become_two_names_that_are_said(
    run: Run, mugs: Path, tmp_path: Path, base_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mugs.safetensors"
    assert run("teach", mugs, "--out", out, "--quiet") == 0
    taught = checkpoints.load(out)
    assert taught.vocabularies[-1].ids == ("blue mug", "red mug")
    assert network_name(base_of(taught)) == network_name(checkpoints.load(base_file))
    said = capsys.readouterr()
    assert said.err == ""
    assert "8 of 8" in said.out
    assert "of 16 photos, each held back once, 16 were named rightly" in said.out
    assert "photos of other things would be called by one" in said.out
    assert run("caption", mugs / "red mug/0.png", "--checkpoint", out, "--quiet") == 0
    assert '"vocabulary": "taught"' in capsys.readouterr().out


def test_the_cards_of_the_units_travel_with_the_network(run: Run, mugs: Path, tmp_path: Path, base_file: Path) -> None:
    source = tmp_path / "base.safetensors"
    source.hardlink_to(base_file)
    tiny_cards(source)
    out = tmp_path / "mugs.safetensors"
    assert run("teach", mugs, "--from", source, "--out", out, "--quiet") == 0
    cards = unit_cards.read_beside(out, checkpoints.load(out))
    assert cards is not None
    assert path_beside(out).read_bytes() == path_beside(source).read_bytes()


def test_only_a_taught_network_is_written_over(
    run: Run, mugs: Path, tmp_path: Path, base_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(b"a photo")
    other = tmp_path / "other.safetensors"
    other.hardlink_to(base_file)
    for there in (picture, other):
        before = there.stat().st_mtime_ns
        assert run("teach", mugs, "--out", there, "--quiet") == 2
        error = capsys.readouterr().err
        assert is_one_sentence(error)
        assert "is there already, and is no network that was taught" in error or "would be taught" in error
        assert there.stat().st_mtime_ns == before


def test_what_was_taught_is_taught_further(run: Run, mugs: Path, tmp_path: Path) -> None:
    one, two, both = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "both"))
    more = folder_of(tmp_path / "red mug", COLOURS["red mug"], 3, seed=900)
    green = folder_of(tmp_path / "green mug", COLOURS["green mug"], 3, seed=800)
    assert run("teach", mugs, more, "--out", one, "--quiet") == 0
    assert run("teach", green, "--out", two, "--examples", tmp_path / "green.examples", "--quiet") == 0
    assert run("teach", one, two, "--out", both, "--quiet") == 0
    merged = {"blue mug": 8, "red mug": 11, "green mug": 3}
    assert names(both) == merged
    assert run("teach", tmp_path / "green.examples", "--from", one, "--out", one, "--quiet") == 0
    assert names(one) == merged  # in place


def test_a_network_of_ones_own_is_taught_further_without_being_named(
    run: Run, mugs: Path, tmp_path: Path, base_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("teach", mugs, "--out", tmp_path / "one.safetensors", "--quiet") == 0
    monkeypatch.delenv("GLASSBOT_CHECKPOINT")  # the shipped network is another one
    green = folder_of(tmp_path / "green mug", COLOURS["green mug"], 3)
    assert run("teach", green, tmp_path / "one.safetensors", "--out", tmp_path / "two.safetensors", "--quiet") == 0
    assert set(names(tmp_path / "two.safetensors")) == {"blue mug", "red mug", "green mug"}
    assert base_file.exists()


def test_a_bad_photo_is_named_and_the_others_are_taught(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mugs / "red mug/0.png").write_bytes(b"no picture")
    (mugs / "red mug/1.png").write_bytes(b"")
    (mugs / "grey mug").mkdir()
    (mugs / "dark mug").mkdir()
    (mugs / "dark mug/a.png").write_bytes(photo((0, 0, 0), 1)[:60])
    assert run("teach", mugs, "--out", tmp_path / "out", "--quiet") == 1
    assert names(tmp_path / "out") == {"blue mug": 8, "red mug": 6}
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("glassbot: ") for line in lines)
    assert f"{mugs}/grey mug holds no photo." in lines[0]
    assert f"{mugs}/red mug/1.png: The file is empty" in "".join(lines)
    assert "'dark mug' is not taught: none of its photos can be read." in lines[-1]


def test_the_same_photo_under_two_names_is_refused_by_both(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mugs / "red mug/z.png").write_bytes((mugs / "blue mug/3.png").read_bytes())
    assert run("teach", mugs, "--out", tmp_path / "out", "--quiet") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert "under the names 'blue mug' and 'red mug'" in error
    assert "blue mug/3.png" in error
    assert not (tmp_path / "out").exists()


def test_a_correction_counts_for_more_than_the_folder_and_two_corrections_are_refused(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(mugs / "misc", COLOURS["green mug"], 1)
    (mugs / "red mug/z.png").write_bytes((mugs / "red mug/0.png").read_bytes())
    table = tmp_path / "t.csv"
    table.write_text("mugs/red mug/0.png,blue mug\nmugs/misc/0.png,blue mug\n")
    for inputs in ((mugs, table), (table, mugs)):
        assert run("teach", *inputs, "--out", tmp_path / "out", "--quiet") == 0
        assert names(tmp_path / "out") == {"blue mug": 10, "red mug": 7}
    assert capsys.readouterr().err == ""
    table.write_text("mugs/red mug/0.png,blue mug\nmugs/red mug/0.png,cup\n")
    assert run("teach", mugs, table, "--out", tmp_path / "out", "--quiet") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert (
        f"{mugs}/red mug/0.png is given under the names 'blue mug' and 'cup': leave it under one of the two." in error
    )


def test_a_copy_of_a_photo_counts_once_and_one_of_other_things_is_none_of_the_names(
    run: Run, mugs: Path, tmp_path: Path
) -> None:
    (mugs / "red mug/z.png").write_bytes((mugs / "red mug/3.png").read_bytes())
    other = folder_of(tmp_path / "other", (128, 128, 128), 5)
    (other / "z.png").write_bytes((mugs / "red mug/3.png").read_bytes())
    assert run("teach", mugs, "--outside", other, "--out", tmp_path / "m.examples", "--quiet") == 0
    found = examples.read((tmp_path / "m.examples").read_bytes())
    assert {name: len(photos) for name, photos in found.things.items()} == {"blue mug": 8, "red mug": 8}
    assert len(found.outside) == 5


def test_one_photo_is_taught_and_never_claimed(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lone = folder_of(tmp_path / "my mug", COLOURS["red mug"], 1)
    assert run("teach", lone, "--out", tmp_path / "out", "--quiet") == 0
    said = capsys.readouterr().out
    assert "no name may be said yet" in said
    assert "'my mug': one photo is too few" in said
    assert checkpoints.load(tmp_path / "out").vocabularies[-1].thresholds == {"hedge": 2.0}


def test_one_name_is_told_from_everything_else(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("teach", folder_of(tmp_path / "my mug", COLOURS["red mug"], 20), "--out", tmp_path / "out") == 0
    assert "photos of other things would be called by one" in capsys.readouterr().out


def test_names_that_a_terminal_would_obey_or_that_look_like_markup_are_shown(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(tmp_path / "mugs" / "[bold]mug", COLOURS["red mug"], 2)
    assert run("teach", tmp_path / "mugs", "--out", tmp_path / "out", "--quiet") == 0
    assert "[bold]mug" in capsys.readouterr().out
    folder_of(tmp_path / "mugs" / "a\x1b[31m", COLOURS["blue mug"], 2)
    assert run("teach", tmp_path / "mugs", "--out", tmp_path / "out", "--quiet") == 1
    assert is_one_sentence(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ([], 2, "Nothing would be written"),
        (["--out", "{tmp}"], 2, "is a folder"),
        (["--out", "{tmp}/a.examples", "--examples", "{tmp}/b"], 2, "both name a file of examples"),
        (["--out", "{tmp}/a", "--examples", "{tmp}/a"], 2, "name the same file"),
        (["--out", "{base}"], 2, "is the network that would be taught"),
        (["--out", "{tmp}/a", "--from", "{tmp}/none"], 1, "There is no checkpoint"),
        (["--out", "{tmp}/a", "--outside", "{tmp}/none"], 1, "There is no"),
        (["{base}", "--out", "{tmp}/a"], 1, "was taught nothing"),
        (["{tmp}/mugs/red mug/0.png", "--out", "{tmp}/a"], 1, "is no folder"),
        (["--out", "{tmp}/mugs/red mug/0.png/a"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: Run,
    mugs: Path,
    base_file: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    status: int,
    reason: str,
) -> None:
    given = [option.format(tmp=mugs.parent, base=base_file) for option in options]
    assert run("teach", mugs, *given, "--quiet") == status
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert reason in error


def test_nothing_to_learn_from_is_one_sentence(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none/red").mkdir(parents=True)
    assert run("teach", tmp_path / "none", "--out", tmp_path / "out") == 1
    assert "There is no photo in the given paths." in capsys.readouterr().err
    (tmp_path / "none/red/a.png").write_bytes(b"?")
    assert run("teach", tmp_path / "none", "--out", tmp_path / "out", "--quiet") == 1
    assert "None of the photos can be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_examples_of_another_network_are_refused_before_anything_is_read(
    run: Run, mugs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("teach", mugs, "--out", tmp_path / "m.examples", "--quiet") == 0
    found = examples.read((tmp_path / "m.examples").read_bytes())
    other = examples.Examples("0" * 12, found.size, found.things)
    (tmp_path / "other.examples").write_bytes(other.to_bytes())
    capsys.readouterr()
    assert run("teach", tmp_path / "other.examples", "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert f"{tmp_path}/other.examples: These examples are of the network 000000000000" in error
    (tmp_path / "other.examples").write_bytes(other.to_bytes()[:-100])
    assert run("teach", tmp_path / "other.examples", "--out", tmp_path / "out") == 1
    assert is_one_sentence(capsys.readouterr().err)


_KILLED = """
import os, signal, sys
from safetensors.numpy import save_file
from app.__main__ import main
from model import checkpoint
from tests.app.embeddings.conftest import create_engine

def killed(tensors, path, metadata):
    save_file(tensors, path, metadata=metadata)
    with open(path, "r+b") as file:
        file.truncate(100_000)
    os.kill(os.getpid(), signal.SIGKILL)

checkpoint.save_file = killed
main(sys.argv[1:], create_engine=create_engine)
"""


def test_whoever_is_killed_while_writing_leaves_the_old_file(run: Run, mugs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert run("teach", mugs / "red mug", "--out", out, "--quiet") == 0
    before = out.read_bytes()
    command = [sys.executable, "-c", _KILLED, "teach", str(mugs), "--out", str(out), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL
    assert out.read_bytes() == before
    assert main(["teach", str(mugs), "--out", str(out), "--quiet"], create_engine=create_engine) == 0
    assert set(names(out)) == {"red mug", "blue mug"}
    assert not list(tmp_path.glob("*.half"))
