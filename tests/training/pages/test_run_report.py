"""The page of a run: whole, self-contained, and right for a run that is long, short, unfinished or damaged."""

import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.architecture import Architecture
from model.runlog import reader, sprites, writer
from model.runlog.reader import read
from training import __main__ as cli
from training.pages.run_report import choose_sheets, format_duration, format_value, render_report, sheet_view
from training.recipes import RECIPES
from training.trainer.snapshot import keep_picture

VOID = {"meta", "input", "img", "br", "link"}
SECTIONS = ("h-how", "h-run", "h-curves", "h-seen", "h-table")


class Page(HTMLParser):
    """Checks that what opens is closed; keeps texts, ids and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append({name: value or "" for name, value in attrs})
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append({name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def ids(self) -> list[str]:
        return [found["id"] for found in self.attributes if "id" in found]


def log(path: Path, step: int, **rest: Any) -> None:
    writer.append(path, {"step": step, "size": 67 if step <= 200 else 99, **rest})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four evaluations, three vocabularies, pictures that grow, sheets and a photo."""
    folder, random = tmp_path_factory.mktemp("run"), np.random.default_rng(0)
    path = folder / "metrics.jsonl"
    keep_picture(path)
    for step in range(25, 401, 25):
        log(path, step, loss=round(5 - step / 100, 4), images_per_second=100.0, lr=0.1 * (1 - step / 400))
        if step % 100 == 0:
            share = step / 1000
            figures = {"object": {"top1": share, "top5": share + 0.1, "n": 5000}, "word": {"map": 0.5 - share, "n": 10}}
            log(path, step, measured=figures)
    for step, size in ((200, 67), (400, 99)):
        table = Architecture(input_size=size)
        maps = {row.name: random.random(row.shape, np.float32) for row in table.layers if row.name in sprites.LAYERS}
        writer.append_sheet(path, step, size, random.standard_normal((96, 3, 11, 11), np.float32), maps)
    config = {
        "recipe": asdict(RECIPES["smoke"]()),
        "steps": 1000,
        "provenance": {
            "data": {"object": 100_000, "word": 6091},
            "started": "2026-11-24",
            "device": "cpu",
            "torch": "2.13.0",
            "seed": 7,
            "preset": "<smoke>",
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def command(*arguments: object) -> int:
    return cli.main(["report", *map(str, arguments)])


def test_the_page_is_whole_and_fetches_nothing(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "page.html"
    assert command(run, "--out", out) == 0
    assert str(out) in capsys.readouterr().out
    text = out.read_text("utf-8")
    found = Page(text)
    assert set(SECTIONS) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert "//" not in re.sub(r"data:image/webp;base64,[\w+/=]+", "", text)
    fetching = [a[name] for a in found.attributes for name in ("href", "src", "xlink:href", "srcset") if name in a]
    assert all(value.startswith(("data:image/webp;base64,", "#")) for value in fetching)
    assert "@import" not in text
    assert set(re.findall(r"url\((.*?)\)", text)) == {"#cividis"}


def test_the_page_says_what_the_run_is_and_how_it_did(run: Path) -> None:
    found = Page(render_report(run))
    text = found.text.replace("\N{NO-BREAK SPACE}", " ")
    for said in (
        "It has taken 400 of 1,000 steps so far.",
        "object, top-1 40.0 %",
        "word, mAP 10.0 %",
        "object 100,000, word 6,091",
        "67 → 99 px",
        "Seed 7",
        "<smoke>",
        "Last 1, least 1 at step 400",
        "top-1 last 40.0, best 40.0",
        "mAP last 10.0, best 40.0",
        "Learning rate",
        "Pictures a second",
        "Median 100",
        "n = 5,000",
        "batch_size 8",
        "96 × 23 × 23; 12 maps of 96",
        "400, 99 px",
    ):
        assert said in text, said
    assert "about 32 s" in text  # 400 steps of 8 pictures, 100 a second


def test_without_scripts_the_last_evaluation_is_shown_and_with_them_every_one(run: Path) -> None:
    text = render_report(run)
    first, last = (sheet_view(one) for one in reader.sheets(run / "metrics.jsonl"))
    inline, data = text.split('<script type="application/json" id="sheets">')
    assert last["uri"] in inline
    assert first["uri"] not in inline
    stored = json.loads(data.split("</script>")[0])
    assert [one["step"] for one in stored] == [200, 400]
    assert stored[0]["uri"] == first["uri"]
    views = [a["viewbox"] for a in Page(text).attributes if "data-view" in a]
    assert views[:4] == ["0 0 132 44", "0 44 132 44", "0 88 138 23", "138 88 138 23"]


def test_a_run_that_kept_no_pictures_says_so(tmp_path: Path) -> None:
    log(tmp_path / "metrics.jsonl", 25, loss=1.0)
    found = Page(render_report(tmp_path))
    assert set(SECTIONS) <= set(found.ids)
    assert "kept no pictures" in found.text
    assert "not been evaluated yet" in found.text
    assert "None yet." in found.text
    assert "No readable config.json" in found.text
    assert "script" not in found.tags


def test_the_run_log_alone_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    log(path, 100, measured={"scene": {"top1": 0.5}})
    assert command(path) == 0
    assert "scene, top-1 50.0 %" in Page((tmp_path / "report.html").read_text("utf-8")).text


@pytest.mark.parametrize("body", [None, "", '{"step": 25, "los', "{}\n[]\n", '{"step": 1, "loss": "much"}\n'])
def test_a_folder_with_nothing_to_report_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str | None
) -> None:
    if body is not None:
        (tmp_path / "metrics.jsonl").write_text(body)
    assert command(tmp_path) == 2
    said = capsys.readouterr().err
    assert ("There is no run log" if body is None else "has no entry yet") in said
    assert said.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


def test_what_is_damaged_is_left_out_and_counted(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    hostile = [
        '{"step": 30, "size": "<script>", "loss": NaN}',
        '{"step": 31, "size": 67, "loss": 1e999}',
        '{"step": 32, "loss": true}',
        '{"step": 33, "size": -5, "loss": 1e300}',
        '{"step": 34, "measured": []}',
        '{"step": 35, "measured": {"<b>x</b>": {"top1": "0.5", "top5": 7}}}',
        '{"step": 36, "measured": {"<b>x</b>": {"<i>": 0.5, "n": "many"}}}',
        '{"step": 37, "sheet": [{"side": 1}]}',
        "{broken",
        "[]",
        '{"step": 38, "loss": 0.',
    ]
    path.write_text((run / "metrics.jsonl").read_text() + "\n".join(hostile))
    (tmp_path / "config.json").write_text(
        '{"recipe": [1], "steps": "all", "provenance": {"data": 3, "seed": {"a": []}}}'
    )
    text = render_report(tmp_path)
    found = Page(text)
    assert "3 lines of the run log could not be read and are left out." in found.text
    assert "<b>x</b>" in found.text
    assert "<b>x</b>" not in text
    assert "nan" not in found.text.lower().split()
    assert found.tags.count("script") == 0  # its sheets lie in another folder


@pytest.mark.parametrize("config", ["", "{", "[]", "null", '{"recipe": null}', "[" * 100_000])
def test_a_config_that_cannot_be_read_is_no_config(tmp_path: Path, config: str) -> None:
    log(tmp_path / "metrics.jsonl", 25, loss=1.0)
    (tmp_path / "config.json").write_text(config)
    assert "No readable config.json" in Page(render_report(tmp_path)).text


def test_values_of_the_config_are_put_into_words() -> None:
    values = [True, 100_000, 4 / 3, None, "x" * 500, [{"size": 99, "share": 0.6}, {"size": 227, "share": 0.4}], 10**400]
    said = [format_value(value) for value in values]
    assert said[:4] == ["yes", "100,000", "1.3333", ""]
    assert len(said[4]) == 120
    assert said[5:] == ["99:0.6, 227:0.4", "?"]


def test_time_is_summed_from_speed_and_sizes_begin_where_the_ones_before_end(run: Path) -> None:
    record = read(run)
    assert record.seconds == pytest.approx(400 * 8 / 100)
    assert record.sizes == {0: 67, 200: 99}
    assert [format_duration(s) for s in (45, 720, 5400, 11_100)] == ["45 s", "12 min", "1 h 30 min", "3 h 05 min"]


def test_a_long_run_shows_its_sheets_evenly_and_the_last_among_them(run: Path) -> None:
    one = reader.sheets(run / "metrics.jsonl")[0]
    kept = choose_sheets([one] * 300 + reader.sheets(run / "metrics.jsonl"), 120)
    assert len(kept) == 120
    assert kept[-1].step == 400
    assert choose_sheets([], 5) == []
