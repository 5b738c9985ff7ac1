"""What is installed is known: requirements/ names one version of everything, and everything else agrees with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

LOCKS: dict[str, list[str]] = {
    "serve": PROJECT["dependencies"],
    "train": [*PROJECT["dependencies"], *EXTRAS["gpu"], *EXTRAS["train"]],
    "dev": [*PROJECT["dependencies"], *(requirement for extra in EXTRAS.values() for requirement in extra)],
    "build": [*SETTINGS["build-system"]["requires"], *SETTINGS["dependency-groups"]["build"]],
    "clients": SETTINGS["dependency-groups"]["clients"],
    "node": SETTINGS["dependency-groups"]["node"],
}
"""The name of each lock, and what pyproject.toml asks of it."""


def read(lock: str) -> list[Requirement]:
    content = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    lines = [line.split("#")[0].strip() for line in content.splitlines()]
    return [Requirement(line) for line in lines if line]


def locked(lock: str, *, here: bool = False) -> dict[str, str]:
    """Names and versions in a lock: all, or those that are installed on a machine like this one."""
    return {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement in read(lock)
        if not here or requirement.marker is None or requirement.marker.evaluate()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_one_version_of_each_package_and_no_place_to_get_it_from(lock: str) -> None:
    requirements = read(lock)
    assert all(
        requirement.url is None and [part.operator for part in requirement.specifier] == ["=="]
        for requirement in requirements
    )
    assert len({canonicalize_name(requirement.name) for requirement in requirements}) == len(requirements)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_pyproject_asks_for(lock: str) -> None:
    versions = locked(lock)
    requirements = [Requirement(text) for text in LOCKS[lock]]
    wrong = [
        str(requirement)
        for requirement in requirements
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]
    assert not wrong, f"requirements/{lock}.txt: run `make lock`"


@pytest.mark.parametrize(("small", "large"), [("serve", "train"), ("train", "dev")])
def test_a_smaller_lock_agrees_with_the_larger(small: str, large: str) -> None:
    assert locked(small).items() <= locked(large).items()


def test_building_is_locked_as_in_development() -> None:
    development = locked("dev")
    assert {name: v for name, v in locked("build").items() if development.get(name, v) != v} == {}


def test_serving_needs_no_torch_and_no_build_tool() -> None:
    assert {"torch", "torchvision", "triton", "setuptools", "pip", "hatchling"} & locked("serve").keys() == set()


def test_make_and_the_image_install_from_the_locks() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installs = re.findall(r"^.*\$\(PIP\).* install .*$", makefile, re.MULTILINE)
    assert len(installs) >= 4
    assert [line for line in installs if "$(LOCK)/" not in line and "'uv" not in line] == []
    image = (ROOT / "Dockerfile").read_text("utf-8")
    installs = re.findall(r"pip install [^&\n]*", image)
    assert len(installs) >= 6
    locking = re.compile(r"-r requirements/\w+\.txt|-c /tmp/dev\.txt|--no-deps /wheel/")
    assert [line for line in installs if not locking.search(line)] == []


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    """An environment with the metadata of the locked serving set, borrowed from ours; nothing in it could run."""
    environment = tmp_path / "serving"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    versions = locked("serve", here=True)
    for metadata in Path(sysconfig.get_path("purelib")).glob("*.dist-info"):
        name, version = metadata.name.removesuffix(".dist-info").split("-")
        if versions.get(canonicalize_name(name)) == version:
            (site / metadata.name).symlink_to(metadata)
    return environment


@pytest.mark.slow
def test_the_bill_of_materials_names_what_serving_locks_and_nothing_else(serving: Path, tmp_path: Path) -> None:
    flags = re.findall(r"^SBOM := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[0].split()
    tool = Path(sysconfig.get_path("scripts")) / "cyclonedx-py"
    bill = tmp_path / "sbom.cdx.json"
    command = [tool, "environment", *flags, "--output-file", bill, serving / "bin/python"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    contents = json.loads(bill.read_text("utf-8"))
    assert contents["metadata"]["component"]["name"] == PROJECT["name"]
    components = {canonicalize_name(part["name"]): part["version"] for part in contents["components"]}
    assert components == locked("serve", here=True)
