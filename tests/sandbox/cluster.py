"""One cluster: made and unmade by kwokctl, with a real API server, and users of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import network
import processes
from api import Api, ApiError, Credentials
from monitoring_operator import recorded
from network import Addresses
from pods import images
from pods.cgroups import Group, sandbox_group
from state import State, free_ports, write
from tools import HERE, SandboxError, ensure_tools

# Who has a certificate: the folder it is kept in, and the user's name as the audit log shows it.
USERS = {
    "admin": "admin",
    "okemon": "okemon",
    "cloud": "oci-cloud-controller-manager",
    "operator": "prometheus-operator",
    "kwok": "kwok",
    "kubelet": "kubelet",
}
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
FILES = ("kwokctl.yaml", "cluster.yaml", "stages.yaml", "names.yaml")
POD_STAGE = "  resourceRef: {apiGroup: v1, kind: Pod}\n  selector:\n    matchExpressions:\n"
# A cluster lives for a minute: less is collected, up to an amount of memory. A fifth of an API server's time.
PATIENT = {"GOGC": "400", "GOMEMLIMIT": "1200MiB"}
TRIES = 3
DEFINITIONS = "Stage,Logs,ClusterLogs,ClusterExec,PortForward"
PORTS = ("etcd", "etcd_peer", "apiserver", "controller_manager", "scheduler")
POD_LOG = "".join(
    f"2026-01-01T00:00:0{second}.000000000Z stdout F {text}\n"
    for second, text in enumerate(("the sandbox runs no containers:", "this is the log of every pod in it"))
)


class Cluster:
    """A cluster of one sandbox, by its name."""

    def __init__(self, state: State, name: str) -> None:
        self.state = state
        self.name = name
        self.context = f"oke-{name}"
        self.folder = state.cluster(name)
        self.admin_kubeconfig = self.folder / "admin.kubeconfig"
        self.audit_log = state.kwok(name) / "logs" / "audit.log"
        self.cloud = f"{name}-cloud"
        self.kwok = f"{name}-kwok"
        self.pods = f"{name}-pods"

    @property
    def runs_pods(self) -> bool:
        """Whether its pods are processes (pods/), or all played by kwok."""
        return network.wanted(self.state)

    @property
    def addresses(self) -> Addresses:
        return Addresses(int((self.folder / "number").read_text()))

    def credentials(self, user: str) -> Credentials:
        return Credentials(self.folder / user)

    def describe(self) -> dict[str, str]:
        return {
            "kubeconfig": str(self.folder / "kubeconfig"),
            "context": self.context,
            "adminKubeconfig": str(self.admin_kubeconfig),
            "auditLog": str(self.audit_log),
        }

    # -- up ---------------------------------------------------------------------------------------------

    def up(self) -> str:
        """Brings the cluster up; says what that took."""
        begin = time.monotonic()
        if self.complete():
            if self.processes_run() and Api(self.credentials("okemon")).ready():
                return "was up"
            if self.repair():
                return f"was repaired in {time.monotonic() - begin:.1f} s"
        self.down()
        for tries_left in range(TRIES - 1, -1, -1):
            try:
                self.create()
                break
            # The machine was too busy for one of Kubernetes' own deadlines, or somebody took a port.
            except (SandboxError, OSError) as error:
                self.down()
                if not tries_left:
                    raise SandboxError(str(error)) from None
                print(f"{self.name}: {error}\n{self.name}: once more", file=sys.stderr, flush=True)
        return f"up in {time.monotonic() - begin:.1f} s"

    def complete(self) -> bool:
        """Whether it was made to the end once."""
        return (self.folder / "kubeconfig").exists() and self.state.kwok(self.name).exists()

    def process_ids(self) -> dict[str, int]:
        """The components that run, by name; pid files of processes that are no longer ours are removed."""
        found = {}
        for file in (self.state.kwok(self.name) / "pids").glob("*.pid"):
            pid = int(file.read_text().strip() or 0)
            if pid and processes.started_at(pid) and str(self.state.kwok(self.name)) in processes.command_line(pid):
                found[file.stem] = pid
            else:
                file.unlink()
        return found

    def components_run(self) -> bool:
        return set(COMPONENTS) <= set(self.process_ids())

    def processes_run(self) -> bool:
        return not self.ended()

    def ended(self) -> dict[str, Path]:
        """What should run and does not: the log of each, by its name."""
        there = self.process_ids()
        logs = {name: self.state.kwok(self.name) / "logs" / f"{name}.log" for name in COMPONENTS if name not in there}
        own = (self.kwok, self.cloud, *([self.pods] if self.runs_pods else []))
        return logs | {name: self.state.logs / f"{name}.log" for name in own if not processes.running(self.state, name)}

    def create(self) -> None:
        for log in self.state.logs.glob(f"{self.name}-*.log"):
            log.unlink()
        with network.port_lock(self.state):
            if self.runs_pods:
                self.number()
                network.begin_cluster(self.addresses)
            self.configure()
            # fmt: off
            self.kwokctl("create", "cluster", "--config", str(self.folder / "kwokctl.yaml"),
                         "--enable-crds", DEFINITIONS, "--kube-audit-policy", str(HERE / "audit.yaml"),
                         "--kubeconfig", str(self.admin_kubeconfig))
            # fmt: on
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.sign, USERS))
        self.wait("its definitions", self.defined)
        self.apply(self.folder / "stages.yaml", self.folder / "cluster.yaml")
        self.start_kwok()
        if self.runs_pods:
            self.start_pods()
        self.wait("its nodes", self.nodes_ready)
        self.wait("its controllers", self.controlled)
        self.start_cloud()
        if self.runs_pods:
            self.apply(self.folder / "names.yaml")
            self.wait("its names", self.named)
        if ended := self.ended():
            words = (f"{name} ended; the last words in {log}:\n{last_lines(log)}" for name, log in ended.items())
            raise SandboxError(f"{self.name}: " + "\n".join(words))
        write(self.folder / "kubeconfig", json.dumps(self.kubeconfig(), indent=1) + "\n")

    def sign(self, folder: str) -> None:
        """Makes the certificate of a user; the administrator is one by its group."""
        group = "system:masters" if folder == "admin" else "sandbox"
        kubeconfig = self.kwokctl("get", "kubeconfig", "--user", USERS[folder], "--group", group)
        Credentials.unpack(kubeconfig, self.folder / folder)

    def kubeconfig(self) -> dict[str, object]:
        return self.credentials("okemon").kubeconfig(self.context, "okemon")

    def configure(self) -> None:
        """Fills in the files that name programs, ports and paths."""
        values = {name.replace("-", "_"): str(path) for name, path in ensure_tools().items()}
        values |= {f"port_{name}": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
        values["pod_log"] = str(self.folder / "pod.log")
        values |= network.values(self.addresses) if self.runs_pods else network.LOOPBACK
        write(self.folder / "pod.log", POD_LOG)
        for file in FILES:
            write(self.folder / file, self.for_kwok(string.Template((HERE / file).read_text()).substitute(values)))

    def for_kwok(self, text: str) -> str:
        """A manifest whose stages leave alone the pods that are run."""
        if self.runs_pods and "kind: Stage" in text:
            text = text.replace(POD_STAGE, f"{POD_STAGE}    {images.exclusion()}\n")
        return text

    def number(self) -> None:
        """Gives the cluster the lowest number that no other one of the sandbox has: its block of addresses."""
        taken = {int(file.read_text()) for file in (self.state.root / "clusters").glob("*/number")}
        write(self.folder / "number", str(next(number for number in range(39) if number not in taken)))

    def wait(self, what: str, reached: Callable[[Api], bool]) -> None:
        """Asks until something is so, for half a minute."""
        admin = Api(self.credentials("admin"))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(ApiError):
                if reached(admin):
                    return
            time.sleep(0.05)
        raise SandboxError(f"{self.name}: {what} do not get ready: see {self.state.kwok(self.name) / 'logs'}")

    def defined(self, api: Api) -> bool:
        """Whether kwok's own resources are served (else the answer is 404)."""
        return all("items" in api.request("GET", f"/apis/kwok.x-k8s.io/v1alpha1/{kind}") for kind in ("stages", "clusterlogs"))

    def nodes_ready(self, api: Api) -> bool:
        nodes = api.request("GET", "/api/v1/nodes")["items"]
        conditions = [each for node in nodes for each in node["status"].get("conditions", [])]
        return len([each for each in conditions if each["type"] == "Ready" and each["status"] == "True"]) == 3

    def named(self, api: Api) -> bool:
        """Whether the cluster's names are served."""
        deployment = api.request("GET", "/apis/apps/v1/namespaces/kube-system/deployments/coredns")
        return bool(deployment.get("status", {}).get("readyReplicas"))

    def controlled(self, api: Api) -> bool:
        """Whether the controller manager works: it makes this account."""
        return "metadata" in api.request("GET", "/api/v1/namespaces/default/serviceaccounts/default")

    def repair(self) -> bool:
        """Starts what does not run again, over the data that is there; False when that does not help."""
        if not self.components_run():
            with network.port_lock(self.state):
                try:
                    self.kwokctl("stop", "cluster")
                    self.kwokctl("start", "cluster", "--wait", "30s")
                except SandboxError:
                    return False
        if not processes.running(self.state, self.kwok):
            self.start_kwok()
        if not processes.running(self.state, self.cloud):
            self.start_cloud()
        if self.runs_pods and not processes.running(self.state, self.pods):
            self.start_pods()
        return self.processes_run() and Api(self.credentials("okemon")).ready()

    def start_kwok(self) -> None:
        """The kubelets of all nodes."""
        processes.stop(self.state, self.kwok)
        kubeconfig = self.folder / "kwok" / "kubeconfig"
        write(kubeconfig, json.dumps(self.credentials("kwok").kubeconfig(self.context, "kwok")))
        port = free_ports(1)[0]
        write(self.folder / "kwok" / "port", str(port))
        # fmt: off
        command = [str(ensure_tools()["kwok"]), "--kubeconfig", str(kubeconfig),
                   "--manage-all-nodes=true", "--node-lease-duration-seconds=200", f"--enable-crds={DEFINITIONS}",
                   "--cidr=10.244.0.1/16", "--node-name=localhost", f"--node-port={port}", f"--server-address=127.0.0.1:{port}",
                   f"--tls-cert-file={self.state.kwok(self.name)}/pki/admin.crt",
                   f"--tls-private-key-file={self.state.kwok(self.name)}/pki/admin.key"]
        # fmt: on
        processes.start(self.state, self.kwok, command, self.state.logs / f"{self.kwok}.log")

    def start_cloud(self) -> None:
        self.start_own("cloud", self.cloud)

    def start_pods(self) -> None:
        self.start_own("pods", self.pods)

    def start_own(self, command: str, record: str) -> None:
        """A command of the driver that goes on in the background."""
        processes.stop(self.state, record)
        words = [sys.executable, str(HERE / "sandbox"), "--state", str(self.state.root), command, self.name]
        processes.start(self.state, record, words, self.state.logs / f"{record}.log")

    # -- down -------------------------------------------------------------------------------------------

    def down(self) -> None:
        """Ends its processes and removes all there was of it."""
        opened = [record.stem for record in (self.state.root / "processes").glob(f"{self.name}-open-*.json")]
        for name in (self.pods, self.cloud, self.kwok, *opened):
            processes.stop(self.state, name)
        Group(sandbox_group(self.state) / self.name).end()
        if (self.folder / "number").exists():
            network.end_cluster(self.addresses)
        for operator in recorded(self.state, self.name):
            processes.stop(self.state, operator)
        own = f"{self.state.kwok(self.name)}/"
        components = [pid for pid in processes.all_of(self.state) if own in processes.command_line(pid)]
        for pid in components:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # its data goes too, so nothing is gained by patience
        for pid in components:
            processes.end(pid)
        shutil.rmtree(self.state.kwok(self.name), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- commands ---------------------------------------------------------------------------------------

    def kwokctl(self, *arguments: str) -> str:
        # Whatever kubectl the machine has is not ours.
        environment = {**os.environ, "HOME": str(self.state.home), "PATH": f"{self.state.bin}:{os.environ['PATH']}"}
        environment.pop("KUBECONFIG", None)
        environment |= PATIENT
        command = [str(ensure_tools()["kwokctl"]), *arguments[:2], "--name", self.name, *arguments[2:]]
        return self.run(command, environment)

    def kubectl(self, *arguments: str) -> str:
        environment = {**os.environ, "KUBECACHEDIR": str(self.state.caches / "kubectl")}
        return self.run([str(ensure_tools()["kubectl"]), "--kubeconfig", str(self.admin_kubeconfig), *arguments], environment)

    def run(self, command: list[str], environment: dict[str, str]) -> str:
        shown = f"{Path(command[0]).name} {' '.join(command[1:])}"
        try:
            # A session of its own, so that what kwokctl leaves running outlives the terminal.
            # fmt: off
            result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                    start_new_session=True, timeout=90)
            # fmt: on
        except subprocess.TimeoutExpired:
            raise SandboxError(f"{shown}\ndid not end in 90 s") from None
        if result.returncode:
            raise SandboxError(f"{shown}\nended with {result.returncode}:\n{result.stderr[-3000:]}")
        return result.stdout

    def apply(self, *files: Path) -> None:
        self.kubectl("apply", "--server-side", *(f"--filename={file}" for file in files))

    # -- faults -----------------------------------------------------------------------------------------

    def fault(self, name: str) -> None:
        """Makes something fail from now on."""
        file = self.folder / f"fault-{name}.yaml"
        write(file, self.for_kwok(fault_file(name).read_text()))
        self.apply(file)
        api = Api(self.credentials("cloud"))
        deadline = time.monotonic() + 10
        while not self.fault_is_seen(api, name):
            if time.monotonic() > deadline:
                raise SandboxError(f"the cloud of {self.name} does not take up the fault {name}: see {self.state.logs}")
            time.sleep(0.05)

    def fault_is_seen(self, api: Api, name: str) -> bool:
        selector = quote(f"okemon-sandbox/fault={name}")
        maps = api.request("GET", f"/api/v1/namespaces/kube-system/configmaps?labelSelector={selector}")["items"]
        if not maps:  # a Stage: kwok has no way to say that it has seen it
            time.sleep(0.5)
            return True
        return bool(maps[0]["metadata"].get("annotations", {}).get("okemon-sandbox/active") == "true")

    def heal(self, name: str) -> None:
        """Ends a fault, and lets the pods that it holds begin again."""
        self.kubectl("delete", "--ignore-not-found", "--wait", f"--filename={fault_file(name)}")
        time.sleep(0.5)  # as above
        if self.runs_pods:  # it tries again by itself
            return
        api = Api(self.credentials("cloud"))
        for pod in api.request("GET", "/api/v1/pods")["items"]:
            statuses = pod.get("status", {}).get("containerStatuses", [])
            if any(status.get("state", {}).get("waiting") for status in statuses):
                path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
                fresh = {"phase": "Pending", "startTime": None, "podIP": None, "podIPs": None, "containerStatuses": None}
                api.request("PATCH", path, {"status": fresh})


def last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line[:500]}" for line in lines[-8:]) or "    (nothing)"


def fault_names() -> list[str]:
    return sorted(file.stem for file in (HERE / "faults").glob("*.yaml"))


def fault_file(name: str) -> Path:
    if name not in fault_names():
        raise SandboxError(f"there is no fault {name!r}; there are: {', '.join(fault_names())}")
    return HERE / "faults" / f"{name}.yaml"
