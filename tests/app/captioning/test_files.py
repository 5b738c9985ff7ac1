"""Captions of many pictures: found, asked for in order, written so that whatever ends the job can be gone on with."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from PIL import Image
from rich.console import Console

from app.__main__ import main
from app.captioning import files, local_network, output_file, progress
from app.captioning.files import Answer, Network, find
from app.captioning.output_file import COLUMNS, Held
from app.captioning.sidecars import Sidecars
from app.errors import BrokenImageError
from app.http import examples
from app.http.schemas import PredictResponse
from app.settings import SettingsError, read_settings
from app.startup import StartError
from model.checkpoint import Checkpoint
from tests.app.conftest import FakeEngine
from tests.app.inference import corpus
from tests.app.server import ROOT
from tests.app.test_cli import is_one_sentence, run

ANSWER: Answer = files.lasting(PredictResponse.model_validate(examples.PREDICT))
ODD_NAMES = ('two\nlines, "quoted".jpg', "\r.jpg", "\u2028é\x1b[31m.jpg", "no \udcff unicode.jpg", ' a,b;"".jpg')
Caption = Callable[..., int]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of 20 pictures, no two alike."""
    (tmp_path / "many").mkdir()
    for number in range(20):
        (tmp_path / "many" / f"{number:02}.jpg").write_bytes(corpus.jpeg(48, 40, seed=number))
    return tmp_path / "many"


