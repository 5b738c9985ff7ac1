"""``glassbot caption`` for addresses, in this process: what is answered, gone on with, refused and left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.__main__ import main
from app.captioning.buckets import parts, stores, tables
from app.captioning.buckets.parts import Layout
from app.captioning.buckets.stores import open_store
from model.checkpoint import Checkpoint
from tests.app.captioning.buckets.conftest import fill, lines_in
from tests.app.conftest import FakeEngine
from tests.app.server import ROOT
from tests.app.test_cli import is_one_sentence

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

Caption = Callable[..., int]


@pytest.fixture
def caption(
    engine: FakeEngine, network: Checkpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Caption:
    """``glassbot caption`` in this process, on the fake engine; parts of eight pictures."""

    def load(_: Path) -> Checkpoint:
        return network

    monkeypatch.setattr("app.captioning.local_network.checkpoints.load", load)
    monkeypatch.setattr(parts, "PICTURES", 8)

    def run(*arguments: str | Path) -> int:
        capsys.readouterr()
        return main(["caption", *map(str, arguments)], create_engine=engine.create)

    return run


def names_in(address: str | Path) -> list[str]:
    return [json.loads(line)["file"] for line in lines_in(address)]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_bucket_gets_the_answers_that_a_folder_gets(
    bucket: str, caption: Caption, tmp_path: Path, format: str
) -> None:
    fill(str(tmp_path / "photos"), 30)
    fill(f"{bucket}/photos", 30)
    assert caption(tmp_path / "photos", "--out", tmp_path / "out.jsonl") == 0
    assert caption(f"{bucket}/photos/", "--out", f"{bucket}/answers/", "--format", format) == 0
    folder = (tmp_path / "out.jsonl").read_bytes().splitlines(keepends=True)
    here, there = f'"{tmp_path}/photos'.encode(), f'"{bucket}/photos'.encode()
    assert lines_in(f"{bucket}/answers") == sorted(line.replace(here, there) for line in folder)
    store, path = open_store(f"{bucket}/answers")
    files = store.files(path)
    assert files is not None
    assert len(files) == 4


def test_awkward_names_are_kept_and_what_is_no_picture_is_passed_over(
    bucket: str, caption: Caption, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(bucket, 1)
    store, path = open_store(bucket)
    picture = store.read(f"{path}/0/00000.jpg")
    odd = ("a [b]*?.jpg", "é#%20.jpg", ' "quoted".jpg', "x::y.jpg")
    for name in (*odd, "@eaDir/a.jpg", "notes.txt"):
        store.write(f"{path}/{name}", picture)
    assert caption(bucket, "--out", f"{bucket}/answers") == 0
    assert "passed over: " in capsys.readouterr().err
    assert set(names_in(f"{bucket}/answers")) == {f"{bucket}/{name}" for name in (*odd, "0/00000.jpg")}


def test_what_is_no_file_is_not_opened(caption: Caption, tmp_path: Path) -> None:
    fill(f"file://{tmp_path}/photos", 1)
    os.mkfifo(tmp_path / "photos" / "pipe.jpg")  # reading it would wait for ever
    assert caption(f"file://{tmp_path}/photos", "--out", str(tmp_path / "answers")) == 0
    assert names_in(str(tmp_path / "answers")) == [f"file://{tmp_path}/photos/0/00000.jpg"]


def test_an_endpoint_that_is_no_url_is_refused_and_amazon_not_asked(
    caption: Caption, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    for wrong in ("minio:9000", "http://127.0.0.1:9000/prefix", "http://127.0.0.1:0"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", wrong)
        assert caption("s3://photos", "--out", "answers") == 2
        assert f"AWS_ENDPOINT_URL is '{wrong}', and no URL" in capsys.readouterr().err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:99999")
    assert caption("s3://photos", "--out", "answers") == 2
    assert "s3://photos cannot be used: Port out of range" in capsys.readouterr().err


def test_what_a_signal_interrupts_while_it_is_written_is_whole(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, path = open_store(f"{bucket}/part")
    store.write(path, b"before")
    put = stores._S3Store._put

    def slowly(self: stores._S3Store, path: str, content: bytes) -> None:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        put(self, path, content)

    monkeypatch.setattr(stores._S3Store, "_put", slowly)
    as_it_was = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            store.write(path, b"after")
    finally:
        signal.signal(signal.SIGINT, as_it_was)
    assert store.read(path) == b"after"


def test_a_bad_picture_is_listed_said_and_tried_again(
    caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(str(tmp_path / "photos"), 20)
    bad = tmp_path / "photos/0/bad.jpg"
    good = (tmp_path / "photos/0/00000.jpg").read_bytes()
    bad.write_bytes(good[:100])
    arguments = (f"file://{tmp_path}/photos", "--out", tmp_path / "answers")
    assert caption(*arguments) == 1
    assert f"glassbot: file://{bad}: " in capsys.readouterr().err
    listed = json.loads((tmp_path / "answers" / parts.ERRORS).read_bytes())
    assert listed["file"] == f"file://{bad}"
    assert len(names_in(tmp_path / "answers")) == 20
    bad.write_bytes(good)
    assert caption(*arguments, "--resume") == 0
    assert len(names_in(tmp_path / "answers")) == 21
    assert (tmp_path / "answers" / parts.ERRORS).read_bytes() == b""


def test_going_on_answers_new_pictures_only_and_none_twice(
    caption: Caption, tmp_path: Path, engine: FakeEngine
) -> None:
    fill(str(tmp_path / "photos"), 20)
    arguments = (f"file://{tmp_path}/photos", "--out", tmp_path / "answers")
    assert caption(*arguments) == 0
    before = lines_in(tmp_path / "answers")
    next((tmp_path / "answers").glob("part-*")).unlink()
    fill(str(tmp_path / "photos"), 25)
    engine.batches.clear()
    assert caption(*arguments, "--resume") == 0
    after = lines_in(tmp_path / "answers")
    assert len(after) == len(set(names_in(tmp_path / "answers"))) == 25
    assert set(before) <= set(after)
    assert sum(engine.batches) < 25 + 31  # those of the warm-up included


def test_answers_of_another_network_are_refused(
    caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(str(tmp_path / "photos"), 3)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers/part-00000-of-00001-0123456789ab.jsonl").touch()
    assert caption(f"file://{tmp_path}/photos", "--out", tmp_path / "answers", "--resume") == 2
    assert is_one_sentence(error := capsys.readouterr().err)
    assert "by the network 0123456789ab" in error


@pytest.mark.parametrize("content", [b"not Parquet", b""])
def test_a_parquet_that_holds_no_answers_is_refused_and_left(
    caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    fill(str(tmp_path / "photos"), 3)
    arguments = (f"file://{tmp_path}/photos", "--out", tmp_path / "answers", "--format", "parquet")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers/table.parquet").write_bytes(content)
    assert caption(*arguments) == 2
    assert "is not empty" in capsys.readouterr().err
    assert caption(*arguments, "--resume") == 2
    assert "holds other files than the answers of one job" in capsys.readouterr().err
    (tmp_path / "answers/table.parquet").unlink()
    assert caption(*arguments) == 0
    (part,) = (tmp_path / "answers").iterdir()
    part.write_bytes(content)
    assert caption(*arguments, "--resume") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "is no part of such answers" in error
    assert part.read_bytes() == content


def test_a_row_that_lacks_what_its_columns_need_is_no_answer() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    answer = json.dumps({"file": "a.jpg", "model": {"version": "0123456789ab"}}) + "\n"
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [answer] for name in tables.COLUMNS}), sink)
    with pytest.raises(ValueError, match="a line is not an answer"):
        parts.decode(sink.getvalue().to_pybytes(), Layout(1, "0123456789ab", "parquet"), 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("s3://photos",), "need --out"),
        (("s3://photos", "--out", "answers", "--alt-text"), "--alt-text cannot be used"),
        (("s3://photos", "--out", "answers", "--server", "http://x"), "--server cannot be used"),
        (("s3://", "--out", "answers"), "names no bucket"),
        (("s3:///photos", "--out", "answers"), "names no bucket"),
        (("zip://a::s3://b", "--out", "answers"), "address of addresses"),
        (("nix://photos", "--out", "answers"), "nix"),
        (("photos", "--out", "answers", "--format", "parquet"), "--format is for addresses"),
        (("memory://nothing", "--out", "answers"), "There is no memory://nothing"),
        (("memory://nothing", "--out", "memory://answers"), "memory:// ends with this process"),
        (("memory://nothing", "--out", "answers.csv"), "answers.csv names a file"),
        (("memory://nothing", "--out", "answers", "--ray", "there"), "--ray takes host:port"),
        (("memory://nothing", "--out", "answers", "--ray", "127.0.0.1:1"), "No Ray cluster answers at 127.0.0.1:1"),
        (("memory://nothing", "--out", "answers", "--ray", "127.0.0.1:99999"), "port 65535 at most"),
        (("memory://nothing", "--out", "answers", "--ray", "a..b:1000"), "No Ray cluster answers at a..b:1000"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(
    caption: Caption,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    if "--ray" in arguments:
        pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)
    assert caption(*arguments) == 2
    assert is_one_sentence(error := capsys.readouterr().err)
    assert said in error
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_not_there_or_does_not_answer_is_one_sentence(
    bucket: str, caption: Caption, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(f"{bucket}/photos", 1)
    for arguments in (
        ("s3://no-such-bucket/x", "--out", f"{bucket}/answers"),
        (f"{bucket}/photos", "--out", "s3://no-such-bucket/x"),
    ):
        assert caption(*arguments) == 2
        assert "there is no bucket no-such-bucket" in capsys.readouterr().err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert caption(f"{bucket}/photos", "--out", f"{bucket}/answers") == 2
    assert is_one_sentence(error := capsys.readouterr().err)
    assert f"{bucket}/answers cannot be listed" in error


def test_a_store_that_refuses_is_one_sentence(
    caption: Caption, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(str(tmp_path / "photos"), 3)

    def refuse(*_: object) -> None:
        raise PermissionError("AWS Error ACCESS_DENIED during PutObject operation.")

    monkeypatch.setattr(stores._FsspecStore, "write", refuse)
    assert caption(f"file://{tmp_path}/photos", "--out", tmp_path / "answers") == 1
    assert "cannot be written: AWS Error ACCESS_DENIED" in capsys.readouterr().err
    monkeypatch.setattr(stores._FsspecStore, "files", refuse)
    assert caption(f"file://{tmp_path}/photos", "--out", tmp_path / "answers") == 2
    assert is_one_sentence(capsys.readouterr().err)


def test_a_folder_that_cannot_be_made_is_one_sentence_before_a_picture_is_read(
    caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    fill(str(tmp_path / "photos"), 3)
    (tmp_path / "file").touch()
    assert caption(f"file://{tmp_path}/photos", "--out", tmp_path / "file" / "answers") == 2
    assert is_one_sentence(error := capsys.readouterr().err)
    assert "cannot be written to: Not a directory" in error
    assert engine.batches == []


def test_a_list_of_errors_that_is_somebody_elses_is_left(
    caption: Caption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(str(tmp_path / "photos"), 3)
    for content in (b"my notes\n", b'{"file": 1}\n', b"[1]\n", b"\xff", b"[" * 100_000):
        (tmp_path / "answers").mkdir(exist_ok=True)
        (tmp_path / "answers" / parts.ERRORS).write_bytes(content)
        assert caption(f"file://{tmp_path}/photos", "--out", tmp_path / "answers", "--resume") == 2
        assert is_one_sentence(error := capsys.readouterr().err)
        assert "rename it first" in error
        assert (tmp_path / "answers" / parts.ERRORS).read_bytes() == content


SMALL_PARTS = "import sys; from app.__main__ import main; from app.captioning.buckets import parts; parts.PICTURES = 8"
SLOWLY = "import time; encode = parts.encode; parts.encode = lambda *a: (time.sleep(0.5), encode(*a))[1]"
"""So that a signal, which a busy machine may send late, finds parts that are still to do."""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.soak), (signal.SIGKILL, -9)],
)
def test_whatever_ends_the_command_the_rest_is_done_by_going_on(
    checkpoint_file: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    fill(str(tmp_path / "photos"), 200)
    arguments = [f"file://{tmp_path}/photos", "--checkpoint", str(checkpoint_file), "--out"]
    command = [sys.executable, "-c", f"{SMALL_PARTS}; sys.exit(main(sys.argv[1:]))", "caption", *arguments]
    slow = [sys.executable, "-c", f"{SMALL_PARTS}; {SLOWLY}; sys.exit(main(sys.argv[1:]))", "caption", *arguments]
    whole = subprocess.run([*command, str(tmp_path / "whole")], cwd=ROOT, timeout=200, check=True, env=os.environ)
    assert whole.returncode == 0
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests that run in the background ignore it
    process = subprocess.Popen(
        [*slow, str(tmp_path / "cut")], cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    )
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("cut/part-*.jsonl")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=100)
    assert process.returncode == status
    assert ("--resume to continue" in said) == (number != signal.SIGKILL)
    assert 0 < len(lines_in(tmp_path / "cut")) < 200
    subprocess.run([*command, str(tmp_path / "cut"), "--resume"], cwd=ROOT, timeout=200, check=True)
    assert lines_in(tmp_path / "cut") == lines_in(tmp_path / "whole")
