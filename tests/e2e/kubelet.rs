//! The sandbox's own kubelet, by pods that need no chart: what becomes of them is what a cluster would say.

use std::path::{Path, PathBuf};
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, eventually};
use crate::variants::Charts;

/// A pod of the namespace `default` with one container that runs a shell script; `more` is of the container.
fn pod(name: &str, script: &str, more: &Value) -> Value {
    let mut container = json!({"name": "c", "image": "busybox", "command": ["sh", "-c", script]});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 2, "containers": [container]}})
}

fn create(sandbox: &Sandbox, objects: &[Value]) {
    sandbox.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
}

fn get(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_str(&sandbox.kubectl(&["get", "pod", name, "-o", "json"])).unwrap()
}

fn is_ready(sandbox: &Sandbox, name: &str) -> bool {
    get(sandbox, name)["status"]["containerStatuses"][0]["ready"] == true
}

/// How the last container of a pod stands, in one line.
fn state(sandbox: &Sandbox, name: &str) -> String {
    let pod = get(sandbox, name);
    let containers = pod["status"]["containerStatuses"].as_array();
    let container = containers.and_then(|all| all.last()).unwrap_or(&Value::Null);
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let word = |value: &Value| {
        value.as_str().unwrap_or("").trim().replace(uid, "UID").replace(" 20s", " 10s")
    };
    let waiting = &container["state"]["waiting"];
    let last = &container["lastState"]["terminated"];
    let ended = if last.is_null() {
        String::new()
    } else {
        format!(" | {} {} {}", word(&last["reason"]), last["exitCode"], word(&last["message"]))
    };
    format!(
        "{name}: {} {}{}",
        word(&waiting["reason"]),
        word(&waiting["message"]),
        ended.trim_end()
    )
}

