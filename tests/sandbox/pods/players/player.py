"""What the players have in common: each stands in a pod for a program that cannot be had here, and says so."""

import base64
import http.server
import json
import os
import ssl
import sys
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def say(text):
    print(text, flush=True)


def introduce(name):
    say(f"this is not {name}: a player of the sandbox stands for it, because it cannot be built from package registries")


def cluster(path):
    """What the API server answers this pod's service account."""
    with open(f"{ACCOUNT}/token") as file:
        token = file.read()
    where = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}{path}"
    request = urllib.request.Request(where, headers={"Authorization": f"Bearer {token}"})
    trusted = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:
        return json.load(answer)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands every request to `answer(method, path, body, headers)`, which gives a status and text, bytes or JSON."""

    protocol_version = "HTTP/1.1"
    answer = None

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, said = type(self).answer(self.command, self.path, body, self.headers)
        except Exception as error:  # whatever it is, its asker is told
            print(f"{self.command} {self.path}: {error}", file=sys.stderr, flush=True)
            status, said = 500, {"message": str(error)}
        kind = "text/plain; version=0.0.4" if isinstance(said, str) else "application/json"
        text = said.encode() if isinstance(said, str) else said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_HEAD = handle_any

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a probe that was content with less
            super().handle_error(request, client_address)


def server(port, answer):
    return Server(("", port), type("Handler", (Handler,), {"answer": staticmethod(answer)}))
