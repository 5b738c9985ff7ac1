"""``python -m benchmarks.peers.lit``: LitServe with the same torch module, and its settings as options.

No ``from __future__ import annotations`` here: LitServe needs the annotations of ``decode_request`` as objects.
"""

import argparse
import io
import os
from collections.abc import Callable
from typing import Annotated, Any

import litserve
import torch
from fastapi import Body
from torch import Tensor

from benchmarks.peers.network import Network, arguments

Raw = Annotated[bytes, Body(media_type="application/octet-stream")]
"""The fastest body that LitServe accepts: there is neither a form to parse nor base64 to decode."""


class Api(litserve.LitAPI):  # type: ignore[misc]  # LitServe ships no types
    """Answer the bytes of a picture with its five best labels, in batches."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(max_batch_size=options.batch, batch_timeout=options.wait_ms / 1000)
        self._options = options

    def setup(self, device: str) -> None:  # noqa: ARG002 LitServe's signature
        """Load and compile the module in the worker, and run it once for every size of a batch."""
        options = self._options
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // options.workers))
        self._network = Network(options.checkpoint)
        self._forward: Callable[[Tensor], Tensor] = self._network.module.to(memory_format=torch.channels_last)
        if options.compiled:
            torch._inductor.config.freezing = True  # what PyTorch advises for inference on a CPU
            self._forward = torch.compile(self._forward)
        side = self._network.takes.input_size
        for number in range(1, options.batch + 1):
            self._logits(torch.zeros(number, 3, side, side, dtype=torch.uint8))

    def decode_request(self, request: Raw) -> Tensor:
        """Decode the picture of a request to (3, S, S) uint8 pixels."""
        return self._network.pixels(io.BytesIO(request))

    def batch(self, inputs: list[Tensor]) -> Tensor:
        """Stack pictures to (N, 3, S, S) uint8 pixels."""
        return torch.stack(inputs)

    def predict(self, x: Tensor) -> Tensor:
        """Return (N, K) logits; (K,) of a single picture where batches are off."""
        return self._logits(x) if x.ndim == 4 else self._logits(x[None])[0]

    def unbatch(self, output: Tensor) -> list[Tensor]:
        """Split (N, K) logits into (K,) for each picture."""
        return list(output)

    def encode_response(self, output: Tensor) -> dict[str, Any]:
        """Return the same JSON as the other peer."""
        return self._network.labels(output)

    @torch.inference_mode()
    def _logits(self, pixels_NCHW: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._options.bf16):
            return self._forward(self._network.inputs(pixels_NCHW))


def main() -> None:
    """Read the options, and serve until a signal."""
    parser = arguments(__doc__)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--wait-ms", type=float, default=5, help="batch_timeout of LitServe, in milliseconds")
    parser.add_argument("--fast-queue", action="store_true", help="ZeroMQ between server and workers")
    options = parser.parse_args()
    server = litserve.LitServer(
        Api(options),
        accelerator="cpu",
        devices=1,
        workers_per_device=options.workers,
        fast_queue=options.fast_queue,
        timeout=60,
    )
    server.run(host="127.0.0.1", port=options.port, log_level="warning", access_log=False, generate_client_file=False)


if __name__ == "__main__":
    main()
