"""The page /training: runs that are complete, growing, damaged or missing, and the findings of ``ablate``."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.runs import registry as module
from app.runs.charts import charts
from app.runs.findings import CLAIMS, SWITCHES, Findings, findings
from app.runs.registry import Runs
from app.settings import Settings, read_settings
from model.checkpoint import PRETRAINED, Checkpoint
from model.runlog import writer
from model.runlog.findings import Finding
from model.runlog.reader import read
from tests.app.runs.run_logs import loss_at, write_run
from tests.app.server import ROOT
from training.paper.hypotheses import HYPOTHESES as TESTED
from training.paper.hypotheses import SWITCHES as TRIED

pytestmark = pytest.mark.anyio

UPLOT = ROOT / "static" / "uplot"
SHEETS = "/training/runs/whole/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``whole`` can be looked at; of ``empty``, ``broken``, ``early`` and ``nowhere`` there is nothing to see."""
    top = tmp_path_factory.mktemp("runs")
    write_run(top / "whole")
    for name, text in (("empty", ""), ("broken", '{"step": 1\n[]\nnot at all\n'), ("early", '{"step": 0}\n')):
        (top / name).mkdir()
        (top / name / "metrics.jsonl").write_text(text)
    return top


@pytest.fixture
async def page(folder: Path, network: Checkpoint) -> AsyncIterator[httpx.AsyncClient]:
    named = tuple(folder / name for name in ("whole", "empty", "broken", "early", "nowhere"))
    async with client_of(network, *named) as client:
        yield client


def client_of(network: Checkpoint, *folders: Path) -> httpx.AsyncClient:
    """Nothing here asks the network anything, so it need not be awaited."""
    app = create_app(Settings(runs=folders), network)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://glassbot")


def words(answer: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


async def test_the_page_and_what_it_loads_are_there_and_all_addresses_are_relative(page: httpx.AsyncClient) -> None:
    answer = await page.get("/training?run=whole")
    assert answer.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert [link for link in links if link.startswith("/") or "//" in link] == []
    for link in set(links) - {"#main", "learn"}:
        assert (await page.get("/" + link.removeprefix("./"))).status_code == 200, link
    assert not re.search(r"<script[^>]*>[^<]|\sstyle=", answer.text)
    assert re.findall(r'<a href="([^"]*)" aria-current="page">Training</a>', answer.text) == ["training"]


async def test_the_figures_are_those_of_the_run_log(page: httpx.AsyncClient) -> None:
    run = (await page.get(SHEETS[:-1] + ".json")).json()
    assert (run["name"], run["end"], run["problem"]) == ("whole", 300, "")
    assert [(mark["step"], mark["label"]) for mark in run["marks"]] == [(200, "99\u00a0px")]
    loss, objects, spoken = run["charts"]
    assert loss["steps"] == list(range(25, 301, 25))
    assert loss["curves"] == {"loss": [loss_at(step) for step in loss["steps"]]}
    assert (objects["name"], objects["steps"], objects["pictures"]) == ("object", [100, 200, 300], 5000)
    assert objects["curves"] == {"first": [90, 80, 70], "five": [80, 60, 40]}
    assert spoken["curves"] == {"map": [5, 10, 15]}
    assert [sheet["step"] for sheet in run["sheets"]] == [0, 100, 200, 300]
    assert [block["name"] for block in run["sheets"][0]["blocks"]][:2] == ["kernels", "conv1"]


async def test_without_scripts_the_last_figures_and_tables_can_be_read(page: httpx.AsyncClient) -> None:
    answer = await page.get("/training?run=whole")
    text = words(answer)
    assert "300 steps, on pictures of 67, then 99 px. Measured 3 times" in text
    assert "It saved 4 snapshots." in text
    assert f"100 {loss_at(100):.2f}" in text
    assert "200 80.0% 60.0%" in text
    assert re.search(r'<noscript><svg class="px" viewBox="0 44 132 44"', answer.text)  # the second column's kernels


async def test_sheets_stay_in_the_cache_until_they_change(page: httpx.AsyncClient, folder: Path) -> None:
    run = (await page.get(SHEETS[:-1] + ".json")).json()
    for one in run["sheets"]:
        answer = await page.get(SHEETS + one["file"])
        assert answer.content == (folder / "whole" / "metrics" / f"{one['step']:07d}.webp").read_bytes()
        assert answer.headers["content-type"] == "image/webp"
        assert "immutable" in answer.headers["cache-control"]
    assert len({one["file"].split("v=")[1] for one in run["sheets"]}) == 4
    for stale in ("100.webp", "100.webp?v=0"):
        assert (await page.get(SHEETS + stale)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "nobody.json",
        "whole/1.webp",
        "whole/0000100.webp",
        "whole/1e2.webp",
        "whole/-1.webp",
        "nobody/100.webp",
        f"whole/{'9' * 5000}.webp",
        "..%2fwhole/100.webp",
        "whole/..%2f0000100.webp",
        "whole/%2e%2e/100.webp",
        "empty/picture.webp",
        "..%2f..%2fpyproject.json",
        "whole/metrics.jsonl",
        "whole/0000100.webp%00.webp",
    ],
)
async def test_nothing_else_can_be_asked_for(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(f"/training/runs/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("empty", "The run log of “empty” has no figures yet: a run writes the first ones within 25 steps."),
        ("early", "The run log of “early” has no figures yet: a run writes the first ones within 25 steps."),
        ("broken", "The run log of “broken” is damaged: none of its 3 lines can be read."),
        ("nowhere", "There is no run log of “nowhere”: its folder has no file metrics.jsonl."),
    ],
)
async def test_a_run_that_cannot_be_shown_gets_one_sentence(
    page: httpx.AsyncClient, folder: Path, name: str, sentence: str
) -> None:
    answer, figures = await page.get(f"/training?run={name}"), await page.get(f"/training/runs/{name}.json")
    assert (answer.status_code, figures.status_code) == (200, 200)
    assert sentence in words(answer)
    assert figures.json()["problem"] == sentence
    assert str(folder) not in answer.text + figures.text
    assert "Local response normalisation helps" in answer.text  # the claims are there all the same


