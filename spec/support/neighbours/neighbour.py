"""A webhook that terminates TLS itself: neighbour.py DIRECTORY PORT HABIT, where HABIT is reload, never or prefork."""
import http.server
import json
import os
import ssl
import sys
import threading
import time

directory, port, habit = sys.argv[1], int(sys.argv[2]), sys.argv[3]
CERTIFICATE, KEY = os.path.join(directory, "tls.crt"), os.path.join(directory, "tls.key")
WORKERS = 4


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        response = {"uid": review["request"]["uid"], "allowed": True}
        body = json.dumps({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def poll(context, pause):
    """An SSLContext presents to new connections what was loaded into it last."""
    seen = os.stat(CERTIFICATE).st_mtime_ns
    while True:
        time.sleep(pause)
        now = os.stat(CERTIFICATE).st_mtime_ns
        if now != seen:
            seen = now
            context.load_cert_chain(CERTIFICATE, KEY)


while not os.path.exists(CERTIFICATE):
    time.sleep(0.1)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server = Server(("127.0.0.1", port), Handler)
# The handshake is left to the thread of the connection.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
worker = 0
if habit == "prefork":
    for worker in range(WORKERS):
        if worker + 1 < WORKERS and os.fork() == 0:
            break
if habit != "never":
    # Workers notice a new certificate at different times.
    threading.Thread(target=poll, args=(context, 0.2 + 0.5 * worker), daemon=True).start()
server.serve_forever()
