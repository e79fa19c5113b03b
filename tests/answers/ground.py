"""What situations are made on: a cluster of the sandbox, kubeconfigs that lead to it or astray, and the programs to record."""

from __future__ import annotations

import copy
import http.server
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sandbox"))

from api import Api, ApiError
from cluster import Cluster
from state import State, write

NAMESPACE = "monitoring"
Object = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """How a call ended, without what differs from one cluster to the next."""

    call: str
    code: int
    stdout: str
    stderr: str

    def text(self) -> str:
        return f"{self.code}\n" + "".join(
            f"-- {name}\n{text if text.endswith(chr(10)) else text + chr(10)}"
            for name, text in (("stdout", self.stdout), ("stderr", self.stderr))
            if text
        )

    @staticmethod
    def read(call: str, text: str) -> Answer:
        code, _, rest = text.partition("\n")
        streams = {"stdout": "", "stderr": ""}
        for name, said in re.findall(r"^-- (stdout|stderr)\n(.*?)(?=^-- stderr\n|\Z)", rest, re.MULTILINE | re.DOTALL):
            streams[name] = said
        return Answer(call, int(code), **streams)


@dataclass(frozen=True)
class Program:
    """One helm or kubectl."""

    path: Path
    tool: str
    version: str
    ground: Ground

    @staticmethod
    def at(path: Path, ground: Ground) -> Program:
        tool = "kubectl" if "kubectl" in path.name else "helm"
        asked = {"kubectl": ["version", "--client"], "helm": ["version"]}[tool]
        said = subprocess.run([path, *asked], capture_output=True, text=True, check=True).stdout
        version = re.search(r"v(\d+\.\d+\.\d+)", said)
        if not version:
            sys.exit(f"{path} does not tell its version: {said}")
        return Program(path, tool, version[1], ground)

    def ask(self, *arguments: str, stdin: str = "", kubeconfig: str = "good", path: str = os.defpath) -> Answer:
        """What it answers to a call of okemon's on the cluster."""
        with self.start(*arguments, kubeconfig=kubeconfig, path=path) as child:
            stdout, stderr = child.communicate(stdin)
        call = f"{self.tool} {shlex.join(self.scoped(arguments))}"
        return Answer(self.ground.steady(call), child.returncode, self.ground.steady(stdout), self.ground.steady(stderr))

    def done(self, *arguments: str, stdin: str = "") -> None:
        """The same where only what it leads to matters."""
        answer = self.ask(*arguments, stdin=stdin)
        if answer.code:
            sys.exit(f"{self.tool} {self.version} {arguments}: {answer.stderr}")

    def forget(self) -> None:
        """Which kinds there are, is asked anew."""
        shutil.rmtree(self.home / ".kube", ignore_errors=True)

    @property
    def home(self) -> Path:
        return self.ground.folder / "homes" / f"{self.tool}-{self.version}"

    def start(self, *arguments: str, kubeconfig: str = "good", path: str = os.defpath) -> subprocess.Popen[str]:
        self.home.mkdir(parents=True, exist_ok=True)
        temporary = self.ground.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {
            **{"PATH": path, "HOME": str(self.home), "TMPDIR": str(temporary), "TZ": "UTC", "KUBERC": "off"},
            "KUBECONFIG": str(self.ground.kubeconfig(kubeconfig)),
        }
        pipe = subprocess.PIPE
        command = [self.path, *self.scoped(arguments)]
        return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def scoped(self, arguments: tuple[str, ...]) -> list[str]:
        """The call with the context and the namespace, where okemon names them."""
        if self.tool == "kubectl":
            return ["--context", "oke-sin", "--namespace", NAMESPACE, *arguments]
        if arguments[0] in ("pull", "show"):
            return list(arguments)
        return [*arguments, "--kube-context", "oke-sin", "--namespace", NAMESPACE]


