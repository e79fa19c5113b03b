//! Bytes that are no configuration at all.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{FULL, LEAST, report};

#[test]
fn a_key_that_stands_twice_hides_no_other_fault() {
    assert_snapshot!(report(LEAST.replace("version: 1", "version: 1\nversion: 1\nsize: x")), @r#"
    okemon.yaml:2:1: the key "version" stands here twice, first in line 1; leave one out
    okemon.yaml:3:7: size: "x" is not known; write small or medium or large
    "#);
}

#[test]
fn what_is_no_tree_is_one_fault() {
    let deep = "- ".repeat(400_000);
    let flow = format!("a: {}", "[".repeat(100_000));
    let nested = (0..1000).map(|depth| " ".repeat(depth) + "a:\n").collect::<String>();
    let large = "#".repeat((1 << 20) + 1);
    let table: [&[u8]; 17] = [
        b"",
        b"# nothing\n",
        b"---\n",
        b"- a\n",
        b"text",
        b"version: 1\nnamespace: \"\xff\"\n",
        b"version: 1\nclusters:\n\t- region: sin\n",
        b"version: [1\n",
        b"version: 1\n---\nversion: 1\n",
        b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        b"version: *one\n",
        b"version: !!int 1\n",
        b"namespace: {{ name }}\n",
        deep.as_bytes(),
        flow.as_bytes(),
        nested.as_bytes(),
        large.as_bytes(),
    ];
    let reports: Vec<_> = table.iter().map(report).collect();
    assert_snapshot!(reports.join("\n"), @"
    okemon.yaml:1:1: the file is empty; begin with `version: 1`
    okemon.yaml:1:1: the file is empty; begin with `version: 1`
    okemon.yaml:2:1: not a mapping of keys; begin with `version: 1`
    okemon.yaml:1:1: not a mapping of keys; begin with `version: 1`
    okemon.yaml:1:1: not a mapping of keys; begin with `version: 1`
    okemon.yaml:2:13: a byte that is not UTF-8; save the file as UTF-8
    okemon.yaml:3:1: a tab in the indentation; write spaces
    okemon.yaml:2:1: not YAML: while parsing a flow sequence, expected ',' or ']'
    okemon.yaml:2:1: a second document begins; write one document a file
    okemon.yaml:1:7: anchors and aliases are not read; write the value out
    okemon.yaml:1:10: not YAML: while parsing node, found unknown anchor
    okemon.yaml:1:16: tags are not read; leave the `!...` out
    okemon.yaml:1:13: a key that is a list or a mapping; put templates such as `{{ x }}` in quotes
    okemon.yaml:1:65: nested deeper than 32 levels; write it flatter
    okemon.yaml:1:259: not YAML: recursion limit exceeded
    okemon.yaml:33:34: nested deeper than 32 levels; write it flatter
    okemon.yaml:1:1: the file has 1048577 bytes; 1048576 are allowed
    ");
}

/// Pieces that make YAML go wrong in interesting ways when they are strung together.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "version: 1",
            "\n",
            "\n  ",
            "\n- ",
            "- ",
            "? ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            ",",
            "\"",
            "'",
            "|\n",
            ">\n",
            "&a ",
            "*a",
            "!!str ",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "#",
            "\t",
            "\r",
            "<<: ",
            "~",
            "clusters:",
            "region: sin",
            "objectStorage:",
            "retention:",
            "nsgs",
            "loadBalancer:",
            "\u{feff}",
            "\u{2028}",
            "placement: {tolerations: [{",
            "a",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in pieces()) {
        let _ = report(bytes);
    }

    #[test]
    fn no_cut_or_spliced_file_makes_the_reader_panic(
        at in 0..FULL.len(), to in 0..FULL.len(), middle in pieces(),
    ) {
        let bytes = FULL.as_bytes();
        let _ = report([&bytes[..at], &middle, &bytes[to..]].concat());
    }
}
