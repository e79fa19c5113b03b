"""Limits of containers, and the way to find every process of them: control groups, of the first or second kind.

The folders are named after the sandbox, so that whatever is killed, `down` finds all that runs in them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import time
from pathlib import Path

from state import State
from tools import SandboxError

MOUNT = Path("/sys/fs/cgroup")
UNIFIED = (MOUNT / "cgroup.controllers").exists()
ROOTS = (MOUNT,) if UNIFIED else (MOUNT / "memory", MOUNT / "pids")
MEMORY_LIMIT = "memory.max" if UNIFIED else "memory.limit_in_bytes"
MEMORY_EVENTS = "memory.events" if UNIFIED else "memory.oom_control"
MEMORY_USED = "memory.current" if UNIFIED else "memory.usage_in_bytes"
MOST_PROCESSES = 1000  # of one container, threads included: a fork bomb ends there


def sandbox_group(state: State) -> Path:
    return Path(f"okemon-{hashlib.sha256(str(state.root).encode()).hexdigest()[:10]}")


class Group:
    """The control group of one container, or of many together: a path below each hierarchy's root."""

    def __init__(self, path: Path) -> None:
        self.folders = [root / path for root in ROOTS]

    def make(self, memory: int | None = None) -> None:
        for root, folder in zip(ROOTS, self.folders, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            if UNIFIED:
                for parent in [*folder.relative_to(root).parents][-2::-1]:
                    (root / parent / "cgroup.subtree_control").write_text("+memory +pids")
        self.write("pids.max", str(MOST_PROCESSES))
        self.write(MEMORY_LIMIT, str(memory) if memory else "max" if UNIFIED else "-1")

    def write(self, file: str, value: str) -> None:
        for folder in self.folders:
            if (folder / file).exists():
                (folder / file).write_text(value)

    def entries(self) -> list[Path]:
        """Where a process writes its id to become a member."""
        return [folder / "cgroup.procs" for folder in self.folders]

    def read(self, file: str) -> str:
        with contextlib.suppress(OSError):
            return (self.folders[0] / file).read_text()
        return ""

    def killed_for_memory(self) -> int:
        """How often the kernel has killed a member because the limit was reached."""
        found = [line.split()[1] for line in self.read(MEMORY_EVENTS).splitlines() if line.startswith("oom_kill ")]
        return int(found[0]) if found else 0

    def memory(self) -> int:
        return int(self.read(MEMORY_USED) or 0)

    def members(self) -> set[int]:
        """Every process in it and below."""
        found = set()
        for folder in self.folders:
            for file in folder.rglob("cgroup.procs"):
                with contextlib.suppress(OSError):
                    found |= {int(line) for line in file.read_text().split()}
        return found

    def end(self) -> None:
        """Kills every member, and removes it."""
        deadline = time.monotonic() + 10
        while members := self.members():
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise SandboxError(f"processes {sorted(members)} do not end")
            time.sleep(0.01)
        for folder in self.folders:
            for each in sorted([folder, *folder.rglob("*/")], reverse=True):
                with contextlib.suppress(OSError):
                    each.rmdir()