@pytest.fixture
def caption(engine: FakeEngine, network: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Caption:
    """``glassbot caption`` in this process, on the fake engine."""

    def load(_: Path) -> Checkpoint:
        return network

    monkeypatch.setattr("app.captioning.local_network.checkpoints.load", load)
    return lambda *arguments: main(["caption", *map(str, arguments)], create_engine=engine.create)


def names_in(path: Path) -> list[str]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [row["file"] for row in csv.DictReader(file, strict=True)]
    return [json.loads(line)["file"] for line in path.read_text("utf-8").split("\n")[:-1]]


def write(path: Path, *names: str, kept: Held | None = None) -> bytes:
    with output_file.opened(path, kept or Held()) as out:
        for name in names:
            out.add(name, ANSWER)
    return path.read_bytes()


# ---------------------------------------------------------------- found, and asked for


def test_files_are_found_once_sorted_and_hidden_ones_not_at_all(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", ".c.jpg", "d.txt", ".git/e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = tmp_path / "d.txt"
    assert find([tmp_path, tmp_path / "a.png", named]) == [tmp_path / "a.png", tmp_path / "b.JPG", named]


@pytest.mark.anyio
async def test_of_files_without_end_only_so_many_are_under_way(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    others = asyncio.all_tasks()  # a service that other tests ask may live in this loop
    drawn = begun = inside = most = yielded = 0

    def endless() -> Iterator[Path]:
        nonlocal drawn
        while True:
            drawn += 1
            yield tmp_path / "a.jpg"

    async def ask(_: bytes) -> Answer:
        nonlocal begun, inside, most
        begun, inside = begun + 1, inside + 1
        most = max(most, inside)
        # Now and then one holds all others up; the last ones would still be at it after the end.
        await asyncio.sleep(1 if begun > 100 else 0.002 if begun % 9 else 0.03)
        inside -= 1
        return {}

    async with asyncio.timeout(20), aclosing(files.caption(Network("", ask, ahead=6), endless())) as lines:
        async for _ in lines:
            assert drawn - yielded <= 6
            yielded += 1
            if yielded == 100:
                break
    assert most == 6
    assert asyncio.all_tasks() <= others  # whoever leaves early leaves nobody behind


@pytest.mark.anyio
async def test_lines_keep_the_order_of_the_files_and_a_fault_is_one_files_own(many: Path) -> None:
    pictures = [*find([many]), many / "gone.jpg"]
    number = {file.read_bytes(): n for n, file in enumerate(pictures[:-1])}

    async def ask(body: bytes) -> Answer:
        await asyncio.sleep((20 - number[body]) / 2000)  # the later ones are done first
        if number[body] == 5:
            raise BrokenImageError("It is damaged.")
        return {"n": number[body]}

    lines = [line async for line in files.caption(Network("", ask, ahead=8), pictures)]
    assert [line.file for line in lines] == pictures
    assert [line.answer for line in lines if not line.fault] == [{"n": n} for n in range(20) if n != 5]
    assert [line.fault for line in lines if line.fault] == [
        "It is damaged.",
        "It cannot be read (No such file or directory).",
    ]


# ---------------------------------------------------------------- the file of captions


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_any_name_is_written_as_text_and_found_again(tmp_path: Path, suffix: str) -> None:
    out, names = tmp_path / f"out{suffix}", [files.name(Path(name)) for name in ODD_NAMES]
    written = write(out, *names)
    written.decode("utf-8")
    assert names_in(out) == names
    assert names[3] == "no \\xff unicode.jpg"
    held = output_file.held(out, resume=True)
    assert held == Held(frozenset(names), ANSWER["model"]["version"], len(written))
    assert write(out, "z.jpg", kept=held).startswith(written)


def test_a_row_of_csv_says_what_the_json_says(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", "a.jpg")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert tuple(row) == COLUMNS
    said = ANSWER["caption"]
    assert (row["sentence"], row["alt_text"], row["tier"]) == (said["text"], said["alt_text"], said["tier"])
    assert (row["label_1"], float(row["score_1"]), row["label_2"], row["score_5"]) == ("golden retriever", 0.62, "", "")
    assert (float(row["confidence"]), row["words"], row["model"]) == (0.83, "dog", "3b1f6c2a9d04")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_half_a_line_is_cut_off_wherever_it_ends(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    one = write(out, "a.jpg")
    both = write(out, "b\n\r\nb,.jpg", kept=output_file.held(out, resume=True))
    for cut in sorted({*range(0, len(both), 25), *range(len(one) - 9, len(one) + 40), len(both) - 2, len(both) - 1}):
        out.write_bytes(both[:cut])
        held = output_file.held(out, resume=True)
        assert held.names == ({"a.jpg"} if cut >= len(one) else set())
        todo = ["a.jpg", "b\n\r\nb,.jpg"]
        assert write(out, *(name for name in todo if name not in held.names), kept=held) == both
    out.write_bytes(both[:-1])
    assert write(out, kept=output_file.held(out, resume=True)) == one


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b"to do: buy milk\n"),
        ("a.jsonl", b"to do"),
        ("a.jsonl", b'{"file": "a.jpg"}\n'),
        ("a.jsonl", b'{"file": 1, "model": {"version": "a"}}\n'),
        ("a.jsonl", b"\xff\xfe\n"),
        ("a.csv", b"file,sentence\r\na.jpg,It is a dog.\r\n"),
        ("a.csv", b'"file,sentence\r\n'),
        ("a.csv", b"name"),
        ("a.csv", ",".join(COLUMNS).encode() + b"\r\na.jpg,only two\r\n"),
        ("a.csv", ",".join(COLUMNS).encode() + b'\r\n"a"b,c\r\n'),
    ],
)
def test_what_holds_no_captions_is_refused_and_stays_as_it_is(
    tmp_path: Path, many: Path, caption: Caption, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    out = tmp_path / name
    out.write_bytes(content)
    for options in ((), ("--resume",)):
        assert caption(many, "--out", out, *options) == 2
        assert is_one_sentence(capsys.readouterr().err)
        assert out.read_bytes() == content


def test_captions_are_neither_overwritten_nor_mixed_with_those_of_another_network(
    tmp_path: Path, many: Path, caption: Caption, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    before = write(out, "a.jpg")
    for options, said in (((), "--resume goes on with it"), (("--resume",), "by the network 3b1f6c2a9d04")):
        assert caption(many, "--out", out, *options) == 2
        error = capsys.readouterr().err
        assert is_one_sentence(error)
        assert said in error
        assert out.read_bytes() == before
    other = {**ANSWER, "model": {"name": "tiny", "version": "other"}}
    with output_file.opened(out, output_file.held(out, resume=True)) as to:
        to.add("b.jpg", other)
    with pytest.raises(SettingsError, match="several networks"):
        output_file.held(out, resume=True)


def test_a_full_disk_is_one_sentence(many: Path, caption: Caption, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    assert caption(many, "--out", "/dev/full", "--quiet") == 1
    assert is_one_sentence(capsys.readouterr().err)


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_pictures_that_came_later_are_sorted_in(tmp_path: Path, many: Path, caption: Caption, suffix: str) -> None:
    out, whole = tmp_path / f"out{suffix}", tmp_path / f"whole{suffix}"
    for name in ODD_NAMES:
        (many / name).write_bytes(corpus.jpeg(16, 16, seed=len(name)))
    assert caption(many, "--out", whole, "--quiet") == 0
    later = [many / "03.jpg", many / "07.jpg", many / ODD_NAMES[0]]
    for file in later:
        file.rename(tmp_path / file.name)
    assert caption(many, "--out", out, "--quiet") == 0
    for file in later:
        (tmp_path / file.name).rename(file)
    assert out.read_bytes() != whole.read_bytes()
    assert caption(many, "--out", out, "--quiet", "--resume") == 0
    assert out.read_bytes() == whole.read_bytes()
    assert names_in(out) == [files.name(file) for file in find([many])]
    assert caption(many, "--out", out, "--quiet", "--resume") == 0
    assert out.read_bytes() == whole.read_bytes()


def test_the_engine_gets_full_batches(many: Path, caption: Caption, engine: FakeEngine, tmp_path: Path) -> None:
    engine.seconds = 0.1  # a network is slower than the decoders
    assert caption(many, "--out", tmp_path / "out.csv") == 0
    work = engine.batches[-4:]
    assert sum(work) >= 20
    assert 16 in work


def test_what_breaks_the_engine_is_one_files_fault(
    many: Path, caption: Caption, engine: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, white = engine.run, many / "07.jpg"
    white.write_bytes(corpus.encode(Image.new("RGB", (9, 9), "white"), "JPEG"))

    def fragile(pictures: Any, *, maps: Any = ()) -> Any:
        if (pictures == 255).all((1, 2, 3)).any():
            raise RuntimeError("too bright")
        return run(pictures, maps=maps)

    engine.run = fragile  # type: ignore[method-assign]
    assert caption(many, "--out", tmp_path / "out.jsonl", "--quiet") == 1
    assert len(names_in(tmp_path / "out.jsonl")) == 19
    assert capsys.readouterr().err == f"glassbot: {white}: The network failed on it (too bright).\n"


def test_lines_go_to_stdout_and_all_else_does_not(
    many: Path, caption: Caption, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = many / "bad\n\x1b[31m.jpg"
    bad.write_bytes(corpus.jpeg()[:500])
    assert caption(many) == 1
    said = capsys.readouterr()
    assert [json.loads(line)["file"] for line in said.out.splitlines()] == [str(f) for f in find([many]) if f != bad]
    progressed, fault = said.err.splitlines()
    assert progressed.startswith("glassbot: 21 of 21, ")
    assert fault.startswith(f"glassbot: {many}/bad\\n\\x1b[31m.jpg: The header of this JPEG")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["{empty}"], 1, "no picture"),
        (["{empty}/holidya", "--checkpoint", "none"], 1, "holidya"),
        (["{picture}", "--resume"], 2, "--resume is nothing without --out"),
        (["{picture}", "--force"], 2, "--force is nothing without --alt-text"),
        (["{picture}", "--api-key", "k"], 2, "--api-key is nothing without --server"),
        (["{picture}", "--out", "{empty}"], 2, "is a folder"),
        (["{picture}", "--out", "{empty}/none/out.csv"], 2, "no folder"),
        (["{picture}", "--server", "http://x", "--checkpoint", "y"], 2, "--checkpoint is nothing beside --server"),
        (["{picture}", "--server", "http://x", "--concurrency", "0"], 2, "--concurrency is from 1"),
        (["{picture}", "--server", "http://x", "--api-key", "not one"], 2, "The API key"),
        (["{picture}", "--server", "not an address"], 2, "not an address"),
        (["{picture}", "--server", "localhost:8000"], 2, "localhost:8000"),
        (["{picture}", "--server", "http://x:oops"], 2, "oops"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    names = {"empty": str(tmp_path / "empty"), "picture": str(tmp_path / "a.jpg")}
    assert main(["caption", *(argument.format(**names) for argument in arguments)]) == status
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert said in error


def test_a_clients_key_does_not_hinder_work_in_this_process_but_never_opens_a_service(
    many: Path, caption: Caption, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSBOT_API_KEY", "secret")
    assert caption(many, "--out", tmp_path / "out.csv", "--quiet") == 0
    with pytest.raises(SettingsError, match="did you mean GLASSBOT_API_KEYS"):
        read_settings()


@pytest.mark.anyio
async def test_an_engine_that_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch, network: Checkpoint) -> None:
    def load(_: Path) -> Checkpoint:
        return network

    def broken(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("no such chip")

    monkeypatch.setattr("app.captioning.local_network.checkpoints.load", load)
    with pytest.raises(StartError, match="no such chip"):
        async with local_network.network(local_network.settings(None), broken):
            pass


# ---------------------------------------------------------------- texts beside the pictures


def test_texts_overwrite_neither_each_other_nor_what_is_not_theirs(tmp_path: Path) -> None:
    names = ("a.jpg", "a.png", "b.jpg", "c.jpg", "c.jpg.webp", "d.gif", "d.txt")
    beside = Sidecars([tmp_path / name for name in names], force=False)
    for name in names:
        assert beside.write(tmp_path / name, f"It is {name}.") == ""
    written = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert written == {
        "a.jpg.txt": "It is a.jpg.\n",
        "a.png.txt": "It is a.png.\n",
        "b.txt": "It is b.jpg.\n",
        "c.txt": "It is c.jpg.\n",
        "c.jpg.webp.txt": "It is c.jpg.webp.\n",
        "d.gif.txt": "It is d.gif.\n",
        "d.txt.txt": "It is d.txt.\n",
    }
    assert beside.write(tmp_path / "b.jpg", "It is b.jpg.") == ""
    (tmp_path / "b.txt").write_text("my notes")
    assert beside.write(tmp_path / "b.jpg", "It is b.jpg.") == (
        "b.txt beside it says something else already: --force replaces it."
    )
    assert (tmp_path / "b.txt").read_text() == "my notes"
    (tmp_path / "b.txt").unlink()
    (tmp_path / "b.txt").mkdir()
    assert "cannot be written" in beside.write(tmp_path / "b.jpg", "It is b.jpg.")


def test_a_text_in_the_way_is_a_fault_until_force_replaces_it(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    (many / "03.txt").write_text("my notes")
    assert caption(many, "--out", out, "--alt-text", "--quiet") == 1
    assert capsys.readouterr().err.startswith(f"glassbot: {many / '03.jpg'}: 03.txt beside it says something else")
    assert (many / "03.txt").read_text() == "my notes"
    assert str(many / "03.jpg") not in names_in(out)
    assert caption(many, "--out", out, "--alt-text", "--quiet", "--resume", "--force") == 0
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["file"] for line in lines] == list(map(str, find([many])))
    for line in lines:
        assert Path(line["file"]).with_suffix(".txt").read_text("utf-8") == line["caption"]["alt_text"] + "\n"


# ---------------------------------------------------------------- how far it is


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    for bar, expected in ((False, "glassbot: 7 of 10, "), (True, "10/10")):
        console = Console(file=io.StringIO(), force_terminal=bar, width=100)
        with progress.reported(5, 10, console=console, bar=bar) as step:
            for _ in range(5):
                step()
        said = console.file.getvalue()  # type: ignore[attr-defined]
        assert expected in said
        assert "images/s" in said
        assert ("left" in said) is not bar


def test_a_quiet_console_says_nothing() -> None:
    console = Console(file=io.StringIO(), quiet=True)
    with progress.reported(0, 1, console=console, bar=False) as step:
        step()
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_a_pace_counts_only_what_was_done_since_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress, "monotonic", lambda: now)
    pace = progress.Pace(1000, 2000)
    assert str(pace) == "1,000 of 2,000, 0.0 images/s"
    for _ in range(100):
        pace.step()
    now = 110.0
    assert str(pace) == "1,100 of 2,000, 10.0 images/s, 0:01:30 left"


# ---------------------------------------------------------------- processes of their own


@pytest.mark.slow
def test_a_folder_becomes_json_lines_and_bad_files_are_listed(tmp_path: Path, checkpoint_file: Path) -> None:
    (tmp_path / "pictures" / "deep").mkdir(parents=True)
    (tmp_path / "pictures" / "b.jpg").write_bytes(corpus.jpeg())
    (tmp_path / "pictures" / "deep" / "a.png").write_bytes(corpus.deep_png())
    (tmp_path / "pictures" / "broken.jpg").write_bytes(corpus.jpeg()[:900])
    (tmp_path / "pictures" / "notes.txt").write_text("not a picture")
    out = tmp_path / "out.jsonl"
    done = run("caption", str(tmp_path / "pictures"), "--checkpoint", str(checkpoint_file), "--out", str(out))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "broken.jpg" in done.stderr.splitlines()[-1]
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["b.jpg", "a.png"]
    assert all(line["caption"]["alt_text"].endswith(".") for line in lines)
    assert not {"timing_ms", "request_id"} & lines[0].keys()


@pytest.mark.slow
def test_however_it_is_stopped_going_on_writes_the_same_bytes(
    many: Path, tmp_path: Path, checkpoint_file: Path
) -> None:
    for number in range(20, 72):
        (many / f"{number}.jpg").write_bytes(corpus.jpeg(48, 40, seed=number))
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    common = ("caption", str(many), "--checkpoint", str(checkpoint_file), "--quiet", "--out")
    assert run(*common, str(whole)).returncode == 0
    for stop, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        assert stopped(stop, torn, *common, str(torn), "--resume") == status
        assert whole.read_bytes().startswith(torn.read_bytes())
        assert len(torn.read_bytes()) < len(whole.read_bytes())
    with torn.open("ab") as file:
        file.write(b'"half a li')
    assert run(*common, str(torn), "--resume").returncode == 0
    assert torn.read_bytes() == whole.read_bytes()


def stopped(stop: signal.Signals, out: Path, *arguments: str) -> int:
    """The status of a run that got the signal after it had written some lines of its own."""
    before = out.stat().st_size if out.exists() else 200  # more than the names of the columns
    command = [sys.executable, "-m", "app", *arguments]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests that run in the background ignore it
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, preexec_fn=heed) as process:
        while not out.exists() or out.stat().st_size <= before:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(stop)
        return process.wait(60)
