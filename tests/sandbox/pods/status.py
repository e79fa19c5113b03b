"""The status of a pod, put together from that of its containers: pure."""

from __future__ import annotations

from typing import Any

from api import Object
from pods.events import now

State = dict[str, Any]


def waiting(reason: str, message: str = "") -> State:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def terminated(code: int, reason: str, message: str, started: str) -> State:
    said = {"message": message} if message else {}
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now()} | said}


def succeeded(state: State) -> bool:
    return bool(state.get("terminated", {}).get("exitCode") == 0)


def phase(policy: str, initialized: bool, containers: list[Object]) -> str:
    """Of a pod, from the statuses of its ordinary containers."""
    states = [{kind: state for kind, state in each["state"].items() if state} for each in containers]
    if not initialized or any(
        "waiting" in state and not each["lastState"]["terminated"] for state, each in zip(states, containers, strict=True)
    ):
        return "Pending"
    if all("terminated" in state for state in states) and policy != "Always":
        if all(succeeded(state) for state in states):
            return "Succeeded"
        return "Failed" if policy == "Never" else "Running"
    return "Running"


def condition(kind: str, true: bool, before: dict[str, Object], reason: str = "", message: str = "") -> Object:
    """A condition; its time is when it last changed."""
    status = "True" if true else "False"
    found = before.get(kind, {})
    since = found.get("lastTransitionTime") if found.get("status") == status else now()
    said = {"reason": reason, "message": message} if reason and not true else {"reason": None, "message": None}
    return {"type": kind, "status": status, "lastTransitionTime": since} | said


def conditions(pod: Object, joined: bool, incomplete: list[str], unready: list[str], done: bool) -> list[Object]:
    before = {each["type"]: each for each in pod.get("status", {}).get("conditions", [])}
    not_initialized = f"containers with incomplete status: [{' '.join(incomplete)}]"
    not_ready = f"containers with unready status: [{' '.join(unready)}]"
    reason = "PodCompleted" if done else "ContainersNotReady"
    ready = not incomplete and not unready and not done
    kept = [
        each
        for kind, each in before.items()
        if kind not in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
    ]
    return [
        condition("PodReadyToStartContainers", joined, before),
        condition("Initialized", not incomplete, before, "ContainersNotInitialized", not_initialized),
        condition("Ready", ready, before, reason, not_ready),
        condition("ContainersReady", ready, before, reason, not_ready),
        *kept,
    ]
