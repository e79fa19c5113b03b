//! Every valid `okemon.yaml` of one cluster, with the files of Helm values that it names.

use okemon::config::regions::REGIONS;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::own::own_values;
use crate::words::{context, label, label_key, label_value, path};

/// The releases, as the keys of own values name them.
pub(crate) const RELEASES: [&str; 3] = ["prometheus", "thanos", "grafana"];

/// One configuration, as a person would have it on disk.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// What `okemon.yaml` says.
    pub(crate) file: Value,
    pub(crate) style: Style,
    /// The texts of the own values that it names as `NAME.yaml`, in the order of the releases.
    pub(crate) own: [Option<String>; 3],
}

/// How `okemon.yaml` is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Block,
    Flow,
}

impl Configuration {
    /// The text of `okemon.yaml`.
    pub(crate) fn text(&self) -> String {
        match self.style {
            Style::Block => serde_yaml::to_string(&self.file).unwrap(),
            Style::Flow => self.file.to_string(),
        }
    }

    /// What is said at a path below a cluster, or else below the file.
    pub(crate) fn said(&self, path: &str) -> Option<&Value> {
        let empty = |value: &&Value| *value != &json!({}) && *value != &json!([]);
        let of_cluster = self.file.pointer(&format!("/clusters/0{path}")).filter(empty);
        of_cluster.or_else(|| self.file.pointer(path).filter(empty))
    }
}

/// Any valid configuration of one cluster.
pub(crate) fn configuration() -> impl Strategy<Value = Configuration> {
    let style = prop::sample::select(&[Style::Block, Style::Flow][..]);
    let own = [0, 1, 2].map(|_| prop::option::weighted(0.3, own_values()));
    (file(), style, own).prop_map(|(mut file, style, own)| {
        for (name, own) in RELEASES.iter().zip(&own) {
            if own.is_some() {
                file["values"][name] = json!(format!("{name}.yaml"));
            }
        }
        Configuration { file, style, own }
    })
}

fn file() -> BoxedStrategy<Value> {
    mapping(vec![
        ("version", always(Just(json!(1)))),
        ("namespace", maybe(label())),
        ("charts", maybe(one_of(&["bitnami", "community"]))),
        ("chartVersions", maybe(mapping(RELEASES.map(|name| (name, maybe(version()))).into()))),
        ("imageRegistry", maybe(registry())),
        ("imagePullSecrets", maybe(list(secret()))),
        ("size", maybe(size())),
        ("retention", maybe(retention())),
        ("placement", maybe(placement())),
        ("objectStorage", always(storage())),
        ("grafana", maybe(grafana())),
        ("clusters", always(cluster().prop_map(|cluster| json!([cluster])))),
    ])
}

fn cluster() -> BoxedStrategy<Value> {
    let region = prop::sample::select(REGIONS)
        .prop_flat_map(|region| one_of(&[region.key, region.identifier]));
    mapping(vec![
        ("region", always(region)),
        ("name", maybe(label())),
        ("role", maybe(one_of(&["admin"]))),
        ("context", always(context())),
        ("kubeconfig", maybe(path())),
        ("uid", maybe("[0-9a-fA-F]{8}-[0-9]{4}-[0-9]{4}-[a-f]{4}-[0-9a-f]{12}")),
        ("size", maybe(size())),
        ("retention", maybe(retention())),
        ("placement", maybe(placement())),
        ("bucket", maybe(bucket())),
        ("prefix", maybe(prefix())),
        ("compartment", maybe(ocid("compartment"))),
        ("loadBalancer", maybe(load_balancer())),
    ])
}

fn storage() -> BoxedStrategy<Value> {
    mapping(vec![
        ("bucket", always(bucket())),
        ("prefix", maybe(prefix())),
        ("namespace", always("[a-z0-9]([a-z0-9_-]{0,12}[a-z0-9_])?|no|1e3|0x1f|12")),
        ("compartment", maybe(ocid("(compartment|tenancy)"))),
        ("auth", maybe(one_of(&["s3"]))),
        (
            "endpoint",
            maybe(
                "https://(s3\\.example\\.com|10\\.0\\.0\\.1|\\[::1\\])(:9000)?|http://localhost:70",
            ),
        ),
    ])
}

fn load_balancer() -> BoxedStrategy<Value> {
    let networks = one_of(&["10.0.0.0/16", "0.0.0.0/0", "10.1.2.3/32", "fd00::/8", "::/0"]);
    let nsgs = prop::collection::vec(ocid("networksecuritygroup"), 0..=5);
    let nlb = mapping(vec![
        ("type", always(Just("nlb"))),
        ("address", maybe("10\\.[0-9]\\.[0-9]\\.25[0-5]")),
    ]);
    let kind = prop_oneof![nlb, Just(json!({"type": "lb"})), Just(json!({}))];
    let rest = mapping(vec![
        ("expose", maybe(one_of(&["query", "sidecar"]))),
        ("subnet", always(ocid("subnet"))),
        ("nsgs", maybe(nsgs)),
        ("allowFrom", maybe(list(networks))),
    ]);
    (kind, rest)
        .prop_map(|(mut kind, rest)| {
            kind.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            kind
        })
        .boxed()
}

