//! What a plan has to know of this machine: where charts lie, the user's own values, whether `oci` is there.

use std::path::{Path, PathBuf};

use semver::Version;
use serde_json::Value;

use crate::config::Config;
use crate::content::charts;
use crate::environment::{Environment, read_file, text};
use crate::fail::{Exit, Fail};
use crate::plan::StepId;
use crate::plan::install::{self, Archive, Each, Local};
use crate::plan::release::OwnValues;
use crate::tools::yaml;

/// Looks around on this machine. No tool is started, nothing is fetched.
///
/// # Errors
/// When the chart directory lacks a chart, or a values file cannot be read.
pub(super) fn look(
    config: &Config,
    environment: &Environment,
    skip_crds: bool,
) -> Result<Local, Fail> {
    let cluster = config
        .clusters
        .first()
        .ok_or_else(|| Fail::new(Exit::Config, "reading the configuration: it has no cluster"))?;
    let releases = install::releases(config, cluster);
    let archive = |release: &charts::Release| archive(config, environment, &release.chart);
    let own_values = config.clusters.iter().map(|cluster| {
        Ok(Each {
            prometheus: own_values(cluster.values.prometheus.as_deref())?,
            thanos: own_values(cluster.values.thanos.as_deref())?,
            grafana: own_values(cluster.values.grafana.as_deref())?,
        })
    });
    Ok(Local {
        oci: environment.has_oci,
        archives: Each {
            prometheus: archive(&releases.prometheus)?,
            thanos: archive(&releases.thanos)?,
            grafana: archive(&releases.grafana)?,
        },
        own_values: own_values.collect::<Result<_, Fail>>()?,
        skip_crds,
    })
}

/// What a person should know of the charts that were found: those of another version than asked for.
pub(super) fn notes(config: &Config, local: &Local) -> Vec<(StepId, String)> {
    let Some(cluster) = config.clusters.first() else { return vec![] };
    let charts = install::releases(config, cluster).into_array().map(|release| release.chart);
    let archives = local.archives.clone().into_array();
    let other = charts.iter().zip(&archives).filter(|(c, a)| c.version != a.version);
    other
        .map(|(chart, archive)| {
            let (path, version) = (archive.path.display(), &chart.version);
            let note = format!("{path} is taken: {version}, the version asked for, is not there");
            (StepId::chart(chart.name), note)
        })
        .collect()
}

fn archive(
    config: &Config,
    environment: &Environment,
    chart: &charts::Chart,
) -> Result<Archive, Fail> {
    let file = format!("{}-{}.tgz", chart.name, chart.version);
    let Some(directory) = &config.chart_directory else {
        let path = environment.cache.join("charts").join(file);
        return Ok(Archive { path, version: chart.version.clone(), pulled: true });
    };
    if directory.join(&file).is_file() {
        let path = directory.join(file);
        return Ok(Archive { path, version: chart.version.clone(), pulled: false });
    }
    newest(directory, chart.name).map_err(|cause| {
        Fail::new(Exit::Config, format!("looking for {file} in {}: {cause}", directory.display()))
            .hint(format!(
                "`helm pull {} --version {} --destination {}` brings it there",
                chart.reference,
                chart.version,
                directory.display()
            ))
    })
}

/// The newest archive of a chart in a directory.
fn newest(directory: &Path, chart: &str) -> Result<Archive, String> {
    let files = std::fs::read_dir(directory).map_err(|error| error.to_string())?;
    let newest = files
        .flatten()
        .filter_map(|file| version_of(&file.path(), chart).map(|version| (version, file.path())))
        .max_by(|(one, _), (other, _)| one.cmp(other));
    let (version, path) = newest.ok_or_else(|| format!("no archive of {chart} is there"))?;
    Ok(Archive { path, version: version.to_string(), pulled: false })
}

/// The version in a name such as `thanos-17.3.1.tgz`; none: it is another chart's.
fn version_of(path: &Path, chart: &str) -> Option<Version> {
    let name = path.file_name()?.to_str()?.strip_suffix(".tgz")?;
    Version::parse(name.strip_prefix(chart)?.strip_prefix('-')?).ok()
}

/// Reads a user's values file, as Helm will.
fn own_values(path: Option<&Path>) -> Result<OwnValues, Fail> {
    let Some(path) = path else { return Ok(OwnValues::default()) };
    let fail = |cause: String| {
        Fail::new(Exit::Config, format!("reading the values file {}: {cause}", path.display()))
            .hint("`helm show values CHART` shows what may stand in it")
    };
    let text = read_file(path).and_then(text).map_err(|error| fail(error.to_string()))?;
    let values = yaml::read(&text).map_err(|error| fail(format!("{error:#}")))?;
    match values {
        Value::Object(_) | Value::Null => Ok(OwnValues { text, values }),
        _ => Err(fail("it is no mapping of values".to_owned())),
    }
}

/// The directory that pulled charts are kept in, for whoever has to make it.
pub(super) fn chart_cache(environment: &Environment) -> PathBuf {
    environment.cache.join("charts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_archive_of_a_chart_is_taken_and_no_other_charts() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "thanos-9.9.0.tgz",
            "thanos-17.6.0.tgz",
            "thanos-17.6.0-rc.1.tgz",
            "thanos-extra-99.0.0.tgz",
            "thanos-18.txt",
        ] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let archive = newest(directory.path(), "thanos").unwrap();
        assert_eq!(archive.path, directory.path().join("thanos-17.6.0.tgz"));
        assert_eq!(archive.version, "17.6.0");
        let error = newest(directory.path(), "grafana").unwrap_err();
        assert_eq!(error, "no archive of grafana is there");
    }
}
