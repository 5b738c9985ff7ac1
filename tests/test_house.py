"""The house stays in order: what import-linter, ruff and mypy cannot see."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("app", "model", "training")
TORCH_MODULES = {"model.engines.alexnet", "model.engines.torch_engine", "model.engines.interop"}


def sources(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(node: ast.AST, path: Path) -> Iterator[str]:
    """Every module that one import statement names; ``from a import b`` names ``a`` and ``a.b``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        package = module_name(path).split(".")
        package = package if path.name == "__init__.py" else package[:-1]
        base = package[: len(package) - node.level + 1] if node.level else []
        start = ".".join([*base, *([node.module] if node.module else [])])
        yield start
        yield from (f"{start}.{alias.name}" for alias in node.names)


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that runs when a module is imported: nothing inside functions or ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from run_at_import(child)


@cache
def tracked() -> tuple[str, ...]:
    """The repository's files; skips where this is no checkout (an unpacked archive)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return tuple(name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def texts() -> Iterator[tuple[str, str]]:
    for name in tracked():
        content = (ROOT / name).read_bytes()
        if name != "tests/test_house.py" and b"\0" not in content[:8192]:
            yield name, content.decode("utf-8")


def tracked_python() -> list[Path]:
    return [ROOT / name for name in tracked() if name.endswith(".py")]


@pytest.mark.parametrize(
    ("room", "strangers"),
    [("model", ("app", "training")), ("app", ("training",)), ("training", ("app",))],
)
def test_a_room_imports_only_in_the_agreed_direction(room: str, strangers: tuple[str, ...]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(room)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(name.split(".")[0] in strangers for name in imported(node, path))
    ]
    assert not wrong


def test_what_needs_torch_is_imported_only_when_it_is_called() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources("app", "model")
        if module_name(path) not in TORCH_MODULES
        for node in run_at_import(tree(path))
        for name in imported(node, path)
        if name in TORCH_MODULES or name.split(".")[0] in {"torch", "torchvision"}
    ]
    assert not wrong


def test_the_whole_service_is_imported_without_torch_and_without_the_lab() -> None:
    modules = [module_name(path) for path in sources("app") if path.name != "__main__.py"]
    code = (
        f"import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print([name for name in ('torch', 'torchvision', 'training') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_only_the_settings_read_the_environment() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(*ROOMS)
        if module_name(path) != "app.settings"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"os.environ", "os.environb", "os.getenv", "os.putenv"}
    ]
    assert not wrong


def test_no_file_of_ours_has_more_than_300_lines() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in sources(*ROOMS)}
    assert {name: lines for name, lines in lengths.items() if lines > 300} == {}


def test_no_function_has_more_than_40_lines() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in tracked_python()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}


def test_the_formatter_is_held_back_in_at_most_20_places() -> None:
    held_back = re.compile(r"#\s*fmt:\s*(?:skip|off)")
    counts = {str(path.relative_to(ROOT)): len(held_back.findall(path.read_text("utf-8"))) for path in tracked_python()}
    assert sum(counts.values()) <= 20, {name: count for name, count in counts.items() if count}


def test_no_public_docstring_has_four_words_or_fewer() -> None:
    short = [
        f"{path.relative_to(ROOT)}: {name}: {text}"
        for path in sources(*ROOMS, "benchmarks")
        for name, text in public_docstrings(tree(path))
        if len(text.split()) <= 4
    ]
    assert not short, "\n".join(short)


def public_docstrings(scope: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and docstrings in a module or class: its own, its public functions' and classes', those under its fields.

    Where there is none at all, ruff complains (D1).
    """
    yield prefix or "the module", ast.get_docstring(scope) or NO_DOCSTRING
    for field, node in pairwise(scope.body):
        match field, node:
            case ast.AnnAssign(target=name) | ast.Assign(targets=[name]), ast.Expr(value=ast.Constant(value=str(text))):
                yield f"{prefix}{ast.unparse(name)}", text
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_docstrings(node, f"{prefix}{node.name}.")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", ast.get_docstring(node) or NO_DOCSTRING


NO_DOCSTRING = "there is no docstring here"


@pytest.mark.parametrize("room", ["app", "training"])
def test_a_room_shows_at_most_13_entries_at_its_top(room: str) -> None:
    top = {name.split("/")[1] for name in tracked() if name.startswith(f"{room}/")}
    assert len(top) <= 13, sorted(top)


def test_no_module_imports_itself_in_a_circle_not_even_when_a_function_is_called() -> None:
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


def test_no_tracked_file_names_a_machine_or_a_package_index() -> None:
    homes = re.compile(r"(?<![\w.:/-])/(?:home|Users|root)/\w")
    index = re.compile(r"index-url|find-links|trusted-host", re.IGNORECASE)
    wrong = [
        name
        for name, text in texts()
        if homes.search(text) or index.search(text) or f"{ROOT}/" in text or f"{Path.home()}/" in text
    ]
    assert not wrong


def test_nothing_is_tracked_that_belongs_to_a_machine() -> None:
    unwanted = re.compile(r"^runs(/|$)|(^|/)(\.venv|__pycache__|\.env|node_modules|\.coverage)(/|$)|\.(pyc|pkl|pth)$")
    assert [name for name in tracked() if unwanted.search(name)] == []


def test_the_shipped_checkpoint_may_be_tracked() -> None:
    path = "model/pretrained/glassbot.safetensors"
    tracked()
    ignored = subprocess.run(["git", "check-ignore", "--no-index", "-q", path], cwd=ROOT, check=False)
    assert ignored.returncode == 1


def test_every_make_target_that_somebody_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"serve", "test", "check", "soak", "lint", "format", "clean"} <= targets
    named = {
        (name, target)
        for name, text in texts()
        if name.endswith((".md", ".yaml", ".yml")) or name == ".ci/run"
        for target in re.findall(r"(?:`|entry: |^)make ([a-z]+)", text, re.MULTILINE)
    }
    assert {(name, target) for name, target in named if target not in targets} == set()


def test_every_measured_row_of_the_readme_names_the_command_that_prints_it() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    heads = [n for n, line in enumerate(lines) if line.startswith("|") and "command" in line.lower()]
    heads = [n for n in heads if set(lines[n + 1]) <= set("|-: ")]
    assert heads, "the table of measured figures has a column named 'command'"
    for head in heads:
        column = [cell.strip().lower() for cell in lines[head].split("|")]
        at = next(n for n, cell in enumerate(column) if "command" in cell)
        for row in lines[head + 2 :]:
            if not row.startswith("|"):
                break
            assert "`" in row.split("|")[at], f"no command in: {row}"


def test_the_changelog_keeps_its_format_and_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert project()["version"] in text


def test_the_service_depends_on_no_torch() -> None:
    assert not [name for name in project()["dependencies"] if "torch" in name]


def project() -> dict[str, str]:
    settings: dict[str, dict[str, str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return settings["project"]


def test_decisions_are_numbered_without_gaps_and_take_half_a_page() -> None:
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for number, path in enumerate(records, 1):
        text = path.read_text("utf-8")
        assert text.startswith(f"# {number}. ")
        assert len(text.splitlines()) <= 40, path.name


def test_the_build_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
