#!/usr/bin/env bash
# OpenVINO 2026.4.1 reads torch.export programs only where the package "packaging" happens to be installed.
#
# Expected: an environment with openvino and torch, as their own requirements install them, converts an exported
# program. Seen: ModuleNotFoundError for packaging, which neither declares; with it the conversion works.
# Output: openvino and torch alone: ModuleNotFoundError: packaging
#         with packaging: converted
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 openvino==2026.4.1
cat >"$work/convert.py" <<'PYTHON'
import openvino
import torch

program = torch.export.export(torch.nn.ReLU(), (torch.rand(2, 3),))
try:
    openvino.convert_model(program)
    print("converted")
except ModuleNotFoundError as error:
    print(f"ModuleNotFoundError: {error.name}")
PYTHON
{
  echo "openvino and torch alone: $("$work/env/bin/python" "$work/convert.py")"
  "$work/env/bin/pip" install --quiet packaging
  echo "with packaging: $("$work/env/bin/python" "$work/convert.py")"
} | tee "$work/out"
diff - "$work/out" <<'SEEN'
openvino and torch alone: ModuleNotFoundError: packaging
with packaging: converted
SEEN
echo "as found"
