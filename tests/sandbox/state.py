"""A sandbox's own directory: where everything lies, and what it tells tests (`sandbox.json`).

Nothing outside it is written, so two sandboxes differ in nothing but this path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import REPOSITORY, SandboxError, locked, tools_directory

ACCESS_KEY = "okemon-sandbox"
SECRET_KEY = "okemon-sandbox-secret"
REGION = "ap-singapore-1"


@dataclass(frozen=True)
class State:
    """The paths below one state directory."""

    root: Path

    @staticmethod
    def choose(option: str | None) -> State:
        return State(Path(option or os.environ.get("OKEMON_SANDBOX") or REPOSITORY / ".sandbox").resolve())

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def home(self) -> Path:
        """kwokctl keeps its clusters in its home directory, so each sandbox gives it another."""
        return self.root / "home"

    @property
    def caches(self) -> Path:
        """What helm and kubectl keep for later, so that it is not in the user's home."""
        return self.root / "caches"

    @property
    def buckets(self) -> Path:
        return self.root / "s3"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def description(self) -> Path:
        return self.root / "sandbox.json"

    def cluster(self, name: str) -> Path:
        """What the driver keeps about one cluster."""
        return self.root / "clusters" / name

    def kwok(self, name: str) -> Path:
        """What kwokctl keeps about it: certificates, logs, pids, data."""
        return self.home / ".kwok" / "clusters" / name

    def cluster_names(self) -> list[str]:
        folders = [self.root / "clusters", self.home / ".kwok" / "clusters"]
        return sorted({entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()})

    def lock(self) -> AbstractContextManager[None]:
        return locked(self.root / ".lock", f"another sandbox command works in {self.root}: waiting for it")

    def describe(self) -> dict[str, Any]:
        """What `sandbox.json` holds; empty when nothing is up."""
        return json.loads(self.description.read_text()) if self.description.exists() else {}

    def write_description(self, enter: list[str], s3: dict[str, str] | None, clusters: dict[str, dict[str, str]]) -> None:
        said = {"bin": str(self.bin), "enter": enter, "s3": s3, "clusters": clusters}
        write(self.description, json.dumps(said, indent=2) + "\n")

    def address_prefix(self) -> str:
        """Load balancers get addresses in a block of loopback that depends on the directory."""
        block = hashlib.sha256(str(self.root).encode()).digest()[0]
        return f"127.77.{block}."


def check_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise SandboxError(f"{name!r} is no name for a cluster: lower-case letters, digits and dashes")
    return name


def write(file: Path, text: str) -> None:
    """Writes a file whole or not at all; only its owner may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.rename(file)


def port_lock() -> AbstractContextManager[None]:
    """Held from the choice of ports until they are taken, across all sandboxes that share these tools."""
    return locked(tools_directory() / ".ports.lock", "another sandbox is starting something: waiting for it")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that the system gives to connections: one of these could take a port
    between its choice and its use.
    """
    first_of_connections = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found: list[int] = []
    for port in random.sample(range(10000, max(first_of_connections, 20000)), 1000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise SandboxError("no free port is left below those of connections")
