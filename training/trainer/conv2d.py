"""A context in which some convolutions are computed in another way than torch's, while modules stay as they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class Conv2d(NamedTuple):
    """The arguments of one call of ``F.conv2d``, in their order."""

    input: Tensor
    weight: Tensor
    bias: Tensor | None = None
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1


class OtherConv2d(TorchFunctionMode, ABC):
    """Within this context, :meth:`compute` answers each ``F.conv2d``, or leaves it to torch."""

    @abstractmethod
    def compute(self, convolution: Conv2d) -> Tensor | None:
        """The sums; None where torch is to compute them."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call ``func``, unless it is a convolution that is computed here."""
        kwargs = kwargs or {}
        computed = self.compute(Conv2d(*args, **kwargs)) if func is F.conv2d else None
        return func(*args, **kwargs) if computed is None else computed
