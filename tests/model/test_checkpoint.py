"""Checkpoints come back as they went; everything else is refused in one sentence."""

import json
import os
import pickle
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from model import checkpoint
from model.checkpoint import Checkpoint, CheckpointError
from tests.tiny import tiny_network


@pytest.fixture(scope="module")
def network() -> Checkpoint:
    return replace(tiny_network(99), provenance={"seed": 7}, measured={"object": {"top1": 0.4}})


@pytest.fixture(scope="module")
def saved(network: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "network.safetensors"
    checkpoint.save(path, network)
    return path


def test_a_network_comes_back_whole(saved: Path, network: Checkpoint) -> None:
    back = checkpoint.load(saved)
    assert (back.architecture, back.vocabularies, back.preprocessing) == (
        network.architecture,
        network.vocabularies,
        network.preprocessing,
    )
    assert (back.provenance, back.measured) == (network.provenance, network.measured)
    assert len(back.version) == 12
    for name, weight in network.weights.items():
        np.testing.assert_array_equal(back.weights[name], weight)


def test_the_small_form_is_small_and_near(tmp_path: Path, network: Checkpoint) -> None:
    checkpoint.save(tmp_path / "small.safetensors", network, small=True)
    back = checkpoint.load(tmp_path / "small.safetensors")
    assert (tmp_path / "small.safetensors").stat().st_size < 0.15 * 4 * network.architecture.parameters
    for name in ("conv3.weight", "fc7.weight", "fc8.weight"):
        error = np.sqrt(np.mean((back.weights[name] - network.weights[name]) ** 2)) / network.weights[name].std()
        assert error < (0.02 if name == "conv3.weight" else 0.11), name
    np.testing.assert_array_equal(back.weights["conv1.bias"], network.weights["conv1.bias"])


def test_a_file_is_on_disk_before_it_takes_its_name(
    network: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.safetensors"
    done: list[tuple[str, int]] = []
    flush, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        flush(descriptor)
        done.append(("flushed", os.fstat(descriptor).st_ino))

    def replace_file(half: Path, target: Path) -> Path:
        done.append(("renamed", half.stat().st_ino))
        return rename(half, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace_file)
    checkpoint.save(path, network)
    inode = path.stat().st_ino
    assert done == [("flushed", inode), ("renamed", inode)]


@pytest.mark.parametrize("error", [SafetensorError("no space left on device"), OSError("no space left on device")])
def test_a_write_that_fails_leaves_the_old_file(
    network: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = tmp_path / "network.safetensors"
    path.write_bytes(b"the old network")

    def save_half(_: object, half: Path, **__: object) -> None:
        half.write_bytes(b"half of the new")
        raise error

    monkeypatch.setattr(checkpoint, "save_file", save_half)
    with pytest.raises(OSError, match="no space left"):
        checkpoint.save(path, network)
    assert path.read_bytes() == b"the old network"
    assert list(tmp_path.iterdir()) == [path]


def test_a_service_of_another_user_may_read_it(saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o644


def test_saving_leaves_no_half_file(saved: Path) -> None:
    assert [p.name for p in saved.parent.iterdir()] == ["network.safetensors"]


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "no checkpoint" in refused(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
def test_truncated_files_are_refused(saved: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.safetensors"
    whole = saved.read_bytes()
    cut.write_bytes(whole[: int(len(whole) * share)])
    assert "not a whole safetensors file" in refused(cut)


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "run",))

    (tmp_path / "hostile.pt").write_bytes(pickle.dumps(Hostile()))
    refused(tmp_path / "hostile.pt")
    assert not (tmp_path / "run").exists()


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "foreign.safetensors")
    assert "not a Glassbot checkpoint" in refused(tmp_path / "foreign.safetensors")


def header_of(network: Checkpoint, tmp_path: Path) -> dict[str, object]:
    from safetensors import safe_open

    checkpoint.save(tmp_path / "x.safetensors", network)
    with safe_open(tmp_path / "x.safetensors", framework="numpy") as file:
        header: dict[str, object] = json.loads(file.metadata()["glassbot"])
    return header


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "glassbot-9"}, "glassbot-9"),
        ({"architecture": {"outputs": 5}}, "does not describe"),
        ({"vocabularies": []}, "0 labels"),
        ({"encodings": {"fc6.weight": "sparse4"}}, "does not describe"),
        ({"preprocessing": None}, "does not describe"),
    ],
)
def test_headers_that_do_not_fit_are_refused(
    network: Checkpoint, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    header = header_of(network, tmp_path) | change
    path = tmp_path / "bad.safetensors"
    save_file(dict(network.weights), path, metadata={"glassbot": json.dumps(header)})
    assert said in refused(path)


def test_weights_that_do_not_fit_are_refused(network: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    header = json.dumps(header_of(network, tmp_path))
    for change, said in (
        ({"fc8.bias": np.zeros(3, np.float32)}, "fc8.bias"),
        ({"fc8.bias": np.full(18, np.nan, np.float32)}, "not finite"),
        ({"extra": np.zeros(3, np.float32)}, "extra"),
    ):
        save_file({**network.weights, **change}, path, metadata={"glassbot": header})
        assert said in refused(path)


def test_an_inflating_stream_is_cut_off(network: Checkpoint) -> None:
    import zlib

    from model.compress import decode, encode

    tensors, encodings = encode({"conv1.weight": network.weights["conv1.weight"]})
    tensors["conv1.weight.zlib"] = np.frombuffer(zlib.compress(bytes(10_000_000)), np.uint8)
    with pytest.raises(ValueError, match="does not hold"):
        decode(tensors, encodings, {"conv1.weight": (96, 3, 11, 11)})
