"""One run of a container: a process in namespaces of its own, made by bubblewrap.

It does not depend on the runner: its output goes through a named pipe that it holds open itself, bubblewrap
writes down how it ended, and its id with its start time is kept in a file. So a runner that was killed and is
started again takes over what runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import processes
from pods import images
from pods.cgroups import Group
from pods.images import Image
from pods.plan import Plan
from state import write

# Where a process joins its groups before it becomes anything else; $1 is how many there are.
JOIN = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1"; shift; n=$((n - 1)); done; exec "$@"'
GIVEN = {"/", "/bin", "/dev", "/proc", "/tmp", "/usr"}  # folders that every container has


def bubblewrap(plan: Plan, status: int) -> list[str]:
    """The whole command: into the network, into a root of its own, down to its user, the program."""
    arguments = [
        "/usr/bin/bwrap",
        "--unshare-ipc",
        "--unshare-uts",
        "--hostname",
        plan.host_name,
        "--json-status-fd",
        str(status),
    ]
    if not plan.host_processes:
        arguments += ["--unshare-pid", "--as-pid-1"]
    # The machine's own programs, for a shell and the like, stand for the rest of the image.
    arguments += [
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
        "--dir",
        "/bin",
    ]
    arguments += ["--symlink", "/usr/bin/sh", "/bin/sh", "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--dir", "/tmp"]
    shown = [*own_files(plan.etc), *program(plan.image), "--bind", str(plan.message), plan.message_at, *plan.mounts]
    # Made beforehand, so that everybody may go through them: bubblewrap's own would have the modes of what is shown there.
    for folder in sorted({str(each) for path in shown[2::3] for each in Path(path).parents} - GIVEN):
        arguments += ["--perms", "0755", "--dir", folder]
    if plan.folder != "/":
        arguments += ["--perms", "0777", "--dir", plan.folder]
    arguments += shown
    if plan.read_only:
        arguments += ["--remount-ro", "/"]
    return [*arguments, "--chdir", plan.folder, "--", *as_user(plan), *plan.command]


def own_files(etc: Path) -> list[str]:
    files = [part for name in ("resolv.conf", "passwd", "group") for part in ("--ro-bind", str(etc / name), f"/etc/{name}")]
    machine = [part for name in ("/etc/ssl", "/etc/ld.so.cache") for part in ("--ro-bind-try", name, name)]
    return ["--bind", str(etc / "hosts"), "/etc/hosts", *files, *machine]


def program(image: Image) -> list[str]:
    files = images.program(image)
    if not files:
        return []
    if not images.played(image):
        return ["--ro-bind", str(files[0]), image.place()]
    beside = [part for file in files[1:] for part in ("--ro-bind", str(file), f"/player/{file.name}")]
    base = Path(images.interpreter()).parent.parent
    shown = [] if base.is_relative_to("/usr") else ["--ro-bind", str(base), str(base)]
    return [*shown, *beside, "--ro-bind", str(files[0]), image.place()]


def as_user(plan: Plan) -> list[str]:
    arguments = ["/usr/bin/setpriv", "--reuid", str(plan.user), "--regid", str(plan.group)]
    arguments += ["--groups", ",".join(map(str, plan.groups))] if plan.groups else ["--clear-groups"]
    if plan.bare or plan.user:
        arguments += ["--inh-caps=-all"]
    if plan.bare:
        arguments += ["--bounding-set=-all"]
    if not plan.may_gain:
        arguments += ["--no-new-privs"]
    return [*arguments, "--"]


class Process:
    """A run of a container that is on record in a folder."""

    def __init__(self, folder: Path, group: Group) -> None:
        self.folder = folder
        self.group = group
        self.child: subprocess.Popen[bytes] | None = None
        self.known: dict[str, Any] = {}
        with contextlib.suppress(FileNotFoundError):
            self.known = json.loads((folder / "process.json").read_text())

    @property
    def pipe(self) -> Path:
        return self.folder / "output"

    def start(self, plan: Plan, memory: int | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.group.make(memory)
        kills = self.group.killed_for_memory()
        self.pipe.unlink(missing_ok=True)
        os.mkfifo(self.pipe)
        # Held open for reading and writing by the container itself: there is always a reader, so it never gets a SIGPIPE.
        output = os.open(self.pipe, os.O_RDWR)
        status = os.open(self.folder / "status", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        entries = [str(entry) for entry in self.group.entries()]
        inside = ["/usr/bin/nsenter", f"--net=/proc/{plan.network}/ns/net", "--", *bubblewrap(plan, status)]
        try:
            self.child = subprocess.Popen(
                ["/bin/sh", "-c", JOIN, "sh", str(len(entries)), *entries, *inside],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=plan.environment,
                pass_fds=(status,),
                start_new_session=True,
            )
        finally:
            os.close(output)
            os.close(status)
        self.known = {
            "pid": self.child.pid,
            "began": processes.started_at(self.child.pid),
            "kills": kills,
            "user": plan.user,
            "group": plan.group,
        }
        write(self.folder / "process.json", json.dumps(self.known))

    def reported(self, key: str) -> int | None:
        """What bubblewrap wrote down: `child-pid`, then `exit-code`."""
        with contextlib.suppress(FileNotFoundError):
            for line in (self.folder / "status").read_text().splitlines():
                with contextlib.suppress(ValueError):  # still being written
                    if key in (said := json.loads(line)):
                        return int(said[key])
        return None

    def runs(self) -> bool:
        """Whether it goes on; bubblewrap itself ends after the program, and then all is written down."""
        if self.child:
            return self.child.poll() is None
        return bool(self.known) and processes.started_at(self.known["pid"]) == self.known["began"]

    def exit_code(self) -> int:
        """How it ended: by itself, or, as far as anybody knows, killed."""
        code = self.reported("exit-code")
        if code is None:
            code = self.child.returncode if self.child and (self.child.returncode or -1) > 0 else 137
        return code

    def out_of_memory(self) -> bool:
        return self.group.killed_for_memory() > int(self.known.get("kills", 0))

    def signal(self, number: int) -> None:
        pid = self.reported("child-pid")
        if pid and self.runs():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self) -> None:
        """Kills all of it."""
        self.group.end()
        if self.child:
            self.child.wait()

    def inside(self, command: list[str]) -> list[str]:
        """A command that runs another one in the container, for probes and `kubectl exec`."""
        pid = self.reported("child-pid")
        user = [f"--setuid={self.known['user']}", f"--setgid={self.known['group']}"]
        return [
            "nsenter",
            f"--target={pid}",
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--root",
            "--wd",
            *user,
            "--",
            *command,
        ]
