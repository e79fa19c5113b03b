//! The JSON Schema of `okemon.yaml`, made by the reader itself: it reads an empty file and notes the
//! keys it asked for.
//!
//! The committed copy is `docs/okemon.schema.json`.

use serde_json::{Value, json};

use super::fields::{self, Reading};
use super::{Selection, reader};

/// The schema of the whole file.
pub fn schema() -> Value {
    let reading = Reading { describing: true, ..Reading::default() };
    let (_, keys) = fields::read(&reading, None, |f| reader::file(f, &Selection::default()));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "okemon.yaml",
        "description": "The clusters that okemon looks after.",
    });
    if let (Value::Object(schema), Value::Object(keys)) = (&mut schema, keys) {
        schema.extend(keys);
    }
    schema
}

/// What the schema says of a key such as `clusters[].context`.
pub fn about(schema: &Value, key: &str) -> String {
    let path = key.replace("[]", ".items").replace('.', "/properties/");
    let pointer = format!("/properties/{}", path.replace("/properties/items", "/items"));
    let description = schema.pointer(&pointer).map(|key| &key["description"]);
    description.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `OKEMON_BLESS=1 cargo test` writes the copy anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    fn the_committed_schema_is_that_of_the_reader() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/okemon.schema.json");
        let made = format!("{:#}\n", schema());
        if std::env::var_os("OKEMON_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(made == committed, "docs/okemon.schema.json is old; OKEMON_BLESS=1 cargo test");
    }

    #[test]
    fn the_full_file_has_exactly_the_keys_of_the_schema() {
        let full: Value = serde_yaml::from_str(include_str!("../../tests/data/full.yaml")).unwrap();
        let (mut in_file, mut in_schema) = (Vec::new(), Vec::new());
        keys_of_value("", &full, &mut in_file);
        keys_of_schema("", &schema(), &mut in_schema);
        in_file.sort();
        in_file.dedup();
        in_schema.sort();
        assert_eq!(in_file, in_schema);
    }

    fn keys_of_schema(path: &str, schema: &Value, keys: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            keys.push(format!("{path}{name}"));
            keys_of_schema(&format!("{path}{name}."), property, keys);
            keys_of_schema(&format!("{path}{name}."), &property["items"], keys);
        }
    }

    fn keys_of_value(path: &str, value: &Value, keys: &mut Vec<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            keys.push(format!("{path}{name}"));
            // Its keys are labels of the user's own.
            if name == "nodeSelector" {
                continue;
            }
            let items = value.as_array().into_iter().flatten();
            for value in items.chain(std::iter::once(value)) {
                keys_of_value(&format!("{path}{name}."), value, keys);
            }
        }
    }
}
