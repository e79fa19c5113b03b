"""What the cloud does for a cluster, in a background process of its own (`sandbox cloud NAME`).

- a block volume for each claim that has a node, of the claim's own size (50 GiB or more, as OCI makes them),
- an address of its own for each load balancer, a second after it was asked for,
- the operator's program, for as long as a Deployment of it is there (monitoring_operator.py),
- the faults that are ConfigMaps (faults/*.yaml).

It is told every change by watches, and then looks at all it knows: there is nothing to remember in between.
"""

from __future__ import annotations

import queue
import re
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from api import Api, ApiError, Credentials, Object
from cluster import Cluster
from monitoring_operator import Operators
from state import State
from tools import locked

STORAGE_CLASS = "oci-bv"
DRIVER = "blockvolume.csi.oraclecloud.com"
ZONE = "topology.kubernetes.io/zone"
GIBIBYTE = 2**30
SMALLEST_VOLUME = 50 * GIBIBYTE
FAULT = "okemon-sandbox/fault"
ACTIVE = "okemon-sandbox/active"
LOAD_BALANCER_SECONDS = 1.0

# What is watched: a name, its path, a label selector.
WATCHED = (
    ("nodes", "/api/v1/nodes", ""),
    ("claims", "/api/v1/persistentvolumeclaims", ""),
    ("volumes", "/api/v1/persistentvolumes", ""),
    ("services", "/api/v1/services", ""),
    ("deployments", "/apis/apps/v1/deployments", ""),
    ("faults", "/api/v1/namespaces/kube-system/configmaps", FAULT),
)


