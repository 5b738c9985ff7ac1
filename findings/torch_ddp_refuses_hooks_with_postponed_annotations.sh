#!/usr/bin/env bash
# torch 2.13.0: DistributedDataParallel takes no communication hook from a module with `from __future__ import annotations`.
#
# Expected: a hook with the annotations that the documentation asks for is taken, postponed (PEP 563) or not, as
# typing.get_type_hints would read them. Seen: the annotations are compared as they lie in the signature, where they are
# strings, and a ValueError says that the bucket's should be dist.GradBucket, which it is. The same hook without the
# import, or without annotations, is taken.
# Output: as written: taken
#         with from __future__ import annotations: Communication hook: bucket annotation should be dist.GradBucket.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy
cat >"$work/written.py" <<'PYTHON'
import torch
import torch.distributed as dist


def hook(state: object, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    return dist.all_reduce(bucket.buffer(), async_op=True).get_future().then(lambda sums: sums.value()[0])
PYTHON
{ echo 'from __future__ import annotations'; cat "$work/written.py"; } >"$work/postponed.py"
cd "$work"
PYTHONPATH=. env/bin/python - <<'PYTHON' | tee out
import os

import postponed
import torch
import torch.distributed as dist
import written
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo", init_method=f"file://{os.getcwd()}/store", rank=0, world_size=1)
for name, module in (("as written", written), ("with from __future__ import annotations", postponed)):
    try:
        DistributedDataParallel(torch.nn.Linear(2, 2)).register_comm_hook(None, module.hook)
        print(f"{name}: taken")
    except ValueError as error:
        print(f"{name}: {error}")
dist.destroy_process_group()
PYTHON
diff - out <<'SEEN'
as written: taken
with from __future__ import annotations: Communication hook: bucket annotation should be dist.GradBucket.
SEEN
echo "as found"
