"""Two machines out of one: network namespaces joined by a cable of their own, and torchrun on each of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RENDEZVOUS_PORT = 29471
"""The port on which the first machine waits for the other; inside namespaces nobody else has it."""
_VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # else a restart finds the addresses of those that died (findings/)
}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine of a training: a network namespace, or this machine itself."""

    namespace: str
    """Name of the network namespace; empty for this machine itself."""
    interface: str
    """The network interface over which it talks to the other machine."""
    address: str
    """Its address on that network."""

    def command(self, words: Sequence[str]) -> list[str]:
        """The words of a command line that runs there."""
        return ["ip", "netns", "exec", self.namespace, *words] if self.namespace else [*words]


LOOPBACK = Machine(namespace="", interface="lo", address="127.0.0.1")
"""This machine itself, which may stand for both where there are no namespaces."""


def reason_against_namespaces() -> str:
    """Why network namespaces cannot be made here, in a few words; empty where they can."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        return "network namespaces need Linux and ip (apt-get install iproute2)"
    if os.geteuid():
        return "network namespaces need root"
    name = f"glassbot{os.getpid()}probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    _ip("netns", "delete", name)
    return ""


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Two network namespaces with a cable (a veth pair) between them, gone after the context.

    Raises ValueError where they cannot be made.
    """
    if reason := reason_against_namespaces():
        raise ValueError(f"{reason[0].upper()}{reason[1:]}.")
    machines = tuple(
        Machine(namespace=f"glassbot{os.getpid()}{letter}", interface="eth0", address=f"10.77.0.{number}")
        for number, letter in enumerate("ab", 1)
    )
    first, second = machines
    with ExitStack() as made:
        for machine in machines:
            _ip("netns", "add", machine.namespace)
            made.callback(_ip, "netns", "delete", machine.namespace)
        cable = ("type", "veth", "peer", "name", second.interface, "netns", second.namespace)
        _ip("link", "add", first.interface, "netns", first.namespace, *cable)
        for machine in machines:
            _ip("-n", machine.namespace, "address", "add", f"{machine.address}/24", "dev", machine.interface)
            _ip("-n", machine.namespace, "link", "set", machine.interface, "up")
            _ip("-n", machine.namespace, "link", "set", "lo", "up")
        yield first, second


def torchrun(
    machine: Machine, host: Machine, port: int, words: Sequence[str], *, processes: int = 1, restarts: int = 0
) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of torchrun on one of two machines; ``words`` follow ``python``, as ``-m training``.

    ``host``: the machine that keeps the rendezvous, on ``port``. ``processes``: how many train on this machine.
    ``restarts``: how often all are started anew when one fails.
    """
    flags = {
        "--nnodes": "2",
        "--nproc-per-node": str(processes),
        "--max-restarts": str(restarts),
        "--rdzv-backend": "c10d",
        "--rdzv-endpoint": f"{host.address}:{port}",
        "--local-addr": machine.address,
    }
    if machine.namespace:  # its name is that of this machine, whose address is another
        flags["--rdzv-conf"] = f"is_host={int(machine == host)}"
    launcher = [sys.executable, "-m", "torch.distributed.run", *(word for flag in flags.items() for word in flag)]
    return machine.command([*launcher, *words]), {**os.environ, **_VARIABLES, "GLOO_SOCKET_IFNAME": machine.interface}


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
