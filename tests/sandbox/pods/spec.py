"""What a container is started with, read off its pod: pure, and therefore tested by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from api import Object

# The entries of an object of the pod's namespace, by its kind as in a path ("secrets") and its name.
Lookup = Callable[[str, str], dict[str, bytes] | None]

NODE = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi"}  # what stages.yaml gives a node
SUFFIXES = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)
}


class NotYet(Exception):
    """Something that a pod refers to is not there; begins with the reason a kubelet would give."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def quantity(text: str) -> float:
    found = re.fullmatch(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)", text)
    if not found or found[2] not in SUFFIXES:
        raise ValueError(f"no quantity: {text}")
    return float(found[1]) * SUFFIXES[found[2]]


def expand(text: str, values: dict[str, str]) -> str:
    """Puts $(NAME) in; $$(NAME) is $(NAME) itself, and what is not known stays as it is."""

    def put(found: re.Match[str]) -> str:
        whole = found[0]
        return whole[1:] if whole.startswith("$$") else values.get(whole[2:-1], whole)

    return re.sub(r"\$?\$\([^()]*\)", put, text)


def field(pod: Object, path: str) -> str:
    """A field of the pod, as downward references name it."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return str(meta.get(found[1], {}).get(found[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f'{key}="{value}"' for key, value in sorted(meta.get(path.split(".")[1], {}).items()))
    part, _, name = path.partition(".")
    if name == "podIPs":
        return ",".join(each["ip"] for each in status.get("podIPs", []))
    if name == "hostIPs":
        return str(status.get("hostIP", ""))
    return str({"metadata": meta, "spec": spec, "status": status}.get(part, {}).get(name, ""))


def resource(container: Object, reference: Object) -> str:
    """A request or limit of a container, in the divisor's unit, rounded up; a limit not set is the node's."""
    which, _, name = reference["resource"].partition(".")
    amount = container.get("resources", {}).get(which, {}).get(name) or (NODE[name] if which == "limits" else "0")
    divisor = quantity(str(reference.get("divisor") or "1")) or 1.0
    return str(-int(-quantity(str(amount)) / divisor // 1))


def title(kind: str) -> str:
    return "Secret" if kind == "secrets" else "ConfigMap"


def reference(lookup: Lookup, kind: str, name: str, key: str, optional: bool, where: str) -> str | None:
    """One entry of a Secret or ConfigMap, or a kubelet's words about why there is none."""
    found = lookup(kind, name)
    if found is not None and key in found:
        return found[key].decode(errors="replace")
    if optional:
        return None
    if found is None:
        raise absent(kind, name)
    raise NotYet("CreateContainerConfigError", f"couldn't find key {key} in {title(kind)} {where}/{name}")


def absent(kind: str, name: str) -> NotYet:
    return NotYet("CreateContainerConfigError", f'{title(kind).lower()} "{name}" not found')


def environment(pod: Object, container: Object, lookup: Lookup, given: dict[str, str]) -> dict[str, str]:
    """The container's variables, over those that are `given`."""
    values = dict(given)
    where = pod["metadata"]["namespace"]
    for source in container.get("envFrom", []):
        kind, chosen = ("secrets", source["secretRef"]) if "secretRef" in source else ("configmaps", source["configMapRef"])
        found = lookup(kind, chosen["name"])
        if found is None and not chosen.get("optional"):
            raise absent(kind, chosen["name"])
        values |= {source.get("prefix", "") + key: text.decode(errors="replace") for key, text in (found or {}).items()}
    for variable in container.get("env", []):
        value = one_value(pod, container, variable, lookup, values, where)
        if value is not None:
            values[variable["name"]] = value
    return values


def one_value(pod: Object, container: Object, variable: Object, lookup: Lookup, values: dict[str, str], where: str) -> str | None:
    source: dict[str, Any] = variable.get("valueFrom") or {}
    for kind, key in (("secrets", "secretKeyRef"), ("configmaps", "configMapKeyRef")):
        if chosen := source.get(key):
            return reference(lookup, kind, chosen["name"], chosen["key"], bool(chosen.get("optional")), where)
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        wanted = source["resourceFieldRef"]
        named = wanted.get("containerName", container["name"])
        return resource(next(each for each in containers(pod) if each["name"] == named), wanted)
    return expand(variable.get("value", ""), values)


def service_links(services: list[Object]) -> dict[str, str]:
    """The variables that tell of the Services of a namespace, as they were when the container began."""
    values: dict[str, str] = {}
    for service in services:
        address, ports = service["spec"].get("clusterIP", "None"), service["spec"].get("ports", [])
        if address in ("None", "") or not ports:
            continue
        name = service["metadata"]["name"].upper().replace("-", "_")
        values |= {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(ports[0]["port"])}
        values |= {
            f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}": str(port["port"])
            for port in ports
            if port.get("name")
        }
        for number, port in enumerate(ports):
            protocol = port.get("protocol", "TCP")
            prefix = f"{name}_PORT_{port['port']}_{protocol}"
            url = f"{protocol.lower()}://{address}:{port['port']}"
            values |= {f"{name}_PORT": url} if number == 0 else {}
            values |= {
                prefix: url,
                f"{prefix}_PROTO": protocol.lower(),
                f"{prefix}_PORT": str(port["port"]),
                f"{prefix}_ADDR": address,
            }
    return values


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def security(pod: Object, container: Object, name: str, default: Any = None) -> Any:
    """A setting of a security context: the container's own, else the pod's."""
    own = (container.get("securityContext") or {}).get(name)
    return own if own is not None else (pod["spec"].get("securityContext") or {}).get(name, default)


def memory_limit(container: Object) -> int | None:
    amount = container.get("resources", {}).get("limits", {}).get("memory")
    return int(quantity(str(amount))) if amount else None


def port_number(container: Object, port: int | str) -> int:
    """The number of a port that a probe may name."""
    named = {each.get("name"): each["containerPort"] for each in container.get("ports", [])}
    return int(named.get(port, port))
