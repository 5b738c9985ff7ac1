"""The process that joins Ray and runs a job there: :mod:`ray_job` starts it, and ends it where it hangs.

It takes the job as one line of JSON on stdin, and writes lines of JSON to stdout: ``{"imported": true}``,
``{"joined": true}``, what came of each part, and ``{"ended": true}``; or instead ``{"failed": sentence, "status": exit
status}``. It ends with stdin.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from threading import Thread
from typing import Any, TextIO

from app.captioning.buckets.pictures import StoredPicture
from app.captioning.buckets.stores import reason_of
from app.captioning.buckets.worker import Part, Plan, Worker
from app.inference.offline.paths import printable

CORES = 2
"""Cores of one network, where the settings do not say how many threads it has."""
_OBJECT_STORE_BYTES = 256_000_000
"""Shared memory of a Ray that is started here: what travels are names."""


class Answerer:
    """What Ray keeps in each of its actors: a network that answers parts, given and told as JSON."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._worker = Worker(Plan.from_json(plan))

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[str]]:
        """Answer the parts of some rows. No fault of a picture or a part is raised: Ray would begin again."""
        return {"done": [self._do(json.loads(part)) for part in rows["part"]]}

    def _do(self, part: dict[str, Any]) -> str:
        pictures = [StoredPicture(**picture) for picture in part["pictures"]]
        return json.dumps(asdict(self._worker.do(Part(part["number"], pictures))))


def run(job: dict[str, Any], out: TextIO) -> None:
    """Run a job and tell its course on ``out``."""
    import ray.data  # noqa: F401 takes its time, on which another watch is kept

    _tell(out, imported=True)
    try:
        _join(job["address"])
    except Exception as error:
        place = f"the Ray cluster at {job['address']} cannot be joined" if job["address"] else "Ray does not start here"
        _tell(
            out,
            failed=printable(f"{place[:1].upper()}{place[1:]}: {reason_of(error)}."),
            status=2 if job["address"] else 1,
        )
        return
    _tell(out, joined=True)
    try:
        for done in _results(job["plan"], job["parts"]):
            print(done, file=out, flush=True)
        _tell(out, ended=True)
    except Exception as error:
        _tell(out, failed=printable(f"Ray could not go on: {reason_of(error)}."), status=1)


def _join(address: str) -> None:
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        ray.init(address=address, **quiet)
    else:
        ray.init(address="local", include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES, **quiet)


def _results(plan: dict[str, Any], todo: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what came of each part, as JSON, as soon as it is done."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    wanted = max(1, min(plan["settings"]["threads"] or CORES, max(cores)))
    plan["settings"]["threads"] = wanted
    actors = max(1, min(len(todo), sum(have // wanted for have in cores)))
    rows = [{"part": json.dumps(part)} for part in todo]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        Answerer, fn_constructor_args=(plan,), concurrency=(1, actors), num_cpus=wanted, batch_size=1
    )
    for row in done.iter_rows():
        yield row["done"]


def _tell(out: TextIO, **message: object) -> None:
    print(json.dumps(message), file=out, flush=True)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(1)  # who started this process is gone, and Ray may wait for ever


def main() -> None:
    """Run the job that stdin tells. What libraries print goes to stderr."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    job = json.loads(sys.stdin.readline())
    Thread(target=_end_with_stdin, daemon=True).start()
    run(job, out)
