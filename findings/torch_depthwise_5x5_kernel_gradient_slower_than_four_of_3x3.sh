#!/usr/bin/env bash
# The gradient of the 5 x 5 kernels of a depthwise convolution takes torch 2.13.0 on a CPU several times as long as four
# gradients of 3 x 3 kernels, which together are the same numbers.
#
# Expected: 25 sums instead of 9, so about three times one gradient of 3 x 3 kernels. Seen, bfloat16, channels last, 96
# pictures of 672 channels, 10 x 10 cells: more than twice as long as four of them (13 times on a core of an Intel
# Xeon with AMX, where bfloat16 also takes four times as long as float32). oneDNN has a quick kernel for 3 x 3 alone.
# Output: the same numbers: True
#         5 x 5 takes more than twice as long: True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy
cat >"$work/measure.py" <<'PYTHON'
import sys
import time

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
layout = {"dtype": torch.bfloat16}
x = torch.randn(96, 672, 10, 10, **layout).to(memory_format=torch.channels_last)
g = torch.randn(96, 672, 6, 6, **layout).to(memory_format=torch.channels_last)
weight = torch.randn(672, 1, 5, 5, **layout)


def gradient(x, weight):
    only_the_kernels = [False, True, False]
    return torch.ops.aten.convolution_backward(
        g, x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 672, only_the_kernels
    )[1]


def whole():
    return gradient(x, weight)


def corners():
    result = torch.empty_like(weight)
    for i in (0, 2):
        for j in (0, 2):
            part = x[:, :, i : i + 8, j : j + 8].contiguous(memory_format=torch.channels_last)
            result[:, :, i : i + 3, j : j + 3] = gradient(part, weight[:, :, :3, :3])
    return result


def seconds(compute):
    start = time.perf_counter()
    compute()
    return time.perf_counter() - start


print("the same numbers:", torch.allclose(whole().float(), corners().float(), rtol=0.02, atol=0.5))
pairs = [(seconds(whole), seconds(corners)) for _ in range(15)]
ratio = min(pairs)[0] / min(corners_s for _, corners_s in pairs)
print(f"best of {len(pairs)} each: {ratio:.1f} times as long", file=sys.stderr)
print("5 x 5 takes more than twice as long:", ratio > 2)
PYTHON
"$work/env/bin/python" "$work/measure.py" | tee "$work/out"
diff - "$work/out" <<'SEEN'
the same numbers: True
5 x 5 takes more than twice as long: True
SEEN
echo "as found"
