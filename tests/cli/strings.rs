//! Texts that YAML, a shell or a terminal could take for something else, in every key of `okemon.yaml`
//! that holds a text: each is refused, or arrives at the tools as it was written.
//!
//! The keys are those of the JSON Schema, so a new one is tried by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use insta::assert_snapshot;
use okemon::config::{Selection, Source, load};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::machine::{KEYS, Machine, result};

/// Texts, each of which leaves a file `ran` behind when a shell runs it.
const TEXTS: &[&str] = &[
    "no",
    "~",
    "null",
    "1_000",
    "a: b",
    "a #b",
    "*a",
    " a ",
    "{{ x }}",
    "${HOME}",
    "$(touch ran)",
    "`touch ran`",
    "'; touch ran; '",
    "\"; touch ran; \"",
    "\\\"; touch ran",
    "a\ntouch ran\n",
    "a\r\ntouch ran",
    "a\nEOF\ntouch ran\n",
    "-x",
    "--help",
    "e\u{301}",
    "\u{202e}txt.exe",
    "\u{1f469}\u{200d}\u{1f680}",
    "a\0b",
    "a\u{1b}[31m",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{feff}a",
    "@@s3-access-key@@",
];

/// The pointers to every text of a file, in the first item of each list.
fn texts(schema: &Value, pointer: &str) -> Vec<String> {
    if let Some(properties) = schema["properties"].as_object() {
        let of = |(name, schema): (&String, &Value)| texts(schema, &format!("{pointer}/{name}"));
        return properties.iter().flat_map(of).collect();
    }
    match schema["type"].as_str() {
        Some("array") => texts(&schema["items"], &format!("{pointer}/0")),
        Some("object") => texts(&schema["additionalProperties"], &format!("{pointer}/pool")),
        Some("string") => vec![pointer.to_owned()],
        _ => vec![],
    }
}

/// A text as it is tried in a key: a file must not have the name of the directory with the charts.
fn tried(key: &str, text: &str) -> String {
    if key.contains("/values/") { format!("{text}.yaml") } else { text.to_owned() }
}

/// A file with every key, and this text in one of them.
fn with(file: &Value, pointer: &str, text: &str) -> Value {
    let mut file = file.clone();
    let mut place = &mut file;
    for part in pointer.split('/').skip(1) {
        if part == "0" {
            if place.get(0).is_none() {
                *place = json!([null]);
            }
            place = &mut place[0];
        } else {
            place = &mut place[part];
        }
    }
    *place = json!(tried(pointer, text));
    file
}

/// What is wrong with the file; none: it is accepted.
fn refused(file: &Value) -> Option<String> {
    let (origin, directory) = ("okemon.yaml".to_owned(), PathBuf::new());
    let source = Source { origin, directory, bytes: file.to_string().into_bytes() };
    load(Some(&source), &[], &Selection::default()).err().map(|faults| faults.to_string())
}

