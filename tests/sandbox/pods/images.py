"""Which images are run, and what is in them: the program, its place, its user.

An image is known by the last part of its name, from whatever registry, so that mirrors work. The program is the
one that tools.py builds, whatever the tag says. What cannot be had from package registries is played
(players/); the player says so itself.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from api import Object
from tools import OPERATOR, PROGRAMS, tools_directory

PLAYERS = Path(__file__).resolve().parent / "players"


@dataclass(frozen=True)
class Image:
    """What an image holds, as far as its containers can tell."""

    tool: str  # the name of the tool, or of the player
    entrypoint: tuple[str, ...] = ()  # the place of the program in it; that alone by default
    user: int = 65534
    folder: str = "/"  # the working directory

    def place(self) -> str:
        return self.entrypoint[0] if self.entrypoint else f"/bin/{self.tool}"

    def start(self) -> list[str]:
        """What its entrypoint is."""
        return [*([interpreter()] if played(self) else []), *(self.entrypoint or [self.place()])]


IMAGES = {
    "prometheus": Image("prometheus", folder="/prometheus"),
    "thanos": Image("thanos", user=1001),
    "alertmanager": Image("alertmanager", folder="/alertmanager"),
    "prometheus-operator": Image("prometheus-operator", ("/bin/operator",)),
    "prometheus-config-reloader": Image("prometheus-config-reloader"),
    "node-exporter": Image("node_exporter"),
    "coredns": Image("coredns", ("/coredns",), user=0),
    "kube-state-metrics": Image("kube_state_metrics", ("/kube-state-metrics",)),
    "grafana": Image("grafana", ("/run.sh",), user=472),
    "k8s-sidecar": Image("k8s_sidecar", ("/app/sidecar",), user=65534),
    "busybox": Image("", ("/bin/sh",), user=0),
}


def name_of(reference: str) -> str:
    """The last part of an image's name: `thanos` of `quay.io/thanos/thanos:v0.42.4`."""
    return re.sub(r"[:@].*", "", reference.rpartition("/")[2])


def known(reference: str) -> Image | None:
    return IMAGES.get(name_of(reference))


def program(image: Image) -> list[Path]:
    """The files that are the program, the one to run first."""
    if not image.tool:
        return []
    for tool in (*PROGRAMS, OPERATOR):
        if tool.name == image.tool:
            return [tool.path(tools_directory())]
    return [PLAYERS / f"{image.tool}.py", PLAYERS / "player.py"]


def played(image: Image) -> bool:
    return bool(image.tool) and program(image)[0].suffix == ".py"


def interpreter() -> str:
    return f"{sys.base_prefix}/bin/python3"


def ours(pod: Object) -> bool:
    """Whether the runner plays the kubelet for a pod: it knows one of its images. All others are kwok's."""
    return any(known(container["image"]) for container in pod["spec"]["containers"])


def exclusion() -> str:
    """The line that keeps a stage of kwok from these pods."""
    names = "|".join(sorted(IMAGES))
    return f"""- {{key: '.spec.containers.[].image | select(test("(^|/)({names})(:|@|$)"))', operator: DoesNotExist}}"""
