//! Files of Helm values as people write them: words without quotes, anchors, and whatever else YAML
//! 1.1 and 1.2 read differently.

use std::collections::BTreeSet;

use proptest::prelude::*;

/// Scalars as they stand in a file that Helm takes.
#[rustfmt::skip]
const SCALARS: &[&str] = &[
    "no", "Off", "y", "N", "true", "FALSE", "null", "~", "\"\"", "''", "1_000", "1__0", "_1",
    "0x1F", "0x_1F", "0o17", "017", "0440", "08", "0b11", "-0b11", ".5", "1.", "+1", "-0", "1e3",
    "1E+3", "1.5e-7", "1e21", "123456789012345678901", "9007199254740993", "12:30:00", "190:20:30",
    "2026-01-01", "2001-12-14t21:59:43.10-05:00", "=", "\"no\"", "'1'", "\"0440\"", "'1_000'",
    "\"y\"", "\"a: b\"", "a b", "\"\\u2028\\t\\x7f\\n\"", "'it''s'", "\"{{ x }}\"", "!!str 1",
    "!!str no", "!!int \"3\"", "!!float 1", "!!bool \"true\"",
    "!!null \"\"", "*common", "[]", "{}", "[no, 0x1F, {a: off}]",
    "{a: no, b: [~]}", "|\n  a\n   b\n\n", ">-\n  a\n  b\n\n  c\n", "|+\n  no\n", "100Mi", "50Gi",
    "72h", "0.85.0", "1.10", "é", "# nothing",
];

/// Keys of the charts, which are merged with okemon's own.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "global", "prometheus", "prometheusSpec", "thanos", "query", "compactor", "retention",
    "retentionResolutionRaw", "resolutionRaw", "persistence", "size", "enabled", "replicaCount",
    "externalLabels", "cluster", "nodeSelector", "resources", "limits", "cpu", "image", "registry",
    "grafana.ini", "server", "root_url", "datasources", "extraFlags",
];

/// Keys that are no plain words; one a mapping, since two of them can be the same key.
#[rustfmt::skip]
const NASTY_KEYS: &[&str] = &[
    "y", "No", "on", "true", "1", "0x1", "1.5", "1_000", "017", "\"no\"", "'1'", "a b", "\"\"",
    "2026-01-01", "\"{{ x }}\"", "<<", "!!str 3", "12:30", "1e3", ".5", "*word",
];

/// What is written at a key or in a list.
#[derive(Clone, Debug)]
enum Node {
    Scalar(&'static str),
    Mapping(Vec<(&'static str, Node)>),
    List(Vec<Node>),
}

/// The text of a file of values.
pub(crate) fn own_values() -> BoxedStrategy<String> {
    let scalar = prop::sample::select(SCALARS).prop_map(Node::Scalar);
    let node = scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => mapping(inner.clone()),
            1 => prop::collection::vec(inner, 1..4).prop_map(Node::List),
        ]
    });
    let head = ["", "# mine\n", "---\n", "\u{feff}"];
    let common = "word: &word common\ncommon: &common {y: no, size: 0440, enabled: off}\n";
    (prop::sample::select(head.to_vec()), prop::option::of(mapping(node)))
        .prop_map(move |(head, root)| {
            let mut text = head.to_owned();
            if let Some(root) = root {
                text.push_str(common);
                write(&root, 0, &mut text);
            }
            text
        })
        .boxed()
}

fn mapping(values: impl Strategy<Value = Node> + 'static) -> BoxedStrategy<Node> {
    let plain = (prop::sample::select(KEYS), values);
    let nasty = (
        prop::option::weighted(0.3, prop::sample::select(NASTY_KEYS)),
        prop::sample::select(SCALARS),
    );
    (prop::collection::vec(plain, 1..4), nasty)
        .prop_map(|(mut entries, (key, value))| {
            let mut seen = BTreeSet::new();
            entries.retain(|(key, _)| seen.insert(*key));
            // Only a mapping can be merged.
            let value = if key == Some("<<") { "*common" } else { value };
            entries.extend(key.map(|key| (key, Node::Scalar(value))));
            Node::Mapping(entries)
        })
        .boxed()
}

/// Writes a node as a block that is `depth` deep.
fn write(node: &Node, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match node {
        Node::Scalar(scalar) => {
            text.push_str(&format!("{}\n", scalar.replace('\n', &format!("\n{indent}"))));
        }
        Node::Mapping(entries) => {
            for (key, value) in entries {
                text.push_str(&format!("{indent}{}", key.replace('\n', &format!("\n{indent}"))));
                text.push_str(if key.starts_with('*') { " :" } else { ":" });
                below(value, depth, text);
            }
        }
        Node::List(items) => {
            for item in items {
                text.push_str(&format!("{indent}-"));
                below(item, depth, text);
            }
        }
    }
}

fn below(node: &Node, depth: usize, text: &mut String) {
    text.push_str(if matches!(node, Node::Scalar(_)) { " " } else { "\n" });
    write(node, depth + 1, text);
}
