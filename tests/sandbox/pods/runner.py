"""The kubelets of one cluster, in a background process of its own (`sandbox pods NAME`).

It is told every change by watches: pods go to a thread each (pod.py), Services and their endpoints become rules
(services.py), Secrets and ConfigMaps are kept for whoever refers to them. What it needs after a restart is in the
folder of each pod; all else is asked again.
"""

from __future__ import annotations

import base64
import json
import queue
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import network
import processes
import storage
from api import Api, ApiError, Credentials, Object
from cluster import Cluster
from pods import images, services, spec
from pods.cgroups import Group, sandbox_group
from pods.logs import Logs
from pods.pod import Pod, hold
from pods.server import Kubelet
from state import State, write

# What is watched: a name, its path.
WATCHED = {
    "nodes": "/api/v1/nodes",
    "services": "/api/v1/services",
    "slices": "/apis/discovery.k8s.io/v1/endpointslices",
    "secrets": "/api/v1/secrets",
    "configmaps": "/api/v1/configmaps",
    "volumes": "/api/v1/persistentvolumes",
    "stages": "/apis/kwok.x-k8s.io/v1alpha1/stages",
    "pods": "/api/v1/pods",
}


class Runner:
    def __init__(self, state: State, name: str) -> None:
        cluster = Cluster(state, name)
        self.state = state
        self.name = name
        self.addresses = cluster.addresses
        self.credentials: Credentials = cluster.credentials("kubelet")
        self.folder = cluster.folder / "pods"
        self.volumes = cluster.folder / "volumes"
        self.nodes = cluster.folder / "nodes"
        self.group = sandbox_group(state) / name
        self.kwok_port = int((cluster.folder / "kwok" / "port").read_text())
        self.logs = Logs()
        self.news: queue.Queue[tuple[str, str, Object]] = queue.Queue()
        self.known: dict[str, dict[tuple[str, str], Object]] = {what: {} for what in WATCHED}
        self.listed: dict[str, set[tuple[str, str]] | None] = {what: None for what in WATCHED}
        self.ready: set[str] = set()
        self.pods: dict[str, Pod] = {}
        self.holders: dict[str, int] = {}
        self.lock = threading.Lock()
        self.last_address = self.highest_address()
        self.loaded = ""
        self.stopping = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        for what in WATCHED:
            threading.Thread(target=self.watch, args=(what,), daemon=True).start()
        while not self.stopping and self.folder.parent.exists():
            self.learn()
            if len(self.ready) < len(WATCHED):
                continue
            for act in (self.serve, self.follow, self.reclaim):
                try:
                    act()
                except Exception as error:  # whatever it is, it is tried again at the next news
                    print(f"{act.__name__}: {error}", file=sys.stderr, flush=True)

    def stop(self, *_: Any) -> None:
        """Ends the runner alone: what runs goes on, and another one takes it over."""
        self.stopping = True

    # -- what it is told --------------------------------------------------------------------------------

    def watch(self, what: str) -> None:
        for change, thing in Api(self.credentials).watch(WATCHED[what]):
            self.news.put((what, change, thing))

    def learn(self) -> None:
        """Takes in all news, after waiting for the first."""
        try:
            self.take(*self.news.get(timeout=0.5))
            while True:
                self.take(*self.news.get_nowait())
        except queue.Empty:
            pass

    def take(self, what: str, change: str, thing: Object) -> None:
        if change == "RESET":
            self.listed[what] = set()
        elif change == "LISTED":
            for gone in set(self.known[what]) - (self.listed[what] or set()):
                del self.known[what][gone]
            self.listed[what] = None
            self.ready.add(what)
        else:
            meta = thing["metadata"]
            key = (meta.get("namespace", ""), meta["name"])
            if change == "DELETED":
                self.known[what].pop(key, None)
            else:
                self.known[what][key] = thing
                seen = self.listed[what]
                if seen is not None:
                    seen.add(key)

    # -- what it does about it --------------------------------------------------------------------------

    def follow(self) -> None:
        """Gives each pod of ours its thread, and tells it what is new."""
        for name, node in self.known["nodes"].items():
            if name[1] not in self.holders:
                self.begin_node(node["metadata"]["name"])
        wanted = {}
        for pod in self.known["pods"].values():
            if pod["spec"].get("nodeName") in self.holders and images.ours(pod):
                wanted[pod["metadata"]["uid"]] = pod
        for uid, pod in wanted.items():
            if uid not in self.pods:
                self.pods[uid] = Pod(self, pod)
                self.pods[uid].start()
            else:
                self.pods[uid].update(pod)
        for uid in set(self.pods) - set(wanted):
            self.pods[uid].vanish()
        for folder in self.folder.iterdir() if self.folder.exists() else []:
            if folder.name not in self.pods:  # of a runner before this one; its pod is gone
                Group(self.group / folder.name).end()
                shutil.rmtree(folder, ignore_errors=True)

    def forget(self, pod: Pod) -> None:
        self.pods.pop(pod.uid, None)

    def serve(self) -> None:
        """Leads the addresses of Services to their endpoints."""
        rules = services.rules(self.addresses, list(self.known["services"].values()), list(self.known["slices"].values()))
        if rules != self.loaded:
            services.load(rules)
            self.loaded = rules

    def reclaim(self) -> None:
        """Removes what was on volumes that are gone."""
        for folder in self.volumes.iterdir() if self.volumes.exists() else []:
            if ("", folder.name) not in self.known["volumes"]:
                shutil.rmtree(folder, ignore_errors=True)

    # -- the network ------------------------------------------------------------------------------------

    def begin_node(self, name: str) -> None:
        """A node has a network, too: pods on it may share it, and its kubelet answers there."""
        record = self.nodes / f"{name}.json"
        pid = 0
        if record.exists():
            known = json.loads(record.read_text())
            if processes.started_at(known["pid"]) == known["began"]:
                pid = known["pid"]
        if not pid:
            pid = self.hold(Group(self.group / name), self.addresses.node(name), self.addresses.node_gateway)
            write(record, json.dumps({"pid": pid, "began": processes.started_at(pid)}))
        self.holders[name] = pid
        Kubelet(self, name, self.addresses.node(name)).start()

    def node(self, name: str) -> tuple[int, str]:
        return self.holders[name], self.addresses.node(name)

    def hold(self, group: Group, address: str, gateway: str) -> int:
        pid = hold(group)
        network.join(self.addresses, pid, address, gateway, storage.port(self.state))
        return pid

    def next_address(self) -> str:
        """Addresses are given in turn, so that one is not soon another pod's."""
        with self.lock:
            used = {pod.address for pod in self.pods.values()}
            while True:
                self.last_address = self.last_address % 60000 + 1
                address = self.addresses.pod(self.last_address + 1)
                if address not in used:
                    return address

    def highest_address(self) -> int:
        numbers = [0]
        for record in self.folder.glob("*/network.json"):
            parts = json.loads(record.read_text())["address"].split(".")
            numbers.append(int(parts[2]) * 256 + int(parts[3]))
        return max(numbers)

    # -- what pods ask ----------------------------------------------------------------------------------

    def entries(self, api: Api, kind: str, namespace: str, name: str) -> dict[str, bytes] | None:
        """What is in a Secret or ConfigMap. What was not yet told of is asked for."""
        found = self.known[kind].get((namespace, name))
        if found is None:
            try:
                found = api.request("GET", f"/api/v1/namespaces/{namespace}/{kind}/{name}")
            except ApiError as error:
                if error.code == 404:
                    return None
                raise
        binary = found.get("data" if kind == "secrets" else "binaryData") or {}
        plain = {} if kind == "secrets" else found.get("data") or {}
        return {key: base64.b64decode(text or "") for key, text in binary.items()} | {
            key: text.encode() for key, text in plain.items()
        }

    def token(self, api: Api, pod: Object, source: Object) -> str:
        meta, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        wanted = {
            "audiences": [source["audience"]] if "audience" in source else [],
            "expirationSeconds": source.get("expirationSeconds", 3600),
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
        }
        answer = api.request("POST", f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token", {"spec": wanted})
        return str(answer["status"]["token"])

    def service_variables(self, pod: Object) -> dict[str, str]:
        found = [self.known["services"].get(("default", "kubernetes"))]
        if pod["spec"].get("enableServiceLinks", True):
            found += [each for (where, _), each in self.known["services"].items() if where == pod["metadata"]["namespace"]]
        return spec.service_links([each for each in found if each])

    def fault(self, pod: Object) -> str:
        """What a pod has to suffer, by the stages that say so of its component (faults/)."""
        component = pod["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        for stage in list(self.known["stages"].values()):
            meta = stage["metadata"]
            if component and meta.get("annotations", {}).get("okemon-sandbox/component") == component:
                return str(meta.get("labels", {}).get("okemon-sandbox/run", ""))
        return ""

    def claimed(self, pod: Pod) -> Callable[[str], Path]:
        def folder(claim: str) -> Path:
            found = pod.api.request(
                "GET", f"/api/v1/namespaces/{pod.object['metadata']['namespace']}/persistentvolumeclaims/{claim}"
            )
            return self.volumes / str(found["spec"]["volumeName"])

        return folder


def main(state: State, name: str) -> None:
    Runner(state, name).run()
