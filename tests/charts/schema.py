"""Defaults and schema of a stand-in chart, from its table of value paths.

A row of paths/CHART.tsv is `path<TAB>type<TAB>default as JSON`; a dot inside a key is written `\\.`.
A row of type `any` without a default is read by the templates but not listed in the chart's values.
"""
import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Two charts have one name: the stems of their files in paths/, values/, records/ and unplayed/, and where they are.
NAMESAKES = {"thanos": "bitnami/thanos", "community-thanos": "community/thanos"}

# Maps that are copied into an object or a file as they are: any key may stand in them, whatever the defaults are.
# A pattern is a path or the end of one.
FREE = re.compile(r"""(^|\.)(
      alertmanager\.config | grafana\\\.ini | (container|pod)?[sS]ecurityContext | (update|deployment)Strategy
    | (custom)?(liveness|readiness|startup)Probe | kubeResources | extraArgs | minio | env | selector | nodeSelector | attachMetadata
    | (pod|service|statefulset|common|extra)?(Labels|Annotations|labels|annotations) | podDisruptionBudget
)$""", re.X)

# Values that the templates take in more than one shape.
SHAPES = {
    "thanos": dict.fromkeys(
        (
            "query.sdConfig query.replicaLabel queryFrontend.config storegateway.config ruler.config ruler.alertmanagersConfig receive.config "
            "objstoreConfig indexCacheConfig bucketCacheConfig httpConfig"
        ).split(),
        ["string", "array", "object"],
    ),
    "community-thanos": {
        f"{part}.pdb.{key}": ["string", "integer"]
        for part in "global bucket.bucketweb compactor query queryFrontend receive ruler storegateway".split()
        for key in ("minAvailable", "maxUnavailable")
    },
    "kube-prometheus-stack": {
        f"prometheus.prometheusSpec.{path}": ["boolean", "integer", "string", "object"]
        for path in (
            "sampleLimit enforcedSampleLimit enforcedTargetLimit enforcedLabelLimit enforcedLabelNameLengthLimit enforcedLabelValueLengthLimit "
            "queryLogFile arbitraryFSAccessThroughSMs"
        ).split()
    }
    | {
        "prometheus.prometheusSpec.additionalScrapeConfigs": ["array", "string"],
        "alertmanager.alertmanagerSpec.clusterAdvertiseAddress": ["boolean", "string"],
        "prometheusOperator.admissionWebhooks.matchConditions": ["array", "object"],
    }
    | dict.fromkeys(
        (
            "prometheusOperator.hostUsers prometheus.prometheusSpec.hostUsers alertmanager.alertmanagerSpec.hostUsers "
            "prometheus.prometheusSpec.enableServiceLinks alertmanager.alertmanagerSpec.enableServiceLinks "
            "kubeControllerManager.serviceMonitor.https kubeControllerManager.serviceMonitor.insecureSkipVerify "
            "kubeScheduler.serviceMonitor.https kubeScheduler.serviceMonitor.insecureSkipVerify"
        ).split(),
        ["boolean", "null"],
    ),
    "kube-prometheus-stack--kube-state-metrics": {"namespaces": ["array", "string"], "namespacesDenylist": ["array", "string"], "hostUsers": ["boolean", "null"]},
    "kube-prometheus-stack--prometheus-node-exporter": {"hostUsers": ["boolean", "null"]},
}
# Maps with listed keys, in which others may stand.
OPEN = ("ruler.rules",)
# Charts that have a strict schema of their own: a string is never a number, and what is listed must stay (a null takes it out),
# but for these.
STRICT = {
    "community-thanos": re.compile(r"""(^|\.)(
          (full)?nameOverride | namespaceOverride | global\.storageClass | existingClaim | volumeAttributesClassName | \w*[nN]odePort
        | \w+(?<!global)\.serviceAccount\.(create|automountServiceAccountToken) | target(CPU|Memory)UtilizationPercentage
        | httpRoute\.(matches|filters|timeouts|extraRules) | thanosRules\.(annotations|disabledAlerts|alertOverrides|additional\w+)
        | groups\..+ | sidecar\.resources | rustfs\.secret(\..+)?
    )$""", re.X),
}
SCALAR = ["string", "number", "boolean"]
TYPES = {"bool": "boolean", "int": "integer", "list": "array", "object": "object", "string": "string"}


def table(chart, sub):
    """The name of a subchart's table: its own, or CHART--SUB where another chart has a subchart of that name."""
    name = f"{chart}--{sub}"
    return name if (HERE / "paths" / f"{name}.tsv").exists() else sub


def rows(chart):
    """(path as a list of keys, path as written, type, default) for every row."""
    for line in (HERE / "paths" / f"{chart}.tsv").read_text().splitlines():
        path, kind, default = line.split("\t")
        keys = [k.replace("\\.", ".") for k in re.split(r"(?<!\\)\.", path)]
        yield keys, path, kind, json.loads(default) if default else None


def defaults(chart):
    tree = {}
    for keys, _, kind, default in rows(chart):
        if kind == "any":
            continue
        node = tree
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = default
    return tree


def leaf(kind, default, shapes, strict):
    if shapes:
        return {"type": shapes}
    if kind in ("any", "null"):
        return {}
    if kind == "string" and default == "" and not strict:
        return {"type": SCALAR}  # an unset name, port or size
    return {"type": TYPES[kind]}


def schema(chart, subcharts=(), below=False):
    """JSON Schema: every listed map closed, every listed value of its type."""
    shapes, optional = SHAPES.get(chart, {}), STRICT.get(chart)
    root = {"type": "object", "properties": {}, "additionalProperties": False}
    for keys, path, kind, default in sorted(rows(chart), key=lambda row: row[2] == "any"):  # the listed ones first
        written = re.split(r"(?<!\\)\.", path)
        node = root
        for depth, key in enumerate(keys, 1):
            known = node["properties"]
            so_far = ".".join(written[:depth])
            if optional and kind != "any" and not optional.search(so_far) and key not in node.setdefault("required", []):
                node["required"].append(key)
            if depth == len(keys):
                known.setdefault(key, leaf(kind, default, shapes.get(path), optional))
            elif FREE.search(so_far):
                known[key] = {"type": "object"}
                break
            elif key in known and "properties" not in known[key]:
                break  # below a listed value that is open
            else:
                node = known.setdefault(key, {"type": "object", "properties": {}, "additionalProperties": so_far in OPEN})
    for name in (*subcharts, "common"):
        root["properties"][name] = {"type": "object"}  # a subchart has a schema of its own
    if below:
        root["properties"]["global"] = {"type": "object"}  # has the parent's keys too
    return {"$schema": "http://json-schema.org/draft-07/schema#", **root}


def stem(chart):
    """How the files of a chart begin: its name, or another for the second one of a name."""
    return next((stem for stem, folder in NAMESAKES.items() if folder == chart), chart.split("/")[1])


def unplayed(chart):
    """Paths of values that the real chart heeds and the stand-in does not: it refuses them when they are set."""
    source = HERE / "unplayed" / f"{chart}.txt"
    wanted = source.read_text().split() if source.exists() else []
    tree, out = defaults(chart), []
    for path in wanted:
        node = tree
        keys = [k.replace("\\.", ".") for k in re.split(r"(?<!\\)\.", path)]
        for key in keys:
            node = node.get(key) if isinstance(node, dict) else None
        out.append({"path": path, "keys": keys, "default": node})
    return out
