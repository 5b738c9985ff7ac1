#!/usr/bin/env bash
# OpenVINO 2026.4.1 converts a torch 2.13.0 module through torch.jit.trace, which torch deprecates; torch.export works.
#
# Expected: openvino.convert_model(module, example_input=...) of a plain module works in a program that treats warnings as
# errors, as test suites do. Seen: torch's deprecation of the tracer surfaces as a RuntimeError that blames the example
# input; the same module goes through torch.export without a warning, and gives the same numbers.
# Output: convert_model(module): RuntimeError, and the reason it names is torch.jit.trace
#         convert_model(torch.export.export(module)): equal to torch
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 openvino==2026.4.1 numpy packaging
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
import warnings

import numpy
import openvino
import torch

module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).eval()
example = torch.rand(2, 3, 8, 8)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    try:
        openvino.convert_model(module, example_input=example)
        print("convert_model(module): converted")
    except RuntimeError as error:
        named = "torch.jit.trace" if "torch.jit.trace" in str(error) else "something else"
        print(f"convert_model(module): RuntimeError, and the reason it names is {named}")
batch = torch.export.Dim("batch", min=1)
program = torch.export.export(module, (example,), dynamic_shapes=({0: batch},))
compiled = openvino.compile_model(openvino.convert_model(program), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
more = torch.rand(5, 3, 8, 8)
equal = numpy.allclose(compiled(more.numpy())[0], module(more).detach().numpy(), atol=1e-5)
print(f"convert_model(torch.export.export(module)): {'equal to torch' if equal else 'different'}")
PYTHON
diff - "$work/out" <<'SEEN'
convert_model(module): RuntimeError, and the reason it names is torch.jit.trace
convert_model(torch.export.export(module)): equal to torch
SEEN
echo "as found"