const FALLBACK: &str = "FallbackToLogsOnError";

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn what_cannot_run_is_told_as_a_kubelet_tells_it() {
    let sandbox = Sandbox::shared_with_pods();
    let key = |secret: &str, key: &str| json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}]});
    let mut mixed = pod("unknown-image", "sleep 1000", &json!({}));
    mixed["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "d", "image": "example.com/nothing:v1"}));
    let mut mount = pod(
        "missing-volume",
        "sleep 1000",
        &json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
    );
    mount["spec"]["volumes"] = json!([{"name": "v", "secret": {"secretName": "absent"}}]);
    create(
        sandbox,
        &[
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "there"}, "stringData": {"other": "x"}}),
            pod("missing-secret", "sleep 1000", &key("absent", "k")),
            pod("missing-key", "sleep 1000", &key("there", "k")),
            pod("crash", "echo last words; exit 3", &json!({"terminationMessagePolicy": FALLBACK})),
            pod(
                "greedy",
                "exec python3 -c 'bytearray(300000000)'",
                &json!({"resources": {"limits": {"memory": "50Mi"}}}),
            ),
            pod(
                "unready",
                "sleep 1000",
                &json!({"readinessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 1}}),
            ),
            mixed,
            mount,
        ],
    );
    let waiting = [
        ("missing-secret", "CreateContainerConfigError"),
        ("missing-key", "CreateContainerConfigError"),
        ("crash", "CrashLoopBackOff"),
        ("greedy", "CrashLoopBackOff"),
        ("unknown-image", "ImagePullBackOff"),
        ("missing-volume", "ContainerCreating"),
    ];
    for (name, reason) in waiting {
        eventually(name, || state(sandbox, name).contains(reason));
    }
    let states: Vec<String> = waiting.iter().map(|(name, _)| state(sandbox, name)).collect();
    assert_snapshot!(states.join("\n"), @r#"
    missing-secret: CreateContainerConfigError secret "absent" not found
    missing-key: CreateContainerConfigError couldn't find key k in Secret default/there
    crash: CrashLoopBackOff back-off 10s restarting failed container=c pod=crash_default(UID) | Error 3 last words
    greedy: CrashLoopBackOff back-off 10s restarting failed container=c pod=greedy_default(UID) | OOMKilled 137
    unknown-image: ImagePullBackOff Back-off pulling image "example.com/nothing:v1": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "example.com/nothing:v1": failed to resolve reference "example.com/nothing:v1": example.com/nothing:v1: not found
    missing-volume: ContainerCreating
    "#);
    let warnings = || {
        let text =
            sandbox.kubectl(&["get", "events", "--field-selector", "type=Warning", "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        let line = |event: &Value| {
            format!(
                "{} {}: {}",
                event["involvedObject"]["name"].as_str().unwrap(),
                event["reason"].as_str().unwrap(),
                event["message"].as_str().unwrap()
            )
        };
        let mut lines: Vec<String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .filter(|line| line.starts_with("missing") || line.starts_with("unready"))
            .collect();
        lines.sort();
        lines.join("\n").replace(get(sandbox, "unready")["status"]["podIP"].as_str().unwrap(), "IP")
    };
    eventually("the probe's failure is told", || warnings().contains("Unhealthy"));
    assert_snapshot!(warnings(), @r#"
    missing-key Failed: Error: couldn't find key k in Secret default/there
    missing-secret Failed: Error: secret "absent" not found
    missing-volume FailedMount: MountVolume.SetUp failed for volume "v" : secret "absent" not found
    unready Unhealthy: Readiness probe failed: [Errno 111] Connection refused
    "#);
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn a_pod_is_asked_to_end_and_then_made_to_with_all_that_it_forked() {
    let sandbox = Sandbox::shared_with_pods();
    let mut polite = pod("polite", "trap exit TERM; sleep 1000 & wait", &json!({}));
    polite["spec"]["terminationGracePeriodSeconds"] = json!(3600);
    create(
        sandbox,
        &[
            polite,
            pod(
                "deaf",
                "trap '' TERM; for i in 1 2 3 4 5; do setsid sleep 4321 & done; while true; do sleep 1; done",
                &json!({}),
            ),
        ],
    );
    for name in ["polite", "deaf"] {
        eventually(name, || is_ready(sandbox, name));
    }
    let forked = || processes_with("sleep\u{0}4321").len();
    eventually("it has forked", || forked() == 5);
    let delete = |name: &str| sandbox.kubectl(&["delete", "pod", name, "--wait"]);
    // Within its hour.
    sandbox.kubectl(&["delete", "pod", "polite", "--wait", "--timeout=10m"]);
    let begin = std::time::Instant::now();
    delete("deaf");
    assert!(begin.elapsed().as_secs() >= 2, "it has two seconds");
    assert_eq!(forked(), 0);
}

/// The processes of this machine whose command line has this in it.
fn processes_with(words: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.starts_with(words).then(|| format!("{} {line}", entry.file_name().to_string_lossy()))
    });
    lines.collect()
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn secrets_arrive_in_running_pods_and_kubectl_reaches_into_them() {
    let sandbox = Sandbox::shared_with_pods();
    let mut reader = pod(
        "reader",
        "echo begun; cd /v; exec python3 -m http.server 8000",
        &json!({"ports": [{"containerPort": 8000}], "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            "readinessProbe": {"httpGet": {"path": "/word", "port": 8000}, "periodSeconds": 1},
            "securityContext": {"runAsUser": 1000, "runAsGroup": 2000, "readOnlyRootFilesystem": true}}),
    );
    reader["spec"]["volumes"] = json!([{"name": "v", "secret": {"secretName": "s"}}]);
    let secret = |word: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"word": word}});
    create(sandbox, &[secret("one"), reader]);
    eventually("it is ready", || is_ready(sandbox, "reader"));
    let served = || {
        sandbox.kubectl(&["get", "--raw", "/api/v1/namespaces/default/pods/reader:8000/proxy/word"])
    };
    assert_eq!(served(), "one");
    create(sandbox, &[secret("two")]);
    eventually("the new word arrives", || served() == "two");
    eventually("its log is found", || sandbox.kubectl(&["logs", "reader"]).starts_with("begun\n"));
    assert_eq!(
        sandbox.kubectl(&[
            "exec",
            "reader",
            "--",
            "sh",
            "-c",
            "id -u; id -g; hostname; cat /v/word"
        ]),
        "1000\n2000\nreader\ntwo"
    );
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn clusters_reach_each_other_by_load_balancers_alone() {
    let sandbox = Sandbox::shared_with_pods();
    sandbox.driver(&["up", "syd"]);
    let of_syd = sandbox.path("clusters/syd/admin.kubeconfig");
    let syd = |args: &[&str]| {
        sandbox.kubectl(&[&["--kubeconfig", of_syd.to_str().unwrap()], args].concat())
    };
    let web = pod(
        "web",
        "exec python3 -m http.server 8000 --directory /etc",
        &json!({"readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1}}),
    );
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}});
    create(sandbox, &[web, service]);
    eventually("it is ready", || is_ready(sandbox, "web"));
    let balancer = || {
        sandbox.kubectl(&[
            "get",
            "service",
            "web",
            "-o",
            "jsonpath={.status.loadBalancer.ingress[0].ip}",
        ])
    };
    eventually("it has an address", || !balancer().is_empty());
    let own = sandbox.kubectl(&["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
    let address = get(sandbox, "web")["status"]["podIP"].as_str().unwrap().to_owned();
    syd(&["run", "client", "--image", "busybox", "--command", "--", "sleep", "1000"]);
    syd(&["wait", "--for=condition=Ready", "pod/client", "--timeout=60s"]);
    let reach = |where_to: &str, port: u16| {
        let script = format!(
            "import socket\ntry: socket.create_connection(('{where_to}', {port}), 3); print('reached')\nexcept OSError as error: print(type(error).__name__)"
        );
        syd(&["exec", "client", "--", "python3", "-c", &script]).trim().to_owned()
    };
    let seen =
        [("a load balancer", balancer(), 80), ("a Service", own, 80), ("a pod", address, 8000)];
    let seen: Vec<String> =
        seen.iter().map(|(what, to, port)| format!("{what}: {}", reach(to, *port))).collect();
    assert_eq!(
        seen,
        ["a load balancer: reached", "a Service: TimeoutError", "a pod: TimeoutError"]
    );
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn what_runs_outlives_the_runner_and_nothing_outlives_the_sandbox() {
    let sandbox = Sandbox::up_with_pods(Charts::Bitnami);
    create(
        &sandbox,
        &[pod("steady", "i=0; while sleep 0.2; do i=$((i + 1)); echo $i; done", &json!({}))],
    );
    eventually("it runs", || is_ready(&sandbox, "steady"));
    let runs = || get(&sandbox, "steady")["status"]["containerStatuses"][0]["containerID"].clone();
    let (first, said) = (runs(), sandbox.kubectl(&["logs", "steady"]).lines().count());
    let record = std::fs::read_to_string(sandbox.path("processes/sin-pods.json")).unwrap();
    let runner = serde_json::from_str::<Value>(&record).unwrap()["pid"].to_string();
    kill(&runner);
    create(&sandbox, &[pod("late", "sleep 1000", &json!({}))]);
    sandbox.driver(&["up", "sin"]);
    eventually("what was asked for meanwhile runs", || is_ready(&sandbox, "late"));
    eventually("nothing that it said is lost", || {
        let lines = sandbox.kubectl(&["logs", "steady"]);
        let counted = (1..=lines.lines().count()).map(|number| number.to_string());
        assert!(lines.lines().eq(counted), "{lines}");
        lines.lines().count() > said + 10
    });
    assert_eq!(runs(), first);

    // All that names the sandbox's directory is killed; pods are left, and `down` finds them.
    let groups = groups_of("sh\u{0}-c\u{0}i=0; while sleep 0.2;");
    assert!(groups.iter().all(|group| group.exists()) && !groups.is_empty(), "{groups:?}");
    let directory = sandbox.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    for process in processes_with("") {
        if process.contains(&directory) {
            kill(process.split_once(' ').unwrap().0);
        }
    }
    sandbox.driver(&["down"]);
    assert_eq!(groups.iter().find(|group| group.exists()), None);
    assert!(!Path::new(&directory).join("clusters").exists());
}

/// The control groups of the sandbox that a process with such a command line runs in, in each hierarchy.
fn groups_of(words: &str) -> Vec<PathBuf> {
    let process = processes_with(words)[0].split_once(' ').unwrap().0.to_owned();
    let told = std::fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap();
    let mut names =
        told.lines().filter_map(|line| line.split('/').find(|at| at.starts_with("okemon-")));
    let name = names.next_back().unwrap().to_owned();
    ["", "memory", "pids"]
        .map(|root| Path::new("/sys/fs/cgroup").join(root).join(&name))
        .into_iter()
        .filter(|group| group.exists())
        .collect()
}

fn kill(process: &str) {
    let _ = Command::new("kill").args(["-9", process]).status().unwrap();
}

#[test]
#[ignore = "needs root, bubblewrap and nftables: make test runs it where they are"]
fn whatever_a_pod_does_is_borne() {
    let sandbox = Sandbox::shared_with_pods();
    let many: Vec<Value> = (0..50).map(|number| json!({"name": format!("c{number}"), "image": "busybox", "command": ["sleep", "1000"]})).collect();
    let mut fifty = pod("fifty", "", &json!({}));
    fifty["spec"]["containers"] = json!(many);
    let huge = "x".repeat(900_000);
    let mut reader = pod(
        "huge",
        "wc -c < /v/huge; sleep 1000",
        &json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
    );
    reader["spec"]["volumes"] = json!([{"name": "v", "configMap": {"name": "huge"}}]);
    let serve = |port: &str| json!({"name": format!("c{port}"), "image": "busybox", "command": ["python3", "-m", "http.server", "8000"]});
    let mut taken = pod("taken", "", &json!({}));
    taken["spec"]["containers"] = json!([serve("1"), serve("2")]);
    create(
        sandbox,
        &[
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "huge"}, "data": {"huge": huge}}),
            fifty,
            reader,
            taken,
            pod(
                "talkative",
                "yes 0123456789012345678901234567890123456789 | head -c 1000000000; echo; echo done; sleep 1000",
                &json!({}),
            ),
            pod("bomb", "for i in $(seq 3000); do sleep 1000 & done; sleep 1000", &json!({})),
        ],
    );
    eventually("fifty containers are ready", || {
        sandbox.kubectl(&["get", "pod", "fifty"]).contains("50/50")
    });
    eventually("the huge file is whole", || sandbox.kubectl(&["logs", "huge"]) == "900000\n");
    eventually("the second one finds its port taken", || {
        let statuses = get(sandbox, "taken")["status"]["containerStatuses"].clone();
        statuses
            .as_array()
            .unwrap()
            .iter()
            .filter(|status| status["state"]["waiting"]["reason"] == "CrashLoopBackOff")
            .count()
            == 1
    });
    eventually("a gigabyte was written", || {
        sandbox.kubectl(&["logs", "talkative", "--tail", "1"]) == "done\n"
    });
    eventually("the bomb has met its limit", || {
        let said = |more: &[&str]| sandbox.try_kubectl(&[&["logs", "bomb"], more].concat()).stdout;
        said(&[]).contains("Cannot fork") || said(&["--previous"]).contains("Cannot fork")
    });
    let folder = sandbox
        .path("clusters/sin/pods")
        .join(get(sandbox, "talkative")["metadata"]["uid"].as_str().unwrap())
        .join("containers/c");
    let kept: u64 = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(kept < 25_000_000, "{kept}");
    sandbox.kubectl(&["delete", "pod", "bomb", "fifty", "--wait"]);
}
