"""One container of a pod through all its runs: begun, probed, ended, begun again later each time."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from api import Object
from pods import images, spec, status
from pods.cgroups import Group
from pods.events import now
from pods.logs import Logs, last_words
from pods.plan import Plan
from pods.probes import KINDS, Probe
from pods.process import Process
from pods.spec import NotYet
from state import write

FIRST_PAUSE, LONGEST_PAUSE, FORGIVEN = 10.0, 300.0, 600.0  # seconds between runs; a run this long begins anew


class Surroundings(Protocol):
    """What a container needs of its pod."""

    object: Object
    address: str
    logs: Logs

    @property
    def fault(self) -> str: ...

    def plan(self, container: Container) -> Plan: ...
    def tell(self, kind: str, reason: str, message: str, container: Container | None = None) -> None: ...


class Container:
    def __init__(self, pod: Surroundings, wanted: Object, folder: Path, group: Group, init: bool) -> None:
        self.pod = pod
        self.spec = wanted
        self.name: str = wanted["name"]
        self.folder = folder
        self.group = group
        self.init = init
        self.sidecar = init and wanted.get("restartPolicy") == "Always"
        self.runs = 0
        self.state: status.State = {}
        self.last: status.State = {}
        # Times are by the clock on the wall, which a restart of the runner does not set back.
        self.since = 0.0  # when it was begun
        self.pause = 0.0  # how long it waits after its next end
        self.again_at: float | None = 0.0  # when it is begun; never, where there is nothing
        self.probes: dict[str, Probe] = {}
        self.process: Process | None = None
        self.ending_since: float | None = None
        self.take_over()

    # -- what is kept -----------------------------------------------------------------------------------

    def keep(self) -> None:
        known = {name: getattr(self, name) for name in ("runs", "state", "last", "since", "pause", "again_at")}
        write(self.folder / "container.json", json.dumps(known))

    def take_over(self) -> None:
        """Goes on with what a runner before this one has begun."""
        with contextlib.suppress(FileNotFoundError):
            known: dict[str, Any] = json.loads((self.folder / "container.json").read_text())
            for name, value in known.items():
                setattr(self, name, value)
        if "running" in self.state:
            self.process = Process(self.run_folder(), self.group)
            self.watch(time.monotonic())
            self.believe(next((each for each in self.told() if each["name"] == self.name), {}))
            if self.process.runs():
                self.pod.logs.follow(self.process.pipe, self.log())

    def told(self) -> list[Object]:
        """What the API was last told of the containers of its kind."""
        kind = "initContainerStatuses" if self.init else "containerStatuses"
        return self.pod.object.get("status", {}).get(kind) or []

    def believe(self, said: Object) -> None:
        """Goes on with what the probes had found, and asks again at once."""
        for kind, probe in self.probes.items():
            probe.next_at = time.monotonic()
            probe.passed = {"startup": said.get("started"), "readiness": said.get("ready"), "liveness": True}[kind] or None

    def run_folder(self) -> Path:
        return self.folder / "run"

    def log(self) -> Path:
        """Of its last run."""
        return self.folder / f"{self.restarts}.log"

    # -- what others ask --------------------------------------------------------------------------------

    @property
    def restarts(self) -> int:
        return max(0, self.runs - 1)

    @property
    def running(self) -> bool:
        return self.process is not None

    @property
    def finished(self) -> bool:
        return self.again_at is None

    @property
    def started(self) -> bool:
        startup = self.probes.get("startup")
        return self.running and (startup is None or bool(startup.passed))

    @property
    def ready(self) -> bool:
        if self.init and not self.sidecar:
            return status.succeeded(self.state)
        readiness = self.probes.get("readiness")
        return self.started and (readiness is None or bool(readiness.passed))

    def status(self) -> Object:
        said: Object = {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": self.spec["image"] if self.runs else "",
            "ready": self.ready,
            "restartCount": self.restarts,
            "state": {each: self.state.get(each) for each in ("waiting", "running", "terminated")},
            "lastState": {"terminated": self.last.get("terminated")},
        }
        if not self.init or self.sidecar:
            said["started"] = self.started
        if self.running:
            said["containerID"] = f"process://{(self.process and self.process.known.get('pid')) or 0}"
        return said

    # -- what happens to it -----------------------------------------------------------------------------

    def step(self, restart: bool) -> None:
        """Looks once: what ended is noted, what is to run is begun (again, if `restart`), what runs is probed."""
        moment = time.monotonic()
        if self.process and not self.process.runs():
            self.ended(restart)
        if not self.process and self.again_at is not None:
            if time.time() >= self.again_at:
                self.begin(moment)
            elif "terminated" in self.state and self.again_at - time.time() > 0.5:
                self.back_off()
        if self.process and not self.ending_since:
            self.probe(moment)
        elif self.process and self.ending_since and moment > self.ending_since + self.grace():
            self.process.end()

    def grace(self) -> float:
        return float(self.pod.object["spec"].get("terminationGracePeriodSeconds", 30))

    def begin(self, moment: float) -> None:
        reference = self.spec["image"]
        fault = self.pod.fault
        if images.known(reference) is None or fault == "image-missing":
            self.cannot_pull(reference)
            return
        try:
            plan = self.pod.plan(self)
            if fault == "crash-loop":
                plan = replace(plan, command=["/bin/sh", "-c", "echo a fault of the sandbox ends this at once; exit 1"])
        except NotYet as error:
            self.refused(error)
            return
        if "terminated" in self.state:
            self.last = self.state
        self.runs, self.since = self.runs + 1, time.time()
        self.tell("Normal", "Pulled", f'Container image "{reference}" already present on machine')
        self.process = Process(self.run_folder(), self.group)
        self.process.start(plan, spec.memory_limit(self.spec))
        for old in self.folder.glob("*.log*"):
            if int(old.name.partition(".")[0]) < self.restarts - 1:
                old.unlink()
        self.pod.logs.follow(self.process.pipe, self.log())
        for link, number in (("current.log", self.restarts), ("previous.log", max(0, self.restarts - 1))):
            partial = self.folder / f".{link}"
            partial.unlink(missing_ok=True)
            partial.symlink_to(f"{number}.log")
            partial.rename(self.folder / link.replace(".log", ""))
        self.state = {"running": {"startedAt": now()}}
        self.watch(moment)
        self.keep()
        self.tell("Normal", "Created", f"Created container: {self.name}")
        self.tell("Normal", "Started", f"Started container {self.name}")

    def watch(self, moment: float) -> None:
        self.ending_since = None
        found = {kind: Probe.of(kind, self.spec, moment) for kind in KINDS}
        self.probes = {kind: probe for kind, probe in found.items() if probe}

    def ended(self, restart: bool) -> None:
        """Notes how it ended, and when it is begun again."""
        process = self.process
        if process is None:
            return
        began = self.state.get("running", {}).get("startedAt", now())
        out_of_memory = process.out_of_memory()
        process.end()  # whatever it left
        self.pod.logs.complete(self.log())
        code = process.exit_code()
        reason = "OOMKilled" if out_of_memory else "Completed" if code == 0 else "Error"
        self.process, self.ending_since = None, None
        self.probes = {}
        self.state = status.terminated(code, reason, self.last_message(code), began)
        policy = "Always" if self.sidecar else self.pod.object["spec"].get("restartPolicy", "Always")
        if self.init and not self.sidecar and policy == "Always":
            policy = "OnFailure"
        if restart and (policy == "Always" or (policy == "OnFailure" and code != 0)):
            # The first time it is begun again at once.
            wait = 0.0 if time.time() - self.since > FORGIVEN else self.pause
            self.pause = min(2 * wait, LONGEST_PAUSE) or FIRST_PAUSE
            self.again_at = time.time() + wait
        else:
            self.again_at = None
        self.keep()

    def last_message(self, code: int) -> str:
        written = self.folder / "message"
        text = written.read_text(errors="replace")[-4096:] if written.exists() else ""
        if not text and code != 0 and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            return last_words(self.log())
        return text

    def back_off(self) -> None:
        """Between two runs, once the end of the last was told."""
        meta = self.pod.object["metadata"]
        where = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        long = minutes(
            FIRST_PAUSE if self.pause == FIRST_PAUSE else self.pause / 2 if self.pause < LONGEST_PAUSE else LONGEST_PAUSE
        )
        self.last = self.state
        self.state = status.waiting("CrashLoopBackOff", f"back-off {long} restarting failed container={self.name} pod={where}")
        self.keep()
        self.tell("Warning", "BackOff", f"Back-off restarting failed container {self.name} in pod {where}")

    def refused(self, error: NotYet) -> None:
        """It cannot be begun yet; a kubelet tries again a few seconds later."""
        self.state = status.waiting(error.reason, error.message)
        self.tell("Warning", "Failed", f"Error: {error.message}")
        self.again_at = time.time() + 2

    def cannot_pull(self, reference: str) -> None:
        """There is no such image, as far as this machine knows."""
        why = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": {reference}: not found'
        again = self.state.get("waiting", {}).get("reason") in ("ErrImagePull", "ImagePullBackOff")
        if again:
            self.state = status.waiting(
                "ImagePullBackOff", f'Back-off pulling image "{reference}": ErrImagePull: rpc error: code = NotFound desc = {why}'
            )
            self.tell("Normal", "BackOff", f'Back-off pulling image "{reference}"')
            self.tell("Warning", "Failed", "Error: ImagePullBackOff")
        else:
            self.state = status.waiting("ErrImagePull", f"rpc error: code = NotFound desc = {why}")
            self.tell("Normal", "Pulling", f'Pulling image "{reference}"')
            self.tell("Warning", "Failed", f'Failed to pull image "{reference}": rpc error: code = NotFound desc = {why}')
            self.tell("Warning", "Failed", "Error: ErrImagePull")
        self.again_at = time.time() + (10 if again else 1)

    def probe(self, moment: float) -> None:
        process = self.process
        if process is None:
            return
        due = [probe for kind, probe in self.probes.items() if kind == "startup" or self.started]
        for probe in due:
            before = probe.passed
            probe.step(moment, self.spec, self.pod.address, process.inside)
            for failure in probe.told:
                self.tell("Warning", "Unhealthy", f"{probe.kind.capitalize()} probe failed: {failure}")
            probe.told.clear()
            if probe.passed is False and before is not False and probe.kind != "readiness":
                self.tell("Normal", "Killing", f"Container {self.name} failed {probe.kind} probe, will be restarted")
                self.terminate()
                return
            if probe.kind == "startup" and probe.passed:
                self.probes = {kind: each for kind, each in self.probes.items() if kind != "startup"}

    def terminate(self) -> None:
        """Asks it to end; step() makes it when its time is over."""
        if self.process and not self.ending_since:
            self.process.signal(signal.SIGTERM)
            self.ending_since = time.monotonic()

    def tell(self, kind: str, reason: str, message: str) -> None:
        self.pod.tell(kind, reason, message, self)


def minutes(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"
