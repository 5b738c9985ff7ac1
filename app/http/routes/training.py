"""Routes of training runs: the page, the figures of a run, its fixed photo, and its sheets."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.errors import NotFoundError
from app.http.dependencies import AppVersion, RunsPart
from app.http.etags import tag, unchanged
from app.http.routes.pages import templates
from app.runs import charts, findings, marks
from app.runs.registry import SHIPPED, Run, RunView, fingerprint, version

router = APIRouter(include_in_schema=False)

_FOREVER = "public, max-age=31536000, immutable"


@router.get("/training")
def page(request: Request, runs: RunsPart, run: str = SHIPPED) -> Response:
    """Render the page of one run."""
    try:
        view = runs.view(run)
        status = 200
    except NotFoundError as error:
        view = RunView(run=Run(name="", title="", log=Path()), fingerprint="", problem=error.detail)
        status = error.status
    record = view.record
    context = {
        "runs": runs.by_name.values(),
        "view": view,
        "record": record,
        "fingerprint": fingerprint,
        "version": version,
        "charts": charts.charts(record) if record else [],
        "marks": marks.marks(record) if record else [],
        "planned_steps": charts.planned_steps(record) if record else 0,
        "kernel_ranges": charts.kernel_ranges(record) if record else [],
        "paper_findings": findings.findings(findings.CLAIMS),
        "recipe_findings": findings.findings(findings.SWITCHES),
    }
    return templates().TemplateResponse(request, "training.html", context, status_code=status)


@router.get("/training/runs/{name}.json")
def figures(request: Request, runs: RunsPart, app_version: AppVersion, name: str) -> Response:
    """Return everything that the page draws of a run, as JSON for its scripts."""
    view = runs.view(name)
    current = tag(view.fingerprint, app_version)
    answer = unchanged(request, current)
    if answer is None:
        answer = JSONResponse(charts.to_json(view))
    else:  # a 304 has the headers of the whole answer, and to that one the gzip middleware adds this
        answer.headers["Vary"] = "Accept-Encoding"
    answer.headers.update({"ETag": current, "Cache-Control": "no-cache"})
    return answer


@router.get("/training/runs/{name}/picture.webp")
def picture(runs: RunsPart, name: str, v: str = "") -> Response:
    """Return the fixed photo of a run."""
    file = runs.view(name).picture
    if file is None:
        raise NotFoundError("This run has no fixed photo.")
    return _webp(file, _FOREVER if v == fingerprint(file) else "no-cache")


@router.get("/training/runs/{name}/{step}.webp")
def sheet(runs: RunsPart, name: str, step: str, v: str = "") -> Response:
    """Return the sheet of a step; with its version in ``v`` it never changes."""
    sheet_of_step = runs.view(name).sheet(step)
    if sheet_of_step is None:
        raise NotFoundError("This run has no sheet of that step.")
    return _webp(sheet_of_step.file, _FOREVER if v == version(sheet_of_step) else "no-cache")


def _webp(file: Path, caching: str) -> Response:
    try:
        body = file.read_bytes()
    except OSError as error:  # it was removed since the log was read
        raise NotFoundError("This picture is no longer there.") from error
    return Response(body, media_type="image/webp", headers={"Cache-Control": caching})
