"""The processes that train together, one for each GPU; torchrun, PyTorch's own launcher, starts them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, kw_only=True)
class ProcessGroup:
    """This process among those that train together: all hold the same network, each computes its share of a batch."""

    rank: int = 0
    """Number of this process, from 0 to ``world_size`` - 1."""
    world_size: int = 1
    """Number of processes; a run that torchrun did not start has one."""

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and prints for all of them."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """The contiguous part of ``count`` items that this process works on; the parts differ by one item at most."""
        return slice(self.rank * count // self.world_size, (self.rank + 1) * count // self.world_size)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network, made to average its gradients over all processes."""
        return network if self.world_size == 1 else DistributedDataParallel(network)

    def mean(self, value: Tensor) -> float:
        """The mean of a scalar tensor over all processes."""
        if self.world_size == 1:
            return value.item()
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total.item() / self.world_size

    def gather(self, item: Any) -> list[Any]:
        """The items of all processes in the order of their ranks; every process gets the whole list."""
        if self.world_size == 1:
            return [item]
        items: list[Any] = [None] * self.world_size
        distributed.all_gather_object(items, item)
        return items

    def any(self, value: bool) -> bool:
        """Whether ``value`` is true in at least one of the processes."""
        return value if self.world_size == 1 else any(self.gather(value))

    def barrier(self) -> None:
        """Wait until every process has come to this call."""
        if self.world_size > 1:
            distributed.barrier()


@contextmanager
def join_process_group(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started, and leave them at the end; a group of one where it started none."""
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        yield ProcessGroup()
        return
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.set_device(distributed.get_node_local_rank())
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield ProcessGroup(rank=distributed.get_rank(), world_size=distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
