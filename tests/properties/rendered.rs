//! Renders configurations, has Helm read every document, and compares with what was meant.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use okemon::commands::plan::{self, Form};
use okemon::config::{Config, Selection, Source, load, regions};
use okemon::environment::Environment;
use okemon::plan::release::Release;
use okemon::plan::show::sh;
use okemon::plan::{Answer, Decision, Effect, Intent};
use okemon::tools::cmd::Stdin;
use okemon::tools::helm::{Archive, ChartName};
use okemon::tools::output::Output;
use serde_json::{Value, json};

use crate::configurations::{Configuration, RELEASES};
use crate::helm::Helm;

/// A place that configurations are read in, and both Helms.
pub(crate) struct Rendering {
    helms: [Helm; 2],
    environment: Environment,
    directory: tempfile::TempDir,
}

/// One configuration, rendered. Documents are named by their place among those that Helm is given.
struct Rendered {
    documents: Vec<usize>,
    releases: Vec<ReleaseDocuments>,
}

struct ReleaseDocuments {
    release: Release,
    values: usize,
    /// The user's own values, and the same as `okemon render` writes them.
    own: Option<(usize, usize)>,
}

/// The documents that Helm is given, each once.
#[derive(Default)]
struct Documents {
    places: BTreeMap<String, usize>,
}

impl Documents {
    fn place(&mut self, text: &str) -> usize {
        let next = self.places.len();
        *self.places.entry(text.to_owned()).or_insert(next)
    }

    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<_> = self.places.iter().collect();
        texts.sort_by_key(|(_, place)| **place);
        texts.into_iter().map(|(text, _)| text.clone()).collect()
    }
}

impl Rendering {
    pub(crate) fn new() -> Self {
        // A shell, Helm and YAML have to get through it.
        let directory = tempfile::Builder::new().prefix("it's $(id) {{ x }}: #").tempdir().unwrap();
        let environment = Environment {
            cache: directory.path().join("cache"),
            has_oci: true,
            ..Environment::of_this_process()
        };
        Self { helms: Helm::both(), environment, directory }
    }

    /// What is wrong with each configuration.
    pub(crate) fn faults(&self, cases: &[Configuration]) -> Vec<Option<String>> {
        let mut documents = Documents::default();
        let rendered: Vec<_> = cases
            .iter()
            .map(|case| {
                catch_unwind(AssertUnwindSafe(|| self.render(case, &mut documents)))
                    .unwrap_or_else(|_| Err("a panic".to_owned()))
            })
            .collect();
        let texts = documents.texts();
        let meant: Vec<_> = texts.iter().map(|text| serde_yaml::from_str(text).ok()).collect();
        let mut faults: Vec<Option<String>> =
            rendered.iter().map(|rendered| rendered.as_ref().err().cloned()).collect();
        for helm in &self.helms {
            let there = helm.read(&texts);
            let installed = installed(helm, &rendered, &there);
            let placements = placements(helm, &rendered, &there);
            for (number, case) in cases.iter().enumerate() {
                let Ok(rendered) = &rendered[number] else { continue };
                let fault = misread(rendered, &there, &meant, &texts)
                    .or_else(|| misplaced(case, rendered, &there, &placements[number]))
                    .or_else(|| changed(rendered, &installed[number]));
                faults[number] = faults[number].take().or(fault);
            }
        }
        faults
    }