def bytes_of(quantity: str) -> int:
    """A Kubernetes quantity of storage in bytes."""
    found = re.fullmatch(r"([0-9.]+)([kKMGTPE]?)(i?)", quantity)
    if not found:
        raise ValueError(f"no quantity: {quantity}")
    power = " KMGTPE".index(found[2].upper() or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def volume_of(claim: Object, node: Object) -> Object:
    """The volume that the cloud makes for a claim, in its node's availability domain."""
    meta = claim["metadata"]
    size = max(SMALLEST_VOLUME, bytes_of(claim["spec"]["resources"]["requests"]["storage"]))
    zone = node["metadata"]["labels"][ZONE]
    place = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"csi-{meta['uid']}", "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}},
        "spec": {
            "capacity": {"storage": f"{-(-size // GIBIBYTE)}Gi"},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
            "csi": {"driver": DRIVER, "fsType": "ext4", "volumeHandle": f"ocid1.volume.oc1.{meta['uid']}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [place]}},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
        },
    }


class Cloud:
    """One cluster's cloud: everything it has been told, and what it does about it."""

    def __init__(self, state: State, name: str) -> None:
        self.state = state
        self.credentials = Credentials(state.cluster(name) / "cloud")
        self.api = Api(self.credentials)
        self.cluster = Cluster(state, name)
        self.operators = Operators(state, name)
        self.news: queue.Queue[tuple[str, str, Object]] = queue.Queue()
        self.known: dict[str, dict[str, Object]] = {what: {} for what, _, _ in WATCHED}
        self.listed: set[str] = set()
        self.waiting: dict[str, float] = {}  # load balancers by uid: when they were first seen
        self.addressed: set[str] = set()
        self.told: set[tuple[str, str]] = set()  # events written: uid and fault
        self.stopping = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        for what, path, selector in WATCHED:
            threading.Thread(target=self.watch, args=(what, path, selector), daemon=True).start()
        while not self.stopping:
            self.learn()
            if self.stopping or len(self.listed) < len(WATCHED):
                continue
            for act in (self.cordon, self.provision, self.reclaim, self.balance, self.operate, self.show_faults):
                try:
                    act()
                except (ApiError, OSError, KeyError, ValueError) as error:
                    print(f"{act.__name__}: {error}", file=sys.stderr, flush=True)
        self.operators.stop()

    def stop(self, *_: Any) -> None:
        self.stopping = True

    def watch(self, what: str, path: str, selector: str) -> None:
        for change, thing in Api(self.credentials).watch(path, selector):
            self.news.put((what, change, thing))

    def learn(self) -> None:
        """Waits for news (or half a second) and takes all of it in."""
        try:
            pending = [self.news.get(timeout=0.1 if self.waiting else 0.5)]
            while not self.news.empty():
                pending.append(self.news.get_nowait())
        except queue.Empty:
            return
        for what, change, thing in pending:
            if change == "RESET":
                self.listed.discard(what)
                self.known[what].clear()
            elif change == "LISTED":
                self.listed.add(what)
            elif change == "DELETED":
                self.known[what].pop(thing["metadata"]["uid"], None)
            elif change in ("ADDED", "MODIFIED"):
                self.known[what][thing["metadata"]["uid"]] = thing

    def fault(self, name: str) -> Object | None:
        for each in self.known["faults"].values():
            if each["metadata"]["labels"][FAULT] == name:
                return each
        return None

    def show_faults(self) -> None:
        """Marks a fault as seen, so that `sandbox fault` can wait for it."""
        for each in self.known["faults"].values():
            meta = each["metadata"]
            if meta.get("annotations", {}).get(ACTIVE) != "true":
                path = f"/api/v1/namespaces/{meta['namespace']}/configmaps/{meta['name']}"
                self.api.request("PATCH", path, {"metadata": {"annotations": {ACTIVE: "true"}}})

    def warn(self, thing: Object, kind: str, fault: Object, component: str) -> None:
        """Writes a fault's event, once a thing."""
        meta = thing["metadata"]
        mark = (meta["uid"], fault["metadata"]["uid"])
        if mark in self.told:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": kind,
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "type": "Warning",
            "reason": fault["data"]["reason"],
            "message": fault["data"]["message"],
            "source": {"component": component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self.api.request("POST", f"/api/v1/namespaces/{meta['namespace']}/events", event)
        self.told.add(mark)

    def cordon(self) -> None:
        """Cordons every node while the fault is there, and only undoes what it did."""
        wanted = self.fault("unschedulable") is not None
        for node in self.known["nodes"].values():
            meta = node["metadata"]
            ours = meta.get("annotations", {}).get(FAULT) == "unschedulable"
            if wanted != ours:
                change = {
                    "metadata": {"annotations": {FAULT: "unschedulable" if wanted else None}},
                    "spec": {"unschedulable": True if wanted else None},
                }
                self.api.request("PATCH", f"/api/v1/nodes/{meta['name']}", change)

    def provision(self) -> None:
        fault = self.fault("volume-pending")
        nodes = {node["metadata"]["name"]: node for node in self.known["nodes"].values()}
        made = {volume["metadata"]["name"] for volume in self.known["volumes"].values()}
        for claim in self.known["claims"].values():
            meta, spec = claim["metadata"], claim["spec"]
            chosen = meta.get("annotations", {}).get("volume.kubernetes.io/selected-node")
            if spec.get("storageClassName") != STORAGE_CLASS or spec.get("volumeName") or "deletionTimestamp" in meta:
                continue
            if chosen not in nodes or f"csi-{meta['uid']}" in made:
                continue
            if fault:
                self.warn(claim, "PersistentVolumeClaim", fault, f"{DRIVER}_sandbox")
                continue
            try:
                self.api.request("POST", "/api/v1/persistentvolumes", volume_of(claim, nodes[chosen]))
            except ApiError as error:
                if error.code != 409:  # made already, not yet told
                    raise

    def reclaim(self) -> None:
        """Deletes the volumes whose claims are gone."""
        for volume in self.known["volumes"].values():
            meta, spec = volume["metadata"], volume["spec"]
            ours = spec.get("csi", {}).get("driver") == DRIVER and spec["persistentVolumeReclaimPolicy"] == "Delete"
            if ours and volume.get("status", {}).get("phase") == "Released" and "deletionTimestamp" not in meta:
                try:
                    self.api.request("DELETE", f"/api/v1/persistentvolumes/{meta['name']}")
                except ApiError as error:
                    if error.code != 404:
                        raise

    def balance(self) -> None:
        fault = self.fault("load-balancer-pending")
        now = time.monotonic()
        unanswered = {
            uid: service
            for uid, service in self.known["services"].items()
            if service["spec"].get("type") == "LoadBalancer"
            and not service.get("status", {}).get("loadBalancer", {}).get("ingress")
            and uid not in self.addressed
        }
        self.addressed &= set(self.known["services"])
        self.waiting = {uid: self.waiting.get(uid, now) for uid in unanswered}
        for uid, service in unanswered.items():
            if fault:
                self.warn(service, "Service", fault, "service-controller")
            elif now - self.waiting[uid] >= LOAD_BALANCER_SECONDS:
                meta = service["metadata"]
                status = {"status": {"loadBalancer": {"ingress": [{"ip": self.next_address(), "ipMode": "VIP"}]}}}
                self.api.request("PATCH", f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}/status", status)
                self.addressed.add(uid)

    def next_address(self) -> str:
        """Counts through the sandbox's addresses; all its clusters share the counter."""
        counter = self.state.root / "addresses"
        with locked(self.state.root / ".addresses.lock", "waiting for the next address"):
            number = int(counter.read_text()) + 1 if counter.exists() else 1
            counter.write_text(str(number))
        if self.cluster.runs_pods:
            return self.cluster.addresses.balancer(number)
        return f"{self.state.address_prefix()}{(number - 1) % 254 + 1}"

    def operate(self) -> None:
        """Runs the operator where its pod is not run."""
        if self.cluster.runs_pods:
            return
        self.operators.follow(list(self.known["deployments"].values()))


def main(state: State, name: str) -> None:
    Cloud(state, name).run()
