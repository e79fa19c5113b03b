"""The other parts of the runner that need neither a cluster nor a process."""

import tempfile
import time
import unittest
from pathlib import Path

from network import Addresses
from pods import images, services, status, volumes
from pods.logs import LARGEST_FILE, LONGEST_LINE, Output, last_words
from pods.players import grafana
from pods.probes import Probe
from pods.spec import NotYet


def a_pod(*references: str) -> dict:
    return {"spec": {"containers": [{"name": str(number), "image": each} for number, each in enumerate(references)]}}


class Images(unittest.TestCase):
    def test_an_image_is_known_by_its_last_name_from_whatever_registry(self) -> None:
        for reference in ("thanos", "quay.io/thanos/thanos:v0.42.4", "sin.ocir.io:443/axab/mirror/thanos@sha256:00"):
            self.assertEqual(images.name_of(reference), "thanos", reference)
        for reference in ("quay.io/thanos/thanos-receive:v1", "thanos/other"):
            self.assertIsNone(images.known(reference), reference)

    def test_a_pod_is_ours_when_one_of_its_images_is_known(self) -> None:
        self.assertTrue(images.ours(a_pod("example.com/other", "quay.io/thanos/thanos:v1")))
        self.assertFalse(images.ours(a_pod("example.com/other")))


class Services(unittest.TestCase):
    addresses = Addresses(1)

    def slice_of(self, name: str, ready: bool, *addresses: str) -> dict:
        meta = {"name": f"{name}-x", "namespace": "m", "labels": {"kubernetes.io/service-name": name}}
        endpoints = [{"addresses": [each], "conditions": {"ready": ready}} for each in addresses]
        return {"metadata": meta, "ports": [{"name": "http", "port": 10902}], "endpoints": endpoints}

    def lines(self, service: dict, *slices: dict) -> list[str]:
        text = services.rules(self.addresses, [{"metadata": {"name": "s", "namespace": "m"}, **service}], list(slices))
        return [line for line in text.splitlines() if line.startswith("ip daddr")]

    def test_a_service_leads_to_its_ready_endpoints(self) -> None:
        service = {"spec": {"clusterIP": "10.100.0.9", "ports": [{"name": "http", "port": 9090}]}}
        self.assertEqual(
            self.lines(service, self.slice_of("s", True, "10.101.0.2", "10.101.0.3"), self.slice_of("s", False, "10.101.0.4")),
            [
                "ip daddr { 10.100.0.9 } tcp dport 9090 dnat ip addr . port to numgen random mod 2 map { 0 : 10.101.0.2 . 10902, 1 : 10.101.0.3 . 10902 }"
            ],
        )

    def test_a_load_balancer_is_one_more_address(self) -> None:
        service = {
            "spec": {"clusterIP": "10.100.0.9", "ports": [{"name": "http", "port": 80}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "10.103.0.1"}]}},
        }
        self.assertIn(
            "ip daddr { 10.100.0.9, 10.103.0.1 } tcp dport 80", self.lines(service, self.slice_of("s", True, "10.101.0.2"))[0]
        )

    def test_without_a_ready_endpoint_it_is_refused(self) -> None:
        service = {"spec": {"clusterIP": "10.100.0.9", "ports": [{"name": "http", "port": 80}]}}
        self.assertIn("map { 0 : 10.101.0.1 . 9 }", self.lines(service, self.slice_of("s", False, "10.101.0.2"))[0])

    def test_a_headless_service_is_a_matter_of_names_alone(self) -> None:
        self.assertEqual(self.lines({"spec": {"clusterIP": "None", "ports": [{"port": 80}]}}), [])

    def test_no_block_of_addresses_meets_another(self) -> None:
        parts = [Addresses(number).part(part) for number in range(39) for part in range(4)]
        self.assertEqual(len(set(parts)), len(parts))
        self.assertTrue(all(int(Addresses(number).part(3).split(".")[1]) & 3 == 3 for number in range(39)))


class Statuses(unittest.TestCase):
    def phase(self, policy: str, *states: dict, last: dict | None = None) -> str:
        shown = [
            {"state": {"waiting": None, "running": None, "terminated": None} | state, "lastState": {"terminated": last}}
            for state in states
        ]
        return status.phase(policy, True, shown)

    def test_phases(self) -> None:
        run, wait = {"running": {"startedAt": "x"}}, {"waiting": {"reason": "x"}}
        good, bad = ({"terminated": {"exitCode": code}} for code in (0, 1))
        for policy, states, last, expected in (
            ("Always", [run, run], None, "Running"),
            ("Always", [run, wait], None, "Pending"),
            ("Always", [run, wait], {"exitCode": 1}, "Running"),
            ("Always", [good], None, "Running"),
            ("Never", [good, good], None, "Succeeded"),
            ("Never", [good, bad], None, "Failed"),
            ("OnFailure", [good, bad], None, "Running"),
        ):
            self.assertEqual(self.phase(policy, *states, last=last), expected, (policy, states))
        self.assertEqual(status.phase("Always", False, []), "Pending")

    def test_a_condition_keeps_its_time_while_it_stays_as_it_is(self) -> None:
        before = {"Ready": {"type": "Ready", "status": "True", "lastTransitionTime": "then"}}
        self.assertEqual(status.condition("Ready", True, before)["lastTransitionTime"], "then")
        self.assertNotEqual(status.condition("Ready", False, before)["lastTransitionTime"], "then")


