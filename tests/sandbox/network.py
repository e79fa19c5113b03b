"""The network of a sandbox that runs its pods: namespaces without a way out, held by processes.

The whole sandbox lives in one network namespace: API servers, object storage, the driver's own commands. Each
pod and each node has one of its own, joined to its cluster's bridge. A namespace is held by a sleeping process,
as the pause container holds a pod's: when that ends, the namespace, its interfaces and its rules are gone, so
nothing of them can be left behind.

Each cluster has a block of ordinary private addresses. Clusters reach each other by load balancers alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import processes
from state import State
from state import port_lock as state_port_lock
from tools import SandboxError

NAME = "network"
# It sleeps under the name of the program that it was started as, by which it is known.
HOLDER = ["unshare", "--net", "bash", "-c", "exec -a unshare sleep infinity"]
CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")


@dataclass(frozen=True)
class Addresses:
    """The block of one cluster: 10.96.0.0/14 is the first, 10.100.0.0/14 the second, ..."""

    number: int

    def part(self, which: int) -> str:
        return f"10.{96 + 4 * self.number + which}"

    @property
    def services(self) -> str:
        return f"{self.part(0)}.0.0/16"

    @property
    def api(self) -> str:
        """The Service `kubernetes`: the first of the range, always."""
        return f"{self.part(0)}.0.1"

    @property
    def names(self) -> str:
        """The Service of the cluster's names."""
        return f"{self.part(0)}.0.10"

    @property
    def gateway(self) -> str:
        """Where pods find everything that is no pod: the bridge."""
        return f"{self.part(1)}.0.1"

    def pod(self, number: int) -> str:
        return f"{self.part(1)}.{number // 256}.{number % 256}"

    @property
    def node_gateway(self) -> str:
        return f"{self.part(2)}.0.1"

    def node(self, name: str) -> str:
        return f"{self.part(2)}.0.1{name.rpartition('-')[2]}"

    def balancer(self, number: int) -> str:
        return f"{self.part(3)}.{number // 254}.{number % 254 + 1}"

    @property
    def balancers(self) -> str:
        """The last quarter of the block: the two lowest bits of the second number are set in no other."""
        return f"{self.part(3)}.0.0/16"

    @property
    def bridge(self) -> str:
        return f"br{self.number}"


# Where no pod runs: addresses that lead nowhere. A Service has one of this machine, and the API server may not
# publish a loopback address as its own endpoint; all kubelets are kwok.
LOOPBACK = {
    "bind_address": "127.0.0.1",
    "api_address": "127.96.0.1",
    "services": "127.96.0.0/16",
    "advertised": "127.0.0.1",
    "endpoint_reconciler": "none",
    "kubelet_addresses": "InternalDNS",
    "node_prefix": "10.0.10.1",
    "kubelet_port": "{{ NodePort }}",
    "names_address": "127.96.0.10",
}


def values(addresses: Addresses) -> dict[str, str]:
    """What the files of a cluster are filled in with."""
    return {
        "bind_address": "0.0.0.0",
        "api_address": addresses.api,
        "services": addresses.services,
        "advertised": addresses.gateway,
        "endpoint_reconciler": "lease",
        "kubelet_addresses": "InternalIP",
        "node_prefix": addresses.node("node-"),
        "kubelet_port": "10250",
        "names_address": addresses.names,
    }


def holder(state: State) -> int | None:
    """The process that holds the sandbox's namespace."""
    return processes.running(state, NAME)


def wanted(state: State) -> bool:
    """Whether this sandbox was made to run its pods."""
    return processes.record(state, NAME).exists()


def port_lock(state: State) -> AbstractContextManager[None]:
    """Held from the choice of ports until they are taken; nobody else takes one in a network of the sandbox's own."""
    return contextlib.nullcontext() if wanted(state) else state_port_lock()


def enter(state: State, begin: bool) -> None:
    """Goes on inside the sandbox's namespace, as a new program; makes the namespace first where `begin` says so."""
    if begin and not holder(state):
        if missing := [program for program in ("bwrap", "nft") if not which(program)]:
            raise SandboxError(f"to run pods this machine lacks {' and '.join(missing)}: apt-get install bubblewrap nftables")
        state.root.mkdir(parents=True, exist_ok=True)
        begun = processes.start(state, NAME, HOLDER, state.logs / "network.log")
        wait_until_apart(begun)
    pid = holder(state)
    if pid is None or namespace_of(pid) == namespace_of(os.getpid()):
        return
    run([*entering(pid), "ip", "link", "set", "lo", "up"], "")
    os.execvp("nsenter", [*entering(pid), sys.executable, *sys.argv])


