#!/bin/sh
# azure-core 1.41.0 sleeps a whole Retry-After, although the call's own timeout ends before, and then sends nothing.
#
# RetryPolicy sleeps for the seconds of the header, whatever `retry_backoff_max` and `timeout` say. It looks at
# `timeout`, the total time of the call, only after that sleep, and raises ServiceResponseTimeoutError. So a call
# with timeout=1 and Retry-After: 4 takes four seconds, and the server sees one request.
# Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check azure-core==1.41.0
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import sys
import threading
import time

import azure.core
from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest


class Busy(http.server.BaseHTTPRequestHandler):
    seen = 0

    def do_GET(self):
        Busy.seen += 1
        self.send_response(503)
        self.send_header("Retry-After", "4")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
client = PipelineClient(url, policies=[RetryPolicy(retry_total=1, retry_backoff_max=0.1)])
begun = time.monotonic()
try:
    raised = f"no error, status {client.send_request(HttpRequest('GET', url), timeout=1).status_code}"
except AzureError as error:
    raised = type(error).__name__
seconds = time.monotonic() - begun
print(f"azure-core {azure.core.__version__}, timeout=1, retry_backoff_max=0.1, Retry-After: 4")
print(f"  {raised} after {seconds:.1f} s, requests: {Busy.seen}")
sys.exit(not (raised == "ServiceResponseTimeoutError" and 4 <= seconds < 8 and Busy.seen == 1))
PYTHON
