"""All that a container of a pod is started with, put together from its specification and what the pod has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api import Object
from pods import images, spec
from pods.images import Image
from pods.spec import NotYet
from state import write

if TYPE_CHECKING:
    from pods.container import Container
    from pods.pod import Pod

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Plan:
    image: Image
    command: list[str]
    environment: dict[str, str]
    mounts: list[str]  # bubblewrap's arguments for its volumes
    network: int  # the process that holds the pod's network
    host_name: str
    host_processes: bool  # sees the machine's processes
    read_only: bool
    user: int
    group: int
    groups: list[int]
    bare: bool  # without capabilities
    may_gain: bool  # may become more than it is
    folder: str
    etc: Path  # hosts, resolv.conf, passwd, group
    message: Path  # what it writes to /dev/termination-log
    message_at: str


def plan(pod: Pod, container: Container) -> Plan:
    """NotYet where the container refers to what is not there."""
    wanted, image = container.spec, images.IMAGES[images.name_of(container.spec["image"])]
    known = {**pod.object, "status": {**pod.object.get("status", {}), **pod.shown_addresses()}}
    given = {"PATH": PATH, "HOSTNAME": host_name(known), "HOME": "/"} | pod.runner.service_variables(known)
    variables = spec.environment(known, wanted, pod.lookup, given)
    command = [*(wanted.get("command") or image.start()), *(wanted.get("args") or [])]
    user = spec.security(known, wanted, "runAsUser", image.user)
    if spec.security(known, wanted, "runAsNonRoot") and user == 0:
        raise NotYet("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
    context = known["spec"].get("securityContext") or {}
    groups = {*context.get("supplementalGroups", []), *([context["fsGroup"]] if "fsGroup" in context else [])}
    dropped = ((wanted.get("securityContext") or {}).get("capabilities") or {}).get("drop", [])
    return Plan(
        image=image,
        command=[spec.expand(each, variables) for each in command],
        environment=variables,
        mounts=pod.volumes.mounts(known, wanted, variables),
        network=pod.holder,
        host_name=host_name(known),
        host_processes=bool(known["spec"].get("hostPID")),
        read_only=bool(spec.security(known, wanted, "readOnlyRootFilesystem")),
        user=user,
        group=spec.security(known, wanted, "runAsGroup", 0),
        groups=sorted(groups),
        bare="ALL" in dropped,
        may_gain=spec.security(known, wanted, "allowPrivilegeEscalation", True),
        folder=wanted.get("workingDir") or image.folder,
        etc=pod.folder / "etc",
        message=empty_message(container.folder),
        message_at=wanted.get("terminationMessagePath", "/dev/termination-log"),
    )


def empty_message(folder: Path) -> Path:
    """The file into which a container may write why it ends."""
    file = folder / "message"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    file.chmod(0o666)
    return file


def host_name(pod: Object) -> str:
    if pod["spec"].get("hostNetwork"):
        return str(pod["spec"]["nodeName"])
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def write_etc(pod: Pod) -> None:
    """What a kubelet writes into /etc of each container."""
    wanted, etc, own = pod.object["spec"], pod.folder / "etc", host_name(pod.object)
    domain = f"{pod.object['metadata']['namespace']}.svc.cluster.local"
    full = f"{own}.{wanted['subdomain']}.{domain}\t" if wanted.get("subdomain") else ""
    aliases = "".join(f"{each['ip']}\t{' '.join(each['hostnames'])}\n" for each in wanted.get("hostAliases", []))
    policy = wanted.get("dnsPolicy", "ClusterFirst")
    # The machine's own names, which some pods have instead, are none in here.
    machine = policy == "Default" or (policy == "ClusterFirst" and wanted.get("hostNetwork"))
    names = f"nameserver {pod.runner.addresses.names}\nsearch {domain} svc.cluster.local cluster.local\noptions ndots:5\n"
    write(etc / "hosts", f"127.0.0.1\tlocalhost\n::1\tlocalhost\n{pod.address}\t{full}{own}\n{aliases}")
    write(etc / "resolv.conf", "" if machine else names)
    write(etc / "passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    write(etc / "group", "root:x:0:\nnogroup:x:65534:\n")
    for file in etc.iterdir():
        file.chmod(0o644)