def which(program: str) -> bool:
    return any((Path(folder) / program).exists() for folder in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"))


def entering(pid: int) -> list[str]:
    """What a command is begun with to run where a process is."""
    return ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]


def namespace_of(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")


def wait_until_apart(holder: subprocess.Popen[bytes]) -> None:
    """Waits until a process that was just started has a namespace of its own, no longer ours."""
    while holder.poll() is None and namespace_of(holder.pid) == namespace_of(os.getpid()):
        time.sleep(0.002)
    if holder.poll() is not None:
        raise SandboxError("no network namespace can be made: this needs root")


def run(command: list[str], text: str) -> None:
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode:
        raise SandboxError(f"{' '.join(command)}: {result.stderr.strip()}\n{text}")


def begin_cluster(addresses: Addresses) -> None:
    """The bridge of one cluster, and the wall around it."""
    bridge = addresses.bridge
    if subprocess.run(["ip", "link", "show", bridge], capture_output=True).returncode:
        lines = [
            f"link add {bridge} type bridge",
            f"addr add {addresses.gateway}/16 dev {bridge}",
            f"addr add {addresses.node_gateway}/16 dev {bridge}",
            f"link set {bridge} up",
            # What is sent to a Service leaves by a rule of its own (pods/services.py), but has to have a way first.
            f"route add {addresses.services} dev {bridge}",
            f"route add {addresses.balancers} dev {bridge}",
        ]
        run(["ip", "-batch", "-"], "\n".join(lines) + "\n")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    # What comes from a cluster stays in it, unless it was sent to a load balancer (of whichever cluster).
    wall = f"""
        add table ip wall{addresses.number}
        delete table ip wall{addresses.number}
        table ip wall{addresses.number} {{
            chain forward {{
                type filter hook forward priority 0;
                iifname != "{bridge}" return
                oifname "{bridge}" return
                ct direction reply return
                ct original ip daddr and 0.3.0.0 == 0.3.0.0 return
                drop
            }}
            chain input {{
                type filter hook input priority 0;
                iifname != "{bridge}" return
                ip daddr != {{ {addresses.gateway}, {addresses.node_gateway} }} drop
            }}
        }}"""
    run(["nft", "-f", "-"], wall)


def end_cluster(addresses: Addresses) -> None:
    subprocess.run(["ip", "link", "delete", addresses.bridge], capture_output=True)
    for table in (f"wall{addresses.number}", f"services{addresses.number}"):
        subprocess.run(["nft", "delete", "table", "ip", table], capture_output=True)


def join(addresses: Addresses, pid: int, address: str, gateway: str, storage_port: int) -> None:
    """Joins the namespace that a process holds to its cluster's bridge, under an address.

    The object storage has one address, on loopback, for whoever is in the sandbox: pods, too, find it there.
    """
    outside = f"v{pid}"
    lines = [
        f"link add {outside} type veth peer name eth0 netns {pid}",
        f"link set {outside} master {addresses.bridge} up",
    ]
    run(["ip", "-batch", "-"], "\n".join(lines) + "\n")
    script = f"""
        set -e
        ip -batch - <<-IP
        link set lo up
        addr add {address}/16 dev eth0
        link set eth0 up
        route add default via {gateway}
        IP
        echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
        nft -f - <<-NFT
        table ip storage {{
            chain output {{
                type nat hook output priority -100;
                ip daddr 127.0.0.1 tcp dport {storage_port} dnat to {gateway}
            }}
            chain postrouting {{
                type nat hook postrouting priority 100;
                ip saddr 127.0.0.1 oifname eth0 masquerade
            }}
        }}
        NFT
    """
    run([*entering(pid), "sh", "-s"], "\n".join(line.strip() for line in script.splitlines()) + "\n")


def inside(pid: int, act: Callable[[], Result]) -> Result:
    """Does something in the namespace that a process holds, such as opening a socket, which stays there."""
    results: list[Result] = []

    def visit() -> None:
        with open(f"/proc/{pid}/ns/net") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                return
        results.append(act())

    thread = threading.Thread(target=visit)  # only this thread goes there, and it ends there
    thread.start()
    thread.join()
    if not results:
        raise SandboxError(f"the network of process {pid} cannot be entered")
    return results[0]
