//! Tells two JSON trees apart, path by path.

use serde_json::Value;

/// The paths at which `old` and `new` differ, a line each, in the order of `new`.
///
/// Where `values` says yes to a path and its old value, a line shows what was and what would be:
/// `retention: "72h" -> "48h"`.
pub fn paths(old: &Value, new: &Value, values: impl Fn(&[String], &Value) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    walk(old, new, &mut Vec::new(), &mut |path, old, new| {
        let name = path.join(".");
        let line = format!("{name}: {} -> {}", shown(old), shown(new));
        lines.push(if values(path, old) { line } else { name });
    });
    lines
}

/// What stands at a path; none: nothing.
pub fn at<'a>(tree: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |value, key| value.get(key))
}

fn walk(
    old: &Value,
    new: &Value,
    path: &mut Vec<String>,
    found: &mut impl FnMut(&[String], &Value, &Value),
) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        if old != new {
            found(path, old, new);
        }
        return;
    };
    let removed = before.keys().filter(|key| !after.contains_key(*key));
    for key in after.keys().chain(removed) {
        path.push(key.clone());
        let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        walk(&side(before), &side(after), path, found);
        path.pop();
    }
}

/// A value in at most 60 characters; null reads as nothing.
fn shown(value: &Value) -> String {
    if value.is_null() {
        return "(none)".to_owned();
    }
    let text = value.to_string();
    if text.chars().count() <= 60 {
        return text;
    }
    text.chars().take(57).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_what_was_added_changed_and_removed() {
        let old = json!({"a": 1, "b": {"c": "x", "d": [1]}, "gone": true});
        let new = json!({"a": 1, "b": {"c": "y", "d": [1, 2]}, "new": null, "e": {}});
        let expected =
            [r#"b.c: "x" -> "y""#, "b.d: [1] -> [1,2]", "e: (none) -> {}", "gone: true -> (none)"];
        assert_eq!(paths(&old, &new, |_, _| true), expected);
        assert_eq!(paths(&old, &new, |_, _| false), ["b.c", "b.d", "e", "gone"]);
    }
}
