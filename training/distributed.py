"""Which of several processes this is; started by torchrun, PyTorch's own launcher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """One process of ``world``; all hold the same network and each sees its share of every batch."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's part of ``count`` things."""
        return slice(self.rank * count // self.world, (self.rank + 1) * count // self.world)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        return network if self.world == 1 else DistributedDataParallel(network)

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.world > 1:
            distributed.all_reduce(value)
        return value

    def gather(self, part: Any) -> list[Any]:
        """What each process has, in order, on every process."""
        if self.world == 1:
            return [part]
        parts: list[Any] = [None] * self.world
        distributed.all_gather_object(parts, part)
        return parts

    def any(self, value: bool) -> bool:
        """Whether it is true on one of them."""
        return value if self.world == 1 else any(self.gather(value))

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            distributed.barrier()


@contextmanager
def ranks(device: torch.device) -> Iterator[Ranks]:
    """This process among those that torchrun started; alone where it did not."""
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        yield Ranks()
        return
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.set_device(distributed.get_node_local_rank())
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Ranks(rank=distributed.get_rank(), world=distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
