"""Situations in which okemon calls helm. Each begins without a release, and calls as okemon does."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

from ground import WAYS, Answer, Ground, Object, Program, closed, there
from situations_of_kubectl import PROBE, QUOTA, defined, no_new_secrets, service, stateful_set, webhook

Situation = Callable[[Program, Ground], Answer]
SITUATIONS: list[Situation] = []
ALIKE: list[Situation] = []  # those that change nothing

STATUS = ("status", "thanos", "-o", "json")
STATUS_OF_3 = ("status", "thanos", "--show-resources", "-o", "json")
HISTORY = ("history", "thanos", "-o", "json")
LIST = ("list", "--deployed", "--failed", "--pending", "--uninstalling", "-o", "json")
ALL = """\
{{- if .Values.refuse }}{{ fail .Values.refuse }}{{ end }}
{{- if .Values.deep }}{{ .Values.not.there }}{{ end }}
{{- range .Values.objects }}
---
{{ toYaml . }}
{{- end }}
{{ .Values.raw }}
"""
SCHEMA = '{"type": "object", "properties": {"objects": {"type": "array"}, "refuse": {"type": "string"}}}'


def situation(make: Situation) -> Situation:
    SITUATIONS.append(make)
    return make


# -- charts ---------------------------------------------------------------------------------------------


def chart(ground: Ground, version: str = "1.0.0", **files: str) -> str:
    """The archive of a chart whose objects are all in its values."""
    content = {"Chart.yaml": f"apiVersion: v2\nname: thanos\nversion: {version}\n"}
    content |= {"templates/all.yaml": ALL, "values.schema.json": SCHEMA, **files}
    archive = ground.folder / f"thanos-{version}.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, text in content.items():
            entry = tarfile.TarInfo(f"thanos/{name}")
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return str(archive)


def upgrade(archive: str) -> tuple[str, ...]:
    told = ("--description", "okemon: thanos-1.0.0", "--values", "-")
    return ("upgrade", "--install", "thanos", archive, "--skip-crds", "--disable-openapi-validation", *told)


def values(*objects: Object, **more: object) -> str:
    return json.dumps({"objects": objects, **more})


def settings(value: str = "one") -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": value}}


def hook(when: str) -> Object:
    """A Job that helm waits for, and that no node takes."""
    spec = {"restartPolicy": "Never", "nodeSelector": {"no": "node"}, "containers": [{"name": "wait", "image": "wait"}]}
    annotations = {"helm.sh/hook": when, "helm.sh/hook-delete-policy": "before-hook-creation"}
    metadata = {"name": "wait", "annotations": annotations}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": spec}}}


# -- releases -------------------------------------------------------------------------------------------


def nothing(ground: Ground) -> None:
    """The namespace without a release, or what one makes."""
    ground.namespace()
    ground.delete("secret", "--selector=owner=helm")
    ground.delete("configmap/settings", "service/thanos-storeapi", "statefulset/thanos", "job/wait")


def deployed(helm: Program, ground: Ground, *objects: Object) -> None:
    nothing(ground)
    helm.done(*upgrade(chart(ground)), stdin=values(*(objects or (settings(),))))


def cut_short(helm: Program, ground: Ground, status: str, *arguments: str, stdin: str = "") -> None:
    """A helm that is killed while it waits for a hook."""
    child = helm.start(*arguments)
    child.stdin.write(stdin)  # type: ignore[union-attr]
    child.stdin.close()  # type: ignore[union-attr]
    selector = f"owner%3Dhelm%2Cname%3Dthanos%2Cstatus%3D{status}"
    ground.until(lambda: ground.api.request("GET", f"/api/v1/namespaces/monitoring/secrets?labelSelector={selector}")["items"])
    child.kill()
    child.wait()
    child.stdout.close()  # type: ignore[union-attr]
    child.stderr.close()  # type: ignore[union-attr]


def pending_install(helm: Program, ground: Ground) -> None:
    nothing(ground)
    cut_short(helm, ground, "pending-install", *upgrade(chart(ground)), stdin=values(hook("pre-install")))


def pending_upgrade(helm: Program, ground: Ground) -> None:
    deployed(helm, ground)
    cut_short(helm, ground, "pending-upgrade", *upgrade(chart(ground)), stdin=values(settings(), hook("pre-upgrade")))


def pending_upgrade_without_an_object(helm: Program, ground: Ground) -> None:
    deployed(helm, ground)
    cut_short(helm, ground, "pending-upgrade", *upgrade(chart(ground)), stdin=values(hook("pre-upgrade")))


def failed_rollback(helm: Program, ground: Ground) -> None:
    pending_upgrade_without_an_object(helm, ground)
    helm.ask("rollback", "thanos", "1")


def pending_rollback(helm: Program, ground: Ground) -> None:
    deployed(helm, ground, settings(), hook("pre-rollback"))
    helm.done(*upgrade(chart(ground)), stdin=values(settings("other")))
    cut_short(helm, ground, "pending-rollback", "rollback", "thanos", "1")


def uninstalling(helm: Program, ground: Ground) -> None:
    deployed(helm, ground, settings(), hook("pre-delete"))
    cut_short(helm, ground, "uninstalling", "uninstall", "thanos")


def uninstalled_but_kept(helm: Program, ground: Ground) -> None:
    deployed(helm, ground)
    helm.done("uninstall", "thanos", "--keep-history")


def failed(helm: Program, ground: Ground) -> None:
    deployed(helm, ground)
    helm.ask(*upgrade(chart(ground)), stdin=values(service("nowhere")))


def kinds_gone(helm: Program, ground: Ground) -> None:
    """The definition of one of its objects is deleted, and that object with it."""
    nothing(ground)
    with defined(ground):
        helm.done(*upgrade(chart(ground)), stdin=values(PROBE, settings()))
    helm.forget()


# -- looks ----------------------------------------------------------------------------------------------


def looks(prefix: str, *call: str) -> None:
    """A look at a release in each of its states."""
    for make in (deployed, failed, pending_install, pending_upgrade, pending_rollback, uninstalling):

        def look(helm: Program, ground: Ground, make: Callable[[Program, Ground], None] = make) -> Answer:
            make(helm, ground)
            return helm.ask(*call)

        look.__name__ = f"{prefix}_{make.__name__}"
        situation(look)


looks("status", *STATUS)
looks("history", *HISTORY)


@situation
def status_absent(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    return helm.ask(*STATUS)


@situation
def status_in_no_namespace(helm: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return helm.ask(*STATUS)


@situation
def status_uninstalled_but_kept(helm: Program, ground: Ground) -> Answer:
    uninstalled_but_kept(helm, ground)
    return helm.ask(*STATUS)


@situation
def status_of_objects_that_are_gone(helm: Program, ground: Ground) -> Answer:
    deployed(helm, ground)
    ground.delete("configmap/settings")
    return helm.ask(*STATUS)


@situation
def status_of_some_objects_that_are_gone(helm: Program, ground: Ground) -> Answer:
    deployed(helm, ground, settings(), service())
    ground.delete("configmap/settings")
    return helm.ask(*STATUS)


@situation
def status_of_kinds_that_are_gone(helm: Program, ground: Ground) -> Answer:
    kinds_gone(helm, ground)
    return helm.ask(*STATUS)


def status_on_the_way(name: str) -> None:
    def look(helm: Program, ground: Ground) -> Answer:
        return helm.ask(*STATUS, kubeconfig=name)

    look.__name__ = f"way_{name.replace('-', '_')}"
    ALIKE.append(situation(look))


for way in WAYS:
    if way != "good":
        status_on_the_way(way)


@situation
def resources_deployed(helm: Program, ground: Ground) -> Answer:
    deployed(helm, ground)
    return helm.ask(*STATUS_OF_3)


@situation
def resources_that_are_gone(helm: Program, ground: Ground) -> Answer:
    deployed(helm, ground)
    ground.delete("configmap/settings")
    return helm.ask(*STATUS_OF_3)


@situation
def resources_of_kinds_that_are_gone(helm: Program, ground: Ground) -> Answer:
    kinds_gone(helm, ground)
    return helm.ask(*STATUS_OF_3)


@situation
def history_absent(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    return helm.ask(*HISTORY)


@situation
def list_of_nothing(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    return helm.ask(*LIST)


@situation
def list_deployed(helm: Program, ground: Ground) -> Answer:
    deployed(helm, ground)
    return helm.ask(*LIST)


@situation
def list_pending(helm: Program, ground: Ground) -> Answer:
    pending_install(helm, ground)
    return helm.ask(*LIST)


# -- changes --------------------------------------------------------------------------------------------


def change(make: Callable[[Program, Ground], None] | None, *objects: Object, **more: object) -> Callable[[Program, Ground], Answer]:
    """An upgrade to these values, after the release was made so."""

    def call(helm: Program, ground: Ground) -> Answer:
        (make or (lambda _, ground: nothing(ground)))(helm, ground)
        return helm.ask(*upgrade(chart(ground)), stdin=values(*objects, **more))

    return call


def changes(prefix: str, **calls: Callable[[Program, Ground], Answer]) -> None:
    for name, call in calls.items():
        call.__name__ = f"{prefix}_{name}"
        situation(call)


def owned_by_another(helm: Program, ground: Ground) -> None:
    nothing(ground)
    ground.apply(settings())


def written_by_another(helm: Program, ground: Ground) -> None:
    """Another has taken over a field of an object of the release."""
    deployed(helm, ground)
    ground.apply(settings("other"))


changes(
    "upgrade",
    anew=change(None, settings()),
    again=change(deployed, settings("two")),
    of_a_release_that_failed=change(failed, settings("two")),
    of_a_pending_install=change(pending_install, settings()),
    of_a_pending_upgrade=change(pending_upgrade, settings()),
    of_a_pending_rollback=change(pending_rollback, settings()),
    after_a_rollback_that_failed=change(failed_rollback, settings("two")),
    of_a_release_that_is_uninstalling=change(uninstalling, settings()),
    of_a_release_that_was_uninstalled_but_kept=change(uninstalled_but_kept, settings()),
)
changes(
    "values",
    that_the_schema_refuses=change(None, refuse=1),
    that_the_chart_refuses=change(None, refuse="values are wrong: no example"),
    that_the_template_fails_on=change(None, deep=True),
    that_make_no_yaml=change(None, raw="a: b: c"),
    with_an_unknown_field=change(None, {**settings(), "dada": {"key": "value"}}),
    with_an_unknown_field_later=change(deployed, {**settings(), "dada": {"key": "value"}}),
    with_an_unknown_kind=change(None, PROBE),
    that_are_invalid=change(None, service("nowhere")),
)
changes(
    "refused",
    for_an_immutable_set=change(lambda helm, ground: deployed(helm, ground, stateful_set("one")), stateful_set("other")),
    for_an_immutable_address=change(lambda helm, ground: deployed(helm, ground, service()), service("127.96.77.1")),
    for_an_object_that_another_owns=change(owned_by_another, settings()),
    for_a_field_that_another_wrote=change(written_by_another, settings("two")),
)


@situation
def refused_without_a_namespace(helm: Program, ground: Ground) -> Answer:
    ground.no_namespace()
    return helm.ask(*upgrade(chart(ground)), stdin=values(settings()))


@situation
def refused_to_somebody_limited(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    return helm.ask(*upgrade(chart(ground)), stdin=values(settings()), kubeconfig="limited")


@situation
def refused_for_a_newer_kubernetes(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    content = "apiVersion: v2\nname: thanos\nversion: 1.0.0\nkubeVersion: '>=1.99.0'\n"
    return helm.ask(*upgrade(chart(ground, **{"Chart.yaml": content})), stdin=values())


@situation
def refused_over_quota(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    pods = {**QUOTA, "spec": {"hard": {"count/configmaps": "0"}}}
    with there(ground, pods):
        ground.until(lambda: "used" in (ground.found("/api/v1/namespaces/monitoring/resourcequotas/none") or {})["status"])
        return helm.ask(*upgrade(chart(ground)), stdin=values(settings()))


@situation
def refused_without_room_for_its_record(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    with no_new_secrets(ground, QUOTA):
        return helm.ask(*upgrade(chart(ground)), stdin=values(settings()))


@situation
def refused_for_a_webhook_that_is_not_there(helm: Program, ground: Ground) -> Answer:
    nothing(ground)
    limited = webhook(ground, None)
    limited["webhooks"][0]["rules"][0]["resources"] = ["configmaps"]
    with there(ground, limited):
        ground.until(lambda: not taken(ground))
        answer = helm.ask(*upgrade(chart(ground)), stdin=values(settings()))
    ground.until(lambda: taken(ground))
    return answer


def taken(ground: Ground) -> bool:
    """Whether the API server would take a ConfigMap."""
    try:
        ground.api.request("POST", "/api/v1/namespaces/monitoring/configmaps?dryRun=All", {"metadata": {"name": "tried"}})
    except Exception:
        return False
    return True


@situation
def rollback(helm: Program, ground: Ground) -> Answer:
    pending_upgrade(helm, ground)
    return helm.ask("rollback", "thanos", "1")


@situation
def rollback_of_an_upgrade_that_drops_an_object(helm: Program, ground: Ground) -> Answer:
    pending_upgrade_without_an_object(helm, ground)
    return helm.ask("rollback", "thanos", "1")


@situation
def rollback_to_no_revision(helm: Program, ground: Ground) -> Answer:
    deployed(helm, ground)
    return helm.ask("rollback", "thanos", "7")


# -- charts alone ---------------------------------------------------------------------------------------


@situation
def definitions(helm: Program, ground: Ground) -> Answer:
    return helm.ask("show", "crds", chart(ground, **{"crds/probes.yaml": DEFINITION}))


@situation
def definitions_of_no_file(helm: Program, ground: Ground) -> Answer:
    return helm.ask("show", "crds", str(ground.folder / "thanos-2.0.0.tgz"))


@situation
def definitions_of_no_chart(helm: Program, ground: Ground) -> Answer:
    archive = Path(ground.folder / "thanos-3.0.0.tgz")
    archive.write_text("<html></html>")
    return helm.ask("show", "crds", str(archive))


@situation
def pull_from_nowhere(helm: Program, ground: Ground) -> Answer:
    return helm.ask(*pull("nowhere.invalid"))


@situation
def pull_where_nobody_listens(helm: Program, ground: Ground) -> Answer:
    return helm.ask(*pull(closed()))


def pull(host: str) -> tuple[str, ...]:
    return ("pull", f"oci://{host}/charts/thanos", "--version", "1.0.0", "--destination", "/nowhere")


@situation
def refused_in_a_leaving_namespace(helm: Program, ground: Ground) -> Answer:
    ground.leaving_namespace()
    return helm.ask(*upgrade(chart(ground)), stdin=values(settings()))


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    operator.prometheus.io/version: 0.85.0
  name: probes.monitoring.coreos.com
"""
