"""Background processes: each leads a session of its own, and is on record with its start time.

A process is known by its id *and* its start time, so that an id which the system gave to somebody
else meanwhile is never taken for ours, nor ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from state import State, write
from tools import SandboxError


def record(state: State, name: str) -> Path:
    return state.root / "processes" / f"{name}.json"


def started_at(pid: int) -> str | None:
    """When a process began, in ticks since the machine's start; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # Of one with threads the first can end before the others do, which hold its ports.
        ended = fields[0] in "ZX" and len(os.listdir(f"/proc/{pid}/task")) < 2
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if ended else fields[19]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def all_of(state: State) -> list[int]:
    """Every process of a sandbox, on record or not: each has the sandbox's home directory in its environment."""
    mark = f"\0HOME={state.home}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in b"\0" + (folder / "environ").read_bytes() and started_at(int(folder.name)):
                found.append(int(folder.name))
    return found


def running(state: State, name: str) -> int | None:
    """The id of the process on record, if that very process still runs."""
    try:
        known = json.loads(record(state, name).read_text())
    except FileNotFoundError:
        return None
    same = started_at(known["pid"]) == known["started"] and known["program"] in command_line(known["pid"])
    return known["pid"] if same else None


def start(
    state: State,
    name: str,
    command: list[str],
    log: Path,
    environment: dict[str, str] | None = None,
    hand_on: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a process in a session of its own, with these open files besides, and records it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    # What a shell was told by `sandbox env` is for its user: the operator would act as that one.
    kept = {key: value for key, value in os.environ.items() if key != "KUBECONFIG" and not key.startswith("OKEMON_S3_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**kept, **(environment or {}), "HOME": str(state.home)},
            cwd=state.root,
            pass_fds=hand_on,
            start_new_session=True,
        )
    # What was started is known by its command line too, which the kernel shows a moment later.
    while not command_line(process.pid) and process.poll() is None:
        time.sleep(0.001)
    known = {"pid": process.pid, "started": started_at(process.pid), "program": command[0]}
    write(record(state, name), json.dumps(known) + "\n")
    return process


def stop(state: State, name: str) -> None:
    """Asks a process to end, and makes it after five seconds."""
    pid = running(state, name)
    if pid is not None:
        end(pid)
    record(state, name).unlink(missing_ok=True)


def end(pid: int) -> None:
    """Ends one process; whoever asks has made sure that it is ours."""
    began = started_at(pid)
    for how in (signal.SIGTERM, signal.SIGKILL):
        if gone(pid, began):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            if gone(pid, began):
                return
            time.sleep(0.02)
    raise SandboxError(f"process {pid} does not end: {command_line(pid)}")


def gone(pid: int, began: str | None) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # only where it is our own child
    return began is None or started_at(pid) != began
