//! Thousands of documents through Helm's own parser, by one `helm template` of a tiny chart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const CHART: &str = "apiVersion: v2\nname: reader\nversion: 0.0.0\n";
const READ: &str = r#"
kind: Read
{{ range $path, $_ := .Files.Glob "docs/*" }}
{{ base $path }}: {{ $.Files.Get $path | fromYaml | toJson | b64enc }}
{{ end }}"#;
const VALUES: &str = "kind: Values\nvalues: {{ .Values | toJson | b64enc }}\n";
const RUN: &str = r"
kind: Run
{{ range $name, $value := .Values }}
{{ $name }}: {{ tpl (toYaml $value) $ | fromYaml | toJson | b64enc }}
{{ end }}";

/// One of the Helms of the sandbox.
#[derive(Debug)]
pub(crate) struct Helm {
    program: PathBuf,
}

impl Helm {
    /// Helm 4 and Helm 3.
    pub(crate) fn both() -> [Self; 2] {
        ["helm", "helm3"].map(|name| Self { program: tool(name) })
    }

    /// What `fromYaml` reads from each document: Helm's parser, with its errors as `Error`.
    pub(crate) fn read(&self, documents: &[String]) -> Vec<Value> {
        let chart = chart(READ);
        let docs = chart.path().join("docs");
        fs::create_dir(&docs).unwrap();
        for (number, document) in documents.iter().enumerate() {
            fs::write(docs.join(format!("d{number}")), document).unwrap();
        }
        self.answers(chart.path(), &[], documents.len())
    }

    /// What a chart is given when these files of values are, one after another.
    pub(crate) fn values(&self, files: &[&Path]) -> Value {
        let chart = chart(VALUES);
        self.template(chart.path(), files).remove("values").unwrap()
    }

    /// The values that come out when `own` are given after `ours`, for each pair.
    pub(crate) fn merged(&self, pairs: &[(Value, Value)]) -> Vec<Value> {
        let directory = tempfile::tempdir().unwrap();
        let side = |name: &str, of: &dyn Fn(&(Value, Value)) -> Value| {
            let path = directory.path().join(name);
            let all =
                pairs.iter().enumerate().map(|(number, pair)| (format!("d{number}"), of(pair)));
            fs::write(&path, printable(&Value::Object(all.collect()))).unwrap();
            path
        };
        let (ours, own) =
            (side("ours", &|pair| pair.0.clone()), side("own", &|pair| pair.1.clone()));
        let mut values = self.values(&[&ours, &own]);
        (0..pairs.len()).map(|number| values[format!("d{number}")].take()).collect()
    }

    /// What a chart makes of values that it runs as a template.
    pub(crate) fn run(&self, values: &[Value]) -> Vec<Value> {
        let chart = chart(RUN);
        let all = values.iter().enumerate().map(|(number, value)| {
            (format!("d{number}"), json!({"run": value, "z": "toYaml cuts the last line break"}))
        });
        let file = chart.path().join("run.json");
        fs::write(&file, printable(&Value::Object(all.collect()))).unwrap();
        let mut answers = self.answers(chart.path(), &[&file], values.len());
        answers.iter_mut().map(|answer| answer["run"].take()).collect()
    }

    fn answers(&self, chart: &Path, files: &[&Path], count: usize) -> Vec<Value> {
        let mut answers = self.template(chart, files);
        (0..count).map(|number| answers.remove(&format!("d{number}")).unwrap()).collect()
    }

    fn template(&self, chart: &Path, files: &[&Path]) -> BTreeMap<String, Value> {
        let mut command = Command::new(&self.program);
        command.args(["template", "reader"]).arg(chart);
        for file in files {
            command.arg("--values").arg(file);
        }
        let output = command.env("HOME", chart).output().unwrap();
        let (stdout, stderr) =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).into();
        assert!(output.status.success(), "{stderr}");
        let line = |line: &str| {
            let (name, encoded) = line.split_once(": ")?;
            let json = STANDARD.decode(encoded).ok()?;
            Some((name.to_owned(), serde_json::from_slice(&json).ok()?))
        };
        stdout.lines().filter_map(line).collect()
    }
}

/// As JSON that is YAML too: without characters that Helm's parser refuses.
fn printable(value: &Value) -> String {
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        _ => c.to_string(),
    };
    value.to_string().chars().map(escaped).collect()
}

fn chart(template: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("templates")).unwrap();
    fs::write(directory.path().join("Chart.yaml"), CHART).unwrap();
    fs::write(directory.path().join("templates/answer.yaml"), template).unwrap();
    directory
}

/// A program of the sandbox, as `make tools` builds it.
fn tool(name: &str) -> PathBuf {
    let tools = env::var_os("OKEMON_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools"), PathBuf::from);
    fs::read_dir(&tools)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("no {name} in {}: run `make tools` first", tools.display()))
}
