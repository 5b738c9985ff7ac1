#!/usr/bin/env bash
# kserve 0.21.0: InferenceRESTClient tries a connection once, whatever `retries` says.
#
# Expected: with RESTConfig(retries=3), as its documentation says, a connection that is refused is tried three times more.
# Seen: once. The client makes a transport with that number, and then gives httpx another one. A transport of one's own,
# RESTConfig(transport=httpx.AsyncHTTPTransport(retries=3)), is used and retries.
# Output: retries=3: 1 connection
#         a transport of one's own: 4 connections
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet kserve==0.21.0
cat >"$work/call.py" <<'PYTHON'
import asyncio
import logging

import anyio
import httpx
from kserve import InferenceRESTClient, RESTConfig

logging.disable()
tried = 0


async def refused(*_, **__):
    global tried
    tried += 1
    raise OSError("refused")


def connections(config):
    global tried
    tried = 0
    anyio.connect_tcp = refused  # what httpx opens connections with
    try:
        asyncio.run(InferenceRESTClient(config).is_server_ready("http://127.0.0.1:9"))
    except Exception:
        pass
    return f"{tried} connection{'s' if tried > 1 else ''}"


print("retries=3:", connections(RESTConfig(protocol="v2", retries=3)))
own = httpx.AsyncHTTPTransport(retries=3)
print("a transport of one's own:", connections(RESTConfig(protocol="v2", transport=own)))
PYTHON
"$work/env/bin/python" "$work/call.py" | tee "$work/out"
diff - "$work/out" <<'SEEN'
retries=3: 1 connection
a transport of one's own: 4 connections
SEEN
echo "as found"
