"""``python -m notebooks.build``: run ``alexnet.py`` from top to bottom; keep it as a notebook and as one HTML file.

The HTML file needs nothing else: no script, no font, no formula is fetched from anywhere.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jinja2 import Environment, FileSystemLoader
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from traitlets.config import Config

HERE = Path(__file__).parent
SOURCE = HERE / "alexnet.py"
SCALE = 0.7
"""Width of a picture on the page against its pixels, so that it stays sharp on fine screens."""

_PATIENT = Config({"AsyncKernelManager": {"shutdown_wait_time": 60.0}})  # it has its folder of pictures to remove
_COLOURS = 2000  # a drawing has fewer, a photo more
_SERVED = "http://127.0.0.1:8000/"  # where `make serve` answers: a notebook needs whole addresses
_QUESTION = r"(?m)^(?=\*\*(?:Predict|Exercise)\.\*\*|## )"


def read(source: Path = SOURCE) -> NotebookNode:
    """The cells as they are written, with ids and metadata that stay from one run to the next."""
    notebook: NotebookNode = jupytext.read(source)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        if _reveals(cell):
            cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}  # a click opens them
    return notebook


def executed(notebook: NotebookNode, *, short: bool = False) -> NotebookNode:
    """The same with what its cells answer; ``short`` takes a few steps where it trains.

    Raises nbclient.exceptions.CellExecutionError where a cell fails.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NOTEBOOK_", "MPL"))}
    client = NotebookClient(notebook, timeout=900, kernel_name="python3", record_timing=False, coalesce_streams=True,
                            config=_PATIENT, resources={"metadata": {"path": str(HERE)}})  # fmt: skip
    client.execute(env=environment | ({"NOTEBOOK_SHORT": "1"} if short else {}))
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"] = _smaller(base64.b64decode(output["data"]["image/png"]))
                output["metadata"] = {}
    return notebook


def _smaller(png: bytes) -> dict[str, str]:
    """A drawing as PNG with a palette, a photo as JPEG."""
    picture, body = Image.open(BytesIO(png)).convert("RGB"), BytesIO()
    drawn = picture.getcolors(_COLOURS) is not None
    if drawn:
        picture.quantize(128).save(body, "PNG", optimize=True)
    else:
        picture.save(body, "JPEG", quality=84, optimize=True)
    return {f"image/{'png' if drawn else 'jpeg'}": base64.b64encode(body.getvalue()).decode()}


def page(notebook: NotebookNode) -> str:
    """The executed notebook as HTML; from a prediction to the next question all is folded until the reader wants it.

    Its links to the pages of a running service are relative: the same service shows it at ``/notebook``.
    """
    rendered = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    cells = list(_cells(notebook))
    parts = [(cell["id"], cell["title"]) for cell in cells if cell.get("title")]
    blocks = [(folded, list(some)) for folded, some in groupby(cells, key=itemgetter("folded"))]
    written = rendered.get_template("page.html.j2").render(blocks=blocks, parts=parts)
    return written.replace(f'href="{_SERVED}"', 'href="./"').replace(f'href="{_SERVED}', 'href="')


def _reveals(cell: NotebookNode) -> bool:
    return "reveal" in cell.metadata.get("tags", [])


def _cells(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    text = MarkdownIt("commonmark").use(dollarmath_plugin, renderer=_formula)
    code, folded = HtmlFormatter(nowrap=True), False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            folded = folded or _reveals(cell)
            yield {"code": Markup(highlight(cell.source, PythonLexer(), code)), "outputs": list(_outputs(cell)),
                   "folded": folded}  # fmt: skip
            continue
        for said in re.split(_QUESTION, cell.source):
            folded = folded and not re.match(_QUESTION, said)
            heading = re.match(r"## ((\d+)\. .*)", said)
            yield {"text": Markup(text.render(said)), "title": heading and heading[1],
                   "id": heading and f"part-{heading[2]}", "folded": folded}  # fmt: skip


def _outputs(cell: NotebookNode) -> Iterator[dict[str, Any]]:
    for output in cell.outputs:
        data = output.get("data", {})
        kind = next((kind for kind in ("image/png", "image/jpeg") if kind in data), None)
        if kind:
            width = Image.open(BytesIO(base64.b64decode(data[kind]))).width
            yield {"picture": f"data:{kind};base64,{data[kind].strip()}", "width": round(SCALE * width)}
        else:
            yield {"said": output.get("text") or data.get("text/plain", "")}


def _formula(source: str, options: dict[str, Any]) -> str:
    formula = convert(source, display="block" if options["display_mode"] else "inline")
    if options["display_mode"]:
        formula = formula.replace("<math ", '<math tabindex="0" ', 1)  # on a phone it scrolls
    prime = re.sub(r"<msup>(<mi>\w</mi>)<mi>(&#x02032;)</mi></msup>", r"\1<mo>\2</mo>", formula)  # raised as it is
    return prime.replace("<mo>:</mo><mo>=</mo>", "<mo>:=</mo>")


def main() -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.build", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few steps only, to see that all of it runs")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER")
    options = parser.parse_args()
    notebook = executed(read(), short=options.short)
    file = options.out / SOURCE.name
    nbformat.write(notebook, file.with_suffix(".ipynb"))  # type: ignore[no-untyped-call]
    file.with_suffix(".html").write_text(page(notebook), "utf-8")
    for suffix in (".ipynb", ".html"):
        print(f"{file.with_suffix(suffix).name}: {file.with_suffix(suffix).stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
