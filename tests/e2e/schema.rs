//! As much of JSON Schema as `docs/events.schema.json` uses.

use serde_json::Value;

/// Whether `value` is as `schema` says; `root` is the whole schema, which has the definitions.
pub(crate) fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    let all = |name: &str| schema[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let any_of = |name: &str, enough: fn(usize) -> bool| {
        let fitting = all(name).iter().filter(|one| fits(value, one, root)).count();
        schema.get(name).is_none() || enough(fitting)
    };
    let known = [
        "$schema",
        "$defs",
        "$ref",
        "title",
        "description",
        "format",
        "type",
        "const",
        "enum",
        "anyOf",
        "oneOf",
        "properties",
        "required",
        "items",
        "minimum",
    ];
    for keyword in schema.as_object().unwrap().keys() {
        assert!(known.contains(&keyword.as_str()), "{keyword} is not understood here");
    }
    let definition = |reference: &Value| {
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        root.pointer(pointer).unwrap()
    };
    schema.get("$ref").is_none_or(|reference| fits(value, definition(reference), root))
        && any_of("anyOf", |fitting| fitting > 0)
        && any_of("oneOf", |fitting| fitting == 1)
        && schema.get("type").is_none_or(|kinds| is_a(value, kinds))
        && schema.get("const").is_none_or(|constant| value == constant)
        && (schema.get("enum").is_none() || all("enum").contains(value))
        && schema.get("minimum").is_none_or(|least| value.as_f64() >= least.as_f64())
        && all("required").iter().all(|name| value.get(name.as_str().unwrap()).is_some())
        && schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .all(|(name, property)| value.get(name).is_none_or(|value| fits(value, property, root)))
        && schema.get("items").is_none_or(|items| {
            value.as_array().into_iter().flatten().all(|item| fits(item, items, root))
        })
}

fn is_a(value: &Value, kinds: &Value) -> bool {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match kinds {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    }
}
