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

/// Whether two values are the same to Helm.
pub(super) fn same(there: &Value, wanted: &Value) -> bool {
    as_written(there, wanted) == *wanted
}

/// `there`, with each number that is the same as that of `wanted` put as it is written there: Helm
/// counts in floating point, and tells 2.0 as 2.
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
        (Value::Number(there), Value::Number(number)) if there.as_f64() == number.as_f64() => {
            wanted.clone()
        }
        _ => there.clone(),
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
    fn a_number_is_the_same_however_it_is_written() {
        let there = json!({"a": 2, "b": [9_007_199_254_740_992_u64], "c": 1});
        let wanted = json!({"a": 2.0, "b": [9_007_199_254_740_993_u64], "c": "1"});
        assert_eq!(differing(&there, &wanted, |_, _| true), [r#"c: 1 -> "1""#]);
        assert!(same(&json!(8), &json!(8.0)));
    }
}
