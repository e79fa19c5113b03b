"""The real Prometheus operator, run beside the cluster for each Deployment of it that appears.

It gets that container's own arguments; only what cannot be outside a pod (where the API server is, the
certificates of its web server, its address) is replaced. Like under a kubelet it is started again when
it ends, later each time: before its CRDs exist it ends at once.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass, field

import processes
from api import Api, Credentials, Object
from state import State
from tools import OPERATOR, tools_directory

# Arguments that are of no use outside a pod; the same names with one dash or two, with `=` or a value after them.
REPLACED = re.compile(r"-{1,2}(kubeconfig|apiserver|ca-file|cert-file|key-file|tls-insecure|web\.[a-z-]+)(=|$)")
FLAGS_ALONE = re.compile(r"-{1,2}(tls-insecure|web\.enable-(tls|http2))$")
LONGEST_PAUSE = 10.0


def operator_containers(deployment: Object) -> list[Object]:
    """The containers of a Deployment whose image is the operator's, from whatever registry."""
    if deployment["spec"].get("replicas", 1) == 0:
        return []
    return [
        container
        for container in deployment["spec"]["template"]["spec"]["containers"]
        if re.search(r"(^|/)prometheus-operator(:|@|$)", container["image"])
    ]


def environment(container: Object, namespace: str, api: Api) -> dict[str, str]:
    """The container's variables: written out, from the pod's namespace, or from a ConfigMap."""
    values = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        if reference := source.get("configMapKeyRef"):
            config = api.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/{reference['name']}")
            values[variable["name"]] = config["data"][reference["key"]]
        elif source.get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
            values[variable["name"]] = namespace
        else:
            values[variable["name"]] = variable.get("value", "")
    return values


def own_arguments(container: Object, values: dict[str, str]) -> list[str]:
    """The container's arguments, with `$(NAME)` put in and without what is replaced."""
    kept: list[str] = []
    skip_value = False
    for argument in container.get("args", []):
        for name, value in values.items():
            argument = argument.replace(f"$({name})", value)
        if skip_value and not argument.startswith("-"):
            skip_value = False
        elif REPLACED.match(argument):
            skip_value = "=" not in argument and not FLAGS_ALONE.match(argument)
        else:
            skip_value = False
            kept.append(argument)
    return kept


@dataclass
class Running:
    """One operator: what it was started with, and when to start it again."""

    arguments: list[str]
    process: subprocess.Popen[bytes]
    pause: float = 1.0
    again_at: float | None = None
    started: float = field(default_factory=time.monotonic)


class Operators:
    """The operators of one cluster, by the Deployment they belong to."""

    def __init__(self, state: State, cluster: str) -> None:
        self.state = state
        self.cluster = cluster
        self.credentials = Credentials(state.cluster(cluster) / "operator")
        self.api = Api(self.credentials)
        self.running: dict[str, Running] = {}
        for left in recorded(state, cluster):
            processes.stop(state, left)

    def follow(self, deployments: list[Object]) -> None:
        """Starts, restarts and stops operators so that they are what the Deployments say."""
        wanted: dict[str, list[str]] = {}
        for deployment in deployments:
            meta = deployment["metadata"]
            for container in operator_containers(deployment):
                values = environment(container, meta["namespace"], self.api)
                wanted[f"{self.cluster}-operator-{meta['namespace']}-{meta['name']}"] = own_arguments(container, values)
        for name in list(self.running):
            if wanted.get(name) != self.running[name].arguments:
                processes.stop(self.state, name)
                del self.running[name]
        for name, arguments in wanted.items():
            if name not in self.running:
                self.running[name] = Running(arguments, self.start(name, arguments))
            else:
                self.keep(name, self.running[name])

    def keep(self, name: str, operator: Running) -> None:
        if operator.process.poll() is None:
            return
        now = time.monotonic()
        if operator.again_at is None:
            if now - operator.started > 60:
                operator.pause = 1.0
            operator.again_at = now + operator.pause
            operator.pause = min(operator.pause * 2, LONGEST_PAUSE)
        elif now >= operator.again_at:
            operator.process = self.start(name, operator.arguments)
            operator.started, operator.again_at = now, None

    def start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        where = [
            f"-apiserver={self.credentials.server}",
            f"-ca-file={self.credentials.authority}",
            f"-cert-file={self.credentials.certificate}",
            f"-key-file={self.credentials.key}",
            "-web.listen-address=127.0.0.1:0",
        ]
        program = str(OPERATOR.path(tools_directory()))
        return processes.start(self.state, name, [program, *arguments, *where], self.state.logs / f"{name}.log")

    def stop(self) -> None:
        for name in self.running:
            processes.stop(self.state, name)
        self.running.clear()


def recorded(state: State, cluster: str) -> list[str]:
    """The names of this cluster's operators that are on record."""
    return [file.stem for file in (state.root / "processes").glob(f"{cluster}-operator-*.json")]
