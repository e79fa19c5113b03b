"""What a container is started with."""

import unittest

from pods import spec
from pods.spec import NotYet

POD = {
    "metadata": {"name": "p-0", "namespace": "m", "uid": "u", "labels": {"app": "p"}, "annotations": {"b": "2", "a": "1"}},
    "spec": {"nodeName": "node-1", "securityContext": {"runAsUser": 1000, "fsGroup": 2000}, "containers": []},
    "status": {"podIP": "10.97.0.9", "podIPs": [{"ip": "10.97.0.9"}], "hostIP": "10.98.0.11"},
}
SOURCES = {("secrets", "keys"): {"access": b"AKIA", "secret": b"shh"}, ("configmaps", "settings"): {"level": b"debug"}}


def lookup(kind: str, name: str) -> dict[str, bytes] | None:
    return SOURCES.get((kind, name))


def environment(**container: object) -> dict[str, str]:
    return spec.environment(POD, {"name": "c", **container}, lookup, {"HOME": "/"})


class Variables(unittest.TestCase):
    def test_references_to_variables_are_put_in(self) -> None:
        values = {"A": "1", "B": "$(A)"}
        for text, expected in {
            "x-$(A)": "x-1",
            "$(A)$(A)": "11",
            "$$(A)": "$(A)",
            "$(NONE)": "$(NONE)",
            "$(B)": "$(A)",  # once is enough
            "$A ${A} $( A)": "$A ${A} $( A)",
        }.items():
            self.assertEqual(spec.expand(text, values), expected, text)

    def test_a_variable_may_refer_to_those_before_it(self) -> None:
        listed = [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)2"},
            {"name": "A", "value": "$(C)"},
            {"name": "C", "value": "3"},
        ]
        self.assertEqual(environment(env=listed), {"HOME": "/", "A": "$(C)", "B": "12", "C": "3"})

    def test_values_come_from_everywhere(self) -> None:
        listed = [
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "access"}}},
            {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "absent", "key": "k", "optional": True}}},
        ]
        self.assertEqual(environment(env=listed), {"HOME": "/", "KEY": "AKIA", "LEVEL": "debug", "IP": "10.97.0.9", "LABEL": "p"})

    def test_whole_sources_come_with_a_prefix_and_yield_to_single_values(self) -> None:
        listed = {"envFrom": [{"prefix": "S3_", "secretRef": {"name": "keys"}}], "env": [{"name": "S3_secret", "value": "mine"}]}
        self.assertEqual(environment(**listed), {"HOME": "/", "S3_access": "AKIA", "S3_secret": "mine"})

    def test_what_is_missing_is_said_as_a_kubelet_says_it(self) -> None:
        for variable, words in (
            ({"secretKeyRef": {"name": "absent", "key": "k"}}, 'secret "absent" not found'),
            ({"secretKeyRef": {"name": "keys", "key": "k"}}, "couldn't find key k in Secret m/keys"),
            ({"configMapKeyRef": {"name": "absent", "key": "k"}}, 'configmap "absent" not found'),
            ({"configMapKeyRef": {"name": "settings", "key": "k"}}, "couldn't find key k in ConfigMap m/settings"),
        ):
            with self.assertRaises(NotYet) as raised:
                environment(env=[{"name": "A", "valueFrom": variable}])
            self.assertEqual((raised.exception.reason, raised.exception.message), ("CreateContainerConfigError", words))

    def test_services_are_told_of_as_docker_links_once_were(self) -> None:
        service = {
            "metadata": {"name": "thanos-query"},
            "spec": {"clusterIP": "10.96.0.9", "ports": [{"name": "http", "port": 9090}]},
        }
        headless = {"metadata": {"name": "operated"}, "spec": {"clusterIP": "None", "ports": [{"port": 1}]}}
        self.assertEqual(
            spec.service_links([service, headless]),
            {
                "THANOS_QUERY_SERVICE_HOST": "10.96.0.9",
                "THANOS_QUERY_SERVICE_PORT": "9090",
                "THANOS_QUERY_SERVICE_PORT_HTTP": "9090",
                "THANOS_QUERY_PORT": "tcp://10.96.0.9:9090",
                "THANOS_QUERY_PORT_9090_TCP": "tcp://10.96.0.9:9090",
                "THANOS_QUERY_PORT_9090_TCP_PROTO": "tcp",
                "THANOS_QUERY_PORT_9090_TCP_PORT": "9090",
                "THANOS_QUERY_PORT_9090_TCP_ADDR": "10.96.0.9",
            },
        )


class Fields(unittest.TestCase):
    def test_fields_of_the_pod(self) -> None:
        for path, expected in {
            "metadata.name": "p-0",
            "metadata.namespace": "m",
            "metadata.uid": "u",
            "spec.nodeName": "node-1",
            "status.hostIP": "10.98.0.11",
            "status.podIPs": "10.97.0.9",
            "metadata.annotations": 'a="1"\nb="2"',
            "metadata.labels['absent']": "",
        }.items():
            self.assertEqual(spec.field(POD, path), expected, path)

    def test_amounts_are_in_the_unit_that_is_asked_for_and_rounded_up(self) -> None:
        container = {"resources": {"limits": {"memory": "512Mi", "cpu": "250m"}}}
        for resource, divisor, expected in (
            ("limits.memory", "1", "536870912"),
            ("limits.memory", "1Gi", "1"),
            ("limits.cpu", "1", "1"),
            ("limits.cpu", "1m", "250"),
            ("requests.cpu", "1", "0"),
        ):
            self.assertEqual(spec.resource(container, {"resource": resource, "divisor": divisor}), expected, resource)
        self.assertEqual(spec.resource({}, {"resource": "limits.memory", "divisor": "0"}), str(64 * 2**30), "that of the node")

    def test_quantities(self) -> None:
        for text, expected in {
            "1": 1,
            "100m": 0.1,
            "2k": 2000,
            "1Ki": 1024,
            "1.5Gi": 1.5 * 2**30,
            "1e3": 1000,
            "2E": 2e18,
        }.items():
            self.assertAlmostEqual(spec.quantity(text), expected, msg=text)
        for text in ("", "Mi", "1X", "-1"):
            with self.assertRaises(ValueError, msg=text):
                spec.quantity(text)

    def test_a_container_says_more_of_itself_than_its_pod(self) -> None:
        self.assertEqual(spec.security(POD, {}, "runAsUser"), 1000)
        self.assertEqual(spec.security(POD, {"securityContext": {"runAsUser": 0}}, "runAsUser"), 0)
        self.assertEqual(spec.security(POD, {}, "runAsGroup", 7), 7)

    def test_a_port_may_be_named(self) -> None:
        container = {"ports": [{"name": "http", "containerPort": 9090}]}
        self.assertEqual([spec.port_number(container, port) for port in ("http", 81, "82")], [9090, 81, 82])


if __name__ == "__main__":
    unittest.main()
