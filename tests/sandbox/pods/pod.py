"""One pod: its network, its files, its containers in their order, what the API is told of it, its end."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import network
import processes
from api import Api, ApiError, Object
from pods import status
from pods.cgroups import Group
from pods.container import Container
from pods.events import Events, now
from pods.plan import Plan, plan, write_etc
from pods.process import JOIN
from pods.server import tell_kwok
from pods.spec import NotYet
from pods.volumes import Volumes
from state import write

if TYPE_CHECKING:
    from pods.runner import Runner

TICK = 0.25  # how often a pod is looked at
AGAIN = 2.0  # how often files are asked for that are not there
REFRESH = 10.0  # how often files of Secrets and ConfigMaps are brought up to date


class Pod:
    """A pod with a thread of its own."""

    def __init__(self, runner: Runner, wanted: Object) -> None:
        self.name: str = wanted["metadata"]["name"]
        self.runner = runner
        self.object = wanted
        self.uid: str = wanted["metadata"]["uid"]
        self.folder = runner.folder / self.uid
        self.group = runner.group / self.uid
        self.logs = runner.logs
        self.api = Api(runner.credentials)
        self.events = Events(self.api)
        self.gone = False  # no longer in the API
        self.wake = threading.Event()
        self.address = ""
        self.holder = 0  # the process that holds its network
        self.sent: Object = {}
        self.refreshed = 0.0
        self.mounted = False
        self.volumes = Volumes(self.folder / "volumes", self.lookup, self.token, runner.claimed(self))
        self.containers = [
            Container(
                self, each, self.folder / "containers" / each["name"], Group(self.group / each["name"]), kind == "initContainers"
            )
            for kind in ("initContainers", "containers")
            for each in wanted["spec"].get(kind, [])
        ]
        first = "PodInitializing" if wanted["spec"].get("initContainers") else "ContainerCreating"
        for container in self.containers:
            container.state = container.state or status.waiting(first)

    # -- what others do to it ---------------------------------------------------------------------------

    def start(self) -> None:
        threading.Thread(target=self.run, name=self.name, daemon=True).start()

    def update(self, wanted: Object) -> None:
        if version(wanted) > version(self.object):
            self.object = wanted
            self.wake.set()

    def vanish(self) -> None:
        self.gone = True
        self.wake.set()

    # -- its life ---------------------------------------------------------------------------------------

    def run(self) -> None:
        while not self.gone:
            try:
                if "deletionTimestamp" in self.object["metadata"]:
                    self.finish()
                elif not self.over():
                    self.step()
                    self.report()
            except Exception as error:  # whatever it is, the pod is looked at again
                print(f"{self.name}: {type(error).__name__} {str(error)[:500]}", file=sys.stderr, flush=True)
                self.wake.wait(1.0)
            self.wake.wait(TICK)
            self.wake.clear()
        self.remove()

    def over(self) -> bool:
        """Whether it has done what it was for."""
        return self.object.get("status", {}).get("phase") in ("Succeeded", "Failed")

    def step(self) -> None:
        """Looks at all there is of it, and does what is next."""
        # Files first, as a kubelet does it: without them it has no address that anybody could ask.
        if not self.mount():
            return
        self.connect()
        ready = True
        for each in self.containers:
            if each.init and ready:
                each.step(restart=True)
                ready = each.started if each.sidecar else status.succeeded(each.state)
            elif each.init or ready:
                each.step(restart=True)

    def connect(self) -> None:
        """Makes its network, unless it has one that lives."""
        if self.holder and processes.started_at(self.holder):
            return
        self.find_network()
        tell_kwok(self)

    def find_network(self) -> None:
        if self.object["spec"].get("hostNetwork"):
            self.holder, self.address = self.runner.node(self.object["spec"]["nodeName"])
            return
        record = self.folder / "network.json"
        with contextlib.suppress(FileNotFoundError):
            known: dict[str, Any] = json.loads(record.read_text())
            if processes.started_at(known["pid"]) == known["began"]:
                self.holder, self.address = known["pid"], known["address"]
                return
        if self.holder:
            self.tell("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            for each in self.containers:
                each.group.end()
        self.address = self.runner.next_address()
        self.holder = self.runner.hold(Group(self.group / "network"), self.address, self.runner.addresses.gateway)
        write(record, json.dumps({"pid": self.holder, "began": processes.started_at(self.holder), "address": self.address}))

    def mount(self) -> bool:
        """Makes its files; from then on brings them up to date. False while something that it names is missing."""
        if time.monotonic() < self.refreshed + (REFRESH if self.mounted else AGAIN):
            return self.mounted
        self.refreshed = time.monotonic()
        try:
            self.volumes.make(self.object)
        except NotYet as error:
            self.tell("Warning", error.reason, error.message)
            return self.mounted
        except ApiError as error:
            self.tell("Warning", "FailedMount", f"MountVolume.SetUp failed: {error}")
            return self.mounted
        if not self.mounted:
            write_etc(self)
        self.mounted = True
        return True

    def finish(self) -> None:
        """Its end, as it was asked for: TERM, the time it has, KILL; then the API is told."""
        meta = self.object["metadata"]
        grace = float(meta.get("deletionGracePeriodSeconds", 30))
        deadline = time.monotonic() + grace
        for each in self.containers:
            if each.running:
                self.tell("Normal", "Killing", f"Stopping container {each.name}", each)
                self.before_stop(each, grace)
        for sidecars in (False, True):  # sidecars go last
            chosen = [each for each in self.containers if each.sidecar == sidecars]
            for each in chosen:
                each.terminate()
            while any(each.running for each in chosen) and time.monotonic() < deadline and not self.gone:
                for each in chosen:
                    if each.process and not each.process.runs():
                        each.ended(restart=False)
                self.wake.wait(0.05)
                self.wake.clear()
        for each in self.containers:
            if each.process:
                each.process.end()
                each.ended(restart=False)
            each.again_at = None
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        while not self.gone:
            with contextlib.suppress(ApiError, OSError):
                self.report()
                self.api.request("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}})
            self.wake.wait(1.0)
            self.wake.clear()

    def before_stop(self, container: Container, seconds: float) -> None:
        command = container.spec.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        if command and container.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(container.process.inside(command), capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds)

    def remove(self) -> None:
        """Whatever is left of it."""
        Group(self.group).end()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.runner.forget(self)

    # -- what its containers ask ------------------------------------------------------------------------

    def lookup(self, kind: str, name: str) -> dict[str, bytes] | None:
        return self.runner.entries(self.api, kind, self.object["metadata"]["namespace"], name)

    def token(self, source: Object) -> str:
        return self.runner.token(self.api, self.object, source)

    def tell(self, kind: str, reason: str, message: str, container: Container | None = None) -> None:
        name, init = (container.name, container.init) if container else ("", False)
        self.events.tell(self.object, kind, reason, message, name, init)

    def plan(self, container: Container) -> Plan:
        return plan(self, container)

    @property
    def fault(self) -> str:
        return self.runner.fault(self.object)

    # -- what the API is told ---------------------------------------------------------------------------

    def shown_addresses(self) -> Object:
        host = self.runner.addresses.node(self.object["spec"]["nodeName"])
        own = [{"ip": self.address}] if self.address else None
        return {"podIP": self.address or None, "podIPs": own, "hostIP": host, "hostIPs": [{"ip": host}]}

    def status(self) -> Object:
        init = [each for each in self.containers if each.init]
        ordinary = [each for each in self.containers if not each.init]
        incomplete = [each.name for each in init if not (each.started if each.sidecar else status.succeeded(each.state))]
        unready = [each.name for each in self.containers if (not each.init or each.sidecar) and not each.ready]
        shown = [each.status() for each in ordinary]
        phase = status.phase(self.object["spec"].get("restartPolicy", "Always"), not incomplete, shown)
        return {
            "phase": phase,
            "startTime": self.object.get("status", {}).get("startTime") or self.sent.get("startTime") or now(),
            "conditions": status.conditions(
                self.object, bool(self.address), incomplete, unready, phase in ("Succeeded", "Failed")
            ),
            "containerStatuses": shown,
            "initContainerStatuses": [each.status() for each in init] or None,
            **self.shown_addresses(),
        }

    def report(self) -> None:
        """Tells the API how it stands, where that is new."""
        current = self.status()
        if current == self.sent or self.gone:
            return
        meta = self.object["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        answer = self.api.request("PATCH", path, {"metadata": {"uid": self.uid}, "status": current})
        self.sent = current
        if version(answer) > version(self.object):
            self.object = answer


def version(pod: Object) -> int:
    return int(pod["metadata"]["resourceVersion"])


def hold(group: Group) -> int:
    """A process that holds a new network namespace, and nothing else."""
    group.make()
    entries = [str(entry) for entry in group.entries()]
    command = ["/bin/sh", "-c", JOIN, "sh", str(len(entries)), *entries, "unshare", "--net", "sleep", "infinity"]
    null = subprocess.DEVNULL
    holder = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)
    network.wait_until_apart(holder)
    return holder.pid
