"""The object storage: versitygw, an S3 server that checks signatures, keys and region, over a directory."""

from __future__ import annotations

import shutil
import socket
import time

import network
import processes
from state import ACCESS_KEY, REGION, SECRET_KEY, State, free_ports
from tools import SandboxError, ensure_tools

NAME = "s3"


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def port(state: State) -> int:
    return int(state.describe()["s3"]["endpoint"].rpartition(":")[2])


def up(state: State) -> dict[str, str]:
    """Starts the server unless it runs, and says how to reach it."""
    known: dict[str, str] | None = state.describe().get("s3")
    if known and processes.running(state, NAME) and answers(int(known["endpoint"].rpartition(":")[2])):
        return known
    processes.stop(state, NAME)
    state.buckets.mkdir(parents=True, exist_ok=True)
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    with network.port_lock(state):
        # The same port as before, so that a cluster that outlived it still finds it.
        port = int(known["endpoint"].rpartition(":")[2]) if known else free_ports(1)[0]
        program = str(ensure_tools()["versitygw"])
        # Pods reach it from outside (network.py).
        address = "" if network.wanted(state) else "127.0.0.1"
        command = [program, "--port", f"{address}:{port}", "--region", REGION, "--quiet", "posix", str(state.buckets)]
        server = processes.start(state, NAME, command, state.logs / "s3.log", keys)
        deadline = time.monotonic() + 10
        while not answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SandboxError(f"versitygw does not answer: see {state.logs / 's3.log'}")
            time.sleep(0.02)
    return {
        "endpoint": f"http://127.0.0.1:{port}",
        "region": REGION,
        "accessKey": ACCESS_KEY,
        "secretKey": SECRET_KEY,
        "directory": str(state.buckets),
    }


def down(state: State) -> None:
    processes.stop(state, NAME)
    shutil.rmtree(state.buckets, ignore_errors=True)


def empty(state: State) -> None:
    """Takes every bucket away."""
    for bucket in state.buckets.iterdir():
        shutil.rmtree(bucket)
