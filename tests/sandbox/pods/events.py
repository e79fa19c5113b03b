"""Events as a kubelet writes them: the same one again only counts."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime

from api import Api, ApiError, Object


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Events:
    """Of one pod."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.written: dict[tuple[str, str], tuple[str, int]] = {}  # reason and message: its name, how often
        self.lock = threading.Lock()

    def tell(self, pod: Object, kind: str, reason: str, message: str, container: str = "", init: bool = False) -> None:
        with self.lock, contextlib.suppress(ApiError, OSError):
            self.write(pod, kind, reason, message[:1000], container, init)

    def write(self, pod: Object, kind: str, reason: str, message: str, container: str, init: bool) -> None:
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/events"
        name, count = self.written.get((reason, message), ("", 0))
        if name:
            self.api.request("PATCH", f"{path}/{name}", {"count": count + 1, "lastTimestamp": now()})
        else:
            name = f"{meta['name']}.{time.time_ns():x}"
            involved = {
                "kind": "Pod",
                "apiVersion": "v1",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            }
            if container:
                involved["fieldPath"] = f"spec.{'initContainers' if init else 'containers'}{{{container}}}"
            self.api.request(
                "POST",
                path,
                {
                    "metadata": {"name": name, "namespace": meta["namespace"]},
                    "involvedObject": involved,
                    "type": kind,
                    "reason": reason,
                    "message": message,
                    "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
                    "reportingComponent": "kubelet",
                    "reportingInstance": pod["spec"]["nodeName"],
                    "firstTimestamp": now(),
                    "lastTimestamp": now(),
                    "count": 1,
                },
            )
        self.written[(reason, message)] = (name, count + 1)
