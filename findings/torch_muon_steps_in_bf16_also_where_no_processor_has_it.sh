#!/usr/bin/env bash
# torch 2.13.0: torch.optim.Muon takes tens of times as long as its own arithmetic in float32 on a processor without
# AVX-512 (most desktops), because it orthogonalises in bfloat16 whatever the weights are, with no way to choose.
#
# Expected: float32 weights are updated by products in float32, or an option says otherwise. Seen: on two cores of an AMD
# EPYC (Zen 3, AVX2) one step for a matrix of 512 × 1,024 takes 6.1 s, and the same five iterations in float32 0.07 s; the
# updates are the same within what bfloat16 rounds. fc6 of an AlexNet (4,096 × 9,216) would take an hour (computed). Where
# the processor multiplies bfloat16 itself there is nothing to see, and this says so.
# Output: this processor multiplies bfloat16: False
#         the same update: True
#         Muon takes more than ten times as long: True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy
cat >"$work/measure.py" <<'PYTHON'
import sys
import time

import torch

has_bf16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
print("this processor multiplies bfloat16:", has_bf16)
if has_bf16:
    sys.exit()
torch.manual_seed(0)
gradient = torch.randn(512, 1024)


def by_torch():
    weight = torch.nn.Parameter(torch.zeros(512, 1024))
    weight.grad = gradient.clone()
    torch.optim.Muon([weight], lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False).step()
    return -weight.detach()


def in_float32(a=3.4445, b=-4.775, c=2.0315):
    x = gradient / gradient.norm()
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def timed(update):
    start = time.perf_counter()
    return update(), time.perf_counter() - start


in_float32()
(theirs, theirs_s), (plain, plain_s) = timed(by_torch), timed(in_float32)
error = (theirs - plain).norm() / plain.norm()
print(f"{theirs_s:.2f} and {plain_s:.2f} s, relative difference {error:.4f}", file=sys.stderr)
print("the same update:", bool(error < 0.05))
print("Muon takes more than ten times as long:", theirs_s > 10 * plain_s)
PYTHON
"$work/env/bin/python" "$work/measure.py" | tee "$work/out"
if ! grep -q "bfloat16: True" "$work/out"; then
  diff - "$work/out" <<'SEEN'
this processor multiplies bfloat16: False
the same update: True
Muon takes more than ten times as long: True
SEEN
fi
echo "as found"
