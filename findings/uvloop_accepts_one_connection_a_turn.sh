#!/usr/bin/env bash
# uvloop 0.23.0 accepts one connection in each turn of its loop, however many wait.
#
# Expected: as in asyncio, whose server takes all that wait (up to its backlog) once its socket is readable. Seen: one
# for each descriptor of the listening socket. Where a turn is long, because much is answered in it, new connections
# wait in the kernel's queue though the server has time for their requests: at 1,500 connections a second and turns of
# some milliseconds, seconds. A socket that is served by eight descriptors (dup) lets eight in.
# Output: asyncio: 64 of 64 in one turn
#         uvloop: 1 of 64 in one turn
#         uvloop, 8 descriptors: 8 of 64 in one turn
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet uvloop==0.23.0
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
import asyncio
import socket
from collections import Counter

import uvloop

WAITING = 64


async def most_in_one_turn(descriptors: int) -> int:
    loop = asyncio.get_running_loop()
    accepted: Counter[int] = Counter()
    turn = 0

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted[turn] += 1

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        if accepted.total() < WAITING:
            loop.call_soon(next_turn)

    listener = socket.create_server(("127.0.0.1", 0), backlog=2 * WAITING)
    listener.setblocking(False)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(WAITING)]
    sockets = [listener, *(listener.dup() for _ in range(descriptors - 1))]
    for one in sockets:
        await loop.create_server(Connection, sock=one, backlog=2 * WAITING)
    loop.call_soon(next_turn)
    while accepted.total() < WAITING:
        await asyncio.sleep(0.001)
    for client in clients:
        client.close()
    return max(accepted.values())


for name, create, descriptors in (
    ("asyncio", asyncio.new_event_loop, 1),
    ("uvloop", uvloop.new_event_loop, 1),
    ("uvloop, 8 descriptors", uvloop.new_event_loop, 8),
):
    loop = create()
    print(f"{name}: {loop.run_until_complete(most_in_one_turn(descriptors))} of {WAITING} in one turn")
PYTHON
diff - "$work/out" <<'SEEN'
asyncio: 64 of 64 in one turn
uvloop: 1 of 64 in one turn
uvloop, 8 descriptors: 8 of 64 in one turn
SEEN
echo "as found"
