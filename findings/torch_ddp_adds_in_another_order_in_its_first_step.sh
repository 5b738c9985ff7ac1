#!/usr/bin/env bash
# torch 2.13.0: a network that is wrapped in DistributedDataParallel anew in the middle of a training, as a run that
# resumes from an exact state wraps it, comes to other weights with three processes; with two it does not.
#
# Expected: weights, optimiser and random numbers being the same, so is the next step. Seen: the first backward pass sends all
# gradients in one bucket, later ones in buckets that are arranged anew, and gloo's ring adds three numbers in an order
# that depends on where they lie in what is sent. The first step after a resume is thus rounded otherwise. A hook
# (register_comm_hook) that adds up each tensor by itself comes to the same weights.
# Output: 2 processes: the same weights
#         3 processes: other weights
#         3 processes, each tensor by itself: the same weights
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy
cd "$work"
cat >steps.py <<'PYTHON'
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

STEPS = 4


def each(world_size, bucket):
    buffer = bucket.buffer().div_(world_size)
    tensors = buffer.split([gradient.numel() for gradient in bucket.gradients()])
    sums = [dist.all_reduce(tensor, async_op=True).get_future() for tensor in tensors]
    return torch.futures.collect_all(sums).then(lambda _: buffer)


def network(weights=None):
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(50, 70), nn.ReLU(), nn.Linear(70, 30), nn.ReLU(), nn.Linear(30, 10))
    if weights:
        made.load_state_dict(weights)
    return made


def wrap(made, hook):
    wrapped = DistributedDataParallel(made)
    if hook:
        wrapped.register_comm_hook(dist.get_world_size(), hook)
    return wrapped


def train(resumed_at, hook):
    """Weights after all steps of plain gradient descent, as bytes."""
    made = network()
    wrapped = wrap(made, hook)
    for step in range(STEPS):
        if step == resumed_at:
            made = network(made.state_dict())
            wrapped = wrap(made, hook)
        torch.manual_seed(100 * step + dist.get_rank())
        wrapped(torch.randn(4, 50)).square().mean().backward()
        with torch.no_grad():
            for weight in made.parameters():
                weight -= 0.1 * weight.grad
                weight.grad = None
    return b"".join(weight.detach().numpy().tobytes() for weight in made.parameters())


def compare(rank, processes, hook, name):
    store = f"file://{os.getcwd()}/store{processes}{hook is not None}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=processes)
    whole, resumed = train(None, hook), train(2, hook)
    if rank == 0:
        print(f"{processes} processes{name}: {'the same' if whole == resumed else 'other'} weights", flush=True)
    dist.destroy_process_group()


torch.set_num_threads(1)
for processes, hook, name in ((2, None, ""), (3, None, ""), (3, each, ", each tensor by itself")):
    started = []
    for rank in range(processes):
        pid = os.fork()
        if not pid:
            compare(rank, processes, hook, name)
            os._exit(0)
        started.append(pid)
    for pid in started:
        os.waitpid(pid, 0)
PYTHON
timeout 600 env/bin/python steps.py | tee out
diff - out <<'SEEN'
2 processes: the same weights
3 processes: other weights
3 processes, each tensor by itself: the same weights
SEEN
echo "as found"
