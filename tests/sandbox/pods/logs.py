"""What containers write: read from their pipes, kept as a container runtime keeps it, never more than so much."""

from __future__ import annotations

import os
import selectors
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

LONGEST_LINE = 16 * 1024  # what is longer is written in parts, as runtimes do
LARGEST_FILE = 10 * 1024 * 1024  # then a new one is begun, and only one before it is kept


def stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


@dataclass
class Output:
    """The output of one run of a container."""

    pipe: int
    file: Path
    rest: bytes = b""
    written: int = 0

    def take(self, chunk: bytes) -> None:
        lines, ended, rest = (self.rest + chunk).rpartition(b"\n")
        self.rest = rest
        if ended:
            self.write(b"F", lines)
        while len(self.rest) >= LONGEST_LINE:
            self.write(b"P", self.rest[:LONGEST_LINE])
            self.rest = self.rest[LONGEST_LINE:]

    def write(self, kind: bytes, lines: bytes) -> None:
        head = f"{stamp()} stdout ".encode() + kind + b" "
        text = head + lines.replace(b"\n", b"\n" + head) + b"\n"
        if self.written + len(text) > LARGEST_FILE:
            self.rotate()
        with self.file.open("ab") as log:
            log.write(text)
        self.written += len(text)

    def rotate(self) -> None:
        """Begins the file anew; there is one at every moment, for whoever looks."""
        before, fresh = self.file.with_suffix(".log.1"), self.file.with_suffix(".log.0")
        before.unlink(missing_ok=True)
        os.link(self.file, before)
        fresh.touch()
        fresh.replace(self.file)
        self.written = 0

    def close(self) -> None:
        if self.rest:
            self.write(b"F", self.rest)
            self.rest = b""
        os.close(self.pipe)


class Logs:
    """Reads all pipes in one thread."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.lock = threading.Lock()
        self.open: dict[Path, Output] = {}
        threading.Thread(target=self.read, daemon=True).start()

    def follow(self, pipe: Path, file: Path) -> None:
        file.touch()
        output = Output(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), file, written=file.stat().st_size)
        with self.lock:
            self.open[file] = output
            self.selector.register(output.pipe, selectors.EVENT_READ, output)

    def read(self) -> None:
        while True:
            events = self.selector.select(timeout=0.2)
            if not events:
                time.sleep(0.01)  # an empty selector returns at once
            for key, _ in events:
                output: Output = key.data
                chunk = os.read(output.pipe, 1 << 20)
                try:
                    if chunk:
                        output.take(chunk)
                    else:
                        self.forget(output)
                except FileNotFoundError:  # its pod was removed meanwhile
                    self.forget(output)

    def forget(self, output: Output) -> None:
        with self.lock:
            self.selector.unregister(output.pipe)
            self.open.pop(output.file, None)
        try:
            output.close()
        except FileNotFoundError:
            output.rest = b""

    def complete(self, file: Path) -> None:
        """Waits until all that a container has written is in its file; its processes have ended."""
        deadline = time.monotonic() + 2
        while file in self.open and time.monotonic() < deadline:
            time.sleep(0.01)


def last_words(file: Path, lines: int = 80, most: int = 2048) -> str:
    """The end of a log, as it becomes a termination message."""
    if not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - 64 * 1024))
        tail = log.read().decode(errors="replace").splitlines()[-lines:]
    return "".join(line.partition(" stdout ")[2][2:] + "\n" for line in tail)[-most:]
