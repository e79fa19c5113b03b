//! What of a revision differs from what is wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Change, Release};
use crate::config::checks::nanoseconds;
use crate::fail::{Exit, Fail};
use crate::plan::values;
use crate::tools::output::Output;
use crate::tools::{diff, helm, kubectl, yaml};

impl Release {
    /// Notes the paths at which the revision's values differ from those that are wanted, and what is
    /// lost by that.
    ///
    /// What was and what would be is shown only where okemon alone says what stands there, and what
    /// was there is a number or the like: values of the user's own, those of today or of earlier
    /// runs, and those of a release that was made by hand, can be secrets.
    ///
    /// `defaults` are the chart's own values, which a release that was made by hand can have in its
    /// values too; null: they are not looked at.
    pub(super) fn differences(
        &self,
        there: &Value,
        defaults: &Value,
        change: &mut Change,
    ) -> Result<(), Fail> {
        let (ours, wanted) = (self.rendered_values()?, self.wanted_values()?);
        let shown = |path: &[String], there: &Value| {
            let (ours, own) = (diff::at(&ours, path), diff::at(&self.own_values.values, path));
            let ours = ours.is_some_and(|value| !value.is_object()) && own.is_none();
            ours && (is_figure(there) || diff::at(defaults, path) == Some(there))
        };
        let (before, after) = (values::over(defaults, there), values::over(defaults, &wanted));
        change.warnings.extend(self.lost_history(&before, &wanted));
        change.warnings.extend(self.another_name(&before, &wanted));
        change.lines.extend(values::differing(&before, &after, shown));
        Ok(())
    }

    /// Reads a chart's own values.
    pub(super) fn defaults(&self, output: &Output) -> Result<Value, Fail> {
        yaml::read(&output.stdout).map_err(|error| {
            let chart = self.archive.display();
            Fail::new(Exit::Failed, format!("reading the values of {chart}: {error:#}"))
        })
    }

    /// What a shorter retention deletes from the bucket, a line each.
    fn lost_history(&self, there: &Value, wanted: &Value) -> Vec<String> {
        let line = |path: &&[&str]| {
            let path = owned(path);
            // What was not set was the chart's own affair, and may have been longer.
            let shorter = kept(wanted, &path)? < kept(there, &path).unwrap_or(i64::MAX);
            shorter.then(|| {
                let (name, after) = (path.join("."), text(diff::at(wanted, &path)));
                format!("! {name}: what is older than {after} is deleted from the bucket for good")
            })
        };
        self.release.history.iter().filter_map(line).collect()
    }

    /// That a cluster gets another name.
    fn another_name(&self, there: &Value, wanted: &Value) -> Option<String> {
        let path = owned(self.release.identity?);
        let (before, after) = (diff::at(there, &path)?, diff::at(wanted, &path)?);
        (!values::same(before, after)).then(|| {
            format!(
                "! {}: history keeps the name {}; queries and alerts take {} for another cluster",
                path.join("."),
                text(Some(before)),
                text(Some(after))
            )
        })
    }

    /// What the release is to be told: okemon's own values, and the user's over them.
    pub(super) fn wanted_values(&self) -> Result<Value, Fail> {
        let mut wanted = self.rendered_values()?;
        values::merge(&mut wanted, &self.own_values.values);
        Ok(wanted)
    }

    pub(super) fn rendered_values(&self) -> Result<Value, Fail> {
        let fail =
            |error: String| Fail::new(Exit::Failed, format!("rendering the values: {error}"));
        let text = self.release.values.preview().map_err(|error| fail(format!("{error:#}")))?;
        serde_yaml::from_str(&text).map_err(|error| fail(error.to_string()))
    }
}

pub(super) fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|key| (*key).to_owned()).collect()
}

/// Whether a value can be no secret: nothing, a number, a switch, or a figure such as `72h`, `50Gi`
/// or `0.85.0`.
fn is_figure(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
            text.len() <= 8
                && text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(plain)
        }
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// How long a value lets history be kept, in nanoseconds, 0 being for ever; none: it does not say.
fn kept(values: &Value, path: &[String]) -> Option<i64> {
    let length = nanoseconds(&text(diff::at(values, path)))?;
    Some(if length == 0 { i64::MAX } else { length })
}

/// A word or a number as it is written; nothing where there is no value.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// The objects of a revision that are there.
pub(super) fn there(status: &helm::Status) -> impl Iterator<Item = &Value> {
    status.info.resources.iter().flat_map(BTreeMap::values).flatten()
}

/// The objects of a manifest.
pub(super) fn objects(manifest: &str) -> impl Iterator<Item = Value> {
    serde_yaml::Deserializer::from_str(manifest)
        .filter_map(|document| serde::Deserialize::deserialize(document).ok())
        .filter(Value::is_object)
}

/// The objects of a revision that are not there.
pub(super) fn missing(status: &helm::Status) -> Vec<String> {
    let there: BTreeSet<String> = there(status).map(kubectl::name).collect();
    objects(&status.manifest)
        .map(|object| kubectl::name(&object))
        .filter(|name| !there.contains(name))
        .map(|name| format!("+ {name}"))
        .collect()
}

/// The archive that a description of okemon's names: `thanos-17.3.1`.
pub(super) fn described(description: &str) -> &str {
    description.split(' ').nth(1).unwrap_or_default()
}
