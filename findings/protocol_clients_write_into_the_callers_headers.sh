#!/usr/bin/env bash
# tritonclient 2.73.0 and kserve 0.21.0: a client of the Open Inference Protocol writes into the headers that its caller gave.
#
# Expected: the dict of headers, which one makes once for an API key and gives to each call, is left as it is. Seen: a call
# with binary tensors adds the length of its JSON part to it (and kserve a content type), and so the next call with the
# same dict, in JSON alone, carries a length that is not its own; a server that reads it cuts the body at the wrong place.
# A copy for each call, headers=dict(headers), avoids it.
# Output: tritonclient: ['Inference-Header-Content-Length', 'key']
#         kserve: ['content-type', 'inference-header-content-length', 'key']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'tritonclient[http]==2.73.0' kserve==0.21.0 numpy
cat >"$work/call.py" <<'PYTHON'
import asyncio
import json
import logging
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

logging.disable()
ANSWER = {"model_name": "echo", "id": "1", "outputs": [{"name": "y", "datatype": "FP32", "shape": [1], "data": [0.0]}]}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def by_triton(port, headers):
    tensor = triton.InferInput("x", [1], "FP32")
    tensor.set_data_from_numpy(np.zeros(1, np.float32), binary_data=True)
    triton.InferenceServerClient(f"127.0.0.1:{port}").infer("echo", [tensor], headers=headers)


def by_kserve(port, headers):
    tensor = InferInput("x", [1], "FP32")
    tensor.set_data_from_numpy(np.zeros(1, np.float32), binary_data=True)
    request = InferRequest("echo", [tensor])
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    asyncio.run(client.infer(f"http://127.0.0.1:{port}", request, headers=headers, model_name="echo"))


server = HTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
for name, call in (("tritonclient", by_triton), ("kserve", by_kserve)):
    headers = {"key": "value"}
    call(server.server_port, headers)
    print(f"{name}: {sorted(headers)}")
PYTHON
"$work/env/bin/python" "$work/call.py" | tee "$work/out"
diff - "$work/out" <<'SEEN'
tritonclient: ['Inference-Header-Content-Length', 'key']
kserve: ['content-type', 'inference-header-content-length', 'key']
SEEN
echo "as found"
