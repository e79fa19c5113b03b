//! Helm values as trees: merged as Helm merges them, and told apart.

use serde_json::Value;

use crate::tools::diff;

/// Merges `over` into `values` as Helm does: maps key by key, everything else as a whole.
pub(super) fn merge(values: &mut Value, over: &Value) {
    let (Value::Object(values), Value::Object(over)) = (values, over) else { return };
    for (key, value) in over {
        match values.get_mut(key) {
            Some(there) if there.is_object() && value.is_object() => merge(there, value),
            _ => {
                values.insert(key.clone(), value.clone());
            }
        }
    }
}

/// `values` over the `defaults` of a chart; null stands for no values at all.
pub(super) fn over(defaults: &Value, values: &Value) -> Value {
    if defaults.is_null() {
        return values.clone();
    }
    let mut all = defaults.clone();
    merge(&mut all, values);
    all
}

/// The paths at which two sets of values differ; `shown` tells where the values may be shown.
pub(super) fn differing(
    there: &Value,
    wanted: &Value,
    shown: impl Fn(&[String], &Value) -> bool,
) -> Vec<String> {
    let empty = Value::Object(serde_json::Map::new());
    let there = if there.is_null() { &empty } else { there };
    diff::paths(&as_written(there, wanted), wanted, shown)
}

/// `there`, with each scalar that Helm's YAML 1.1 reads from a bare word of `wanted` put back as
/// that word: Helm reads `no` as false and `0_1` as 1, this program's YAML does not.
fn as_written(there: &Value, wanted: &Value) -> Value {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => there
            .iter()
            .map(|(key, value)| {
                let value = wanted.get(key).map_or_else(|| value.clone(), |w| as_written(value, w));
                (key.clone(), value)
            })
            .collect(),
        (Value::Array(there), Value::Array(wanted)) if there.len() == wanted.len() => {
            there.iter().zip(wanted).map(|(there, wanted)| as_written(there, wanted)).collect()
        }
        (Value::Bool(there), Value::String(word)) if boolean(word) == Some(*there) => {
            wanted.clone()
        }
        (Value::Number(there), Value::Number(number)) if there.as_f64() == number.as_f64() => {
            wanted.clone()
        }
        (Value::Number(there), Value::String(word))
            if there.as_i64().is_some() && octal(word) == there.as_i64() =>
        {
            wanted.clone()
        }
        (Value::Number(there), Value::String(word))
            if word.replace('_', "") == there.to_string() =>
        {
            wanted.clone()
        }
        _ => there.clone(),
    }
}

/// What YAML 1.1 makes of `0440`.
fn octal(word: &str) -> Option<i64> {
    i64::from_str_radix(word.strip_prefix('0')?, 8).ok()
}

/// What YAML 1.1 makes of the words that later YAML leaves as they are.
fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" => Some(true),
        "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn own_values_win_key_by_key() {
        let mut values = json!({"a": {"b": 1, "c": [1]}, "d": "x"});
        merge(&mut values, &json!({"a": {"c": [2], "e": true}, "d": null}));
        assert_eq!(values, json!({"a": {"b": 1, "c": [2], "e": true}, "d": null}));
    }

    #[test]
    fn a_bare_word_is_what_helm_reads_from_it() {
        let there = json!({"a": false, "b": 1000, "c": [true], "d": 2.0, "e": "no", "f": 288});
        let wanted = json!({"a": "no", "b": "1_000", "c": ["on"], "d": 2, "e": "no", "f": "0440"});
        assert_eq!(differing(&there, &wanted, |_, _| true), Vec::<String>::new());
        assert_eq!(
            differing(&json!({"a": true}), &json!({"a": "no"}), |_, _| true),
            [r#"a: true -> "no""#]
        );
    }
}
