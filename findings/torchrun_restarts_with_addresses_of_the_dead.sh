#!/usr/bin/env bash
# torchrun of torch 2.13.0 (rendezvous c10d, its default with --standalone): processes that are started anew after a failure
# cannot find each other over gloo, unless TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1.
#
# Expected: with --max-restarts 1 a process that fails once is started anew with all others, and they go on. Seen: all
# attempts use one store on one port, and their keys have no prefix, so a process that is ready before another reads where
# that one listened in the attempt before, and waits in vain for the whole timeout of init_process_group. (For each pair by
# chance: which of two connects to the other depends on their ports. With five processes there are ten pairs.) Where each
# attempt has a store of its own (the variable), all is well. It was reported and closed once (pytorch #135712).
# Output: attempt 1: 5 of 5 joined
#         attempt 2: 0 of 5 joined
#         with TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
#         attempt 1: 5 of 5 joined
#         attempt 2: 5 of 5 joined
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy
cd "$work"
cat >worker.py <<'PYTHON'
import os
import pathlib
import sys
import time
from datetime import timedelta

import torch.distributed as dist

rank, failed = int(os.environ["RANK"]), pathlib.Path(sys.argv[1], "failed")
attempt = 2 if failed.exists() else 1
if attempt == 2:
    time.sleep(2 * rank)  # no two processes are equally quick
dist.init_process_group("gloo", timeout=timedelta(seconds=60))
dist.barrier()
pathlib.Path(sys.argv[1], f"attempt {attempt} of {rank}").touch()
dist.barrier()
if attempt == 1 and rank == 4:
    failed.touch()
    os._exit(1)
dist.barrier()  # in the first attempt the other one is gone
dist.destroy_process_group()
PYTHON
start() {
  mkdir "$1"
  timeout 300 env/bin/python -m torch.distributed.run --standalone --nproc-per-node 5 --max-restarts 1 worker.py "$1" >"$1.log" 2>&1 || true
  for attempt in 1 2; do
    echo "attempt $attempt: $(find "$1" -name "attempt $attempt of *" | wc -l) of 5 joined"
  done
}
{
  start plain
  echo with TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
  TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 start apart
} | tee out
diff - out <<'SEEN'
attempt 1: 5 of 5 joined
attempt 2: 0 of 5 joined
with TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
attempt 1: 5 of 5 joined
attempt 2: 5 of 5 joined
SEEN
echo "as found"
