//! The bytes of a file as a tree with a place on every node, or why they are not one.
//!
//! What the keys mean is left to `reader`.

use marked_yaml::types::MarkedMappingNode;
use marked_yaml::{LoadError, LoaderOptions, Marker, Node, parse_yaml_with_options};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::ScanError;

use super::Source;
use super::faults::{Fault, Place, quoted};

/// Larger than any fleet; a file beyond it is something else.
const LARGEST: usize = 1 << 20;
/// The tree is built and dropped recursively; deeper ones would overflow the stack.
const DEEPEST: usize = 32;

/// Parses the file. When keys stand in it twice, the tree comes with that fault, so that the rest
/// of the file can be checked too.
pub(super) fn parse(source: &Source) -> Result<(MarkedMappingNode, Option<Fault>), Fault> {
    let text = text(source)?;
    check_structure(source, text)?;
    let load = |twice: bool| {
        let options = LoaderOptions::default().prevent_coercion(true);
        parse_yaml_with_options(0, text, options.error_on_duplicate_keys(!twice))
    };
    let (tree, fault) = match load(false) {
        Err(error @ LoadError::DuplicateKey(_)) => (load(true), Some(load_fault(source, &error))),
        tree => (tree, None),
    };
    match tree.map_err(|error| load_fault(source, &error))? {
        Node::Mapping(mapping) => Ok((mapping, fault)),
        Node::Scalar(_) | Node::Sequence(_) => Err(not_a_mapping(source.place(1, 1))),
    }
}

/// The place of a node.
pub(super) fn place(source: &Source, marker: Option<&Marker>) -> Place {
    marker.map_or_else(|| source.place(1, 1), |marker| source.place(marker.line(), marker.column()))
}

/// Whether nothing is said: `""`, `[]`, `{a: ""}`.
pub(super) fn is_empty(node: &Node) -> bool {
    match node {
        Node::Scalar(scalar) => {
            let null = scalar.may_coerce() && matches!(scalar.as_str(), "~" | "null");
            scalar.is_empty() || null
        }
        Node::Sequence(sequence) => sequence.iter().all(is_empty),
        Node::Mapping(mapping) => mapping.values().all(is_empty),
    }
}

fn text(source: &Source) -> Result<&str, Fault> {
    let bytes = &source.bytes;
    if bytes.len() > LARGEST {
        let message = format!("the file has {} bytes; {LARGEST} are allowed", bytes.len());
        return Err(Fault::new(source.place(1, 1), "", message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let place = source.place(before.matches('\n').count() + 1, line.chars().count() + 1);
        Fault::new(place, "", "a byte that is not UTF-8; save the file as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Goes through the file without recursion, and refuses what the loader could not bear or would
/// pass over in silence.
fn check_structure(source: &Source, text: &str) -> Result<(), Fault> {
    let mut parser = Parser::new_from_str(text);
    let (mut depth, mut documents) = (0, 0);
    loop {
        let (event, mark) =
            parser.next_token().map_err(|error| scan_fault(source, text, &error))?;
        let refuse =
            |message: &str| Err(Fault::new(source.place(mark.line(), mark.col() + 1), "", message));
        let anchor = match event {
            Event::StreamEnd if documents == 0 => {
                let message = "the file is empty; begin with `version: 1`";
                return Err(Fault::new(source.place(1, 1), "", message));
            }
            Event::StreamEnd => return Ok(()),
            Event::DocumentStart => {
                documents += 1;
                if documents > 1 {
                    return refuse("a second document begins; write one document a file");
                }
                0
            }
            Event::Alias(anchor) | Event::Scalar(_, _, anchor, _) => anchor,
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                depth += 1;
                anchor
            }
            Event::SequenceEnd | Event::MappingEnd => {
                depth -= 1;
                0
            }
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => 0,
        };
        if anchor > 0 {
            return refuse("anchors and aliases are not read; write the value out");
        }
        if depth > DEEPEST {
            return refuse(&format!("nested deeper than {DEEPEST} levels; write it flatter"));
        }
    }
}

fn scan_fault(source: &Source, text: &str, error: &ScanError) -> Fault {
    // YAML's own message about a tab speaks of a token somewhere after it.
    let line = error.marker().line();
    let mut near = text.lines().enumerate().take(line).skip(line.saturating_sub(3));
    let tab = near.find_map(|(index, line)| {
        let indent = &line[..line.len() - line.trim_start().len()];
        indent.find('\t').map(|column| source.place(index + 1, column + 1))
    });
    if let Some(place) = tab {
        return Fault::new(place, "", "a tab in the indentation; write spaces");
    }
    let place = source.place(error.marker().line(), error.marker().col() + 1);
    Fault::new(place, "", format!("not YAML: {}", error.info()))
}

fn load_fault(source: &Source, error: &LoadError) -> Fault {
    let fault = |marker, message: &str| Fault::new(place(source, Some(marker)), "", message);
    match error {
        LoadError::TopLevelMustBeMapping(marker) | LoadError::TopLevelMustBeSequence(marker) => {
            not_a_mapping(place(source, Some(marker)))
        }
        LoadError::UnexpectedAnchor(marker) => {
            fault(marker, "anchors and aliases are not read; write the value out")
        }
        LoadError::MappingKeyMustBeScalar(marker) => fault(
            marker,
            "a key that is a list or a mapping; put templates such as `{{ x }}` in quotes",
        ),
        LoadError::UnexpectedTag(marker) => {
            fault(marker, "tags are not read; leave the `!...` out")
        }
        LoadError::ScanError(marker, error) => {
            fault(marker, &format!("not YAML: {}", error.info()))
        }
        LoadError::DuplicateKey(twice) => {
            let first = twice.prev_key.span().start().map_or(1, Marker::line);
            let key = quoted(&twice.key);
            let message =
                format!("the key {key} stands here twice, first in line {first}; leave one out");
            Fault::new(place(source, twice.key.span().start()), "", message)
        }
    }
}

fn not_a_mapping(place: Place) -> Fault {
    Fault::new(place, "", "not a mapping of keys; begin with `version: 1`")
}
