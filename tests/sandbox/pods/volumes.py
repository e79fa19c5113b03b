"""The files of a pod: its volumes as folders, and where each of its containers sees them.

What comes from Secrets, ConfigMaps, tokens and the pod itself is written as a kubelet does: a new folder beside
the old one, and a link that changes over at once, so that no program ever sees half of it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from api import Object
from pods import spec
from pods.spec import Lookup, NotYet

Contents = dict[str, tuple[bytes, int]]  # what a folder shall hold: path below it, bytes and mode
Token = Callable[[Object], str]  # a token of the pod's service account, by its source's settings
Claimed = Callable[[str], Path]  # the folder of a claim, by its name

WRITTEN = ("secret", "configMap", "projected", "downwardAPI")


def contents(pod: Object, volume: Object, lookup: Lookup, token: Token) -> Contents:
    """What is written into a volume."""
    if "projected" in volume:
        mode = volume["projected"].get("defaultMode", 0o644)
        found: Contents = {}
        for source in volume["projected"].get("sources", []):
            found |= of_source(pod, volume["name"], source, mode, lookup, token)
        return found
    kind = next(kind for kind in WRITTEN if kind in volume)
    return of_source(pod, volume["name"], {kind: volume[kind]}, volume[kind].get("defaultMode", 0o644), lookup, token)


def of_source(pod: Object, volume: str, source: Object, mode: int, lookup: Lookup, token: Token) -> Contents:
    if "serviceAccountToken" in source:
        return {source["serviceAccountToken"]["path"]: (token(source["serviceAccountToken"]).encode(), mode)}
    if "downwardAPI" in source:
        return {
            item["path"]: (downward(pod, item).encode(), item.get("mode", mode))
            for item in source["downwardAPI"].get("items", [])
        }
    kind, settings = ("secrets", source["secret"]) if "secret" in source else ("configmaps", source["configMap"])
    name = settings.get("secretName") or settings["name"]
    entries, optional = lookup(kind, name), settings.get("optional")
    if entries is None:
        if optional:
            return {}
        raise failed(volume, f'{spec.title(kind).lower()} "{name}" not found')
    if "items" not in settings:
        return {key: (text, mode) for key, text in entries.items()}
    for item in settings["items"]:
        if item["key"] not in entries and not optional:
            raise failed(volume, f"references non-existent {spec.title(kind).lower()} key: {item['key']}")
    return {item["path"]: (entries[item["key"]], item.get("mode", mode)) for item in settings["items"] if item["key"] in entries}


def downward(pod: Object, item: Object) -> str:
    if "fieldRef" in item:
        return spec.field(pod, item["fieldRef"]["fieldPath"])
    wanted = item["resourceFieldRef"]
    return spec.resource(next(each for each in spec.containers(pod) if each["name"] == wanted["containerName"]), wanted)


def failed(volume: str, why: str) -> NotYet:
    return NotYet("FailedMount", f'MountVolume.SetUp failed for volume "{volume}" : {why}')


def write(folder: Path, wanted: Contents, group: int | None) -> None:
    """Makes a folder hold this and nothing else, all at once."""
    data = folder / "..data"
    if data.exists() and present(data) == {path: text for path, (text, _) in wanted.items()}:
        return
    fresh = folder / f"..{time.strftime('%Y_%m_%d_%H_%M_%S')}.{time.monotonic_ns()}"
    fresh.mkdir(parents=True)
    for path, (text, mode) in wanted.items():
        file = fresh / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        file.chmod(mode | (0o040 if group is not None else 0))
        if group is not None:
            os.chown(file, -1, group)
    before = data.resolve() if data.is_symlink() else None
    partial = folder / "..data_tmp"
    partial.symlink_to(fresh.name)
    partial.rename(data)
    tops = {path.split("/")[0] for path in wanted}
    for top in tops:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f"..data/{top}")
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink()
    if before:
        shutil.rmtree(before, ignore_errors=True)


def present(data: Path) -> dict[str, bytes]:
    return {str(file.relative_to(data)): file.read_bytes() for file in data.rglob("*") if file.is_file()}


class Volumes:
    """The volumes of one pod, below a folder of its own."""

    def __init__(self, folder: Path, lookup: Lookup, token: Token, claimed: Claimed) -> None:
        self.folder = folder
        self.lookup = lookup
        self.token = token
        self.claimed = claimed

    def make(self, pod: Object) -> None:
        """Makes what is not there yet, and brings up to date what is written."""
        group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
        for volume in pod["spec"].get("volumes", []):
            folder = self.path(volume)
            if any(kind in volume for kind in WRITTEN):
                wanted = contents(pod, volume, self.lookup, self.token)
                folder.mkdir(parents=True, exist_ok=True)
                write(folder, wanted, group)
            elif "emptyDir" in volume or "persistentVolumeClaim" in volume:
                if not folder.exists():
                    folder.mkdir(parents=True)
                    folder.chmod(0o777)
                if group is not None and folder.stat().st_gid != group:
                    own(folder, group)
            elif "hostPath" not in volume:
                raise failed(volume["name"], "the sandbox has no volumes of this kind")

    def path(self, volume: Object) -> Path:
        if "persistentVolumeClaim" in volume:
            return self.claimed(str(volume["persistentVolumeClaim"]["claimName"]))
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        return self.folder / str(volume["name"])

    def mounts(self, pod: Object, container: Object, variables: dict[str, str]) -> list[str]:
        """The arguments with which bubblewrap shows a container its volumes."""
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        arguments = []
        for mount in sorted(container.get("volumeMounts", []), key=lambda each: each["mountPath"].count("/")):
            volume = volumes[mount["name"]]
            source = self.path(volume)
            sub = mount.get("subPath") or spec.expand(mount.get("subPathExpr", ""), variables)
            if sub:
                source = self.below(source, sub)
            # Whatever a pod asks for, the machine's own files are shown, never given.
            fixed = mount.get("readOnly") or "hostPath" in volume or any(kind in volume for kind in WRITTEN)
            arguments += ["--ro-bind" if fixed else "--bind", str(source), mount["mountPath"]]
        return arguments

    def below(self, folder: Path, sub: str) -> Path:
        """A part of a volume; as it is now, where it is a link that will change."""
        path: Path = (folder / sub).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise NotYet("CreateContainerConfigError", f"subPath {sub} leads out of the volume")
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(0o777)
            os.chown(path, -1, folder.stat().st_gid)
        return path


def own(folder: Path, group: int) -> None:
    """Gives a volume to a group, as a kubelet does with `fsGroup`."""
    for each in [folder, *folder.rglob("*")]:
        os.chown(each, -1, group, follow_symlinks=False)
        if not each.is_symlink():
            each.chmod(each.stat().st_mode | (0o2770 if each.is_dir() else 0o660))