    /// Goes the way of `okemon plan`, in each of its forms, and of `okemon render`.
    fn render(&self, case: &Configuration, documents: &mut Documents) -> Result<Rendered, String> {
        let directory = self.directory.path().to_owned();
        for (name, own) in RELEASES.iter().zip(&case.own) {
            if let Some(text) = own {
                fs::write(directory.join(format!("{name}.yaml")), text).unwrap();
            }
        }
        let config = read(case, directory)?;
        let (plan, notes) =
            plan::plan(&config, &self.environment, None, false).map_err(|fail| fail.to_string())?;
        for form in [Form::Text, Form::Sh, Form::Json] {
            plan::shown(&config, &plan, &notes, form).map_err(|fail| fail.to_string())?;
        }
        let files = sh::render(&plan, &[], "").map_err(|error| format!("{error:#}"))?.files;
        let mut rendered = Rendered { documents: vec![], releases: vec![] };
        for step in plan.steps() {
            let Decision::Do { effects, .. } = step.intent.decide(&[]) else { continue };
            for effect in effects {
                let Effect::Cmd(cmd) = effect else { continue };
                let Stdin::Docs(docs) = cmd.stdin else { continue };
                for doc in docs {
                    let text = doc.preview().map_err(|error| format!("{error:#}"))?;
                    rendered.documents.push(documents.place(&text));
                }
            }
            if let Intent::Release(release) = &step.intent {
                let name = release.release.name;
                let own = &case.own[RELEASES.iter().position(|known| *known == name).unwrap()];
                let own = own.as_ref().map(|own| {
                    let again = &files[&format!("values/{name}-own.yaml")];
                    (documents.place(own), documents.place(again))
                });
                let values = *rendered.documents.last().unwrap();
                rendered.releases.push(ReleaseDocuments {
                    release: (**release).clone(),
                    values,
                    own,
                });
            }
        }
        Ok(rendered)
    }
}

fn read(case: &Configuration, directory: PathBuf) -> Result<Config, String> {
    let bytes = case.text().into_bytes();
    let source = Source { origin: "okemon.yaml".to_owned(), directory, bytes };
    load(Some(&source), &[], &Selection::default()).map_err(|faults| faults.to_string())
}

/// The values that each release has once it is installed, as Helm tells them.
fn installed(
    helm: &Helm,
    rendered: &[Result<Rendered, String>],
    there: &[Value],
) -> Vec<Vec<Value>> {
    let pairs = |release: &ReleaseDocuments| {
        let own = release.own.map_or_else(|| json!({}), |(own, _)| there[own].clone());
        (there[release.values].clone(), own)
    };
    let of_case = |rendered: &Result<Rendered, String>| -> Vec<_> {
        rendered.iter().flat_map(|rendered| rendered.releases.iter().map(pairs)).collect()
    };
    let all: Vec<Vec<_>> = rendered.iter().map(of_case).collect();
    let mut merged = helm.merged(&all.concat()).into_iter();
    all.iter().map(|pairs| merged.by_ref().take(pairs.len()).collect()).collect()
}

/// What the charts make of where things are placed: of all releases but Grafana, whose chart does
/// not run it as a template.
fn placements(
    helm: &Helm,
    rendered: &[Result<Rendered, String>],
    there: &[Value],
) -> Vec<Vec<Value>> {
    let of_release = |release: &ReleaseDocuments| {
        let mut found = Vec::new();
        if release.release.release.name != "grafana" {
            placements_within(&there[release.values], &mut found);
        }
        found
    };
    let of_case = |rendered: &Result<Rendered, String>| -> Vec<_> {
        rendered.iter().flat_map(|rendered| rendered.releases.iter().flat_map(of_release)).collect()
    };
    let all: Vec<Vec<Value>> = rendered.iter().map(of_case).collect();
    let mut run = helm.run(&all.concat()).into_iter();
    all.iter().map(|found| run.by_ref().take(found.len()).collect()).collect()
}

/// Every node selector and list of tolerations, except those of the node exporter, which is everywhere.
fn placements_within(tree: &Value, found: &mut Vec<Value>) {
    for (key, value) in tree.as_object().into_iter().flatten() {
        match key.as_str() {
            "node-exporter" | "prometheus-node-exporter" => {}
            "nodeSelector" | "tolerations" => found.push(json!({key: value})),
            _ => placements_within(value, found),
        }
    }
}

