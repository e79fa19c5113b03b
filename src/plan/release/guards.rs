//! What a release must not be changed to, since data would be lost or the change would break off in
//! the middle: refused before anything is changed.

use serde_json::Value;

use super::Release;
use super::differences::{owned, text};
use crate::content::charts::Volume;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::helm::Archive;
use crate::tools::output::Output;
use crate::tools::{diff, failure, kubectl};

impl Release {
    /// Whether a volume is to be of another size than it was told to be.
    pub(super) fn resizes(&self, there: &Value) -> bool {
        self.resized(there).is_ok_and(|resized| !resized.is_empty())
    }

    /// Asks for the claims of the namespace.
    pub(super) fn claims(&self) -> Cmd {
        self.kubectl.cmd(["get", "persistentvolumeclaims", "-o", "json"])
    }

    /// The archive holds the chart that its name says.
    pub(super) fn check_archive(&self, archive: &Archive) -> Result<(), Fail> {
        let wanted = &self.release.chart;
        let holds = match &archive.chart {
            Some(chart)
                if (chart.name.as_str(), &chart.version) == (wanted.name, &wanted.version) =>
            {
                return Ok(());
            }
            Some(chart) => format!("it holds {} {}", chart.name, chart.version),
            None => "it is no archive of a chart".to_owned(),
        };
        let (path, name) = (self.archive.display(), self.release.name);
        let error = format!("looking for the chart of {name} in {path}: {holds}");
        Err(Fail::new(Exit::Config, error).hint(format!(
            "`helm pull {} --version {}` brings the right one; remove that file first",
            wanted.reference, wanted.version
        )))
    }

    /// Volumes do not follow their values: that of a StatefulSet cannot be changed, and one that is
    /// not enlarged is filled all the same.
    pub(super) fn check_volumes(&self, there: &Value, claims: &Output) -> Result<(), Fail> {
        if claims.code != Some(0) {
            return Err(failure::explain(&self.claims(), claims));
        }
        let claims = kubectl::objects(&claims.stdout)
            .map_err(|error| Fail::new(Exit::Failed, format!("reading the claims: {error:#}")))?;
        let resized = self.resized(there)?;
        let others = claims.iter().filter_map(|claim| {
            let name = claim["metadata"]["name"].as_str()?;
            let (_, wanted) = resized.iter().find(|(volume, _)| name.starts_with(volume.claims))?;
            let is = claim["spec"]["resources"]["requests"]["storage"].as_str()?;
            (is != wanted).then(|| format!("{name} has {is}, not {wanted}"))
        });
        let others: Vec<String> = others.collect();
        if others.is_empty() {
            return Ok(());
        }
        let error = format!(
            "changing {}: its volumes do not follow their values: {}",
            self.release.name,
            others.join("; ")
        );
        Err(Fail::new(Exit::Refused, error).hint(
            "docs/sizes.md says how volumes grow; then run this again, or leave `size` as it was",
        ))
    }

    /// Another family's chart cannot go on from where this one's is: what is immutable differs.
    pub(super) fn check_chart(&self, description: &str) -> Result<(), Fail> {
        let wanted = self.release.chart.name;
        let chart = description.strip_prefix("okemon: ").and_then(|text| {
            let (archive, _) = text.split_once(' ')?;
            // The version begins at the first hyphen before a digit.
            let end = archive
                .match_indices('-')
                .find(|(at, _)| archive[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
            Some(&archive[..end?.0])
        });
        match chart {
            Some(chart) if chart != wanted => {
                let error = format!(
                    "changing {}: it was made from {chart}, and {wanted} cannot take it over",
                    self.release.name
                );
                Err(Fail::new(Exit::Refused, error).hint(
                    "`charts` as it was goes on; docs/leaving.md says how to remove what is there, and what stays",
                ))
            }
            _ => Ok(()),
        }
    }

    /// The volumes whose size is to change, each with the new one.
    fn resized(&self, there: &Value) -> Result<Vec<(Volume, String)>, Fail> {
        let wanted = self.wanted_values()?;
        let resized = self.release.volumes.iter().filter_map(|volume| {
            let path = owned(volume.size);
            let (before, after) = (diff::at(there, &path)?, diff::at(&wanted, &path)?);
            (before != after).then(|| (*volume, text(Some(after))))
        });
        Ok(resized.collect())
    }
}
