"""``glassbot caption``: pictures are found, captioned in order, and written so that the command can be resumed."""

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
from app.captioning import local_network
from app.captioning.files import OneByOne, PredictionFields, prediction_fields
from app.captioning.line_formats import COLUMNS
from app.captioning.output_file import ResumeState, open_writer, read_resume_state
from app.captioning.sidecars import OtherTextError, SidecarError, Sidecars
from app.errors import BrokenImageError
from app.http import examples
from app.http.schemas import PredictResponse
from app.inference.offline import progress
from app.inference.offline.network import offline_settings
from app.metrics import Metrics
from app.settings import SettingsError, read_settings
from app.startup import StartError
from model.checkpoint import Checkpoint
from model.describe import describe
from model.picture_files import file_name, find_pictures
from tests.app.conftest import FakeEngine
from tests.app.inference import corpus
from tests.app.server import ROOT
from tests.app.test_cli import is_one_sentence, run

PREDICTION: PredictionFields = prediction_fields(PredictResponse.model_validate(examples.PREDICT))
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


def write(path: Path, *names: str, state: ResumeState | None = None) -> bytes:
    with open_writer(path, state or ResumeState()) as writer:
        for name in names:
            writer.write(name, PREDICTION)
    return path.read_bytes()


# ---------------------------------------------------------------- finding and captioning