class Ground:
    """The cluster, and what is made on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Cluster(State(folder / "sandbox"), "sin")
        self.api = Api(self.cluster.credentials("admin"))
        self.made: dict[str, Path] = {}
        self.making = threading.Lock()

    # -- objects ----------------------------------------------------------------------------------------

    def apply(self, *objects: Object) -> None:
        listed = self.folder / "objects.json"
        listed.write_text("\n---\n".join(json.dumps(each) for each in objects))
        self.cluster.kubectl("apply", "--server-side", "--force-conflicts", "--namespace", NAMESPACE, f"--filename={listed}")

    def delete(self, *what: str) -> None:
        self.cluster.kubectl("delete", "--namespace", NAMESPACE, "--ignore-not-found", "--wait", *what)

    def namespace(self) -> None:
        """The namespace, empty of what situations make in it."""
        if self.phase() == "Terminating":
            self.no_namespace()
        if not self.phase():
            self.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            self.until(lambda: self.found(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))

    def no_namespace(self) -> None:
        if self.phase():
            if self.found(f"/api/v1/namespaces/{NAMESPACE}/configmaps/held"):
                self.api.request("PATCH", f"/api/v1/namespaces/{NAMESPACE}/configmaps/held", {"metadata": {"finalizers": None}})
            self.cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")

    def leaving_namespace(self) -> None:
        """The namespace on its way out, held up by one of its objects."""
        if self.phase() == "Terminating":
            return
        self.namespace()
        held = {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
        self.api.request("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", held)
        self.cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")

    def phase(self) -> str:
        namespace = self.found(f"/api/v1/namespaces/{NAMESPACE}")
        return namespace["status"]["phase"] if namespace else ""

    def found(self, path: str) -> Object | None:
        try:
            return self.api.request("GET", path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def until(self, reached: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(ApiError):  # of an API server that is about to know a kind
                if reached():
                    return
            time.sleep(0.05)
        sys.exit("what a situation waits for does not come")

    # -- the way to the cluster -------------------------------------------------------------------------

    def kubeconfig(self, name: str) -> Path:
        with self.making:
            if name not in self.made:
                content = copy.deepcopy(self.cluster.kubeconfig())
                WAYS[name](content)
                file = self.folder / f"{name}.kubeconfig"
                write(file, json.dumps(content))
                self.made[name] = file
            return self.made[name]

    def steady(self, text: str) -> str:
        text = text.replace(str(self.folder), "/run")
        for pattern, instead in STEADY:
            text = re.sub(pattern, instead, text, flags=re.MULTILINE)
        return text


STEADY = (
    (r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d\.\d+", r"2026-01-01\g<1>00:00:00.000000"),
    (r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?!\.)", r"2026-01-01\g<1>00:00:00"),
    (r"^(LAST DEPLOYED): .*$", r"\g<1>: Thu Jan  1 00:00:00 2026"),
    (r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", r"\g<1>0101 00:00:00.000000       1 "),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "00000000-0000-0000-0000-000000000000"),
    (r'"resourceVersion": ?"\d+"', '"resourceVersion": "1"'),
    (r"(127\.0\.0\.1):\d+", r"\g<1>:6443"),
    (r"(lookup \S+ on) [\d.]+:53", r"\g<1> 192.0.2.53:53"),
    (r"(LIVE|MERGED)-\d+", r"\g<1>-1"),
)


# -- servers that are not the cluster -------------------------------------------------------------------


def closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def silent() -> str:
    """One where a call is taken and never answered."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            held.append(listener.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    return f"127.0.0.1:{listener.getsockname()[1]}"


def speaks(kind: str, answer: Callable[[str], str], tls: ssl.SSLContext | None = None) -> str:
    """One that answers every request by its body."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            said = answer(self.rfile.read(int(self.headers.get("content-length") or 0)).decode()).encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"


def web_page(_: str) -> str:
    return "<html></html>"


def certified(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate for 127.0.0.1 that signs itself: how a server uses it, and its text."""
    key, certificate = folder / "self.key", folder / "self.crt"
    if not certificate.exists():
        # fmt: off
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
                   "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        # fmt: on
        subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate.read_text()


# -- kubeconfigs ----------------------------------------------------------------------------------------


def server(content: Object, address: str) -> None:
    content["clusters"][0]["cluster"]["server"] = address


def plain(content: Object, address: str) -> None:
    content["clusters"][0]["cluster"] = {"server": address}


def user(content: Object, user: Object) -> None:
    content["users"][0]["user"] = user


def helper(script: str) -> Object:
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": "/bin/sh", "args": ["-c", script], "interactiveMode": "IfAvailable"}}


WAYS: dict[str, Callable[[Object], None]] = {
    "good": lambda content: None,
    "other-context": lambda content: content["contexts"][0].update(name="oke-other"),
    "down": lambda content: server(content, f"https://{closed()}"),
    "nameless": lambda content: server(content, "https://nowhere.invalid:6443"),
    "silent": lambda content: server(content, f"https://{silent()}"),
    "without-tls": lambda content: server(content, f"https://{speaks('text/html', web_page)}"),
    "web-page": lambda content: plain(content, f"http://{speaks('text/html', web_page)}"),
    "no-kubernetes": lambda content: plain(content, f"http://{speaks('application/json', lambda _: '{}')}"),
    "other-authority": lambda content: content["clusters"][0]["cluster"].pop("certificate-authority-data"),
    "expired": lambda content: user(content, {"token": "expired"}),
    "limited": lambda content: content["users"][0]["user"].update({"as": "limited"}),
    "helper-fails": lambda content: user(content, helper("echo the session has expired >&2; exit 1")),
    "helper-absent": lambda content: user(content, {"exec": {**helper("")["exec"], "command": "oci"}}),
}


@contextmanager
def there(ground: Ground, *objects: Object) -> Iterator[None]:
    """Objects that are there meanwhile."""
    ground.apply(*objects)
    try:
        yield
    finally:
        for each in reversed(objects):
            ground.delete(f"{each['kind']}/{each['metadata']['name']}")
