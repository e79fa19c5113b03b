//! From a file and settings to a [`Config`], or every fault of them.
//!
//! Opening the file and reading flags and variables is left to `cli/`.

use super::faults::{Fault, Faults, Place};
use super::fields::{self, Reading};
use super::layers::{CLUSTER, REGION, Selection, Setting, Source};
use super::names::BadValue;
use super::{Config, checks, fleet, reader, tree};

/// Reads the file, when there is one, with `settings` over it, and keeps the selected clusters.
pub fn load(
    source: Option<&Source>,
    settings: &[Setting],
    selection: &Selection,
) -> Result<Config, Faults> {
    match source {
        Some(source) => load_file(source, settings, selection),
        None => load_settings(settings, selection),
    }
}

fn load_file(
    source: &Source,
    settings: &[Setting],
    selection: &Selection,
) -> Result<Config, Faults> {
    let (tree, twice) = tree::parse(source)?;
    let reading = Reading { source: Some(source), settings, ..Reading::default() };
    reading.faults.borrow_mut().extend(twice);
    let (file, _) = fields::read(&reading, Some(&tree), |f| reader::file(f, selection));
    let found = fleet::faults(&file.members, &file.clusters, &reading, selection);
    reading.faults.borrow_mut().extend(found);
    config(file, reading)
}

/// One cluster, made of settings alone.
fn load_settings(settings: &[Setting], selection: &Selection) -> Result<Config, Faults> {
    let of_cluster = [(&selection.regions, REGION), (&selection.clusters, CLUSTER)];
    if settings.is_empty() && of_cluster.iter().all(|(choices, _)| choices.is_empty()) {
        return Err(Fault::new(Place::Nowhere, "", NOTHING_TO_GO_BY).into());
    }
    let mut settings = settings.to_vec();
    let mut faults = Vec::new();
    for (choices, known) in of_cluster {
        settings.extend(choices.first().map(|choice| Setting { key: known.key, ..choice.clone() }));
        let second = choices.get(1).map(|second| {
            let message = "a second one needs an okemon.yaml that lists both";
            Fault::new(second.place(), known.key, message)
        });
        faults.extend(second);
    }
    let reading = Reading { settings: &settings, ..Reading::default() };
    reading.faults.borrow_mut().extend(faults);
    let (file, _) = fields::read(&reading, None, |f| reader::file(f, &Selection::default()));
    config(file, reading)
}

/// What settings alone say of the mirror of the images.
pub fn image_registry(settings: &[Setting]) -> Result<Option<String>, Faults> {
    let Some(setting) = settings.iter().find(|setting| setting.key == "imageRegistry") else {
        return Ok(None);
    };
    let fault = |error: BadValue| Fault::new(setting.place(), setting.key, error.to_string());
    checks::image_registry(&setting.value).map(Some).map_err(|error| fault(error).into())
}

fn config(file: reader::File, reading: Reading<'_>) -> Result<Config, Faults> {
    let faults = Faults::new(reading.faults.into_inner());
    if !faults.is_empty() {
        return Err(faults);
    }
    let selected = file.members.into_iter().filter(|member| member.selected);
    Ok(Config {
        namespace: file.namespace,
        charts: file.charts,
        chart_versions: file.chart_versions,
        chart_directory: file.chart_directory,
        image_registry: file.image_registry,
        image_pull_secrets: file.image_pull_secrets,
        grafana: file.grafana,
        clusters: selected.filter_map(|member| member.cluster).collect(),
    })
}

const NOTHING_TO_GO_BY: &str = "\
there is no okemon.yaml here, and no --region. Write one; this is enough:

    version: 1
    objectStorage: {bucket: thanos, namespace: axabcdef1234, compartment: ocid1.compartment.oc1..aaaa}
    clusters:
      - {region: sin, context: oke-sin}

or do without it:

    okemon install --region sin --context oke-sin --bucket thanos \\
      --object-storage-namespace axabcdef1234 --compartment ocid1.compartment.oc1..aaaa";
