"""An admission webhook in Python behind webhook-certd: plain HTTP, and no certificate to care for.

It denies objects without the label team. To run it: LISTEN_ADDRESS=127.0.0.1:9000 python3 webhook.py
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # webhook-certd keeps its connections open

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        response = {"uid": request["uid"], "allowed": True}
        labels = (request.get("object") or {}).get("metadata", {}).get("labels") or {}
        if request["operation"] != "DELETE" and not labels.get("team"):
            response["allowed"] = False
            response["status"] = {"code": 422, "message": "label team is missing"}
        answer = {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # one line for each call otherwise
        pass


host, port = os.environ["LISTEN_ADDRESS"].rsplit(":", 1)
ThreadingHTTPServer((host, int(port)), Webhook).serve_forever()
