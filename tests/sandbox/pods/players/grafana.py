#!/usr/bin/env python3
"""Plays Grafana's HTTP API: login, health, data sources, queries (by the real data source), dashboards.

What is provisioned is read where Grafana reads it; the admin's name and password are those of its environment.
"""

import glob
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, "/player")
from player import basic, introduce, say, server

PROVISIONING = os.environ.get("GF_PATHS_PROVISIONING", "/etc/grafana/provisioning")
USER = os.environ.get("GF_SECURITY_ADMIN_USER", "admin")
PASSWORD = os.environ.get("GF_SECURITY_ADMIN_PASSWORD", "admin")
SESSION = secrets.token_hex(16)


def scalar(text):
    text = text.strip()
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        return json.loads(text) if text[0] == '"' else text[1:-1].replace("''", "'")
    return {"true": True, "false": False, "null": None, "": None}.get(text, int(text) if text.isdigit() else text)


def read_yaml(text):
    """As much of YAML as charts write: maps and lists, one entry a line, with plain or quoted words."""
    lines = [
        (len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines() if line.strip() and line.strip()[0] != "#"
    ]

    def block(at):
        if at >= len(lines):
            return None, at
        indent, is_list = lines[at][0], lines[at][1].startswith("-")
        found = [] if is_list else {}
        while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("-") == is_list:
            line = lines[at][1]
            if is_list:
                rest = line[1:].strip()
                if rest and not (rest.split(" ")[0].endswith(":") and rest[0] not in "\"'"):
                    found.append(scalar(rest))
                    at += 1
                    continue
                lines[at] = (indent + line.index(rest) if rest else indent + 2, rest)
                value, at = block(at if rest else at + 1)
                found.append(value)
                continue
            key, _, rest = line.partition(":")
            at += 1
            deeper = at < len(lines) and (lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("-")))
            if rest.strip() or not deeper:
                found[scalar(key)] = scalar(rest)
            else:
                found[scalar(key)], at = block(at)
        return found, at

    return block(0)[0]


def provisioned(kind):
    """Everything that the files of one kind list."""
    found = []
    for file in sorted(glob.glob(f"{PROVISIONING}/{kind}/*.y*ml")):
        with open(file) as text:
            content = read_yaml(text.read()) or {}
        found += content.get("providers" if kind == "dashboards" else kind) or []
    return found


def data_sources():
    return [{"orgId": 1, "readOnly": True, "id": number, **each} for number, each in enumerate(provisioned("datasources"), 1)]


def dashboards():
    found = {}
    for provider in provisioned("dashboards"):
        for file in sorted(glob.glob(f"{provider['options']['path']}/**/*.json", recursive=True)):
            with open(file) as text:
                dashboard = json.load(text)
            found[dashboard.get("uid") or os.path.basename(file)] = dashboard
    return found


def ask(source, path, query=None):
    url = source["url"].rstrip("/") + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 502, json.dumps({"message": f"{url}: {error}"}).encode()


def frames(source, wanted, begin, end):
    """The answer to one query, as Grafana hands it to a panel."""
    if wanted.get("instant"):
        status, text = ask(source, "/api/v1/query", {"query": wanted["expr"], "time": end})
    else:
        step = wanted.get("intervalMs", 30000) / 1000
        status, text = ask(source, "/api/v1/query_range", {"query": wanted["expr"], "start": begin, "end": end, "step": step})
    answer = json.loads(text)
    if status != 200:
        return {"status": status, "error": answer.get("error") or answer.get("message")}
    found = []
    for series in answer["data"]["result"]:
        values = series.get("values") or [series["value"]]
        fields = [{"name": "Time", "type": "time"}, {"name": "Value", "type": "number", "labels": series["metric"]}]
        columns = [[int(moment * 1000) for moment, _ in values], [float(value) for _, value in values]]
        found.append({"schema": {"refId": wanted["refId"], "fields": fields}, "data": {"values": columns}})
    return {"status": 200, "frames": found}


def moment(text):
    """A point in time as Grafana's page sends it: milliseconds, or `now` and what it is less."""
    text = str(text)
    if text.startswith("now"):
        units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
        return time.time() - (int(text[4:-1]) * units[text[-1]] if len(text) > 3 else 0)
    return int(text) / 1000


def known(headers):
    return headers.get("Authorization") == basic(USER, PASSWORD) or f"grafana_session={SESSION}" in (headers.get("Cookie") or "")


def answer(method, path, body, headers):
    url = urllib.parse.urlsplit(path)
    if url.path == "/api/health":
        return 200, {"database": "ok", "version": "played", "commit": "a player of the sandbox, not Grafana"}
    if url.path == "/metrics":
        return 200, '# TYPE grafana_build_info gauge\ngrafana_build_info{version="played"} 1\n'
    if url.path == "/login" and method == "POST":
        said = json.loads(body or b"{}")
        if (said.get("user"), said.get("password")) == (USER, PASSWORD):
            return 200, {"message": "Logged in", "session": SESSION}
        return 401, {"message": "Invalid username or password", "messageId": "password-auth.failed"}
    if not known(headers):
        return 401, {"message": "Invalid username or password", "messageId": "password-auth.failed"}
    return signed_in(method, url, body)


def signed_in(method, url, body):
    parts = url.path.strip("/").split("/")
    if parts == ["api", "user"]:
        return 200, {"id": 1, "login": USER, "isGrafanaAdmin": True}
    if parts == ["api", "datasources"]:
        return 200, data_sources()
    if parts == ["api", "search"]:
        return 200, [
            {"uid": uid, "title": each.get("title"), "type": "dash-db", "tags": each.get("tags", [])}
            for uid, each in dashboards().items()
        ]
    if parts[:3] == ["api", "dashboards", "uid"] and parts[3] in dashboards():
        return 200, {"meta": {"provisioned": True}, "dashboard": dashboards()[parts[3]]}
    if parts == ["api", "admin", "provisioning", "dashboards", "reload"]:
        return 200, {"message": "Dashboards config reloaded"}
    if parts == ["api", "ds", "query"] and method == "POST":
        return query(json.loads(body))
    if parts[:2] == ["api", "datasources"] and "uid" in parts:
        uid = parts[parts.index("uid") + 1]
        chosen = [each for each in data_sources() if each.get("uid") == uid]
        rest = "/".join(parts[parts.index("uid") + 2 :])
        if chosen and "proxy" in parts:
            return ask(chosen[0], f"/{rest}", urllib.parse.parse_qsl(url.query) or urllib.parse.parse_qsl(body.decode()))
        if chosen and rest == "health":
            status, said = ask(chosen[0], "/api/v1/query", {"query": "1+1"})
            good = status == 200
            return (200 if good else 400), {
                "status": "OK" if good else "ERROR",
                "message": "" if good else said.decode(errors="replace"),
            }
        if chosen:
            return 200, chosen[0]
    return 404, {"message": "Not found"}


def query(wanted):
    sources = {each.get("uid"): each for each in data_sources()}
    begin, end = moment(wanted.get("from", "now-1h")), moment(wanted.get("to", "now"))
    results = {}
    for each in wanted["queries"]:
        source = sources.get(each["datasource"]["uid"])
        if source is None:
            return 404, {"message": f"data source {each['datasource']['uid']} not found"}
        results[each["refId"]] = frames(source, each, begin, end)
    worst = max([each["status"] for each in results.values()], default=200)
    return (200 if worst == 200 else 400), {"results": results}


if __name__ == "__main__":
    introduce("Grafana")
    say(f"data sources: {', '.join(each['name'] for each in data_sources())}")
    server(3000, answer).serve_forever()
