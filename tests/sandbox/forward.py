"""Leads connections from this machine's loopback into the network of a sandbox that runs its pods.

A socket stays in the network that it was opened in: the driver opens one outside and hands it to this program, which
goes inside.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import network
import processes
from state import State
from tools import SandboxError


def begin(state: State, name: str, host: str, port: int, wanted: int) -> int:
    """Leads a port of this machine, the wanted one if it is free, to an address inside; says which port."""
    holder = network.holder(state)
    if holder is None:
        raise SandboxError("the pods of this sandbox are not run: `sandbox up --pods`")
    processes.stop(state, name)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", wanted))
    except OSError:
        listening.bind(("127.0.0.1", 0))
    listening.listen()
    with listening:
        words = (Path(__file__).resolve(), listening.fileno(), holder, host, port)
        command = [sys.executable, *map(str, words)]
        processes.start(state, name, command, state.logs / f"{name}.log", hand_on=[listening.fileno()])
        return int(listening.getsockname()[1])


async def serve(listening: socket.socket, host: str, port: int) -> None:
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
            there, back = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, back), copy(there, writer))

    await (await asyncio.start_server(connected, sock=listening)).serve_forever()


if __name__ == "__main__":
    opened, inside, host, port = sys.argv[1:]
    network.inside(int(inside), lambda: asyncio.run(serve(socket.socket(fileno=int(opened)), host, int(port))))
