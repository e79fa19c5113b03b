"""Situations in which okemon calls kubectl. Each makes what it needs, whatever was there before, and calls as okemon does."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ground import WAYS, Answer, ApiError, Ground, Object, Program, certified, closed, speaks, there, web_page

Situation = Callable[[Program, Ground], Answer]
SITUATIONS: list[Situation] = []
ALIKE: list[Situation] = []  # those that change nothing

READ_NAMED = ("get", "--ignore-not-found", "-o", "json", "-f", "-")
SERVER_SIDE = ("apply", "--server-side", "--force-conflicts", "--validate=false")
MANAGED = ("--field-manager", "okemon", "-f", "-")
APPLY = (*SERVER_SIDE, *MANAGED)
WOULD_APPLY = (*SERVER_SIDE, "--dry-run=server", "-o", "json", *MANAGED)
LEASE = ("get", "lease", "okemon", "--ignore-not-found", "-o", "json")
WRITE_ANEW = ("create", "--validate=false", "-o", "json", "-f", "-")
WRITE = ("replace", "--validate=false", "-o", "json", "-f", "-")
CLUSTER = ("get", "namespace", "kube-system", "-o", "json")
KINDS = "deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,pods,services,persistentvolumeclaims,events"
OPERATED_KINDS = "prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com"
COLUMNS = (
    r"custom-columns=NAME:.metadata.name,VERSION:.metadata.annotations.operator\.prometheus\.io/version"
    ",WRITERS:.metadata.managedFields[*].manager"
)
DEFINITIONS = ("get", "customresourcedefinitions", "-o", COLUMNS, "--no-headers")
DIFF = ("diff", "--server-side", "--force-conflicts", "--concurrency", "4", *MANAGED)
RESTART = ("rollout", "restart", "deployment,statefulset", "--selector", "app.kubernetes.io/name in (thanos,prometheus)")
LOGS = ("logs", "thanos-0", "--container", "thanos", "--tail", "5")
FORGET = ("delete", "secret", "sh.helm.release.v1.thanos.v1", "--ignore-not-found")


def situation(make: Situation) -> Situation:
    SITUATIONS.append(make)
    return make


def text(*objects: Object) -> str:
    """YAML documents, as okemon sends them: kubectl reads what begins with a brace in another way."""
    lines = ("".join(f"{key}: {json.dumps(value)}\n" for key, value in each.items()) for each in objects)
    return "---\n".join(lines)


# -- objects --------------------------------------------------------------------------------------------


def secret(value: str = "b2xk") -> Object:
    metadata = {"name": "thanos-objstore-config", "namespace": "monitoring"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {"objstore.yml": value}}


def lease(version: str | None = None) -> Object:
    moment = "2026-01-01T00:00:00.000000Z"
    spec = {"holderIdentity": "opc@operator, process 1", "leaseDurationSeconds": 60, "acquireTime": moment, "renewTime": moment}
    metadata = {"name": "okemon", **({"resourceVersion": version} if version else {})}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def service(address: str = "None") -> Object:
    spec = {"clusterIP": address, "selector": {"a": "b"}, "ports": [{"name": "grpc", "port": 10901}]}
    metadata = {"name": "thanos-storeapi", "namespace": "monitoring"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def stateful_set(service_name: str) -> Object:
    labels = {"app.kubernetes.io/name": "thanos"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "thanos", "image": "thanos"}]}}
    spec = {"replicas": 0, "serviceName": service_name, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "thanos", "namespace": "monitoring", "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}


def pod() -> Object:
    containers = [{"name": "thanos", "image": "thanos"}]
    metadata = {"name": "thanos-0", "namespace": "monitoring"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


def definition(version: str = "0.85.0") -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "probes", "singular": "probe", "kind": "Probe", "listKind": "ProbeList"}
    spec = {"group": "monitoring.coreos.com", "scope": "Namespaced", "names": names, "versions": [served]}
    annotations = {"operator.prometheus.io/version": version}
    metadata = {"name": "probes.monitoring.coreos.com", "annotations": annotations}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}


@contextmanager
def defined(ground: Ground) -> Iterator[None]:
    """The definition is there, and served: one that is deleted before may stay for minutes."""
    with there(ground, definition()):
        ground.until(lambda: ground.found("/apis/monitoring.coreos.com/v1/namespaces/monitoring/probes"))
        yield
    ground.until(lambda: not ground.found("/apis/monitoring.coreos.com/v1"))


PROBE = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Probe", "metadata": {"name": "one", "namespace": "monitoring"}}
QUOTA = {
    **{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": "monitoring"}},
    "spec": {"hard": {"count/secrets": "0"}},
}


def webhook(ground: Ground, answer: Callable[[str], str] | None) -> Object:
    """One for Secrets that gives this answer; none: nobody listens there."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE", "UPDATE"]}
    tls, certificate = certified(ground.folder)
    address = speaks("application/json", answer, tls) if answer else closed()
    client = {"url": f"https://{address}/", "caBundle": base64.b64encode(certificate.encode()).decode()}
    kept = {
        **{"name": "secrets.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "rules": [rule]},
        **{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}, "clientConfig": client},
    }
    version = "admissionregistration.k8s.io/v1"
    return {"apiVersion": version, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "secrets"}, "webhooks": [kept]}


