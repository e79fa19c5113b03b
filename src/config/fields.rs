//! Reads one mapping key by key, in the words of `reader`: each key is declared once, with what it
//! means and which form it has; out come its value, the faults, and the JSON Schema.
//!
//! A key of which nothing is said (`key:`, `""`) counts as absent. What a setting says wins over
//! what the file says. Reading goes on after a fault, so that one report has them all.

mod key;

use std::cell::RefCell;

use marked_yaml::Node;
use marked_yaml::types::MarkedMappingNode;
use serde_json::{Map, Value, json};

use super::faults::{Fault, Place, nearest, quoted};
use super::layers::{Setting, Source};
use super::tree;
use key::Key;

/// What all mappings of a file share.
#[derive(Debug, Default)]
pub(super) struct Reading<'a> {
    pub(super) source: Option<&'a Source>,
    pub(super) settings: &'a [Setting],
    /// Whether the schema alone is wanted: every section is gone through, present or not.
    pub(super) describing: bool,
    pub(super) faults: RefCell<Vec<Fault>>,
}

/// The keys of one mapping.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    reading: &'a Reading<'a>,
    /// None: the mapping is absent; settings may speak for it.
    mapping: Option<&'a MarkedMappingNode>,
    /// Where the mapping begins.
    place: Place,
    /// What stands before its keys' names: `objectStorage.`, `clusters[].`.
    path: String,
    /// Whether settings are heard; not those of a cluster that is not selected.
    pub(super) hears_settings: bool,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

/// Reads the mapping with `body`, then refuses the keys that `body` did not ask for.
/// Returns what `body` made, and the mapping's JSON Schema.
pub(super) fn read<'a, T>(
    reading: &'a Reading<'a>,
    mapping: Option<&'a MarkedMappingNode>,
    body: impl FnOnce(&mut Fields<'a>) -> T,
) -> (T, Value) {
    let place = reading.source.map_or(Place::Nowhere, |source| source.place(1, 1));
    let fields = Fields {
        reading,
        mapping,
        place,
        path: String::new(),
        hears_settings: true,
        properties: Map::new(),
        required: Vec::new(),
    };
    fields.finish(body)
}

impl<'a> Fields<'a> {
    /// Declares a key. `about` is what the JSON Schema and the flags' help say of it.
    pub(super) fn key<'f>(&'f mut self, name: &'static str, about: &'static str) -> Key<'f, 'a> {
        Key::new(self, name, about)
    }

    /// Whether anything is said of the key, right or wrong.
    pub(super) fn says(&self, name: &str) -> bool {
        self.setting(name).is_some() || self.node(name).is_some_and(|node| !tree::is_empty(node))
    }

    pub(super) fn fault(&self, name: &str, message: impl Into<String>) {
        self.report(Fault::new(self.value_place(name), self.shown(name), message));
    }

    /// Where the key's value stands; where the mapping does, when the key is absent.
    pub(super) fn value_place(&self, name: &str) -> Place {
        match (self.setting(name), self.node(name)) {
            (Some(setting), _) => setting.place(),
            (None, Some(node)) => self.node_place(node),
            (None, None) => self.place.clone(),
        }
    }

    fn finish<T>(mut self, body: impl FnOnce(&mut Self) -> T) -> (T, Value) {
        let value = body(&mut self);
        self.refuse_unknown_keys();
        let mut schema = json!({
            "type": "object", "additionalProperties": false, "properties": self.properties,
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        (value, schema)
    }

    fn child(&self, mapping: Option<&'a MarkedMappingNode>, place: Place, path: String) -> Self {
        let (properties, required) = (Map::new(), Vec::new());
        Self { mapping, place, path, properties, required, ..*self }
    }

    fn refuse_unknown_keys(&self) {
        for key in self.mapping.iter().flat_map(|mapping| mapping.keys()) {
            if !self.properties.contains_key(key.as_str()) {
                let place = self.marker_place(key.span().start());
                let message = format!("unknown key {}; {}", quoted(key), self.instead_of(key));
                self.report(Fault::new(place, self.shown("").trim_end_matches('.'), message));
            }
        }
    }

    fn instead_of(&self, unknown: &str) -> String {
        let known = self.properties.keys().map(String::as_str);
        if let Some(meant) = nearest(unknown, known.clone()) {
            return format!("did you mean `{meant}`?");
        }
        let plain = unknown.to_lowercase().replace(['-', '_'], "");
        if ["secret", "password", "accesskey"].iter().any(|word| plain.contains(word)) {
            return "no secret is in this file; set OKEMON_S3_ACCESS_KEY and OKEMON_S3_SECRET_KEY"
                .to_owned();
        }
        format!("known here: {}", known.collect::<Vec<_>>().join(", "))
    }

    fn node(&self, name: &str) -> Option<&'a Node> {
        self.mapping.and_then(|mapping| mapping.get_node(name))
    }

    fn setting(&self, name: &str) -> Option<&'a Setting> {
        let key = self.full(name);
        let settings = self.hears_settings.then_some(self.reading.settings)?;
        settings.iter().rfind(|setting| setting.key == key)
    }

    /// The key as messages show it: without the list that the line is in anyway.
    fn shown(&self, name: &str) -> String {
        let path = self.full(name);
        path.rsplit_once("[].").map_or(path.as_str(), |(_, rest)| rest).to_owned()
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    fn key_place(&self, name: &str) -> Place {
        let keys = self.mapping.iter().flat_map(|mapping| mapping.keys());
        let marker = keys.filter(|key| key.as_str() == name).find_map(|key| key.span().start());
        marker.map_or_else(|| self.place.clone(), |marker| self.marker_place(Some(marker)))
    }

    fn node_place(&self, node: &Node) -> Place {
        self.marker_place(node.span().start())
    }

    fn marker_place(&self, marker: Option<&marked_yaml::Marker>) -> Place {
        self.reading.source.map_or(Place::Nowhere, |source| tree::place(source, marker))
    }

    fn report(&self, fault: Fault) {
        self.reading.faults.borrow_mut().push(fault);
    }
}
