#!/usr/bin/env python3
"""Plays kube-state-metrics: the families that dashboards and rules ask for most, of what the API server says."""

import sys
import threading

sys.path.insert(0, "/player")
from player import cluster, introduce, server

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
WORKLOADS = {
    "deployment": {
        "spec_replicas": "spec.replicas",
        "status_replicas": "status.replicas",
        "status_replicas_available": "status.availableReplicas",
    },
    "statefulset": {
        "replicas": "spec.replicas",
        "status_replicas": "status.replicas",
        "status_replicas_ready": "status.readyReplicas",
    },
    "daemonset": {
        "status_desired_number_scheduled": "status.desiredNumberScheduled",
        "status_number_ready": "status.numberReady",
        "status_number_unavailable": "status.numberUnavailable",
    },
}
UNITS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


class Families:
    """Metrics, family by family."""

    def __init__(self):
        self.lines = {}

    def add(self, name, value, **labels):
        text = ",".join(
            f'{key}="{str(each).translate(str.maketrans({chr(34): chr(92) + chr(34), chr(10): " "}))}"'
            for key, each in labels.items()
        )
        self.lines.setdefault(f"kube_{name}", []).append(f"kube_{name}{{{text}}} {value}")

    def text(self):
        return "".join(
            f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n" + "\n".join(lines) + "\n"
            for name, lines in self.lines.items()
        )


def number(quantity):
    digits = quantity.rstrip("".join({letter for unit in UNITS for letter in unit}))
    return float(digits) * UNITS.get(quantity[len(digits) :], 1)


def pods(families):
    for pod in cluster("/api/v1/pods")["items"]:
        meta, status, spec = pod["metadata"], pod.get("status", {}), pod["spec"]
        own = {"namespace": meta["namespace"], "pod": meta["name"], "uid": meta["uid"]}
        owner = (meta.get("ownerReferences") or [{"kind": "", "name": ""}])[0]
        families.add(
            "pod_info",
            1,
            **own,
            node=spec.get("nodeName", ""),
            pod_ip=status.get("podIP", ""),
            created_by_kind=owner["kind"],
            created_by_name=owner["name"],
        )
        for phase in PHASES:
            families.add("pod_status_phase", int(status.get("phase") == phase), **own, phase=phase)
        ready = [each["status"] for each in status.get("conditions", []) if each["type"] == "Ready"]
        for condition in ("true", "false", "unknown"):
            families.add("pod_status_ready", int(ready == [condition.capitalize()]), **own, condition=condition)
        for each in status.get("containerStatuses", []):
            families.add("pod_container_status_restarts_total", each["restartCount"], **own, container=each["name"])
            families.add("pod_container_status_ready", int(each["ready"]), **own, container=each["name"])
            if reason := (each["state"].get("waiting") or {}).get("reason"):
                families.add("pod_container_status_waiting_reason", 1, **own, container=each["name"], reason=reason)
            if ended := (each.get("lastState", {}).get("terminated") or {}).get("reason"):
                families.add("pod_container_status_last_terminated_reason", 1, **own, container=each["name"], reason=ended)
        for each in spec["containers"]:
            for what in ("requests", "limits"):
                for resource, amount in each.get("resources", {}).get(what, {}).items():
                    unit = "core" if resource == "cpu" else "byte"
                    labels = {
                        **own,
                        "container": each["name"],
                        "node": spec.get("nodeName", ""),
                        "resource": resource,
                        "unit": unit,
                    }
                    families.add(f"pod_container_resource_{what}", number(amount), **labels)


def nodes(families):
    for node in cluster("/api/v1/nodes")["items"]:
        meta, status = node["metadata"], node.get("status", {})
        info = status.get("nodeInfo", {})
        addresses = [each["address"] for each in status.get("addresses", []) if each["type"] == "InternalIP"]
        families.add(
            "node_info", 1, node=meta["name"], kubelet_version=info.get("kubeletVersion", ""), internal_ip="".join(addresses)
        )
        for condition in status.get("conditions", []):
            for value in ("true", "false", "unknown"):
                families.add(
                    "node_status_condition",
                    int(condition["status"].lower() == value),
                    node=meta["name"],
                    condition=condition["type"],
                    status=value,
                )
        for resource, amount in status.get("allocatable", {}).items():
            unit = {"cpu": "core", "pods": "integer"}.get(resource, "byte")
            families.add("node_status_allocatable", number(amount), node=meta["name"], resource=resource, unit=unit)


def workloads(families):
    for kind, fields in WORKLOADS.items():
        for each in cluster(f"/apis/apps/v1/{kind}s")["items"]:
            own = {"namespace": each["metadata"]["namespace"], kind: each["metadata"]["name"]}
            for name, path in fields.items():
                part, field = path.split(".")
                families.add(f"{kind}_{name}", each.get(part, {}).get(field, 0), **own)


def claims(families):
    for claim in cluster("/api/v1/persistentvolumeclaims")["items"]:
        own = {"namespace": claim["metadata"]["namespace"], "persistentvolumeclaim": claim["metadata"]["name"]}
        phase = claim.get("status", {}).get("phase")
        for each in ("Pending", "Bound", "Lost"):
            families.add("persistentvolumeclaim_status_phase", int(phase == each), **own, phase=each)


def answer(method, path, body, headers):
    if path.startswith("/metrics"):
        families = Families()
        for add in (pods, nodes, workloads, claims):
            add(families)
        return 200, families.text()
    return 200, "this is a player of kube-state-metrics\n"


def own_metrics(method, path, body, headers):
    return 200, '# TYPE kube_state_metrics_build_info gauge\nkube_state_metrics_build_info{version="played"} 1\n'


def main():
    introduce("kube-state-metrics")
    given = dict(each.lstrip("-").split("=", 1) for each in sys.argv[1:] if "=" in each)
    telemetry = server(int(given.get("telemetry-port", 8081)), own_metrics)
    threading.Thread(target=telemetry.serve_forever, daemon=True).start()
    server(int(given.get("port", 8080)), answer).serve_forever()


if __name__ == "__main__":
    main()
