"""An engine that runs the torch module: on the first CUDA device where there is one, else on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.checkpoint import Checkpoint, Preprocessing
from model.engines.alexnet import AlexNet
from model.engines.interface import Output, Precision, check_pictures


def cuda_available() -> bool:
    """Return whether torch sees a CUDA device."""
    return torch.cuda.is_available()


def standardise(x_NCHW: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return the network's float32 inputs from (N, 3, H, W) pixels 0 to 255 of any type, channels last in memory."""
    mean = torch.tensor(preprocessing.mean, device=x_NCHW.device).view(1, 3, 1, 1)
    return ((x_NCHW.float() - mean) * preprocessing.scale).contiguous(memory_format=torch.channels_last)


def build(checkpoint: Checkpoint) -> AlexNet:
    """Return the torch module of a checkpoint with its weights, in evaluation mode, on the CPU."""
    network = AlexNet(checkpoint.architecture)
    weights = {name: torch.from_numpy(np.array(value)) for name, value in checkpoint.weights.items()}
    network.load_state_dict(weights, strict=False)  # batch norms count their batches; a checkpoint does not
    return network.eval()


class TorchEngine:
    """Runs a checkpoint by torch. ``device`` defaults to the first CUDA device, else the CPU.

    Raises ValueError for int8, which only OpenVINO does.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: Precision = "auto", device: str | None = None) -> None:
        if precision == "int8":
            raise ValueError("the torch engine does not compute in int8: choose another precision")
        checkpoint = checkpoint.folded()
        self.device = torch.device(device or ("cuda" if cuda_available() else "cpu"))
        self.architecture = checkpoint.architecture
        bf16 = precision == "bf16" or (precision == "auto" and self.device.type == "cuda")
        self._type = torch.bfloat16 if bf16 else torch.float32
        self._preprocessing = checkpoint.preprocessing
        self._network = build(checkpoint).to(memory_format=torch.channels_last).to(self.device)
        self.name = f"torch-{self.device.type}-{'bf16' if bf16 else 'f32'}"

    @torch.inference_mode()
    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        """Return logits and activations, as :meth:`model.engines.Engine.run` says."""
        check_pictures(pictures, self.architecture.input_size)
        x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device).permute(0, 3, 1, 2)
        x = standardise(x, self._preprocessing)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._type is torch.bfloat16):
            logits, activations = self._network(x, tuple(maps))
        return Output(_numpy(logits), {name: _numpy(value) for name, value in activations.items()})


def _numpy(x: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = x.float().cpu().contiguous().numpy()
    return values
