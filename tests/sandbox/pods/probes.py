"""Probes of containers: when they are made, what they ask, and when their answer counts."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from api import Object
from pods.spec import port_number

KINDS = ("startup", "readiness", "liveness")
POOL = ThreadPoolExecutor(max_workers=16, thread_name_prefix="probe")
FIRST = 1.0  # a kubelet learns a second after its start that a container runs

Inside = Callable[[list[str]], list[str]]  # a command, as it is run in the container


def ask(probe: Object, container: Object, address: str, inside: Inside) -> str:
    """Makes a probe; what failed, or nothing."""
    seconds = probe.get("timeoutSeconds", 1)
    try:
        if "httpGet" in probe:
            return ask_http(probe["httpGet"], container, address, seconds)
        if "tcpSocket" in probe:
            wanted = probe["tcpSocket"]
            socket.create_connection((wanted.get("host") or address, port_number(container, wanted["port"])), seconds).close()
            return ""
        if "exec" in probe:
            ended = subprocess.run(
                inside(probe["exec"]["command"]), capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL
            )
            return (
                ""
                if ended.returncode == 0
                else (ended.stdout + ended.stderr).decode(errors="replace")[:1024] or f"exit {ended.returncode}"
            )
    except subprocess.TimeoutExpired:
        return f"command timed out after {seconds}s"
    except (OSError, http.client.HTTPException) as error:
        return f"{error or type(error).__name__}"
    return "the sandbox makes no probes of this kind"


def ask_http(wanted: Object, container: Object, address: str, seconds: float) -> str:
    host, port = wanted.get("host") or address, port_number(container, wanted["port"])
    connection: http.client.HTTPConnection
    if wanted.get("scheme", "HTTP") == "HTTPS":
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=trusting)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    where = f"{wanted.get('scheme', 'HTTP').lower()}://{host}:{port}{wanted.get('path', '/')}"
    try:
        headers = {each["name"]: each["value"] for each in wanted.get("httpHeaders", [])}
        connection.request("GET", wanted.get("path", "/"), headers={"User-Agent": "kube-probe/1.36", "Accept": "*/*"} | headers)
        answer = connection.getresponse()
        status = answer.status
        answer.read(10 * 1024)
    except OSError as error:
        return f'Get "{where}": {error}'
    finally:
        connection.close()
    return "" if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"


@dataclass
class Probe:
    """One probe of one run of a container."""

    kind: str
    spec: Object
    next_at: float
    good: int = 0  # answers in a row
    bad: int = 0
    passed: bool | None = None  # nothing until it is known
    asked: Future[str] | None = None
    told: list[str] = field(default_factory=list)  # failures that nobody was told of yet

    @classmethod
    def of(cls, kind: str, container: Object, now: float) -> Probe | None:
        spec = container.get(f"{kind}Probe")
        return cls(kind, spec, now + max(FIRST, spec.get("initialDelaySeconds", 0))) if spec else None

    def step(self, now: float, container: Object, address: str, inside: Inside) -> None:
        """Takes the answer, if there is one, and asks, if it is time."""
        if self.asked and self.asked.done():
            self.count(self.asked.result())
            self.asked = None
        if not self.asked and now >= self.next_at:
            self.next_at = now + self.spec.get("periodSeconds", 10)
            self.asked = POOL.submit(ask, self.spec, container, address, inside)

    def count(self, failure: str) -> None:
        if failure:
            self.good, self.bad = 0, self.bad + 1
            self.told.append(failure)
            if self.bad >= self.spec.get("failureThreshold", 3):
                self.passed = False
        else:
            self.good, self.bad = self.good + 1, 0
            if self.good >= self.spec.get("successThreshold", 1):
                self.passed = True
