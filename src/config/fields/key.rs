//! One declared key: the forms that its value may have, and what is said when it has another.
//!
//! Where the value comes from is in `fields`.

use std::fmt::Display;
use std::path::PathBuf;

use marked_yaml::Node;
use marked_yaml::types::{MarkedMappingNode, MarkedScalarNode};
use serde_json::{Map, Value, json};

use super::Fields;
use crate::config::faults::{Fault, Place, quoted};
use crate::config::layers::{CLUSTER, REGION, SETTINGS};
use crate::config::names::BadValue;
use crate::config::reader::NOT_YET;
use crate::config::{checks, tree};

/// As long as a path may be; what is longer would fit into no command line either.
const LONGEST: usize = 4096;
const TEXT: &str = "a text";
const LIST: &str = "a list such as [a, b]";
const MAPPING: &str = "a mapping such as {key: value}";

/// One key that is about to be read.
#[derive(Debug)]
pub(in crate::config) struct Key<'f, 'a> {
    fields: &'f mut Fields<'a>,
    name: &'static str,
    about: &'static str,
    required: bool,
    may_be_empty: bool,
}

/// A scalar as it was found.
struct Given {
    text: String,
    place: Place,
}

impl<'f, 'a> Key<'f, 'a> {
    pub(super) fn new(fields: &'f mut Fields<'a>, name: &'static str, about: &'static str) -> Self {
        Self { fields, name, about, required: false, may_be_empty: false }
    }

    /// Makes its absence a fault.
    pub(in crate::config) fn required(mut self) -> Self {
        self.fields.required.push(self.name);
        self.required = true;
        self
    }

    /// Makes its absence a fault when `condition` holds, which the JSON Schema does not know of.
    pub(in crate::config) fn required_if(mut self, condition: bool) -> Self {
        self.required = condition;
        self
    }