class Files(unittest.TestCase):
    def setUp(self) -> None:
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)

    def seen(self) -> dict[str, str]:
        return {entry.name: entry.read_text() for entry in self.folder.iterdir() if not entry.name.startswith(".")}

    def test_files_change_over_all_at_once(self) -> None:
        volumes.write(self.folder, {"a": (b"1", 0o644), "b": (b"1", 0o644)}, None)
        first = (self.folder / "..data").readlink()
        volumes.write(self.folder, {"a": (b"1", 0o644), "b": (b"1", 0o644)}, None)
        self.assertEqual((self.folder / "..data").readlink(), first, "nothing new, nothing written")
        volumes.write(self.folder, {"a": (b"2", 0o644), "c": (b"2", 0o644)}, None)
        self.assertEqual(self.seen(), {"a": "2", "c": "2"})
        self.assertFalse((self.folder / first).exists())

    def test_sources_are_chosen_by_key_and_projected_into_one_folder(self) -> None:
        def lookup(kind: str, name: str) -> dict[str, bytes] | None:
            return {"k1": name.encode(), "k2": b"2"} if name != "absent" else None

        def contents(volume: dict) -> dict[str, bytes]:
            pod = {"metadata": {"namespace": "m"}, "spec": {}}
            return {
                path: text for path, (text, _) in volumes.contents(pod, {"name": "v", **volume}, lookup, lambda _: "t").items()
            }

        self.assertEqual(contents({"secret": {"secretName": "s", "items": [{"key": "k1", "path": "d/x"}]}}), {"d/x": b"s"})
        self.assertEqual(contents({"configMap": {"name": "absent", "optional": True}}), {})
        sources = [
            {"serviceAccountToken": {"path": "token"}},
            {"configMap": {"name": "c", "items": [{"key": "k2", "path": "y"}]}},
            {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ]
        self.assertEqual(contents({"projected": {"sources": sources}}), {"token": b"t", "y": b"2", "ns": b"m"})
        for volume, words in (
            ({"secret": {"secretName": "absent"}}, 'secret "absent" not found'),
            ({"secret": {"secretName": "s", "items": [{"key": "k3", "path": "x"}]}}, "references non-existent secret key: k3"),
        ):
            with self.assertRaises(NotYet) as raised:
                contents(volume)
            self.assertEqual(raised.exception.message, f'MountVolume.SetUp failed for volume "v" : {words}')

    def test_logs_are_kept_line_by_line_and_end_somewhere(self) -> None:
        output = Output(0, self.folder / "0.log")
        output.take(b"one\ntw")
        output.take(b"o\n" + b"x" * (LONGEST_LINE + 1) + b"\n")
        kinds = [line.split(" ", 3)[2:] for line in (self.folder / "0.log").read_text().splitlines()]
        self.assertEqual([(kind, len(text)) for kind, text in kinds], [("F", 3), ("F", 3), ("F", LONGEST_LINE + 1)])
        for _ in range(25):
            output.take(b"y" * 1023 * 1024 + b"\n")
        sizes = [file.stat().st_size for file in self.folder.iterdir()]
        self.assertEqual(len(sizes), 2)
        self.assertTrue(all(size <= LARGEST_FILE for size in sizes), sizes)

    def test_last_words_are_the_end_of_a_log(self) -> None:
        (self.folder / "0.log").write_text("".join(f"T stdout F line {number}\n" for number in range(500)))
        words = last_words(self.folder / "0.log")
        self.assertEqual(words.splitlines()[-1], "line 499")
        self.assertEqual(len(words.splitlines()), 80)


class Probes(unittest.TestCase):
    def test_answers_count_from_their_thresholds_on(self) -> None:
        probe = Probe("readiness", {"failureThreshold": 2, "successThreshold": 2}, time.monotonic())
        passed = []
        for failure in ("", "", "no", "", "no", "no", "", ""):
            probe.count(failure)
            passed.append(probe.passed)
        self.assertEqual(passed, [None, True, True, True, True, False, False, True])


class Yaml(unittest.TestCase):
    def test_the_player_of_grafana_reads_what_its_chart_writes(self) -> None:
        text = """
apiVersion: 1
datasources:
- access: proxy
  isDefault: true
  jsonData:
    httpMethod: POST
    timeInterval: 30s
  name: "Thanos"
  url: http://thanos-query.monitoring.svc:9090
providers:
  - name: 'a'
    options:
      path: /tmp/dashboards
"""
        source = {
            "access": "proxy",
            "isDefault": True,
            "jsonData": {"httpMethod": "POST", "timeInterval": "30s"},
            "name": "Thanos",
            "url": "http://thanos-query.monitoring.svc:9090",
        }
        provider = {"name": "a", "options": {"path": "/tmp/dashboards"}}
        self.assertEqual(grafana.read_yaml(text), {"apiVersion": 1, "datasources": [source], "providers": [provider]})


if __name__ == "__main__":
    unittest.main()