@contextmanager
def no_new_secrets(ground: Ground, reason: Object) -> Iterator[None]:
    """Until the API server heeds the object that forbids them, and once it is gone, until it does not."""

    def refused() -> bool:
        try:
            ground.api.request("POST", "/api/v1/namespaces/monitoring/secrets?dryRun=All", {"metadata": {"name": "tried"}})
        except ApiError:
            return True
        return False

    ground.delete("secret/thanos-objstore-config")
    with there(ground, reason):
        ground.until(refused)
        yield
    ground.until(lambda: not refused())


# -- the cluster ----------------------------------------------------------------------------------------


def on_the_way(name: str) -> None:
    """The first look, where the way to the cluster is of this kind."""

    def look(kubectl: Program, ground: Ground) -> Answer:
        return kubectl.ask(*CLUSTER, kubeconfig=name)

    look.__name__ = f"cluster_{name.replace('-', '_')}"
    ALIKE.append(situation(look))


for way in WAYS:
    on_the_way(way)


# -- the lock -------------------------------------------------------------------------------------------


@situation
def lease_in_no_namespace(kubectl: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return kubectl.ask(*LEASE)


@situation
def lease_made_in_no_namespace(kubectl: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return kubectl.ask(*WRITE_ANEW, stdin=text(lease()))


@situation
def lease_absent(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*LEASE)


@situation
def lease_made(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    ground.delete("lease/okemon")
    return kubectl.ask(*WRITE_ANEW, stdin=text(lease()))


@situation
def lease_there(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, lease()):
        return kubectl.ask(*LEASE)


@situation
def lease_made_by_another(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, lease()):
        return kubectl.ask(*WRITE_ANEW, stdin=text(lease()))


@situation
def lease_written_by_another(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, lease()):
        return kubectl.ask(*WRITE, stdin=text(lease(version="1")))


@situation
def lease_deleted_by_another(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    ground.delete("lease/okemon")
    return kubectl.ask(*WRITE, stdin=text(lease(version="1")))


# -- objects of okemon's own ----------------------------------------------------------------------------


@situation
def objects_in_no_namespace(kubectl: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return kubectl.ask(*READ_NAMED, stdin=text(secret()))


@situation
def objects_absent(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*READ_NAMED, stdin=text(secret()))


@situation
def objects_there(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, secret()):
        return kubectl.ask(*READ_NAMED, stdin=text(secret()))


@situation
def objects_there_several(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, secret(), service()):
        return kubectl.ask(*READ_NAMED, stdin=text(secret(), service()))


@situation
def objects_of_unknown_kind(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*READ_NAMED, stdin=text(PROBE))


@situation
def would_apply(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, secret()):
        return kubectl.ask(*WOULD_APPLY, stdin=text(secret("bmV3")))


@situation
def would_apply_several(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, secret(), service()):
        return kubectl.ask(*WOULD_APPLY, stdin=text(secret(), service()))


@situation
def apply(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    ground.delete("secret/thanos-objstore-config")
    return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def apply_in_no_namespace(kubectl: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def apply_unknown_kind(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*APPLY, stdin=text(PROBE))


@situation
def apply_unknown_field(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*APPLY, stdin=text({**secret(), "dada": {}}))


@situation
def apply_invalid(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*APPLY, stdin=text(service("nowhere")))


@situation
def apply_immutable_address(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, service()):
        return kubectl.ask(*APPLY, stdin=text(service("127.96.77.1")))


@situation
def apply_immutable_set(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, stateful_set("one")):
        return kubectl.ask(*APPLY, stdin=text(stateful_set("other")))


@situation
def apply_over_quota(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with no_new_secrets(ground, QUOTA):
        return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def apply_limited(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*APPLY, stdin=text(secret()), kubeconfig="limited")


@situation
def apply_refused_by_a_webhook(kubectl: Program, ground: Ground) -> Answer:
    def no(request: str) -> str:
        review = json.loads(request)
        refused = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "keys are kept elsewhere"}}
        return json.dumps({**review, "response": refused})

    ground.namespace()
    with no_new_secrets(ground, webhook(ground, no)):
        return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def apply_with_a_webhook_that_answers_nonsense(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with no_new_secrets(ground, webhook(ground, web_page)):
        return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def apply_with_a_webhook_that_is_not_there(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with no_new_secrets(ground, webhook(ground, None)):
        return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def create(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    ground.delete("secret/thanos-objstore-config")
    return kubectl.ask("create", "--validate=false", *MANAGED, stdin=text(secret()))


@situation
def create_what_is_there(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, secret()):
        return kubectl.ask("create", "--validate=false", *MANAGED, stdin=text(secret()))


@situation
def restart(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, stateful_set("one")):
        return kubectl.ask(*RESTART)


@situation
def restart_of_nothing(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*RESTART)


@situation
def keys_absent(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    ground.delete("secret/thanos-objstore-config")
    return kubectl.ask("get", "secret", "thanos-objstore-config", "--ignore-not-found", "-o", "json")


@situation
def forget_nothing(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*FORGET)


# -- custom resource definitions ------------------------------------------------------------------------


@situation
def definitions(kubectl: Program, ground: Ground) -> Answer:
    with defined(ground):
        return kubectl.ask(*DEFINITIONS)


@situation
def definitions_that_do_not_differ(kubectl: Program, ground: Ground) -> Answer:
    with defined(ground):
        kubectl.done(*APPLY, stdin=text(definition()))
        return kubectl.ask(*DIFF, stdin=text(definition()))


@situation
def definitions_that_differ(kubectl: Program, ground: Ground) -> Answer:
    with defined(ground):
        return kubectl.ask(*DIFF, stdin=text(definition("0.86.0")))


@situation
def definitions_that_cannot_be_compared(kubectl: Program, ground: Ground) -> Answer:
    return kubectl.ask(*DIFF, stdin=text(definition()), kubeconfig="limited")


@situation
def definitions_on_a_machine_without_diff(kubectl: Program, ground: Ground) -> Answer:
    with defined(ground):
        return kubectl.ask(*DIFF, stdin=text(definition("0.86.0")), path="/nowhere")


@situation
def definitions_unserved(kubectl: Program, ground: Ground) -> Answer:
    return kubectl.ask("get", "probes.monitoring.coreos.com", "--output", "name")


@situation
def definitions_served(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with defined(ground):
        return kubectl.ask("get", "probes.monitoring.coreos.com", "--output", "name")


# -- what runs ------------------------------------------------------------------------------------------


@situation
def kinds_of_nothing(kubectl: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return kubectl.ask("get", KINDS, "-o", "json")


@situation
def kinds_unknown(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask("get", f"{KINDS},{OPERATED_KINDS}", "-o", "json")


@situation
def kinds_limited(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask("get", KINDS, "-o", "json", kubeconfig="limited")


@situation
def claims_of_nothing(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask("get", "persistentvolumeclaims", "-o", "json")


@situation
def logs(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, pod()):
        path = "/api/v1/namespaces/monitoring/pods/thanos-0"
        ground.until(lambda: (ground.found(path) or {})["status"]["phase"] == "Running")
        return kubectl.ask(*LOGS)


@situation
def logs_of_a_container_that_did_not_run_before(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    with there(ground, pod()):
        return kubectl.ask(*LOGS, "--previous")


@situation
def logs_of_no_pod(kubectl: Program, ground: Ground) -> Answer:
    ground.namespace()
    return kubectl.ask(*LOGS)


# -- a namespace on its way out -------------------------------------------------------------------------


@situation
def apply_in_a_leaving_namespace(kubectl: Program, ground: Ground) -> Answer:
    ground.leaving_namespace()
    return kubectl.ask(*APPLY, stdin=text(secret()))


@situation
def lease_made_in_a_leaving_namespace(kubectl: Program, ground: Ground) -> Answer:
    ground.leaving_namespace()
    return kubectl.ask(*WRITE_ANEW, stdin=text(lease()))