/// Everything that the tools were given: words and texts of documents, and the parts of both.
fn arrived(machine: &Machine) -> BTreeSet<String> {
    fn gather(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => {
                add(text, into);
                // A document within a document.
                if text.contains('\n')
                    && let Ok(inner) = serde_yaml::from_str::<Value>(text)
                {
                    gather(&inner, into);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
            Value::Object(fields) => fields.values().for_each(|value| gather(value, into)),
            _ => {}
        }
    }
    /// Hosts, paths and images hold a text of the file as a part.
    fn add(word: &str, into: &mut BTreeSet<String>) {
        into.insert(word.to_owned());
        into.extend(word.split("://").flat_map(|rest| rest.split(['/', '.'])).map(str::to_owned));
        into.extend(word.rmatch_indices('/').map(|(slash, _)| word[..slash].to_owned()));
    }
    let mut arrived = BTreeSet::new();
    for call in fs::read_to_string(machine.path("log")).unwrap().lines() {
        let call: Call = serde_json::from_str(call).unwrap();
        call.args.iter().for_each(|arg| add(arg, &mut arrived));
        arrived.extend(call.kubeconfig);
        for document in serde_yaml::Deserializer::from_str(&call.stdin) {
            gather(&Value::deserialize(document).unwrap(), &mut arrived);
        }
    }
    arrived
}

/// A call that a fake wrote down.
#[derive(Deserialize)]
struct Call {
    args: Vec<String>,
    kubeconfig: Option<String>,
    stdin: String,
}

/// The whole file; what a cluster says in the place of it is left out, unless that is tried.
fn file(of_cluster: bool) -> Value {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/full.yaml"));
    let mut file: Value = serde_yaml::from_str(&text.unwrap()).unwrap();
    if !of_cluster {
        let cluster = file["clusters"][0].as_object_mut().unwrap();
        for key in ["size", "retention", "values", "placement", "bucket", "prefix", "compartment"] {
            cluster.remove(key);
        }
    }
    file
}

/// Puts what the file names where it names it, as far as such a path can be.
fn lay_out(machine: &Machine, file: &Value) {
    let charts = file["chartDirectory"].as_str().unwrap();
    fs::create_dir_all(machine.path(charts)).unwrap();
    // Of another version than asked for, which is said in the head of a script.
    for chart in ["kube-prometheus", "thanos", "grafana"] {
        fs::write(machine.path(charts).join(format!("{chart}-99.0.0.tgz")), "").unwrap();
    }
    for values in [&file["values"], &file["clusters"][0]["values"]] {
        for path in values.as_object().into_iter().flat_map(|values| values.values()) {
            let path = machine.path(path.as_str().unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if !path.is_dir() {
                fs::write(path, "{}\n").unwrap();
            }
        }
    }
    fs::write(machine.path("okemon.yaml"), file.to_string()).unwrap();
}

/// Runs the plan's script with fakes in the place of all tools.
fn run(machine: &Machine, script: &str) {
    fs::write(machine.path("install.sh"), script).unwrap();
    let path = format!("{}:/usr/bin:/bin", machine.path("bin").display());
    let run = |words: &[&str]| {
        let mut sh = Command::new("/bin/sh");
        sh.args(words).arg("install.sh").current_dir(machine.path("")).env_clear();
        sh.envs(KEYS).env("PATH", &path).env("HOME", machine.path("home"));
        sh.env("FAKE_SCRIPT", machine.path("script.json")).env("FAKE_LOG", machine.path("log"));
        sh.output().unwrap()
    };
    for words in [&["-n"][..], &[]] {
        let output = run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{script}");
    }
}

fn keys() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/okemon.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let keys = texts(&schema, "");
    assert!(keys.len() > 40, "{keys:?}");
    keys
}

#[test]
fn a_text_that_is_none_of_a_keys_own_is_refused_with_what_to_write() {
    let faults = |text: &str| {
        let file = keys().iter().fold(file(true), |file, key| with(&file, key, text));
        // Every key stands in the one line of the file.
        let said = refused(&file).unwrap();
        let without_place =
            |line: &str| line.splitn(4, ':').last().unwrap().trim().to_owned() + "\n";
        said.lines().map(without_place).collect::<String>()
    };
    assert_snapshot!(faults("a: \n$(id)"), @r#"
    namespace: "a: \n$(id)" has ':' in it; use a-z, 0-9 and `-`
    chartVersions.prometheus: "a: \n$(id)" is not an exact version; write all three numbers, such as 1.2.3
    chartVersions.thanos: "a: \n$(id)" is not an exact version; write all three numbers, such as 1.2.3
    chartVersions.grafana: "a: \n$(id)" is not an exact version; write all three numbers, such as 1.2.3
    chartDirectory: "a: \n$(id)" has '\n' in it; rename it
    imageRegistry: "a: \n$(id)" is not a registry; write HOST or HOST/PATH, such as sin.ocir.io/mytenancy
    imagePullSecrets: "a: \n$(id)" is not the name of a Secret; `kubectl get secrets` lists them
    retention.local: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    retention.raw: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    retention.fiveMinutes: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    retention.oneHour: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    values.prometheus: "a: \n$(id).yaml" has '\n' in it; rename it
    values.thanos: "a: \n$(id).yaml" has '\n' in it; rename it
    values.grafana: "a: \n$(id).yaml" has '\n' in it; rename it
    placement.nodeSelector: "a: \n$(id)" is not the value of a label; `kubectl describe nodes` shows labels and taints
    key: "a: \n$(id)" is not the key of a label; `kubectl describe nodes` shows labels and taints
    value: "a: \n$(id)" is not the value of a label; `kubectl describe nodes` shows labels and taints
    objectStorage.bucket: "a: \n$(id)" has ':' in it; use a-z, 0-9 and `-`, `.`
    objectStorage.prefix: "a: \n$(id)" is not a prefix; write letters, digits, `-`, `_`, `.`, with a `/` only between them
    objectStorage.namespace: "a: \n$(id)" is not an Object Storage namespace; `oci os ns get` says it
    objectStorage.compartment: "a: \n$(id)" is not an OCID; it looks like ocid1.KIND.oc1.REGION.UNIQUE
    objectStorage.endpoint: "a: \n$(id)" is not a URL; write https://HOST or https://HOST:PORT
    grafana.url: "a: \n$(id)" is not a URL; write https://HOST/PATH
    alertmanager.configFile: not supported yet; leave it out
    alertmanager.configFile: "a: \n$(id)" has '\n' in it; rename it
    rules: not supported yet; leave it out
    region: "a: \n$(id)" is not a region of OCI; write a key such as `sin` or an identifier such as `ap-singapore-1`
    name: "a: \n$(id)" has ':' in it; use a-z, 0-9 and `-`
    context: "a: \n$(id)" is not the name of a context; kubectl config get-contexts lists them
    kubeconfig: "a: \n$(id)" has '\n' in it; rename it
    uid: "a: \n$(id)" is not a UID; `kubectl get namespace kube-system -o jsonpath={.metadata.uid}` says it
    access: not supported yet; leave it out, and run okemon where kubectl reaches the cluster
    retention.local: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    retention.raw: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    retention.fiveMinutes: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    retention.oneHour: "a: \n$(id)" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
    bucket: "a: \n$(id)" has ':' in it; use a-z, 0-9 and `-`, `.`
    prefix: "a: \n$(id)" is not a prefix; write letters, digits, `-`, `_`, `.`, with a `/` only between them
    compartment: "a: \n$(id)" is not an OCID; it looks like ocid1.KIND.oc1.REGION.UNIQUE
    values.prometheus: "a: \n$(id).yaml" has '\n' in it; rename it
    values.thanos: "a: \n$(id).yaml" has '\n' in it; rename it
    values.grafana: "a: \n$(id).yaml" has '\n' in it; rename it
    placement.nodeSelector: "a: \n$(id)" is not the value of a label; `kubectl describe nodes` shows labels and taints
    key: "a: \n$(id)" is not the key of a label; `kubectl describe nodes` shows labels and taints
    value: "a: \n$(id)" is not the value of a label; `kubectl describe nodes` shows labels and taints
    loadBalancer.subnet: "a: \n$(id)" is not an OCID; it looks like ocid1.KIND.oc1.REGION.UNIQUE
    loadBalancer.nsgs: "a: \n$(id)" is not an OCID; it looks like ocid1.KIND.oc1.REGION.UNIQUE
    loadBalancer.address: "a: \n$(id)" is not an IPv4 address; write one such as 10.1.2.3
    loadBalancer.allowFrom: "a: \n$(id)" is not a network; write one such as 10.0.0.0/16
    "#);
    let long = faults(&"x".repeat(10_000));
    assert!(long.starts_with("namespace: has 10000 bytes; 4096 are enough\n"), "{long}");
    assert_eq!(long.matches(" bytes; 4096 are enough\n").count(), keys().len());
    assert_snapshot!(faults(&"x".repeat(1 << 20)), @"the file has 51381472 bytes; 1048576 are allowed");
}

#[test]
fn every_text_is_refused_or_arrives_as_it_was_written() {
    let keys = keys();
    let (mut accepted, mut lost) = (String::new(), Vec::new());
    for text in TEXTS {
        for of_cluster in [false, true] {
            let plain = file(of_cluster);
            assert_eq!(refused(&plain), None);
            let mut all = plain.clone();
            let mut taken = Vec::new();
            for key in keys.iter().filter(|key| key.starts_with("/clusters/") == of_cluster) {
                match refused(&with(&plain, key, text)) {
                    None => {
                        all = with(&all, key, text);
                        taken.push(key);
                    }
                    Some(said) => {
                        let strange = |c: char| c.is_control() && c != '\n';
                        assert!(said.len() < 400 && !said.contains(strange), "{key}: {said:?}");
                    }
                }
            }
            if taken.is_empty() {
                continue;
            }
            let uid = all["clusters"][0]["uid"].as_str().unwrap().to_lowercase();
            let answers = json!([{"has": ["jsonpath={.metadata.uid}"], "stdout": uid}, {}]);
            let machine = Machine::bare().tools(&["helm", "kubectl", "curl", "openssl"], &answers);
            lay_out(&machine, &all);
            let script = result(machine.run(&["plan", "-o", "sh"]));
            run(&machine, &script);
            assert!(!machine.path("ran").exists(), "{text:?} was run:\n{script}");
            let arrived = arrived(&machine);
            let keys: Vec<&str> = taken.iter().map(|key| key.as_str()).collect();
            accepted += &format!("{text:?} {}\n", keys.join(" "));
            let is_lost = |key: &&&str| !arrived.contains(&tried(key, text));
            lost.extend(keys.iter().filter(is_lost).map(|key| format!("{text:?} {key}")));
        }
    }
    assert_snapshot!(accepted);
    assert_eq!(lost, Vec::<String>::new());
}