/// Whether Helm reads a document otherwise than okemon, or a values file otherwise than its copy.
fn misread(
    rendered: &Rendered,
    there: &[Value],
    meant: &[Option<Value>],
    texts: &[String],
) -> Option<String> {
    let document = |place: &usize| {
        let (there, meant) = (&there[*place], meant[*place].as_ref());
        let fault = || format!("Helm reads {there}, okemon {meant:?}, from\n{}", texts[*place]);
        (meant != Some(there)).then(fault)
    };
    let copy = |release: &ReleaseDocuments| {
        let (own, again) = release.own?;
        let fault = || format!("{} is rendered anew as {}", texts[own], texts[again]);
        (there[own] != there[again]).then(fault)
    };
    rendered.documents.iter().find_map(document).or_else(|| rendered.releases.iter().find_map(copy))
}

/// Whether a value is not where it was meant to be.
fn misplaced(
    case: &Configuration,
    rendered: &Rendered,
    there: &[Value],
    placements: &[Value],
) -> Option<String> {
    let said = |path: &str| case.said(path).cloned();
    let name = said("/name").unwrap_or_else(|| {
        let region = said("/region").unwrap();
        json!(regions::find(region.as_str().unwrap()).unwrap().key)
    });
    let history =
        [("raw", "365d"), ("fiveMinutes", "365d"), ("oneHour", "0d")].map(|(key, default)| {
            let at = |level: &str| case.file.pointer(&format!("{level}/retention/{key}")).cloned();
            at("/clusters/0").or_else(|| at("")).unwrap_or_else(|| json!(default))
        });
    let mut wanted = Vec::new();
    for ReleaseDocuments { release, values, .. } in &rendered.releases {
        let identity = release.release.identity.map(|path| (path, name.clone()));
        let history = release.release.history.iter().copied().zip(history.clone());
        wanted.extend(
            identity.into_iter().chain(history).map(|(path, value)| (*values, path, value)),
        );
    }
    let other = wanted.iter().find(|(values, path, value)| {
        path.iter().fold(&there[*values], |tree, key| &tree[*key]) != value
    });
    let other = other.map(|(_, path, value)| format!("{} is not {value}", path.join(".")));
    let as_said = |placement: &&Value| {
        placement.as_object().is_some_and(|fields| {
            let said = |key| said(&format!("/placement/{key}"));
            fields.iter().all(|(key, value)| said(key).as_ref() == Some(value))
        })
    };
    let elsewhere = placements.iter().find(|placement| !as_said(placement));
    let parts = ["nodeSelector", "tolerations"].map(|key| said(&format!("/placement/{key}")));
    let placed = placements.len() >= 5 * parts.iter().flatten().count();
    other
        .or_else(|| elsewhere.map(|placement| format!("placed on {placement}")))
        .or_else(|| (!placed).then(|| format!("placed {} times", placements.len())))
}

/// Whether a release that was just installed is not found as it should be.
fn changed(rendered: &Rendered, installed: &[Value]) -> Option<String> {
    let decided = |(documents, there): (&ReleaseDocuments, &Value)| {
        let release = &documents.release;
        let chart = &release.release.chart;
        let (name, version) = (chart.name.to_owned(), chart.version.clone());
        let description = format!("okemon: {name}-{version} sha256:0");
        let info = json!({"status": "deployed", "description": description, "resources": {}});
        let status = json!({"version": 1, "info": info, "config": there}).to_string();
        let archive = Archive { sha256: "0".to_owned(), chart: Some(ChartName { name, version }) };
        let output = Output { code: Some(0), stdout: status, stderr: String::new() };
        let answers = [Answer::Archive(Some(archive)), Answer::Output(output)];
        match release.decide(&answers) {
            Decision::Unchanged { .. } => None,
            decision => Some(format!("{decision:?}")),
        }
    };
    assert_eq!(rendered.releases.len(), installed.len());
    rendered.releases.iter().zip(installed).find_map(decided)
}

impl Configuration {
    /// Everything that is on disk, for whoever mends what it shows.
    pub(crate) fn shown(&self) -> String {
        let own = RELEASES.iter().zip(&self.own);
        let own = own.filter_map(|(name, own)| Some(format!("{name}.yaml:\n{}\n", own.as_ref()?)));
        format!("okemon.yaml:\n{}\n{}", self.text(), own.collect::<String>())
    }
}
