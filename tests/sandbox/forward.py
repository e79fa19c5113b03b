"""Leads connections from this machine's loopback to Services of a sandbox that runs its pods.

A socket stays in the network that it was opened in: the driver opens one outside and hands it to this program, which
goes inside.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import sys
from pathlib import Path

import network
import processes
from api import Api, ApiError, Credentials
from cluster import Cluster
from tools import SandboxError


def begin(cluster: Cluster, namespace: str, service: str, port: int, wanted: int) -> int:
    """Leads a port of this machine, the wanted one if it is free, to a Service; says which port."""
    state = cluster.state
    holder = network.holder(state)
    if holder is None:
        raise SandboxError("the pods of this sandbox are not run: `sandbox up --pods`")
    name = f"{cluster.name}-open-{namespace}.{service}.{port}"
    processes.stop(state, name)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", wanted))
    except OSError:
        listening.bind(("127.0.0.1", 0))
    listening.listen()
    with listening:
        path = f"/api/v1/namespaces/{namespace}/services/{service}"
        words = (Path(__file__).resolve(), listening.fileno(), holder, cluster.credentials("admin").folder, path, port)
        command = [sys.executable, *map(str, words)]
        processes.start(state, name, command, state.logs / f"{name}.log", hand_on=[listening.fileno()])
        return int(listening.getsockname()[1])


def address(credentials: Credentials, path: str) -> str:
    """That of a Service, which is another one once it was made anew."""
    return str(Api(credentials).request("GET", path)["spec"]["clusterIP"])


async def serve(listening: socket.socket, credentials: Credentials, path: str, port: int) -> None:
    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while read := await source.read(65536):
                target.write(read)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host = await asyncio.to_thread(address, credentials, path)
            there, back = await asyncio.open_connection(host, port)
        except (OSError, ApiError, http.client.HTTPException, ValueError):
            writer.close()
            return
        await asyncio.gather(copy(reader, back), copy(there, writer))

    await (await asyncio.start_server(connected, sock=listening)).serve_forever()


if __name__ == "__main__":
    opened, inside, folder, path, port = sys.argv[1:]
    listening, credentials = socket.socket(fileno=int(opened)), Credentials(Path(folder))
    network.inside(int(inside), lambda: asyncio.run(serve(listening, credentials, path, int(port))))
