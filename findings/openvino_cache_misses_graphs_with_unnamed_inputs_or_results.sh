#!/usr/bin/env bash
# OpenVINO 2026.4.1 compiles a graph anew, cache or not, where an input or a result has no name of its own.
#
# Expected: with CACHE_DIR one graph, built three times alike, is compiled once and read twice: names that OpenVINO makes up do not count. That
# holds for constants and operations. Seen: the made-up name of a Parameter or a Result counts, and as it ends in a number that goes on through
# the process, a server that builds its graphs in another order, or once more, compiles again and leaves one more file each time.
# Output: nothing named: 3 files
#         inputs and operations named: 3 files
#         results and operations named: 3 files
#         inputs and results named: 1 file
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet openvino==2026.4.1 numpy==2.2.6
"$work/env/bin/python" - "$work" <<'PYTHON' | tee "$work/out"
import pathlib
import sys
import tempfile

import numpy as np
import openvino as ov
from openvino import opset13 as ops


def graph(named):
    def name(kind):
        return kind if kind in named else None

    pixels = ops.parameter([-1, 64], np.float32, name=name("inputs"))
    weights = ops.constant(np.ones((64, 64), np.float32), name=name("operations"))
    product = ops.matmul(pixels, weights, False, True)
    if "operations" in named:
        product.set_friendly_name("product")
    return ov.Model([ops.result(product, name=name("results"))], [pixels], "graph")


for named in ([], ["inputs", "operations"], ["results", "operations"], ["inputs", "results"]):
    cache = tempfile.mkdtemp(dir=sys.argv[1])
    core = ov.Core()
    core.set_property({"CACHE_DIR": cache})
    for _ in range(3):
        core.compile_model(graph(named), "CPU")
    files = len(list(pathlib.Path(cache).iterdir()))
    print(" and ".join(named) or "nothing", f"named: {files} file{'s' * (files > 1)}")
PYTHON
diff - "$work/out" <<'SEEN'
nothing named: 3 files
inputs and operations named: 3 files
results and operations named: 3 files
inputs and results named: 1 file
SEEN