    /// Makes an empty text (`""`, not `key:`) a value like others.
    pub(in crate::config) fn may_be_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }

    /// A text that `parse` understands.
    pub(in crate::config) fn text<T, E: Display>(
        self,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.scalar(json!({"type": "string"}), parse)
    }

    /// A scalar that `parse` understands, of the form that `schema` says.
    pub(in crate::config) fn scalar<T, E: Display>(
        mut self,
        schema: Value,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.declare(schema);
        let given = self.given()?;
        self.parsed(&given, parse)
    }

    /// One of a few words.
    pub(in crate::config) fn word<T: Copy>(self, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        self.scalar(json!({"enum": names}), |text| {
            let found = words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            found.ok_or_else(|| {
                format!("{} is not known; write {}", quoted(text), names.join(" or "))
            })
        })
    }

    /// `true` or `false`.
    pub(in crate::config) fn switch(self) -> Option<bool> {
        self.scalar(json!({"type": "boolean"}), |text| {
            text.parse::<bool>().map_err(|_| format!("{} is neither true nor false", quoted(text)))
        })
    }

    /// A path; a relative one in the file begins at the file's directory.
    pub(in crate::config) fn path(self) -> Option<PathBuf> {
        self.path_that(Ok)
    }

    /// A path that is also good in the eyes of `check`, which sees it with its directory.
    pub(in crate::config) fn path_that(
        mut self,
        check: impl Fn(PathBuf) -> Result<PathBuf, BadValue>,
    ) -> Option<PathBuf> {
        self.declare(json!({"type": "string"}));
        let given = self.given()?;
        let directory = match (&given.place, self.fields.reading.source) {
            (Place::File { .. }, Some(source)) => source.directory.clone(),
            _ => PathBuf::new(),
        };
        self.parsed(&given, |text| checks::path(text).and_then(|path| check(directory.join(path))))
    }

    /// A list of scalars that `parse` understands, each of the form that `schema` says.
    pub(in crate::config) fn list<T, E: Display>(
        mut self,
        schema: &Value,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        self.declare(json!({"type": "array", "items": schema}));
        let parsed = |node: &Node| match node {
            Node::Scalar(scalar) => {
                let place = self.fields.node_place(node);
                self.parsed(&Given { text: scalar.as_str().to_owned(), place }, &parse)
            }
            _ => self.wrong_form(node, TEXT),
        };
        self.sequence().iter().filter_map(parsed).collect()
    }

    /// A mapping of free names to texts; `parse_name` and `parse` understand them.
    pub(in crate::config) fn texts<E: Display>(
        mut self,
        parse_name: impl Fn(&str) -> Result<String, E>,
        parse: impl Fn(&str) -> Result<String, E>,
    ) -> Map<String, Value> {
        self.declare(json!({"type": "object", "additionalProperties": {"type": "string"}}));
        let entries = self.mapping().into_iter().flat_map(|mapping| mapping.iter());
        let text = |(key, node): (&MarkedScalarNode, &Node)| match node {
            Node::Scalar(scalar) => {
                let place = self.fields.marker_place(key.span().start());
                let name = Given { text: key.as_str().to_owned(), place };
                let place = self.fields.node_place(node);
                let value = Given { text: scalar.as_str().to_owned(), place };
                let parsed = (self.parsed(&name, &parse_name), self.parsed(&value, &parse));
                Some((parsed.0?, json!(parsed.1?)))
            }
            _ => self.wrong_form(node, TEXT),
        };
        entries.filter_map(text).collect()
    }

    /// A mapping with keys of its own. `body` runs when it is absent too: for defaults, settings.
    pub(in crate::config) fn section<T>(mut self, body: impl FnOnce(&mut Fields<'a>) -> T) -> T {
        let mapping = self.mapping();
        let place = match mapping {
            Some(_) => self.fields.key_place(self.name),
            None => self.fields.place.clone(),
        };
        let path = format!("{}{}.", self.fields.path, self.name);
        let (value, schema) = self.fields.child(mapping, place, path).finish(body);
        self.declare(schema);
        value
    }

    /// A mapping with keys of its own, of which `body` wants nothing when it is absent.
    pub(in crate::config) fn optional_section<T>(
        self,
        body: impl FnOnce(&mut Fields<'a>) -> Option<T>,
    ) -> Option<T> {
        let said = match self.fields.node(self.name) {
            Some(node @ Node::Scalar(_)) => !tree::is_empty(node),
            Some(Node::Mapping(_) | Node::Sequence(_)) => true,
            None => false,
        };
        if said || self.fields.reading.describing {
            return self.section(body);
        }
        // Known, though absent.
        self.fields.properties.insert(self.name.to_owned(), Value::Null);
        None
    }

    /// A list of mappings. Without a file, a required one has one item, of which settings speak.
    pub(in crate::config) fn items<T>(mut self, body: impl Fn(&mut Fields<'a>) -> T) -> Vec<T> {
        let reading = self.fields.reading;
        let items = if reading.describing || reading.source.is_none() && self.required {
            vec![(None, Place::Nowhere)]
        } else {
            self.sequence().iter().filter_map(|node| self.item(node)).collect()
        };
        let path = self.fields.full(self.name) + "[].";
        let read = |(mapping, place)| {
            let item = self.fields.child(mapping, place, path.clone());
            item.finish(&body)
        };
        let (values, mut schemas): (Vec<_>, Vec<_>) = items.into_iter().map(read).unzip();
        self.declare(json!({"type": "array", "items": schemas.pop()}));
        values
    }

    fn item(&self, node: &'a Node) -> Option<(Option<&'a MarkedMappingNode>, Place)> {
        let Node::Mapping(mapping) = node else {
            return self.wrong_form(node, MAPPING);
        };
        let first = mapping.keys().next().and_then(|key| key.span().start());
        let place = first.or_else(|| mapping.span().start());
        Some((Some(mapping), self.fields.marker_place(place)))
    }

    /// Makes the key known, and refuses values whose feature is not there yet.
    fn declare(&mut self, mut schema: Value) {
        let mut about = self.about.to_owned();
        let key = self.fields.full(self.name);
        if let Some((_, values, instead)) = NOT_YET.iter().find(|(name, _, _)| *name == key) {
            let which = if values.is_empty() { "" } else { ": " };
            about = format!("{about} Not supported yet{which}{}.", values.join(", "));
            self.refuse_for_now(values, instead);
        }
        schema["description"] = about.into();
        self.fields.properties.insert(self.name.to_owned(), schema);
    }

    fn refuse_for_now(&self, values: &[&str], instead: &str) {
        let Some(node) = self.fields.node(self.name).filter(|node| !tree::is_empty(node)) else {
            return;
        };
        let text = node.as_scalar().map_or("", |scalar| scalar.as_str());
        let what = match values {
            [] => String::new(),
            values if values.contains(&text) => format!("{text} is "),
            _ => return,
        };
        let place = self.fields.key_place(self.name);
        let message = format!("{what}not supported yet; {instead}");
        self.fields.report(Fault::new(place, self.fields.shown(self.name), message));
    }

    /// The scalar that is given; a fault when it is none, or absent though required.
    fn given(&self) -> Option<Given> {
        if let Some(setting) = self.fields.setting(self.name) {
            let (text, place) = (setting.value.clone(), setting.place());
            let counts = self.may_be_empty || !text.is_empty();
            return if counts { Some(Given { text, place }) } else { self.absent() };
        }
        match self.fields.node(self.name) {
            Some(node @ Node::Scalar(scalar))
                if !tree::is_empty(node) || self.may_be_empty && !scalar.may_coerce() =>
            {
                let place = self.fields.node_place(node);
                Some(Given { text: scalar.as_str().to_owned(), place })
            }
            None | Some(Node::Scalar(_)) => self.absent(),
            Some(node) => self.wrong_form(node, TEXT),
        }
    }

    fn mapping(&self) -> Option<&'a MarkedMappingNode> {
        match self.fields.node(self.name)? {
            Node::Mapping(mapping) => Some(mapping),
            node if tree::is_empty(node) => None,
            node => self.wrong_form(node, MAPPING),
        }
    }

    fn sequence(&self) -> &'a [Node] {
        match self.fields.node(self.name) {
            Some(Node::Sequence(sequence)) if !sequence.is_empty() => sequence,
            Some(node) if !tree::is_empty(node) => self.wrong_form(node, LIST).unwrap_or_default(),
            _ => self.absent().unwrap_or_default(),
        }
    }

    fn parsed<T, E: Display>(
        &self,
        given: &Given,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let refuse = |error: E| {
            let key = self.fields.shown(self.name);
            self.fields.report(Fault::new(given.place.clone(), key, error.to_string()));
        };
        if given.text.len() > LONGEST {
            let long = format!("has {} bytes; {LONGEST} are enough", given.text.len());
            let key = self.fields.shown(self.name);
            self.fields.report(Fault::new(given.place.clone(), key, long));
            return None;
        }
        parse(&given.text).map_err(refuse).ok()
    }

    fn wrong_form<T>(&self, node: &Node, expected: &str) -> Option<T> {
        let is = match node {
            Node::Scalar(_) => "a text",
            Node::Sequence(_) => "a list",
            Node::Mapping(_) => "a mapping",
        };
        let message = format!("expects {expected}, this is {is}");
        let place = self.fields.node_place(node);
        self.fields.report(Fault::new(place, self.fields.shown(self.name), message));
        None
    }

    /// Says what is missing and how to give it.
    fn absent<T>(&self) -> Option<T> {
        if !self.required {
            return None;
        }
        let (key, shown) = (self.fields.full(self.name), self.fields.shown(self.name));
        let place = self.fields.place.clone();
        let has_file = self.fields.reading.source.is_some();
        // In a file, the flags of these two select clusters rather than make one.
        let selectors = [&REGION, &CLUSTER].into_iter().filter(|_| !has_file);
        let setting = SETTINGS.iter().chain(selectors).find(|known| known.key == key);
        let give = setting.map(|known| format!("give --{} or {}", known.flag, known.variable));
        let instead = match (has_file, give) {
            (true, Some(give)) => format!("write it here, or {give}"),
            (true, None) => "write it here".to_owned(),
            (false, Some(give)) => give,
            // Nobody's fault: it says something about a file.
            (false, None) => return None,
        };
        let fault = Fault::new(place, shown, format!("missing; {instead}"));
        self.fields.report(Fault { missing: setting, ..fault });
        None
    }
}
