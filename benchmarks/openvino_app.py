"""The engine beside ``benchmark_app``, OpenVINO's own yardstick, on the graphs that the engine compiles.

With the engine's settings it shows what our calls add. With OpenVINO's own for throughput, a stream for each core and
inputs of a fixed shape, it shows what our settings leave. A photo takes all graphs from picture to logits, so their
times add up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.builds import engine_alone
from benchmarks.load import LoadError
from benchmarks.plan import Bench, Figures, Ratios, console, ratio_of_turns, rounded
from benchmarks.servers import GLASSBOT

BATCHES = (1, 8, 16)
_ON_THE_WAY = {"pool5", "fc8"}
"""The outputs of the graphs that every answer takes."""
_LIKE_OURS = ("-api", "sync", "-nireq", "1")
_FOR_THROUGHPUT = ("-api", "async", "-hint", "throughput")


def openvino(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure the engine and ``benchmark_app`` in turns. Raises LoadError where ``benchmark_app`` fails."""
    console.log("openvino: benchmark_app on the engine's graphs")
    seconds = max(1, bench.plan.seconds // 5)
    rates: dict[int, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder, engine_alone(GLASSBOT, bench.plan.checkpoint) as engine:
        graphs = _written_graphs(bench.plan.checkpoint, Path(folder))
        for batch in BATCHES:
            rates[batch] = {"engine": [], "benchmark_app": [], "benchmark_app for throughput": []}
            for _ in range(bench.plan.runs):
                turn = (
                    engine.rate(batch, 1, seconds),
                    _app_rate(graphs, batch, seconds, throughput=False),
                    _app_rate(graphs, batch, seconds, throughput=True),
                )
                for values, rate in zip(rates[batch].values(), turn, strict=True):
                    values.append(rate)
    ratios: Ratios = {}
    for batch, of_batch in rates.items():
        ours, same, throughput = of_batch.values()
        ratios[f"engine_over_benchmark_app_batch_{batch}"] = ratio_of_turns(ours, same)
        ratios[f"engine_over_benchmark_app_for_throughput_batch_{batch}"] = ratio_of_turns(ours, throughput)
    figures = {
        "engine": engine.name,
        "rates": {
            str(batch): {name: rounded(values) for name, values in of_batch.items()}
            for batch, of_batch in rates.items()
        },
    }
    return figures, ratios


def _written_graphs(checkpoint: Path, folder: Path) -> list[Path]:
    """Return the files of the graphs that every answer takes; another process writes them, for the memory it needs."""
    process = get_context("spawn").Process(target=_write_graphs, args=(checkpoint, folder))
    process.start()
    process.join()
    if not (graphs := sorted(folder.glob("*.xml"))):
        raise LoadError("The engine compiled no OpenVINO graph from picture to logits.")
    return graphs


def _write_graphs(checkpoint: Path, folder: Path) -> None:
    """Create an engine, and write each graph that it hands to OpenVINO, with its settings beside it."""
    import openvino as ov

    from model import checkpoint as checkpoints
    from model.engines import create_engine

    compile_model = ov.Core.compile_model

    def compile_and_write(core: ov.Core, graph: ov.Model, device: str, settings: dict[str, Any]) -> ov.CompiledModel:
        if not _ON_THE_WAY.isdisjoint(port.get_any_name() for port in graph.outputs):
            path = folder / f"{len(list(folder.glob('*.xml')))}.xml"
            ov.serialize(graph, path)
            path.with_suffix(".json").write_text(json.dumps({device: settings}), "utf-8")
            shape = [str(side) for side in graph.input().partial_shape][1:]
            path.with_suffix(".shape").write_text(",".join(shape), "utf-8")
        return compile_model(core, graph, device, settings)

    ov.Core.compile_model = compile_and_write
    create_engine(checkpoints.load(checkpoint), engine="openvino")


def _app_rate(graphs: Sequence[Path], batch: int, seconds: int, *, throughput: bool) -> float:
    """Return photos a second through all graphs, one after the other, by ``benchmark_app``."""
    return 1 / sum(_seconds_a_photo(graph, batch, seconds, throughput=throughput) for graph in graphs)


def _seconds_a_photo(graph: Path, batch: int, seconds: int, *, throughput: bool) -> float:
    shape = f"[{batch},{graph.with_suffix('.shape').read_text('utf-8')}]"
    settings = graph.with_suffix(".json")
    if throughput:
        precision = json.loads(settings.read_text("utf-8"))["CPU"]["INFERENCE_PRECISION_HINT"]
        mode = (*_FOR_THROUGHPUT, "-infer_precision", precision, "-shape", shape)
    else:
        mode = (*_LIKE_OURS, "-load_config", str(settings), "-data_shape", shape)
    report = ("-report_type", "no_counters", "-json_stats", "-report_folder", str(graph.parent))
    command = [str(Path(sys.executable).with_name("benchmark_app")), "-m", str(graph), "-d", "CPU", "-inference_only"]
    done = subprocess.run(
        [*command, *mode, *report, "-t", str(seconds)], capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        raise LoadError(f"benchmark_app failed: {(done.stdout + done.stderr).strip()[-300:]}")
    results = json.loads((graph.parent / "benchmark_report.json").read_text("utf-8"))["execution_results"]
    photos = batch * int(results["total number of iterations"])
    return float(results["total execution time (ms)"]) / 1000 / photos