fn placement() -> BoxedStrategy<Value> {
    let labels = prop::collection::hash_map(
        label_key(),
        prop_oneof![label_value(), Just(String::new())],
        0..4,
    );
    mapping(vec![
        ("nodeSelector", maybe(labels)),
        ("tolerations", maybe(prop::collection::vec(toleration(), 0..3))),
    ])
}

fn toleration() -> BoxedStrategy<Value> {
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    mapping(vec![
        ("key", maybe(label_key())),
        ("operator", always(prop::sample::select(&["Exists", "Equal"][..]))),
        ("value", maybe(label_value())),
        ("effect", maybe(prop::sample::select(effects.to_vec()))),
        // As far as JSON's numbers are exact.
        ("tolerationSeconds", maybe(-(1_i64 << 53)..1 << 53)),
    ])
}

fn retention() -> BoxedStrategy<Value> {
    mapping(vec![
        ("local", maybe(duration())),
        ("raw", maybe(lasting())),
        ("fiveMinutes", maybe(lasting())),
        ("oneHour", maybe(duration())),
    ])
}

fn grafana() -> BoxedStrategy<Value> {
    let path = prop_oneof![Just("{{x}}&$(id)#*'`".to_owned()), "[!-~]{0,30}".prop_map(|path| path)];
    let url = path.prop_map(|path| format!("https://grafana.example.com:443/{path}"));
    mapping(vec![("dashboards", maybe(any::<bool>())), ("url", maybe(url))])
}

fn size() -> BoxedStrategy<String> {
    one_of(&["small", "medium", "large"])
}

fn duration() -> BoxedStrategy<String> {
    prop_oneof![
        "0|0d|0s|00d|1y|01w|9d|[1-9][0-9]{0,2}[smhdw]|1y2w3d4h5m6s7ms|1e3ms"
            .prop_filter("an exponent", |text| !text.contains('e')),
    ]
    .boxed()
}

/// As long as samples have to be kept that coarser ones are made from, or for ever.
fn lasting() -> BoxedStrategy<String> {
    "0|0d|0s|00d|1y|02w|240h|[1-9][0-9]{1,2}d|[2-9]w|1y2w3d4h5m6s7ms".boxed()
}

fn version() -> BoxedStrategy<String> {
    "[0-9]\\.[0-9]\\.[0-9]{1,2}(-rc\\.1)?(\\+[a-z0-9]{1,3})?".boxed()
}

fn registry() -> BoxedStrategy<String> {
    "(no|1e3|0|\\.?5|sin\\.ocir\\.io|localhost:5000|\\[::1\\]:5000)(/[a-z0-9._-]{1,9}){0,2}"
        .prop_filter("a host", |text| !text.starts_with('.'))
        .boxed()
}

fn secret() -> BoxedStrategy<String> {
    "no|y|1|0x1f|1\\.5|1e3|null|[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?".boxed()
}

fn bucket() -> BoxedStrategy<String> {
    "yes|off|null|true|1e3|0x1f|123|1\\.5e3|0o17|[a-z0-9][a-z0-9]{1,60}[a-z0-9]".boxed()
}

fn prefix() -> BoxedStrategy<String> {
    "(no|1_000|0x1F|\\.5|1e3|-|--|_|NULL|1\\.|[A-Za-z0-9_-]{1,9})(/[a-zA-Z0-9-]{1,5}){0,2}|".boxed()
}

fn ocid(kind: &str) -> BoxedStrategy<String> {
    let pattern = format!("ocid1\\.{kind}\\.oc[1-9]{{1,2}}\\.(ap-sydney-1)?\\.[a-zA-Z0-9]{{1,60}}");
    prop::string::string_regex(&pattern).unwrap().boxed()
}

fn one_of(words: &[&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(words.to_vec()).prop_map(str::to_owned).boxed()
}

fn list(items: BoxedStrategy<String>) -> BoxedStrategy<Vec<String>> {
    prop::collection::vec(items, 0..4).boxed()
}

/// What may be said of a key; none: nothing.
type Said = BoxedStrategy<Option<Value>>;

fn maybe<S: Strategy<Value: serde::Serialize> + 'static>(value: S) -> Said {
    prop::option::weighted(0.4, value).prop_map(|value| value.map(|value| json!(value))).boxed()
}

fn always<S: Strategy<Value: serde::Serialize> + 'static>(value: S) -> Said {
    value.prop_map(|value| Some(json!(value))).boxed()
}

/// A mapping with those of its keys of which something is said.
fn mapping(keys: Vec<(&'static str, Said)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let said = move |values: Vec<Option<Value>>| {
        let said =
            names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Value::Object(said.collect::<Map<_, _>>())
    };
    values.prop_map(said).boxed()
}