async def test_an_unknown_run_is_a_404_with_a_page(page: httpx.AsyncClient) -> None:
    answer = await page.get("/training?run=nobody")
    assert answer.status_code == 404
    assert "There is no run of this name here" in words(answer)
    assert 'href="training?run=whole"' in answer.text


async def test_a_disk_that_fails_is_a_problem_in_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(module, "read", fail)
    view = Runs([folder / "whole"]).view("whole")
    assert view.problem == "The run log of “whole” cannot be read: permission denied."


async def test_a_sheet_that_was_deleted_is_a_404(network: Checkpoint, tmp_path: Path) -> None:
    write_run(tmp_path / "run", kept=(25, 50))
    async with client_of(network, tmp_path / "run") as client:
        assert (await client.get("/training/runs/run/25.webp")).status_code == 200
        (tmp_path / "run" / "metrics" / "0000025.webp").unlink()
        (tmp_path / "run" / "metrics" / "picture.webp").unlink()
        for name in ("25", "picture"):
            assert (await client.get(f"/training/runs/run/{name}.webp")).status_code == 404
        assert "picture.webp" not in (await client.get("/training?run=run")).text


async def test_a_running_run_is_read_again_only_when_it_has_grown(
    network: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_run(tmp_path / "run", kept=(25, 50))
    (tmp_path / "run" / "config.json").write_text('{"steps": 1000, "recipe": {"columns": 1}}')
    reads: list[Path] = []

    def counted(run: Path) -> Any:
        reads.append(run)
        return read(run)

    monkeypatch.setattr(module, "read", counted)
    async with client_of(network, tmp_path / "run") as client:
        first = await client.get("/training/runs/run.json")
        again = await client.get("/training/runs/run.json", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, len(reads)) == (304, b"", 1)
        page = await client.get("/training?run=run")
        assert "50 steps of 1,000 so far" in words(page)
        assert "Second column" not in page.text  # its config says that there is one
        writer.append(path, {"step": 75, "size": 67, "loss": 1.5})
        grown = await client.get("/training/runs/run.json", headers={"If-None-Match": first.headers["etag"]})
        assert (grown.status_code, grown.json()["end"], len(reads)) == (200, 75, 2)


async def test_damaged_lines_of_a_run_log_are_left_out_and_counted(network: Checkpoint, tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", kept=(25, 50))
    with path.open("a") as file:
        file.write('{"step": 60, "loss": NaN}\n{"step": 70, "loss": 1e99}\n{"step": 75, "loss": "low"}\n')
        file.write(
            '{"step": 80, "measured": {"object": {"top1": 7}, "word": [], "<b>": {"map": 0.5}}}\n{"step": 85, "lo'
        )
    async with client_of(network, tmp_path / "run") as client:
        figures = await client.get("/training/runs/run.json")
        run = json.loads(figures.text, parse_constant=pytest.fail)
        assert run["charts"][0]["steps"] == [25, 50]
        assert [chart["name"] for chart in run["charts"]] == ["loss", "object", "word", "<b>"]
        answer = await client.get("/training?run=run")
        assert "1 line of this run log cannot be read and is left out." in words(answer)
        assert "<b></h2>" not in answer.text


async def test_a_curve_that_was_not_measured_every_time_has_gaps(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    writer.append(path, {"step": 10, "measured": {"object": {"top1": 0.25}}})
    writer.append(path, {"step": 20, "measured": {"object": {"top1": 0.5, "top5": 0.75}}})
    [chart] = charts(read(path))
    assert chart.curves == {"first": [75, 50], "five": [None, 25]}
    assert chart.last == {"first": 50, "five": 25}
    assert chart.rows(1) == [(20, [50, 25])]


async def test_names_in_addresses_are_plain_and_unique(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("mugs v1.2", "a/mugs", "b/mugs", "shipped", "éü")]
    runs = Runs(folders)
    assert list(runs.by_name) == ["shipped", "mugs-v1-2", "mugs", "mugs-2", "shipped-2", "run"]
    assert [run.title for run in runs.by_name.values()][1:4] == ["mugs v1.2", "mugs", "mugs (mugs-2)"]


async def test_the_setting_names_folders_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSBOT_RUNS", "runs/first, runs/second")
    assert read_settings().runs == (Path("runs/first"), Path("runs/second"))


async def test_the_shipped_network_has_its_run_log(client: httpx.AsyncClient) -> None:
    if not (PRETRAINED.parent / "journal.jsonl").is_file():
        pytest.skip("no network is shipped")
    run = (await client.get("/training/runs/shipped.json")).json()
    assert run["charts"][0]["name"] == "loss"
    assert (await client.get(f"/training/runs/shipped/{run['sheets'][-1]['file']}")).status_code == 200
    assert "The 96 kernels" in words(await client.get("/training"))
    contract = (await client.get("/openapi.json")).json()
    assert [path for path in contract["paths"] if path.startswith("/training")] == []


@pytest.mark.parametrize(("path", "known"), [(CLAIMS, TESTED), (SWITCHES, TRIED)])
async def test_every_finding_is_on_the_page_with_its_seeds(client: httpx.AsyncClient, path: Path, known: Any) -> None:
    facts = json.loads(path.read_text("utf-8"))
    statements = {name: hypothesis.statement for name, hypothesis in known.items()}
    assert {name: row["said"] for name, row in facts["claims"].items()} == statements
    text = words(await client.get("/training"))
    for row in facts["claims"].values():
        assert row["said"][1:] in text
        assert len(row["gains"]) == facts["seeds"]
        figures = [f"{gain:.2f}" if row["even"] else f"{gain:+.1f}".replace("-", "−") for gain in row["gains"]]
        assert f"3 seeds: {', '.join(figures)}".replace("+0.0", "0.0").replace("−0.0", "0.0") in text


async def test_the_documented_experiments_are_those_on_the_page() -> None:
    sections = re.split(r"^## \d+\. ", (ROOT / "docs" / "experiments.md").read_text("utf-8"), flags=re.MULTILINE)
    for number, path in ((7, CLAIMS), (6, SWITCHES)):
        found = findings(path)
        assert found
        for row in found.rows:
            assert row.half is not None
            digits = 2 if row.times else 1
            mean = f"{row.mean:.{digits}f}".replace("-0.0", "0.0").replace("-", "−")
            assert re.search(rf"[| *+]{re.escape(mean)} ± {row.half:.{digits}f}[ *|]", sections[number]), row.hypothesis


@pytest.mark.parametrize("key", ["hypotheses", "claims"])
def test_findings_are_read_under_their_key_of_today_and_of_before(key: str, tmp_path: Path) -> None:
    row = {"said": "it helps", "paper": "", "measure": "points", "even": 0, "mean": 1, "half": None, "gains": [1]}
    (tmp_path / "found.json").write_text(json.dumps({"steps": 2, key: {"lrn": row}}))
    found = findings(tmp_path / "found.json")
    assert found is not None
    assert [row.hypothesis for row in found.rows] == ["it helps"]
    assert dict(found.facts) == {"steps": 2}


def finding(mean: float, half: float | None, *gains: float, even: float = 0) -> Finding:
    measure = "×" if even else "points"
    return Finding(hypothesis="", paper="", measure=measure, even=even, mean=mean, half=half, gains=gains)


async def test_a_difference_within_chance_is_left_open() -> None:
    rows = [finding(4, 3, 2, 6), finding(-4, 3, -8, 0), finding(2, 2, 1, 3), finding(9, None, 9)]
    factors = [finding(0.5, 0.6, 0.5, even=1), finding(2, 0.5, 2, even=1)]
    assert [row.verdict for row in rows] == ["for", "against", "open", "open"]
    assert [row.verdict for row in factors] == ["open", "for"]
    by_name = {str(number): row for number, row in enumerate(rows + factors)}
    found = Findings(facts={"steps": 100, "batch_size": 32, "pictures": 6400}, by_name=by_name)
    assert [found.place(rows[0], gain) for gain in (0, 9, -9)] == [50, 100, 0]
    assert found.place(factors[0], 1) == 50
    assert found.times_seen == 0.5


async def test_the_page_says_where_nothing_was_measured(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.runs.findings.CLAIMS", tmp_path / "claims.json")
    monkeypatch.setattr("app.runs.findings.SWITCHES", tmp_path / "switches.json")
    assert "This has not been measured here yet." in words(await client.get("/training"))


async def test_uplot_is_what_its_listing_says() -> None:
    listing = (UPLOT / "README.md").read_text("utf-8")
    sums = dict(re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", listing))
    assert set(sums) == {path.name for path in UPLOT.glob("*") if path.suffix in (".js", ".css")}
    for name, expected in sums.items():
        assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == expected, name
    (number,) = re.findall(r"`uplot` (\d+\.\d+\.\d+)", listing)
    assert f"(v{number})" in (UPLOT / "uPlot.iife.min.js").read_text("utf-8")[:100]
    assert "MIT" in (UPLOT / "LICENSE").read_text("utf-8")
