#!/usr/bin/env python3
"""Plays k8s-sidecar: writes the entries of labelled ConfigMaps into a folder, and says so to Grafana."""

import json
import os
import sys
import time
import urllib.parse
import urllib.request

sys.path.insert(0, "/player")
from player import basic, cluster, introduce, say

FOLDER = os.environ["FOLDER"]


def entries():
    label, value = os.environ["LABEL"], os.environ.get("LABEL_VALUE", "")
    selector = urllib.parse.quote(f"{label}={value}" if value else label)
    found = {}
    for namespace in os.environ.get("NAMESPACE", "").split(","):
        where = "/api/v1/configmaps" if namespace in ("", "ALL") else f"/api/v1/namespaces/{namespace}/configmaps"
        for each in cluster(f"{where}?labelSelector={selector}")["items"]:
            found.update(each.get("data") or {})
    return found


def tell():
    url = os.environ.get("REQ_URL")
    if url:
        headers = {"Authorization": basic(os.environ.get("REQ_USERNAME", ""), os.environ.get("REQ_PASSWORD", ""))}
        method = os.environ.get("REQ_METHOD", "GET")
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers), timeout=10) as answer:
            say(f"{method} {url}: {answer.status}")


def main():
    introduce("k8s-sidecar")
    written = {}
    while True:
        try:
            wanted = entries()
            if wanted != written:
                for name in set(written) - set(wanted):
                    os.remove(os.path.join(FOLDER, name))
                for name, text in wanted.items():
                    with open(os.path.join(FOLDER, name), "w") as file:
                        file.write(text)
                written = wanted
                say(f"{len(wanted)} files in {FOLDER}: {json.dumps(sorted(wanted))}")
                tell()
        except OSError as error:
            say(f"once more in a moment: {error}")
        time.sleep(2)


if __name__ == "__main__":
    main()
