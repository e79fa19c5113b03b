"""Just enough of the Kubernetes API: requests as one certificate user, and watches that never end."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from state import write

Object = dict[str, Any]


class ApiError(Exception):
    """The API server's refusal."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


@dataclass(frozen=True)
class Credentials:
    """One user of one cluster: files that a program can be given."""

    folder: Path

    @property
    def server(self) -> str:
        return (self.folder / "server").read_text()

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    @staticmethod
    def unpack(kubeconfig: str, folder: Path) -> Credentials:
        """Takes a kubeconfig of one user apart."""

        def value(key: str) -> str:
            found = re.search(rf"^\s*{key}: (\S+)$", kubeconfig, re.MULTILINE)
            if not found:
                raise ValueError(f"the kubeconfig has no {key}")
            return found[1]

        write(folder / "server", value("server"))
        write(folder / "ca.crt", base64.b64decode(value("certificate-authority-data")).decode())
        write(folder / "tls.crt", base64.b64decode(value("client-certificate-data")).decode())
        write(folder / "tls.key", base64.b64decode(value("client-key-data")).decode())
        return Credentials(folder)

    def kubeconfig(self, context: str, user: str) -> Object:
        """A kubeconfig with this user alone, as JSON (which is YAML)."""

        def data(file: Path) -> str:
            return base64.b64encode(file.read_bytes()).decode()

        account = {"client-certificate-data": data(self.certificate), "client-key-data": data(self.key)}
        cluster = {"server": self.server, "certificate-authority-data": data(self.authority)}
        name = f"{user}@{context}"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": name, "user": account}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": name}}],
            "current-context": context,
        }


class Api:
    """The API server of one cluster, asked as one user. Each thread needs its own."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.tls = ssl.create_default_context(cafile=str(credentials.authority))
        self.tls.load_cert_chain(credentials.certificate, credentials.key)
        self.address = urlsplit(credentials.server)

    def connect(self, timeout: float | None) -> http.client.HTTPSConnection:
        host, port = self.address.hostname or "127.0.0.1", self.address.port
        return http.client.HTTPSConnection(host, port, context=self.tls, timeout=timeout)

    def request(self, method: str, path: str, body: Object | None = None) -> Object:
        """One request and its answer; a PATCH is a merge patch."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection = self.connect(timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiError(answer.status, text)
        return json.loads(text) if text.startswith("{") else {"text": text}

    def ready(self) -> bool:
        try:
            return bool(self.request("GET", "/readyz")["text"] == "ok")
        except (OSError, http.client.HTTPException, ApiError):
            return False

    def watch(self, path: str, selector: str = "") -> Iterator[tuple[str, Object]]:
        """Everything there is as ("ADDED", object), then ("LISTED", {}), then every change.

        After an interruption it all begins again with ("RESET", {}).
        """
        query = f"labelSelector={selector}&" if selector else ""
        while True:
            try:
                yield "RESET", {}
                listed = self.request("GET", f"{path}?{query}")
                for each in listed["items"]:
                    yield "ADDED", each
                yield "LISTED", {}
                yield from self.changes(f"{path}?{query}watch=true&resourceVersion={listed['metadata']['resourceVersion']}")
            except (OSError, http.client.HTTPException, ApiError, ValueError) as error:
                print(f"watching {path}: {str(error)[:300]}", file=sys.stderr, flush=True)
                time.sleep(0.5)

    def changes(self, path: str) -> Iterator[tuple[str, Object]]:
        connection = self.connect(timeout=None)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":  # too old: list again
                    return
                yield event["type"], event["object"]
        finally:
            connection.close()
