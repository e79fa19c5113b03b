"""A node's kubelet as the API server and Prometheus see it: logs, exec, port-forward, and its metrics.

kwok's server has the streaming parts of a real kubelet, so requests are handed on to it. It is told with objects of
its own where a pod's logs lie and where its ports are; a command of `kubectl exec` is put into the container here.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import network
from api import ApiError, Object

if TYPE_CHECKING:
    from pods.pod import Pod
    from pods.runner import Runner

PORT = 10250


class Kubelet(threading.Thread):
    def __init__(self, runner: Runner, node: str, address: str) -> None:
        super().__init__(name=node, daemon=True)
        self.runner = runner
        self.node = node
        pki = runner.state.kwok(runner.name) / "pki"
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self.listener = network.inside(runner.holders[node], lambda: socket.create_server((address, PORT), backlog=64))

    def run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, plain: socket.socket) -> None:
        try:
            plain.settimeout(30)
            with self.tls.wrap_socket(plain, server_side=True) as client:
                self.hand_on(client)
        except (OSError, ValueError) as error:
            if not isinstance(error, ConnectionError | ssl.SSLError | TimeoutError):
                print(f"{self.node}: {error}", file=sys.stderr, flush=True)

    def hand_on(self, client: ssl.SSLSocket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = client.recv(65536)
            if not chunk:
                return
            head += chunk
        request, rest = head.split(b"\r\n", 1)
        method, target, version = request.decode().split(" ")
        path = urlsplit(target).path
        if path.startswith("/metrics"):
            client.sendall(self.metrics(path))
            return
        if path.startswith("/exec/"):
            target = self.into_container(target)
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.runner.kwok_port))
        with trusting.wrap_socket(plain) as server:
            # One request a connection: the next one may be for us.
            rest = (
                rest if b"pgrade" in rest else re.sub(rb"(?i)connection: *keep-alive\r\n", b"", b"Connection: close\r\n" + rest)
            )
            server.sendall(f"{method} {target} {version}\r\n".encode() + rest)
            client.settimeout(None)
            back = threading.Thread(target=pour, args=(server, client), daemon=True)
            back.start()
            pour(client, server)
            back.join()

    def into_container(self, target: str) -> str:
        """The same request with the command that runs its command where the container is."""
        url = urlsplit(target)
        _, _, namespace, pod_name, *more = url.path.split("/")
        container = more[-1]
        query = parse_qsl(url.query, keep_blank_values=True)
        command = [value for name, value in query if name == "command"]
        for pod in list(self.runner.pods.values()):
            meta = pod.object["metadata"]
            if (meta["namespace"], meta["name"]) == (namespace, pod_name):
                for each in pod.containers:
                    if each.name == container and each.process:
                        query = [pair for pair in query if pair[0] != "command"]
                        query += [("command", part) for part in each.process.inside(command)]
        return f"{url.path}?{urlencode(query)}"

    def metrics(self, path: str) -> bytes:
        body = "".join(self.families(path)).encode()
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return (
            f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )

    def families(self, path: str) -> list[str]:
        """A few of a kubelet's metrics, of what really runs."""
        pods = [pod for pod in list(self.runner.pods.values()) if pod.object["spec"]["nodeName"] == self.node]
        if path == "/metrics":
            return [
                f'# TYPE kubelet_node_name gauge\nkubelet_node_name{{node="{self.node}"}} 1\n',
                f"# TYPE kubelet_running_pods gauge\nkubelet_running_pods {len(pods)}\n",
            ]
        if path != "/metrics/cadvisor":
            return ["\n"]
        lines = ["# TYPE container_memory_working_set_bytes gauge\n"]
        for pod in pods:
            meta = pod.object["metadata"]
            for each in pod.containers:
                if each.process:
                    labels = f'namespace="{meta["namespace"]}",pod="{meta["name"]}",container="{each.name}",image="{each.spec["image"]}"'
                    lines.append(f"container_memory_working_set_bytes{{{labels}}} {each.group.memory()}\n")
        return lines


def streams(pod: Pod) -> list[Object]:
    """What kwok is told of a pod: where its logs lie, where its ports are."""
    meta = pod.object["metadata"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
    own = {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": [owner]}
    logs = [
        {
            "containers": [each.name],
            "logsFile": str(each.folder / "current"),
            "previousLogsFile": str(each.folder / "previous"),
            "follow": True,
        }
        for each in pod.containers
    ]
    numbers = {port["containerPort"] for each in pod.containers for port in each.spec.get("ports", [])}
    forwards = [{"ports": [number], "target": {"address": pod.address, "port": number}} for number in sorted(numbers)]
    kwok = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "metadata": own}
    return [
        {**kwok, "kind": "Logs", "spec": {"logs": logs}},
        {**kwok, "kind": "PortForward", "spec": {"forwards": forwards}},
    ]


def tell_kwok(pod: Pod) -> None:
    for each in streams(pod):
        path = f"/apis/kwok.x-k8s.io/v1alpha1/namespaces/{each['metadata']['namespace']}/{each['kind'].lower().rstrip('s')}s"
        try:
            pod.api.request("POST", path, each)
        except ApiError as error:
            if error.code != 409:
                raise
            pod.api.request("PATCH", f"{path}/{each['metadata']['name']}", each)


def pour(source: ssl.SSLSocket, target: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
