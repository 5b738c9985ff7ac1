"""The processes that train together, one for each GPU; torchrun, PyTorch's own launcher, starts them.

docs/scale.md says how to start them on several machines, and what happens when one of them fails.
"""

# No postponed annotations here: DDP reads those of its hook, and takes no strings.
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from socket import gethostname
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.futures import Future
from torch.nn.parallel import DistributedDataParallel

PATIENCE = timedelta(minutes=10)
"""How long a process waits for the others before it gives up.

Longer than the main process needs to look through a large set or to save a state while the others wait. A process that
hangs, or a machine that falls silent, is noticed by nothing else: gloo cannot be told to give up, and would wait 30.
"""


@dataclass(frozen=True, kw_only=True)
class ProcessGroup:
    """This process among those that train together: all hold the same network, each computes its share of a batch."""

    rank: int = 0
    """Number of this process, from 0 to ``world_size`` - 1."""
    world_size: int = 1
    """Number of processes; a run that torchrun did not start has one."""
    local_world_size: int = 1
    """Number of processes on this machine, which share its processors and its memory."""

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and prints for all of them."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """The contiguous part of ``count`` items that this process works on; the parts differ by one item at most."""
        return slice(self.rank * count // self.world_size, (self.rank + 1) * count // self.world_size)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network, made to average its gradients over all processes."""
        if self.world_size == 1:
            return network
        wrapped = DistributedDataParallel(network)
        wrapped.register_comm_hook(self.world_size, _average)
        return wrapped

    def copy_buffers(self, network: nn.Module) -> None:
        """Give every process the buffers of process 0: the means and variances that its batch norm has seen."""
        if self.world_size > 1:
            for buffer in network.buffers():
                distributed.broadcast(buffer, src=0)

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


def _average(world_size: int, bucket: distributed.GradBucket) -> Future[Tensor]:  # type: ignore[name-defined]
    """Average the gradients in a bucket over all processes, each tensor by itself.

    The order in which three or more numbers are added depends on where they lie in what is sent, and DDP arranges its
    buckets anew after its first step: whole buckets would be added in another order in a run that goes on than in one
    that never stopped (docs/decisions, 23).
    """
    buffer = bucket.buffer().div_(world_size)
    gradients = buffer.split([gradient.numel() for gradient in bucket.gradients()])
    sums = [distributed.all_reduce(gradient, async_op=True).get_future() for gradient in gradients]
    return torch.futures.collect_all(sums).then(lambda _: buffer)


@contextmanager
def join_process_group(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started, and leave them at the end; a group of one where it started none.

    Raises ConnectionError where the others cannot be reached, or no longer: one has ended, or is silent for
    :data:`PATIENCE`. What began in between is lost; the last saved state is whole.
    """
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        yield ProcessGroup()
        return
    cuda = device.type == "cuda"
    if cuda:
        local_rank, devices = distributed.get_node_local_rank(), torch.cuda.device_count()
        if local_rank >= devices:
            raise ConnectionError(f"This machine has {devices} GPUs: start as many processes (--nproc-per-node).")
        torch.cuda.set_device(local_rank)
    try:
        distributed.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
        yield _joined(ProcessGroup(rank=distributed.get_rank(), world_size=distributed.get_world_size()))
    except RuntimeError as error:
        if not _is_of_the_network(error):
            raise
        raise ConnectionError(
            "The other processes of this run cannot be reached, or no longer: see what they say; the same command with "
            f"--resume goes on ({_first_line(error)})."
        ) from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _joined(group: ProcessGroup) -> ProcessGroup:
    return replace(group, local_world_size=group.gather(gethostname()).count(gethostname()))


def _is_of_the_network(error: RuntimeError) -> bool:
    """Whether an error is about the connection to other processes; gloo's have no class of their own."""
    return isinstance(error, distributed.DistError) or "gloo" in str(error)


def _first_line(error: RuntimeError) -> str:
    """The first sentence of torch's message, without the place in its source."""
    return re.sub(r"^\[[^]]*\] ", "", str(error)).split("\n")[0].split(". ")[0].rstrip(".")
