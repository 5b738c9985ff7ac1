"""``import`` and ``fetch``: torchvision's weights from a file, or from a server, or one sentence that says why not."""

import hashlib
import pickle
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
import torch

from benchmarks.servers import kept_port
from model import checkpoint
from model.checkpoint import expected_shapes
from model.engines import interop
from model.engines.interop import ARCHITECTURE, KEYS, published
from training import __main__ as cli
from training.commands import fetch as fetching
from training.commands.fetch import FetchError, download, fetch


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole file of a few kB: each tensor repeats one number."""
    state = {}
    for theirs, ours in KEYS.items():
        for part in ("weight", "bias"):
            shape = expected_shapes(ARCHITECTURE)[f"{ours}.{part}"]
            state[f"{theirs}.{part}"] = torch.full((1,), 0.01).expand(shape)
    path = tmp_path_factory.mktemp("foreign") / "weights.pth"
    torch.save(state, path)
    assert path.stat().st_size < 100_000
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence with which a command ends."""
    assert cli.main([str(argument) for argument in arguments]) == 2
    sentence = capsys.readouterr().err
    assert re.fullmatch(r"training: [^\n]+\.\n", sentence)
    return sentence


# ---------------------------------------------------------------- import


def test_weights_become_a_checkpoint(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "alexnet.safetensors"
    assert cli.main(["import", str(weights), str(out)]) == 0
    assert "61,100,840 parameters, 1000 labels, 244." in capsys.readouterr().out
    back = checkpoint.load(out)
    assert back.architecture == ARCHITECTURE
    assert back.provenance["from"] == "weights.pth"


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "absent.pth" in said(capsys, "import", tmp_path / "absent.pth", tmp_path / "out")


def test_a_hostile_pickle_is_refused_and_never_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "run",))

    torch.save({"features.0.weight": Hostile()}, tmp_path / "zipped.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Hostile()))
    for name in ("zipped.pth", "plain.pth"):
        assert "nothing else" in said(capsys, "import", tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_refused(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float
) -> None:
    whole = weights.read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: int(share * len(whole))])
    assert "cut.pth is not a whole file" in said(capsys, "import", tmp_path / "cut.pth", tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"conv1.weight": torch.zeros(2)}, "lacks features.0.weight"),
        ({1: torch.zeros(2)}, "lacks features.0.weight"),
        ([torch.zeros(2)], "no state dict"),
        (torch.zeros(2), "no state dict"),
    ],
)
def test_other_weights_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, reason: str
) -> None:
    torch.save(content, tmp_path / "other.pth")
    sentence = said(capsys, "import", tmp_path / "other.pth", tmp_path / "out")
    assert "other.pth" in sentence
    assert reason in sentence


# ---------------------------------------------------------------- fetch


class _Server(BaseHTTPRequestHandler):
    """Serves one body at every path, or what the path asks for instead."""

    body = b""
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.end_headers()
            return
        self.send_response(404 if self.path.startswith("/absent/") else 200)
        if "/unmeasured/" not in self.path:
            self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body[: len(self.body) // 2 if "/cut/" in self.path else None])

    def log_message(self, format: str, *_: object) -> None:
        """Be silent."""


@pytest.fixture
def server(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_Server, "body", weights.read_bytes())
    monkeypatch.setattr(_Server, "asked", [], raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as listening:
        thread = Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def name(weights: Path) -> str:
    """With the digest of what the server sends."""
    return f"alexnet-{hashlib.sha256(weights.read_bytes()).hexdigest()[:8]}.pth"


def test_weights_are_fetched_checked_and_imported(server: str, name: str, tmp_path: Path) -> None:
    fetch(f"{server}/{name}", tmp_path / "new" / "alexnet.safetensors")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [name, "alexnet.safetensors"]
    assert checkpoint.load(tmp_path / "new" / "alexnet.safetensors").provenance["from"] == name


def test_weights_that_lie_there_are_not_fetched_again(
    server: str, name: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[Path] = []
    monkeypatch.setattr(fetching, "import_weights", lambda weights_file, _: imported.append(weights_file))
    (tmp_path / name).write_bytes(b"something else")
    for _ in range(2):
        fetch(f"{server}/{name}", tmp_path / "out.safetensors")
    assert _Server.asked == [f"/{name}"]
    assert imported == [tmp_path / name] * 2
    assert (tmp_path / name).read_bytes() == weights.read_bytes()


@pytest.mark.parametrize("way", ["moved", "unmeasured", "moved/unmeasured"])
def test_servers_may_redirect_and_not_know_the_length(server: str, name: str, tmp_path: Path, way: str) -> None:
    download(f"{server}/{way}/{name}", tmp_path / name)
    assert (tmp_path / name).read_bytes() == _Server.body


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("alexnet-0123abcd.pth", "not 0123abcd"),
        ("absent/alexnet-0123abcd.pth", "404 Not Found"),
        ("cut/alexnet-0123abcd.pth", "without sending complete message body"),
        ("unmeasured/cut/alexnet-0123abcd.pth", "not 0123abcd"),
    ],
)
def test_a_failed_download_says_why_and_leaves_what_was_there(
    server: str, tmp_path: Path, path: str, reason: str
) -> None:
    target = tmp_path / "alexnet.pth"
    target.write_bytes(b"old")
    with pytest.raises(FetchError, match=reason) as caught:
        download(f"{server}/{path}", target)
    assert "python -m training import alexnet.pth OUT" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["alexnet.pth"]
    assert target.read_bytes() == b"old"


def test_no_network_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with kept_port() as port:
        address = f"http://127.0.0.1:{port}/alexnet-7be5be79.pth"
        monkeypatch.setattr(interop, "published", lambda: SimpleNamespace(url=address))
        sentence = said(capsys, "fetch", "alexnet-imagenet", "--out", tmp_path / "a.safetensors")
    assert f"{address} could not be fetched" in sentence
    assert "python -m training import alexnet-7be5be79.pth" in sentence
    assert list(tmp_path.iterdir()) == []


def test_the_official_address_names_its_digest() -> None:
    assert re.search(r"^https://.*/alexnet-owt-[0-9a-f]{8}\.pth$", published().url)
