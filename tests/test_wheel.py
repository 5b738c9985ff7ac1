"""The wheel works far from the repository: the page travels with it, and it serves without torch."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from model.checkpoint import PRETRAINED
from tests.tiny import tiny_checkpoint

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the hatchling of this environment."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel in it.

    Its dependencies are borrowed from ours by a path file, which takes a second instead of minutes and does
    not make the checkout importable; a stand-in that cannot be imported hides our torch.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    run(sys.executable, "-m", "pip", "--python", folder, "install", "--no-deps", "--no-index", wheel)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (site / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    return folder


@pytest.fixture(scope="module")
def service(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The installed `glassbot serve`, started from a folder that has nothing to do with the repository."""
    folder = tmp_path_factory.mktemp("folder")
    command = [str(environment / "bin/glassbot"), "serve"]
    if not PRETRAINED.exists():
        command += ["--checkpoint", str(tiny_checkpoint(folder / "tiny.safetensors"))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "GLASSBOT"))}
    clean |= {"GLASSBOT_HOST": "127.0.0.1", "GLASSBOT_PORT": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=clean, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline()  # once it is ready: the port that it got, which nobody could take before
        assert said.startswith("Glassbot is running at http://127.0.0.1:"), said + (folder / "log").read_text()
        with httpx.Client(base_url=said.split()[4], timeout=60) as client:
            assert client.get("/readyz").is_success
            yield client
        process.terminate()
        assert process.wait(60) == 0, (folder / "log").read_text()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_wheel_carries_the_page_the_tables_and_the_network_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[0] for name in names}
    assert rooms == {"app", "model", "training", *(room for room in rooms if room.endswith(".dist-info"))}
    assert any(name.startswith("app/_web/templates/") for name in names)
    assert any(name.startswith("app/_web/static/") for name in names)
    assert any(name.startswith("model/language/tables/") for name in names)
    assert "app/_web/static/uplot/uPlot.iife.min.js" in names
    assert {"model/pretrained/claims.json", "model/pretrained/switches.json"} <= set(names)
    if PRETRAINED.exists():
        assert "model/pretrained/glassbot.safetensors" in names
        assert "model/pretrained/journal.jsonl" in names
        assert any(name.startswith("model/pretrained/journal/") for name in names)


def test_the_wheel_carries_every_file_of_the_three_rooms(wheel: Path) -> None:
    files = {
        str(path.relative_to(ROOT))
        for room in ("app", "model", "training")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {
        "training/pages/gallery.html.j2",
        "training/data/word_targets.json",
        "training/trainer/chelsea.webp",
    } <= files
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_an_installed_service_shows_its_page(service: httpx.Client) -> None:
    page = service.get("/")
    assert page.status_code == 200
    assert "<html" in page.text


def test_an_installed_service_shows_how_it_learned(service: httpx.Client) -> None:
    page = service.get("/training")
    assert page.status_code == 200
    assert "local response normalisation helps" in page.text.lower()
    if PRETRAINED.exists():
        assert service.get("/training/runs/shipped.json").json()["charts"]


def test_an_installed_service_answers_with_labels_and_a_sentence(service: httpx.Client) -> None:
    picture = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert("RGB").save(picture, "JPEG")
    answer = service.post("/predict", files={"file": ("noise.jpg", picture.getvalue(), "image/jpeg")})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["labels"]) == 5
    assert answer.json()["caption"]["text"]
