"""Routes about how the network learned: a page, the figures of each run, and the pictures that the run saved."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.errors import NotFoundError
from app.http.dependencies import AppVersion, RunsPart
from app.http.etags import tag, unchanged
from app.http.routes.pages import templates
from app.runs import charts, findings
from app.runs.registry import SHIPPED, Look, Run, stamp, version

router = APIRouter(include_in_schema=False)

_FOREVER = "public, max-age=31536000, immutable"


@router.get("/training")
def page(request: Request, runs: RunsPart, run: str = SHIPPED) -> Response:
    """The page of one training run."""
    try:
        look, status = runs.look(run), 200
    except NotFoundError as error:
        look, status = Look(run=Run(name="", title="", journal=Path()), stamp="", problem=error.detail), error.status
    record = look.record
    context = {
        "runs": runs.all.values(),
        "look": look,
        "record": record,
        "stamp": stamp,
        "version": version,
        "charts": charts.charts(record) if record else [],
        "planned": charts.planned(record) if record else 0,
        "halves": charts.halves(record) if record else [],
        "claims": findings.findings(findings.CLAIMS),
        "switches": findings.findings(findings.SWITCHES),
    }
    return templates().TemplateResponse(request, "training.html", context, status_code=status)


@router.get("/training/runs/{name}.json")
def figures(request: Request, runs: RunsPart, app_version: AppVersion, name: str) -> Response:
    """Everything the page draws of a run, for its scripts."""
    look = runs.look(name)
    current = tag(look.stamp, app_version)
    answer = unchanged(request, current)
    if answer is None:
        answer = JSONResponse(charts.told(look))
    else:  # the gzip middleware adds this to the whole answer, but not to a 304
        answer.headers["Vary"] = "Accept-Encoding"
    answer.headers.update({"ETag": current, "Cache-Control": "no-cache"})
    return answer


@router.get("/training/runs/{name}/picture.webp")
def picture(runs: RunsPart, name: str, v: str = "") -> Response:
    """The fixed photo of a run."""
    file = runs.look(name).picture
    if file is None:
        raise NotFoundError("This run has no fixed photo.")
    return _webp(file, _FOREVER if v == stamp(file) else "no-cache")


@router.get("/training/runs/{name}/{step}.webp")
def sheet(runs: RunsPart, name: str, step: str, v: str = "") -> Response:
    """The picture of the network after one step; under its version ``v`` it never changes."""
    sprite = runs.look(name).sheet(step)
    if sprite is None:
        raise NotFoundError("This run kept no picture of itself at that step.")
    return _webp(sprite.file, _FOREVER if v == version(sprite) else "no-cache")


def _webp(file: Path, caching: str) -> Response:
    try:
        body = file.read_bytes()
    except OSError as error:  # it went since the journal was read
        raise NotFoundError("This picture is not there any more.") from error
    return Response(body, media_type="image/webp", headers={"Cache-Control": caching})