def test_files_are_found_once_and_sorted_and_hidden_ones_are_skipped(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", ".c.jpg", "d.txt", ".git/e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = tmp_path / "d.txt"
    assert find_pictures([tmp_path, tmp_path / "a.png", named]).files == [tmp_path / "a.png", tmp_path / "b.JPG", named]


def test_folders_of_other_systems_are_passed_over_and_every_suffix_of_the_decoder_is_found(tmp_path: Path) -> None:
    pictures = ("a.jfif", "b.AVIF", "c.heic", "d.apng", "deep/@home.jpg", "deep/e.mpo")
    foreign = ("@eaDir/a.jpg/THUMB.jpg", "#recycle/a.jpg", "$RECYCLE.BIN/a.jpg", "lost+found/a.jpg", "__MACOSX/._a.jpg")
    for name in (*pictures, *foreign, "deep/.ipynb_checkpoints/a.jpg", "._f.jpg", "notes.txt", "deep/more.txt", "raw"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "deep/round").symlink_to(tmp_path)
    found = find_pictures([tmp_path])
    assert {file_name(file.relative_to(tmp_path)) for file in found.files} == set(pictures)
    assert found.passed_over == {
        ".txt": 2,
        "no suffix": 1,
        "hidden files": 1,
        "links to folders": 1,
        **dict.fromkeys(
            ("@eaDir/", "#recycle/", "$RECYCLE.BIN/", "lost+found/", "__MACOSX/", ".ipynb_checkpoints/"), 1
        ),
    }


def test_what_is_passed_over_is_counted_and_named(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (many / "notes.txt").write_text("a note")
    (many / "@eaDir").mkdir()
    (many / "@eaDir/00.jpg").write_bytes(corpus.jpeg(16, 16))
    assert caption(many, "--out", tmp_path / "out.jsonl", "--alt-text") == 0
    assert "glassbot: passed over: .txt (1), @eaDir/ (1)\n" in capsys.readouterr().err
    assert len(names_in(tmp_path / "out.jsonl")) == 20
    assert [file.name for file in (many / "@eaDir").iterdir()] == ["00.jpg"]
    for file in many.glob("*.jpg"):
        file.unlink()
    assert caption(many, "--out", tmp_path / "other.jsonl") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert "no picture in the given paths, only what is not captioned: .txt (21), @eaDir/ (1)" in error


class ReversedGroups:
    """Holds up predictions until ``size`` of them, or the last of ``total``, are in progress; the last ends first."""

    def __init__(self, size: int, total: float = float("inf")) -> None:
        self._size = size
        self._left = total
        self._waiting: list[asyncio.Event] = []

    async def join(self) -> None:
        """Wait for the others of the group."""
        released = asyncio.Event()
        self._waiting.append(released)
        self._left -= 1
        if len(self._waiting) == self._size or self._left == 0:
            for event in reversed(self._waiting):
                event.set()
            self._waiting.clear()
        await released.wait()


@pytest.mark.anyio
async def test_of_endless_files_only_max_pending_are_in_progress(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    others = asyncio.all_tasks()  # the service of other tests may live in this loop
    groups = ReversedGroups(6)
    drawn = inside = most = yielded = 0

    def endless() -> Iterator[Path]:
        nonlocal drawn
        while True:
            drawn += 1
            yield tmp_path / "a.jpg"

    async def predict(_: bytes) -> PredictionFields:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await groups.join()
        inside -= 1
        return {}

    captioner = OneByOne("", predict, max_pending=6)
    async with asyncio.timeout(60), aclosing(captioner.lines(endless())) as lines:
        async for _ in lines:
            assert drawn - yielded <= 6
            yielded += 1
            if yielded == 100:  # in the midst of a group, which waits for ever
                break
    assert most == 6
    assert asyncio.all_tasks() <= others  # whoever stops early leaves no task behind


@pytest.mark.anyio
async def test_lines_keep_the_order_of_the_files_and_an_error_concerns_one_file(many: Path) -> None:
    pictures = [*find_pictures([many]).files, many / "gone.jpg"]
    number = {file.read_bytes(): n for n, file in enumerate(pictures[:-1])}
    groups = ReversedGroups(8, total=20)
    finished: list[int] = []

    async def predict(body: bytes) -> PredictionFields:
        await groups.join()
        finished.append(number[body])
        if number[body] == 5:
            raise BrokenImageError("It is damaged.")
        return {"n": number[body]}

    async with asyncio.timeout(60):
        captioner = OneByOne("", predict, max_pending=8)
        lines = [line async for line in captioner.lines(pictures)]
    assert finished != sorted(finished)
    assert [line.file for line in lines] == pictures
    assert [line.prediction for line in lines if not line.error] == [{"n": n} for n in range(20) if n != 5]
    assert [line.error for line in lines if line.error] == [
        "It is damaged.",
        "The file cannot be read (No such file or directory).",
    ]


# ---------------------------------------------------------------- the file of captions


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_any_file_name_is_written_as_text_and_read_back(tmp_path: Path, suffix: str) -> None:
    out, names = tmp_path / f"out{suffix}", [file_name(Path(name)) for name in ODD_NAMES]
    written = write(out, *names)
    written.decode("utf-8")
    assert names_in(out) == names
    assert names[3] == "no \\xff unicode.jpg"
    state = read_resume_state(out, resume=True)
    alt_texts = dict.fromkeys(names, PREDICTION["caption"]["alt_text"])
    assert state == ResumeState(alt_texts, PREDICTION["model"]["version"], len(written))
    assert write(out, "z.jpg", state=state).startswith(written)


def test_a_csv_row_holds_the_fields_of_the_json(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", "a.jpg")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert tuple(row) == COLUMNS
    caption = PREDICTION["caption"]
    assert (row["sentence"], row["alt_text"], row["tier"]) == (caption["text"], caption["alt_text"], caption["tier"])
    assert (row["label_1"], float(row["score_1"]), row["label_2"], row["score_5"]) == ("golden retriever", 0.62, "", "")
    assert (float(row["confidence"]), row["words"], row["model"]) == (0.91, "dog", "3b1f6c2a9d04")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_incomplete_line_is_cut_off_wherever_it_ends(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    one = write(out, "a.jpg")
    both = write(out, "b\n\r\nb,.jpg", state=read_resume_state(out, resume=True))
    for cut in sorted({*range(0, len(both), 25), *range(len(one) - 9, len(one) + 40), len(both) - 2, len(both) - 1}):
        out.write_bytes(both[:cut])
        state = read_resume_state(out, resume=True)
        assert state.alt_texts.keys() == ({"a.jpg"} if cut >= len(one) else set())
        todo = ["a.jpg", "b\n\r\nb,.jpg"]
        assert write(out, *(name for name in todo if name not in state.alt_texts), state=state) == both
    out.write_bytes(both[:-1])
    assert write(out, state=read_resume_state(out, resume=True)) == one


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b"to do: buy milk\n"),
        ("a.jsonl", b"to do"),
        ("a.jsonl", b'{"file": "a.jpg"}\n'),
        ("a.jsonl", b'{"file": 1, "model": {"version": "a"}, "caption": {"alt_text": "b"}}\n'),
        ("a.jsonl", b'{"file": "a.jpg", "model": {"version": "a"}, "caption": {}}\n'),
        ("a.jsonl", b"\xff\xfe\n"),
        ("a.csv", b"file,sentence\r\na.jpg,It is a dog.\r\n"),
        ("a.csv", b'"file,sentence\r\n'),
        ("a.csv", b"name"),
        ("a.csv", ",".join(COLUMNS).encode() + b"\r\na.jpg,only two\r\n"),
        ("a.csv", ",".join(COLUMNS).encode() + b'\r\n"a"b,c\r\n'),
    ],
)
def test_a_file_without_captions_is_refused_and_left_unchanged(
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
    for options, part in (((), "add --resume"), (("--resume",), "by the network 3b1f6c2a9d04")):
        assert caption(many, "--out", out, *options) == 2
        error = capsys.readouterr().err
        assert is_one_sentence(error)
        assert part in error
        assert out.read_bytes() == before
    other = {**PREDICTION, "model": {"name": "tiny", "version": "other"}}
    with open_writer(out, read_resume_state(out, resume=True)) as writer:
        writer.write("b.jpg", other)
    with pytest.raises(SettingsError, match="several networks"):
        read_resume_state(out, resume=True)


def test_a_full_disk_is_one_sentence(many: Path, caption: Caption, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    assert caption(many, "--out", "/dev/full", "--quiet") == 1
    assert is_one_sentence(capsys.readouterr().err)


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_pictures_that_were_added_later_are_sorted_in(
    tmp_path: Path, many: Path, caption: Caption, suffix: str
) -> None:
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
    assert names_in(out) == [file_name(file) for file in find_pictures([many]).files]
    assert caption(many, "--out", out, "--quiet", "--resume") == 0
    assert out.read_bytes() == whole.read_bytes()


def test_the_engine_gets_full_batches(
    many: Path, caption: Caption, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    monkeypatch.setattr("app.inference.offline.network.Metrics", lambda: metrics)
    run_at_once, batches = engine.run, []

    def waiting() -> float:
        return metrics.registry.get_sample_value("glassbot_queue_depth") or 0

    def run_when_all_others_wait(pictures: Any, *, maps: Any = ()) -> Any:
        if metrics.registry.get_sample_value("glassbot_ready") == 1:  # else it is being warmed up
            batches.append(len(pictures))
            deadline = time.monotonic() + 60
            while sum(batches) + waiting() < 20:
                assert time.monotonic() < deadline
                time.sleep(0.005)
        return run_at_once(pictures, maps=maps)

    engine.run = run_when_all_others_wait  # type: ignore[method-assign]
    assert caption(many, "--out", tmp_path / "out.csv") == 0
    assert sum(batches) == 20
    assert batches[1] == min(16, 20 - batches[0])


def test_a_picture_that_breaks_the_engine_is_the_error_of_one_file(
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
    assert capsys.readouterr().err == f"glassbot: {white}: The network failed on this picture (too bright).\n"


def test_a_picture_that_cannot_be_described_is_the_error_of_one_file(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(20))

    def fragile(*arguments: Any, **options: Any) -> Any:
        if next(numbers) == 5:
            raise ValueError("no words")
        return describe(*arguments, **options)

    monkeypatch.setattr("app.captioning.local_network.describe", fragile)
    assert caption(many, "--out", tmp_path / "out.jsonl", "--quiet") == 1
    assert len(names_in(tmp_path / "out.jsonl")) == 19
    assert capsys.readouterr().err.endswith(".jpg: The network failed on this picture (no words).\n")


def test_lines_go_to_stdout_and_progress_and_errors_to_stderr(
    many: Path, caption: Caption, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 60.0)  # one line at the end, however slow the machine is
    bad = many / "bad\n\x1b[31m.jpg"
    bad.write_bytes(corpus.jpeg()[:500])
    assert caption(many) == 1
    captured = capsys.readouterr()
    assert [json.loads(line)["file"] for line in captured.out.splitlines()] == [
        str(f) for f in find_pictures([many]).files if f != bad
    ]
    progress_line, error = captured.err.splitlines()
    assert progress_line.startswith("glassbot: 21 of 21, ")
    assert error.startswith(f"glassbot: {many}/bad\\n\\x1b[31m.jpg: This JPEG picture is damaged")


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["{empty}"], 1, "no picture"),
        (["{empty}/holidya", "--checkpoint", "none"], 1, "holidya"),
        (["{picture}", "--resume"], 2, "--resume needs --out"),
        (["{picture}", "--force"], 2, "--force needs --alt-text"),
        (["{picture}", "--api-key", "k"], 2, "--api-key needs --server"),
        (["{picture}", "--out", "{empty}"], 2, "is a folder"),
        (["{picture}", "--out", "{empty}/none/out.csv"], 2, "no folder"),
        (["{picture}", "--server", "http://x", "--checkpoint", "y"], 2, "--checkpoint cannot be used with --server"),
        (["{picture}", "--server", "http://x", "--concurrency", "0"], 2, "--concurrency must be from 1"),
        (["{picture}", "--server", "http://x", "--api-key", "not one"], 2, "The API key"),
        (["{picture}", "--server", "not an address"], 2, "not an address"),
        (["{picture}", "--server", "localhost:8000"], 2, "localhost:8000"),
        (["{picture}", "--server", "http://x:oops"], 2, "oops"),
        (["{picture}", "--server", "http://x:65536"], 2, "65535 at most"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, part: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.jpg").write_bytes(corpus.jpeg(16, 16))
    names = {"empty": str(tmp_path / "empty"), "picture": str(tmp_path / "a.jpg")}
    assert main(["caption", *(argument.format(**names) for argument in arguments)]) == status
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert part in error


def test_the_key_of_a_client_is_ignored_without_a_service_and_is_not_a_key_of_the_service(
    many: Path, caption: Caption, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSBOT_API_KEY", "secret")
    assert caption(many, "--out", tmp_path / "out.csv", "--quiet") == 0
    with pytest.raises(SettingsError, match="did you mean GLASSBOT_API_KEYS"):
        read_settings()


@pytest.mark.anyio
async def test_an_engine_that_does_not_start_is_a_start_error(
    monkeypatch: pytest.MonkeyPatch, network: Checkpoint
) -> None:
    def load(_: Path) -> Checkpoint:
        return network

    def broken(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("no such chip")

    monkeypatch.setattr("app.captioning.local_network.checkpoints.load", load)
    with pytest.raises(StartError, match="no such chip"):
        async with local_network.open_captioner(offline_settings(None), broken):
            pass


# ---------------------------------------------------------------- sidecars


def test_sidecars_overwrite_neither_each_other_nor_other_files(tmp_path: Path) -> None:
    names = ("a.jpg", "a.png", "b.jpg", "c.jpg", "c.jpg.webp", "d.gif", "d.txt")
    beside = Sidecars([tmp_path / name for name in names], force=False)
    for name in names:
        beside.write(tmp_path / name, f"It is {name}.")
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
    beside.write(tmp_path / "b.jpg", "It is b.jpg.")
    (tmp_path / "b.txt").write_text("my notes")
    with pytest.raises(OtherTextError, match=r"^b.txt beside it has another text already: --force overwrites it\.$"):
        beside.write(tmp_path / "b.jpg", "It is b.jpg.")
    assert (tmp_path / "b.txt").read_text() == "my notes"
    (tmp_path / "b.txt").unlink()
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(SidecarError, match="cannot be written"):
        beside.write(tmp_path / "b.jpg", "It is b.jpg.")


def test_another_text_file_is_an_error_until_force_overwrites_it(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    (many / "03.txt").write_text("my notes")
    assert caption(many, "--out", out, "--alt-text", "--quiet") == 1
    assert capsys.readouterr().err.startswith(f"glassbot: {many / '03.jpg'}: 03.txt beside it has another text")
    assert (many / "03.txt").read_text() == "my notes"
    assert str(many / "03.jpg") not in names_in(out)
    assert caption(many, "--out", out, "--alt-text", "--quiet", "--resume", "--force") == 0
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["file"] for line in lines] == list(map(str, find_pictures([many]).files))
    for line in lines:
        assert Path(line["file"]).with_suffix(".txt").read_text("utf-8") == line["caption"]["alt_text"] + "\n"


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_alternative_text_that_is_asked_for_later_comes_from_the_lines_that_are_there(
    many: Path, caption: Caption, network: Checkpoint, tmp_path: Path, suffix: str
) -> None:
    out, pictures = tmp_path / f"out{suffix}", find_pictures([many]).files
    own = {**PREDICTION["caption"], "alt_text": '=A text that "no network",\r\nonly this file has.'}
    model = {**PREDICTION["model"], "version": network.version}
    with open_writer(out, ResumeState()) as writer:
        for file in pictures[:10]:
            writer.write(file_name(file), {**PREDICTION, "model": model, "caption": own})
    before = out.read_bytes()
    assert caption(many, "--out", out, "--resume", "--alt-text", "--quiet") == 0
    texts = [file.with_suffix(".txt").read_bytes().decode() for file in pictures]
    assert set(texts[:10]) == {own["alt_text"] + "\n"}
    assert not set(texts[10:]) & set(texts[:10])
    assert out.read_bytes().startswith(before)
    assert names_in(out) == list(map(file_name, pictures))


def test_a_text_that_was_changed_since_is_left_and_counted_until_force_overwrites_it(
    many: Path, caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    resumed = ("--out", out, "--resume", "--alt-text")
    assert caption(many, "--out", out, "--quiet") == 0
    (many / "03.txt").write_text("what a person sees")
    assert caption(many, *resumed) == 0
    left = f"glassbot: text files with another text than in {out}, left as they are (--force overwrites them): 1\n"
    assert left in capsys.readouterr().err
    assert (many / "03.txt").read_text() == "what a person sees"
    assert len(list(many.glob("*.txt"))) == 20
    assert caption(many, *resumed, "--force") == 0
    assert left not in capsys.readouterr().err
    assert (many / "03.txt").read_text() != "what a person sees"
    (many / "04.txt").unlink()
    (many / "04.txt").mkdir()
    assert caption(many, *resumed, "--quiet") == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert f"{many / '04.jpg'}: 04.txt beside it cannot be written" in error


# ---------------------------------------------------------------- progress


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 0.0)
    for bar, expected in ((False, "glassbot: 7 of 10, "), (True, "10/10")):
        console = Console(file=io.StringIO(), force_terminal=bar, width=100)
        with progress.show_progress(5, 10, console=console, bar=bar) as step:
            for _ in range(5):
                step()
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert expected in text
        assert "images/s" in text
        assert ("left" in text) is not bar


def test_a_quiet_console_shows_no_progress() -> None:
    console = Console(file=io.StringIO(), quiet=True)
    with progress.show_progress(0, 1, console=console, bar=False) as step:
        step()
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_the_pace_counts_only_pictures_since_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress, "monotonic", lambda: now)
    pace = progress.Pace(1000, 2000)
    assert str(pace) == "1,000 of 2,000, 0.0 images/s"
    for _ in range(100):
        pace.step()
    now = 110.0
    assert str(pace) == "1,100 of 2,000, 10.0 images/s, 0:01:30 left"


# ---------------------------------------------------------------- as a process


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
def test_after_any_signal_resuming_writes_the_same_bytes(many: Path, tmp_path: Path, checkpoint_file: Path) -> None:
    for number in range(20, 72):
        (many / f"{number}.jpg").write_bytes(corpus.jpeg(48, 40, seed=number))
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    common = ("caption", str(many), "--checkpoint", str(checkpoint_file), "--quiet", "--out")
    assert run(*common, str(whole)).returncode == 0
    rows = whole.read_bytes().splitlines(keepends=True)
    for picture, stop, status in ((20, signal.SIGINT, 130), (40, signal.SIGTERM, 143), (60, signal.SIGKILL, -9)):
        written = b"".join(rows[: 1 + picture])
        assert stopped_at(f"{picture}.jpg", stop, torn, written, *common, str(torn), "--resume") == status
        assert torn.read_bytes() == written
    with torn.open("ab") as file:
        file.write(b'"half a li')
    assert run(*common, str(torn), "--resume").returncode == 0
    assert torn.read_bytes() == whole.read_bytes()


STOPS_AT = """
import asyncio, sys
from app.__main__ import main
from app.captioning import command

write_line = command._write_line

async def write_line_or_wait(line, *others):
    if line.file.name == sys.argv[1]:
        await asyncio.Event().wait()
    return await write_line(line, *others)

command._write_line = write_line_or_wait
sys.exit(main(sys.argv[2:]))
"""
"""``glassbot``, but the line of the picture of the first argument is never written."""


def stopped_at(picture: str, stop: signal.Signals, out: Path, written: bytes, *arguments: str) -> int:
    """Return the status of a process that got the signal after it had written all before ``picture``."""
    command = [sys.executable, "-c", STOPS_AT, picture, *arguments]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests that run in the background ignore it
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, preexec_fn=heed) as process:
        deadline = time.monotonic() + 120
        while not out.exists() or out.read_bytes() != written:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(stop)
        return process.wait(60)
