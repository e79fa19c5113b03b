//! Documents sent to a tool's standard input, rendered from `templates/`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context as _, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context,
    escape_formatter,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// The secrets that a document may name. None of them is ever part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretName {
    S3AccessKey,
    S3SecretKey,
    GrafanaAdminPassword,
}

impl SecretName {
    /// The name that templates know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3AccessKey => "s3-access-key",
            Self::S3SecretKey => "s3-secret-key",
            Self::GrafanaAdminPassword => "grafana-admin-password",
        }
    }
}

/// A template with its data, and the names of the secrets that are still missing from it.
///
/// A `Doc` holds no secret, so it can be shown, serialized and compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doc {
    /// The path below `templates/`.
    pub template: &'static str,
    pub data: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretName>,
}

impl Doc {
    pub fn new(template: &'static str, data: Value) -> Self {
        Self { template, data, secrets: Vec::new() }
    }

    #[must_use]
    pub fn secrets(mut self, names: impl IntoIterator<Item = SecretName>) -> Self {
        self.secrets.extend(names);
        self
    }

    /// Renders the document as a plan shows it, each secret as a note of its name.
    pub fn preview(&self) -> Result<String> {
        self.with_notes(|name| format!("(secret {})", name.as_str()))
    }

    /// Renders the document with a note in the place of each secret.
    pub fn with_notes(&self, note: impl Fn(SecretName) -> String) -> Result<String> {
        self.fill(|name| Ok(note(name)))
    }

    /// Renders the document as the tool receives it; `secret` tells the value of each name.
    ///
    /// # Errors
    /// When `secret` does not know a name that the document needs.
    pub fn render(
        &self,
        secret: impl Fn(SecretName) -> Option<SecretString>,
    ) -> Result<SecretString> {
        self.fill(|name| {
            let value = secret(name).with_context(|| format!("{} is not known", name.as_str()))?;
            Ok(value.expose_secret().to_owned())
        })
        .map(Into::into)
    }

    fn fill(&self, secret: impl Fn(SecretName) -> Result<String>) -> Result<String> {
        let secrets: BTreeMap<&str, String> = self
            .secrets
            .iter()
            .map(|name| Ok((name.as_str(), secret(*name)?)))
            .collect::<Result<_>>()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()?,
        );
        environment.set_formatter(quoted);
        environment.add_template(self.template, source(self.template)?)?;
        let data = minijinja::value::Serde(&self.data);
        let template = environment.get_template(self.template)?;
        Ok(template.render(context! { secrets, ..data })?)
    }
}

/// Writes a value into a document: as JSON that YAML reads back as the same value.
fn quoted(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &minijinja::Value,
) -> Result<(), Error> {
    // Text that a template put together itself, such as an inner document, is quoted already.
    if value.is_safe() || !matches!(state.auto_escape(), AutoEscape::Json) {
        return escape_formatter(out, state, value);
    }
    let mut json = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut json, Flow))
        .map_err(|cause| Error::new(ErrorKind::BadSerialization, "not JSON").with_source(cause))?;
    out.write_str(&String::from_utf8_lossy(&json))?;
    Ok(())
}

/// JSON as a person writes a YAML flow: a space after each comma and colon, and nothing bare that
/// YAML folds or refuses.
struct Flow;

impl Formatter for Flow {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                // Control characters, line breaks beyond ASCII, the byte order mark, no characters.
                '\u{7f}'..='\u{9f}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{feff}'
                | '\u{fffe}'
                | '\u{ffff}' => write!(out, "\\u{:04x}", u32::from(character))?,
                _ => write!(out, "{character}")?,
            }
        }
        Ok(())
    }
}

/// The templates, each compiled in under its path below `templates/`.
fn source(name: &str) -> Result<&'static str> {
    TEMPLATES
        .iter()
        .find_map(|(path, text)| (*path == name).then_some(*text))
        .with_context(|| format!("no template is named {name}"))
}

macro_rules! templates {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/", $path)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "values/bitnami/prometheus.yaml.j2",
    "values/bitnami/thanos.yaml.j2",
    "values/community/prometheus.yaml.j2",
    "values/community/thanos.yaml.j2",
    "values/grafana.yaml.j2",
    "manifests/access-reviews.yaml.j2",
    "manifests/claims.yaml.j2",
    "manifests/lease.yaml.j2",
    "manifests/namespace.yaml.j2",
    "manifests/objstore.yaml.j2",
    "manifests/grafana-admin.yaml.j2",
    "manifests/dashboard.yaml.j2",
    "manifests/storeapi.yaml.j2",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    #[test]
    fn every_template_is_compiled_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found: Vec<String> = ["values", "values/bitnami", "values/community", "manifests"]
            .iter()
            .flat_map(|folder| root.join(folder).read_dir().unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut compiled: Vec<_> = TEMPLATES.iter().map(|(path, _)| (*path).to_owned()).collect();
        found.sort();
        compiled.sort();
        assert_eq!(found, compiled);
    }

    #[test]
    fn no_template_leaves_a_value_unquoted() {
        for (path, text) in TEMPLATES {
            assert!(!text.contains("|safe") && !text.contains("| safe"), "{path}");
        }
    }

    #[test]
    fn data_that_a_template_lacks_is_an_error() {
        let doc = Doc::new("manifests/dashboard.yaml.j2", json!({"namespace": "monitoring"}));
        assert!(doc.preview().is_err());
    }

    #[test]
    fn a_document_is_not_sent_without_its_secrets() {
        let doc = Doc::new("manifests/grafana-admin.yaml.j2", json!({}))
            .secrets([SecretName::GrafanaAdminPassword]);
        let error = doc.render(|_| None).unwrap_err();
        assert_eq!(error.to_string(), "grafana-admin-password is not known");
    }
}
